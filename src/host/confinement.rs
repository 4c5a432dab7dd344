//! What AppArmor and SELinux forbid on a machine: the programs that libvirt's hooks may run, and QEMU's window.

use super::{Reading, Root};

/// Where the kernel lists AppArmor's profiles, readable only by root.
const PROFILES: &str = "/sys/kernel/security/apparmor/profiles";

/// AppArmor's own folder.
const APPARMOR: &str = "/etc/apparmor.d";

/// libvirt's daemons that run hooks.
const DAEMONS: &[&str] = &["libvirtd", "virtqemud"];

/// What libvirt's profile lets hooks run, for when its file can't be read (libvirt: src/security/apparmor/usr.sbin.libvirtd.in).
const USUAL_RULES: &str = "/bin/* PUx,\n/sbin/* PUx,\n/usr/bin/* PUx,\n/usr/sbin/* PUx,\n/etc/libvirt/hooks/** rmix,\n";

/// Where a hook looks for programs: the PATH that the emitted filter sets.
const FOLDERS: &[&str] = &["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin", "/run/current-system/sw/bin"];

/// The maximum number of patterns that the braces of one pattern expand to.
const MAX_ALTERNATIVES: usize = 256;

/// The restrictions by the security modules of a machine's kernel.
#[derive(Clone, Debug)]
pub struct Confinement {
    /// The enforced AppArmor profile of the daemon that runs hooks.
    pub profile: Option<Profile>,
    /// Whether SELinux enforces its policy.
    pub selinux_enforces: bool,
    /// SELinux's boolean `virt_use_xserver`; Absent if the policy does not have it.
    pub virt_use_xserver: Reading<bool>,
    /// Where `gvtg-xml` is, in the order in which a hook looks for it; Absent if the machine's programs are not there to look at.
    pub programs: Reading<Vec<Program>>,
}

/// A program that a hook finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The path by which it is found.
    pub path: String,
    /// The file that it leads to through all links, which is what AppArmor checks.
    pub file: String,
}

/// The rules of an AppArmor profile about what may be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The daemon that it confines.
    pub daemon: &'static str,
    /// The file that it is from, or the kernel's list if there is no file.
    pub path: String,
    rules: Vec<ExecRule>,
}

/// A rule about executing files.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ExecRule {
    pattern: String,
    denies: bool,
}

impl Confinement {
    /// Reads what confines libvirt and QEMU on a machine.
    pub fn read(root: &Root) -> Self {
        let is_executable =
            |path: &String| root.mode(path).present().is_some_and(|mode| mode & 0o111 != 0 && mode & 0o170_000 == 0o100_000);
        let program = |path: String| Some(Program { file: root.real_path(&path)?, path });
        let paths = FOLDERS.iter().map(|folder| format!("{folder}/gvtg-xml"));
        let programs: Vec<Program> = paths.filter(is_executable).filter_map(program).collect();
        Confinement {
            profile: DAEMONS.iter().find_map(|daemon| profile(root, daemon)),
            selinux_enforces: root.line("/sys/fs/selinux/enforce").present().as_deref() == Some("1"),
            // The value in force, and the one that waits to be committed.
            virt_use_xserver: root.line("/sys/fs/selinux/booleans/virt_use_xserver").map(|line| line.starts_with('1')),
            programs: if root.has("/usr/bin") || root.has("/bin") { Reading::Present(programs) } else { Reading::Absent },
        }
    }
}

/// A daemon's profile; None where it is not enforced.
fn profile(root: &Root, daemon: &'static str) -> Option<Profile> {
    let name = format!("usr.sbin.{daemon}");
    let path = format!("{APPARMOR}/{name}");
    let file = root.text(&path).present();
    match root.text(PROFILES) {
        Reading::Present(list) => {
            let is_enforced =
                |line: &str| [format!("{daemon} (enforce)"), format!("/usr/sbin/{daemon} (enforce)")].iter().any(|own| line == own);
            list.lines().find(|line| is_enforced(line))?;
        }
        // Only root can see the list: for others the file tells whether the profile is enforced.
        _ => {
            let is_switched_off = ["disable", "force-complain"].iter().any(|folder| root.has(&format!("{APPARMOR}/{folder}/{name}")));
            let is_enabled = root.line("/sys/module/apparmor/parameters/enabled").present().as_deref() != Some("N");
            let is_enforced = file.as_ref().is_some_and(|text| !complains(text));
            (is_enabled && is_enforced && !is_switched_off).then_some(())?;
        }
    }
    let path = if file.is_some() { path } else { PROFILES.to_owned() };
    let local = root.text(&format!("{APPARMOR}/local/{name}")).present().unwrap_or_default();
    let text = file.unwrap_or_else(|| USUAL_RULES.to_owned());
    Some(Profile { daemon, path, rules: text.lines().chain(local.lines()).filter_map(exec_rule).collect() })
}

/// Whether a profile is in complain mode, which its first line says.
fn complains(text: &str) -> bool {
    let head = text.lines().find(|line| line.trim_start().starts_with("profile ") || line.trim_start().starts_with('/'));
    head.and_then(|line| line.split_once("flags=")).is_some_and(|(_, flags)| flags.contains("complain") || flags.contains("unconfined"))
}

/// A line about executing files: `[audit] [deny] [owner] PATH PERMISSIONS [-> PROFILE],`, or with the permissions first.
fn exec_rule(line: &str) -> Option<ExecRule> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let rule = line.split(',').collect::<Vec<_>>();
    // Braces have commas too: the rule ends at the last one.
    let rule = rule[..rule.len().saturating_sub(1)].join(",");
    let words: Vec<&str> = rule.split_whitespace().filter(|word| !matches!(*word, "audit" | "owner" | "allow" | "file")).collect();
    let denies = words.first() == Some(&"deny");
    let words = if denies { &words[1..] } else { &words[..] };
    let (pattern, permissions) = match words {
        [path, permissions, ..] if is_pattern(path) => (path, permissions),
        [permissions, path, ..] if is_pattern(path) => (path, permissions),
        _ => return None,
    };
    permissions.contains('x').then(|| ExecRule { pattern: expand_variables(pattern.trim_matches('"')), denies })
}

fn is_pattern(word: &str) -> bool {
    word.starts_with(['/', '"', '@'])
}

/// AppArmor's own variables for folders of programs (/etc/apparmor.d/tunables/multiarch.d, since 4.0).
fn expand_variables(pattern: &str) -> String {
    pattern.replace("@{bin}", "/{,usr/}{,s}bin").replace("@{sbin}", "/{,usr/}sbin")
}

impl Profile {
    /// Whether the daemon, and so a hook, may execute the file at this path, which must not lead through links.
    pub fn may_run(&self, path: &str) -> bool {
        let has = |denies: bool| self.rules.iter().any(|rule| rule.denies == denies && matches(&rule.pattern, path));
        has(false) && !has(true)
    }
}

/// Whether an AppArmor pattern matches a path: `*` and `?` stay within a folder, `**` does not, braces hold alternatives.
fn matches(pattern: &str, path: &str) -> bool {
    alternatives(pattern).iter().any(|pattern| matches_plain(pattern.as_bytes(), path.as_bytes()))
}

/// Expands a pattern into one without braces for each alternative.
fn alternatives(pattern: &str) -> Vec<String> {
    let (mut done, mut open) = (Vec::new(), vec![pattern.to_owned()]);
    while let Some(pattern) = open.pop() {
        if done.len() + open.len() >= MAX_ALTERNATIVES {
            break;
        }
        // The innermost braces first.
        match pattern.find('}').and_then(|end| Some((pattern[..end].rfind('{')?, end))) {
            Some((start, end)) => {
                let (before, after) = (&pattern[..start], &pattern[end + 1..]);
                open.extend(pattern[start + 1..end].split(',').map(|part| format!("{before}{part}{after}")));
            }
            None => done.push(pattern),
        }
    }
    done
}

fn matches_plain(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => path.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=path.len()).any(|at| matches_plain(rest, &path[at..])),
        [b'*', rest @ ..] => {
            let end = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
            (0..=end).any(|at| matches_plain(rest, &path[at..]))
        }
        [b'?', rest @ ..] => path.first().is_some_and(|byte| *byte != b'/') && matches_plain(rest, &path[1..]),
        [byte, rest @ ..] => path.first() == Some(byte) && matches_plain(rest, &path[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Profile {
        Profile { daemon: "libvirtd", path: String::new(), rules: text.lines().filter_map(exec_rule).collect() }
    }

    #[test]
    fn programs_are_looked_for_where_the_emitted_filter_does() {
        let path = format!("export PATH={} ", FOLDERS.join(":"));
        assert!(include_str!("../emit/filter.sh").contains(&path), "{path}");
    }

    #[test]
    fn libvirts_profile_lets_hooks_run_what_is_in_usr_bin() {
        let profile = of(USUAL_RULES);
        assert!(profile.may_run("/usr/bin/gvtg-xml") && profile.may_run("/etc/libvirt/hooks/qemu.d/gvtg-filter"));
        assert!(!profile.may_run("/usr/local/bin/gvtg-xml") && !profile.may_run("/usr/bin/sub/gvtg-xml"));
    }

    #[test]
    fn a_rule_is_read_in_each_of_its_forms() {
        for (rule, yes) in [
            ("  /usr/local/bin/gvtg-xml rmix,", true),
            ("rmix /usr/local/bin/*,", true),
            ("owner \"/usr/{,local/}bin/*\" PUx,", true),
            ("/usr/local/** ux -> unconfined,", true),
            ("@{bin}/* PUx,", false),
            ("/usr/local/bin/gvtg-xml r,", false),
            ("# /usr/local/bin/gvtg-xml ix,", false),
            ("/usr/local/bin/gvtg-xm? ix,", true),
            ("#include <local/usr.sbin.libvirtd>", false),
            ("/usr/local/bin/* ix,\ndeny /usr/local/bin/gvtg-* x,", false),
        ] {
            assert_eq!(of(rule).may_run("/usr/local/bin/gvtg-xml"), yes, "{rule}");
        }
        assert!(of("@{bin}/* PUx,").may_run("/usr/bin/gvtg-xml"));
    }

    #[test]
    fn braces_never_grow_without_bound() {
        let pattern = format!("/{}", "{a,b,c,d}".repeat(40));
        assert!(alternatives(&pattern).len() <= MAX_ALTERNATIVES);
        assert_eq!(alternatives("/{,usr/}bin"), ["/usr/bin", "/bin"]);
    }

    #[test]
    fn a_profile_that_only_complains_forbids_nothing() {
        assert!(complains("@{LIBVIRT}=\"libvirt\"\nprofile libvirtd /usr/sbin/libvirtd flags=(attach_disconnected, complain) {\n"));
        assert!(!complains("profile libvirtd /usr/sbin/libvirtd flags=(attach_disconnected) {\n  profile x flags=(complain) {\n"));
    }
}
