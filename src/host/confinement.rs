//! What AppArmor and SELinux forbid on a machine: the programs that libvirt's hooks may run, and
//! QEMU's window.

use super::{Probe, Root};

/// Where the kernel lists AppArmor's profiles, readable only by root.
const PROFILES: &str = "/sys/kernel/security/apparmor/profiles";

/// AppArmor's own folder.
const APPARMOR: &str = "/etc/apparmor.d";

/// libvirt's daemons that run hooks.
const DAEMONS: &[&str] = &["libvirtd", "virtqemud"];

/// The programs that libvirt's profile lets hooks run, for when its file can't be read (libvirt:
/// src/security/apparmor/usr.sbin.libvirtd.in).
const USUAL_RULES: &str =
    "/bin/* PUx,\n/sbin/* PUx,\n/usr/bin/* PUx,\n/usr/sbin/* PUx,\n/etc/libvirt/hooks/** rmix,\n";

/// Where a hook looks for programs: the PATH that the emitted filter sets.
const FOLDERS: &[&str] = &[
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/run/current-system/sw/bin",
];

/// The maximum number of patterns that the braces of one pattern expand to.
const MAX_ALTERNATIVES: usize = 256;

/// More variables than this in one pattern are likely a circle.
const MAX_VARIABLES: usize = 32;

/// Patterns that variables make longer than this are not looked at.
const MAX_PATTERN: usize = 4096;

/// The state of the security modules of a machine's kernel.
#[derive(Clone, Debug)]
pub struct Confinement {
    /// The enforced AppArmor profile of the daemon that runs hooks.
    pub profile: Option<Profile>,
    /// Whether SELinux enforces its policy.
    pub selinux_enforces: bool,
    /// SELinux's boolean `virt_use_xserver`; Absent if the policy does not have it.
    pub virt_use_xserver: Probe<bool>,
    /// Where `gvtg-xml` is, in the order in which a hook looks for it; Absent if the machine's
    /// programs are not there to look at.
    pub programs: Probe<Vec<Program>>,
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
    /// The paths that it is for, without variables; None for a form that this program does not
    /// know.
    pattern: Option<String>,
    denies: bool,
    /// Of the rules for one path, those of the highest priority count (AppArmor 4.1).
    priority: i64,
}

impl Confinement {
    /// Reads what confines libvirt and QEMU on a machine.
    pub fn read(root: &Root) -> Self {
        let is_executable = |path: &String| {
            root.mode(path)
                .present()
                .is_some_and(|mode| mode & 0o111 != 0 && mode & 0o170_000 == 0o100_000)
        };
        let program = |path: String| Some(Program { file: root.real_path(&path)?, path });
        let paths = FOLDERS.iter().map(|folder| format!("{folder}/gvtg-xml"));
        let programs: Vec<Program> = paths.filter(is_executable).filter_map(program).collect();
        Confinement {
            profile: DAEMONS.iter().find_map(|daemon| profile(root, daemon)),
            selinux_enforces: root.line("/sys/fs/selinux/enforce").present().as_deref()
                == Some("1"),
            // The value in force, and the one that waits to be committed.
            virt_use_xserver: root
                .line("/sys/fs/selinux/booleans/virt_use_xserver")
                .map(|line| line.starts_with('1')),
            programs: if root.has("/usr/bin") || root.has("/bin") {
                Probe::Present(programs)
            } else {
                Probe::Absent
            },
        }
    }
}

/// A daemon's profile; None where it is not enforced.
fn profile(root: &Root, daemon: &'static str) -> Option<Profile> {
    let name = format!("usr.sbin.{daemon}");
    let path = format!("{APPARMOR}/{name}");
    let file = root.text(&path).present();
    match root.text(PROFILES) {
        Probe::Present(list) => {
            let is_enforced = |line: &str| {
                let own = line.strip_suffix(" (enforce)").or_else(|| line.strip_suffix(" (kill)"));
                own.is_some_and(|own| own == daemon || own == format!("/usr/sbin/{daemon}"))
            };
            list.lines().find(|line| is_enforced(line))?;
        }
        // Only root can see the list: for others the file tells whether the profile is enforced.
        _ => {
            let is_switched_off = ["disable", "force-complain"]
                .iter()
                .any(|folder| root.has(&format!("{APPARMOR}/{folder}/{name}")));
            let is_enabled =
                root.line("/sys/module/apparmor/parameters/enabled").present().as_deref()
                    != Some("N");
            let is_enforced = file.as_ref().is_some_and(|text| !complains(text));
            (is_enabled && is_enforced && !is_switched_off).then_some(())?;
        }
    }
    let path = if file.is_some() { path } else { PROFILES.to_owned() };
    let local = root.text(&format!("{APPARMOR}/local/{name}")).present().unwrap_or_default();
    let text = file.unwrap_or_else(|| USUAL_RULES.to_owned());
    Some(Profile { daemon, path, rules: exec_rules(&format!("{text}\n{local}")) })
}

/// Whether a profile is in complain mode, which its first line says.
fn complains(text: &str) -> bool {
    let head = text.lines().find(|line| {
        line.trim_start().starts_with("profile ") || line.trim_start().starts_with('/')
    });
    head.and_then(|line| line.split_once("flags="))
        .is_some_and(|(_, flags)| flags.contains("complain") || flags.contains("unconfined"))
}

/// The rules of a profile about executing files.
fn exec_rules(text: &str) -> Vec<ExecRule> {
    let variables = variables(text);
    text.lines().filter_map(|line| exec_rule(line, &variables)).collect()
}

/// A line about executing files: `[priority=N] [audit] [deny] [owner] PATH PERMISSIONS [->
/// PROFILE],`, or with the permissions first.
fn exec_rule(line: &str, variables: &[(String, Vec<String>)]) -> Option<ExecRule> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    // A comma stands in braces too: the rule ends at the last one.
    let (rule, _) = line.rsplit_once(',')?;
    let (mut denies, mut priority) = (false, 0);
    let mut words = rule_words(rule).into_iter().peekable();
    while let Some(word) = words.peek() {
        match word.as_str() {
            "audit" | "quiet" | "owner" | "other" | "allow" => {}
            "deny" => denies = true,
            word => match word.strip_prefix("priority=") {
                Some(number) => priority = number.parse().ok()?,
                None => break,
            },
        }
        words.next();
    }
    let mut words: Vec<String> = words.collect();
    // Such a rule alone is for all files.
    if matches!(words.first().map(String::as_str), Some("file" | "all")) {
        words.remove(0);
        if words.is_empty() {
            return Some(ExecRule { pattern: Some("/**".to_owned()), denies, priority });
        }
    }
    let (pattern, permissions) = match &words[..] {
        [path, permissions, ..] if is_pattern(path) => (path, permissions),
        [permissions, path, ..] if is_pattern(path) => (path, permissions),
        _ => return None,
    };
    let is_exec = permissions.contains('x')
        && permissions.chars().all(|letter| "rwamlkixpPuUcC".contains(letter));
    is_exec.then(|| ExecRule {
        pattern: expand_variables(pattern, variables, denies),
        denies,
        priority,
    })
}

/// The words of a rule; blanks in quotes part none.
fn rule_words(rule: &str) -> Vec<String> {
    let (mut words, mut is_quoted, mut is_begun) = (vec![String::new()], false, false);
    for letter in rule.chars() {
        if letter == '"' {
            is_quoted = !is_quoted;
        } else if letter.is_whitespace() && !is_quoted {
            if std::mem::take(&mut is_begun) {
                words.push(String::new());
            }
            continue;
        } else if let Some(word) = words.last_mut() {
            word.push(letter);
        }
        is_begun = true;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_pattern(word: &str) -> bool {
    word.starts_with(['/', '@', '{'])
}

/// The variables that a profile sets: `@{NAME}=VALUE …`, and `+=` for more values.
fn variables(text: &str) -> Vec<(String, Vec<String>)> {
    // AppArmor's own for folders of programs (/etc/apparmor.d/tunables/multiarch.d, since 4.0).
    let mut found = vec![
        ("bin".to_owned(), vec!["/{,usr/}{,s}bin".to_owned()]),
        ("sbin".to_owned(), vec!["/{,usr/}sbin".to_owned()]),
    ];
    for line in text.lines() {
        let Some((name, rest)) =
            line.trim().strip_prefix("@{").and_then(|line| line.split_once('}'))
        else {
            continue;
        };
        let rest = rest.trim_start();
        let Some(values) = rest.strip_prefix("+=").or_else(|| rest.strip_prefix('=')) else {
            continue;
        };
        let values = rule_words(values.split(" #").next().unwrap_or(values));
        match found.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) if rest.starts_with('+') => known.extend(values),
            Some((_, known)) => *known = values,
            None => found.push((name.to_owned(), values)),
        }
    }
    found
}

/// A pattern with the values of its variables. One that is set elsewhere may have any value, which
/// counts for a rule that allows; None where the pattern is too long or circular, and where an
/// unknown variable is in a rule that denies.
fn expand_variables(
    pattern: &str,
    variables: &[(String, Vec<String>)],
    denies: bool,
) -> Option<String> {
    let mut pattern = pattern.to_owned();
    for _ in 0..MAX_VARIABLES {
        let Some(start) = pattern.find("@{") else { return Some(pattern) };
        let end = start + pattern[start..].find('}')?;
        let value = match variables.iter().find(|(name, _)| *name == pattern[start + 2..end]) {
            Some((_, values)) if values.len() == 1 => values.concat(),
            Some((_, values)) => format!("{{{}}}", values.join(",")),
            None if denies => return None,
            None => "**".to_owned(),
        };
        pattern.replace_range(start..=end, &value);
        if pattern.len() > MAX_PATTERN {
            return None;
        }
    }
    None
}

impl Profile {
    /// Whether the daemon, and so a hook, may execute the file at this path, which leads through no
    /// link. A rule that is not understood may allow it.
    pub fn may_run(&self, path: &str) -> bool {
        let is_for = |rule: &&ExecRule| match &rule.pattern {
            Some(pattern) => matches(pattern, path).unwrap_or(!rule.denies),
            None => !rule.denies,
        };
        let rules: Vec<&ExecRule> = self.rules.iter().filter(is_for).collect();
        let Some(highest) = rules.iter().map(|rule| rule.priority).max() else { return false };
        rules.iter().filter(|rule| rule.priority == highest).all(|rule| !rule.denies)
    }
}

/// Whether an AppArmor pattern stands for a path: `*` and `?` stay within a folder, `**` does not,
/// brackets hold letters and braces alternatives. None for a pattern that this program does not
/// understand.
fn matches(pattern: &str, path: &str) -> Option<bool> {
    let patterns = alternatives(pattern)?;
    let results: Option<Vec<bool>> = patterns
        .iter()
        .map(|pattern| Some(matches_plain(&tokens(pattern)?, path.as_bytes())))
        .collect();
    results.map(|results| results.contains(&true))
}

/// A pattern without braces, once for each alternative; None where there are too many.
fn alternatives(pattern: &str) -> Option<Vec<String>> {
    let (mut done, mut open) = (Vec::new(), vec![pattern.to_owned()]);
    while let Some(pattern) = open.pop() {
        if done.len() + open.len() >= MAX_ALTERNATIVES {
            return None;
        }
        // The innermost braces first.
        match pattern.find('}').and_then(|end| Some((pattern[..end].rfind('{')?, end))) {
            Some((start, end)) => {
                let (before, after) = (&pattern[..start], &pattern[end + 1..]);
                open.extend(
                    pattern[start + 1..end].split(',').map(|part| format!("{before}{part}{after}")),
                );
            }
            None => done.push(pattern),
        }
    }
    Some(done)
}

/// A piece of a pattern without braces.
enum Token {
    /// This byte.
    Byte(u8),
    /// One of these ranges of bytes, or none of them.
    Class { is_negated: bool, ranges: Vec<(u8, u8)> },
    /// Any bytes without a slash.
    Star,
    /// Any bytes.
    DoubleStar,
}

/// The pieces of a pattern without braces; None where a bracket is not closed, and for a backslash,
/// whose escapes have many forms.
fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let (mut tokens, mut rest) = (Vec::new(), pattern.as_bytes());
    loop {
        match rest {
            [] => return Some(tokens),
            [b'\\' | b'{' | b'}', ..] => return None,
            [b'*', b'*', after @ ..] => {
                tokens.push(Token::DoubleStar);
                rest = after;
            }
            [b'*', after @ ..] => {
                tokens.push(Token::Star);
                rest = after;
            }
            [b'?', after @ ..] => {
                tokens.push(Token::Class { is_negated: true, ranges: Vec::new() });
                rest = after;
            }
            [b'[', after @ ..] => {
                let end = after.iter().position(|byte| *byte == b']')?;
                let (is_negated, mut inside) = match &after[..end] {
                    [b'^', inside @ ..] => (true, inside),
                    inside => (false, inside),
                };
                let mut ranges = Vec::new();
                loop {
                    inside = match inside {
                        [] => break,
                        [from, b'-', to, more @ ..] => {
                            ranges.push((*from, *to));
                            more
                        }
                        [byte, more @ ..] => {
                            ranges.push((*byte, *byte));
                            more
                        }
                    };
                }
                tokens.push(Token::Class { is_negated, ranges });
                rest = &after[end + 1..];
            }
            [byte, after @ ..] => {
                tokens.push(Token::Byte(*byte));
                rest = after;
            }
        }
    }
}

/// Whether these pieces make up a path. `reached[at]` says whether those so far can end before the
/// byte at that place.
fn matches_plain(tokens: &[Token], path: &[u8]) -> bool {
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for token in tokens {
        match token {
            Token::Star | Token::DoubleStar => {
                for (at, byte) in path.iter().enumerate() {
                    let goes_on = matches!(token, Token::DoubleStar) || *byte != b'/';
                    reached[at + 1] |= reached[at] && goes_on;
                }
            }
            Token::Byte(_) | Token::Class { .. } => {
                for (at, byte) in path.iter().enumerate().rev() {
                    let is_taken = match token {
                        Token::Class { is_negated, ranges } => {
                            let is_in = ranges.iter().any(|(from, to)| (from..=to).contains(&byte));
                            *byte != b'/' && is_in != *is_negated
                        }
                        Token::Byte(own) => own == byte,
                        Token::Star | Token::DoubleStar => false,
                    };
                    reached[at + 1] = reached[at] && is_taken;
                }
                reached[0] = false;
            }
        }
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Profile {
        Profile { daemon: "libvirtd", path: String::new(), rules: exec_rules(text) }
    }

    #[test]
    fn programs_are_looked_for_where_the_emitted_filter_does() {
        let path = format!("export PATH={} ", FOLDERS.join(":"));
        assert!(include_str!("../emit/filter.sh").contains(&path), "{path}");
    }

    #[test]
    fn libvirts_profile_lets_hooks_run_what_is_in_usr_bin() {
        let profile = of(USUAL_RULES);
        assert!(
            profile.may_run("/usr/bin/gvtg-xml")
                && profile.may_run("/etc/libvirt/hooks/qemu.d/gvtg-filter")
        );
        assert!(
            !profile.may_run("/usr/local/bin/gvtg-xml")
                && !profile.may_run("/usr/bin/sub/gvtg-xml")
        );
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
            ("/usr/local/bin/[a-z]* PUx,", true),
            ("/usr/local/bin/[^g]* PUx,", false),
            ("/usr/local/bin/[a-fh]* PUx,", false),
            ("@{tools}=/opt /usr/local/bin\n@{tools}/* ix,", true),
            ("@{tools}=/opt\n@{tools}+=/usr/local # more\n@{tools}/bin/* ix,", true),
            ("@{tools}=/opt\n@{tools}/* ix,", false),
            ("@{prefix}=/usr\n@{tools}=@{prefix}/local\n@{tools}/bin/* ix,", true),
            // A variable that is set elsewhere may be any folder.
            ("@{elsewhere}/* ix,", true),
            ("@{elsewhere}/*.so ix,", false),
            ("/usr/local/bin/* ix,\ndeny @{elsewhere}/* x,", true),
            ("priority=5 /usr/local/bin/gvtg-xml ix,", true),
            ("priority=5 /usr/local/bin/gvtg-xml ix,\ndeny /usr/local/** x,", true),
            ("/usr/local/bin/gvtg-xml ix,\npriority=1 deny /usr/local/** x,", false),
            ("allow file,", true),
            ("\"/usr/local/bin/gvtg-xml\" ix, # ours", true),
            // What is not understood may allow it, and denies nothing.
            ("/usr/local/bin/\\x67vtg-xml ix,", true),
            ("/usr/local/bin/[gvtg-xml ix,", true),
            ("/usr/local/bin/* ix,\ndeny /usr/local/bin/[gvtg-xml x,", true),
            ("@{loop}=@{loop}\n@{loop}/* ix,", true),
        ] {
            assert_eq!(of(rule).may_run("/usr/local/bin/gvtg-xml"), yes, "{rule}");
        }
        assert!(of("@{bin}/* PUx,").may_run("/usr/bin/gvtg-xml"));
    }

    #[test]
    fn braces_never_grow_without_bound() {
        let pattern = format!("/{}", "{a,b,c,d}".repeat(40));
        assert_eq!(alternatives(&pattern), None);
        assert_eq!(alternatives("/{,usr/}bin").unwrap(), ["/usr/bin", "/bin"]);
    }

    #[test]
    fn a_profile_that_only_complains_forbids_nothing() {
        assert!(complains(
            "@{LIBVIRT}=\"libvirt\"\nprofile libvirtd /usr/sbin/libvirtd flags=(attach_disconnected, complain) {\n"
        ));
        assert!(!complains(
            "profile libvirtd /usr/sbin/libvirtd flags=(attach_disconnected) {\n  profile x flags=(complain) {\n"
        ));
    }
}
