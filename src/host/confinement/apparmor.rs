//! AppArmor: the profile of the daemon that runs hooks, and the programs that it may execute.

use super::path_pattern::matches;
use crate::host::{Probe, Root};

/// The kernel's list of AppArmor profiles, readable only by root.
const PROFILES: &str = "/sys/kernel/security/apparmor/profiles";

/// The folder with AppArmor's profiles.
const APPARMOR: &str = "/etc/apparmor.d";

/// libvirt's daemons that run hooks.
const DAEMONS: &[&str] = &["libvirtd", "virtqemud"];

/// The rules of libvirt's profile about the programs that hooks may run, used if its file cannot be
/// read (libvirt: src/security/apparmor/usr.sbin.libvirtd.in).
const USUAL_RULES: &str =
    "/bin/* PUx,\n/sbin/* PUx,\n/usr/bin/* PUx,\n/usr/sbin/* PUx,\n/etc/libvirt/hooks/** rmix,\n";

/// The maximum number of variables replaced in a pattern; more mean that variables refer to each
/// other in a circle.
const MAX_VARIABLES: usize = 32;

/// The maximum length of a pattern in bytes after variables are replaced; longer ones count as
/// unknown.
const MAX_PATTERN: usize = 4096;

/// The execute rules of an AppArmor profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The confined daemon.
    pub daemon: &'static str,
    /// The profile's file, or the kernel's list if there is no file.
    pub path: String,
    rules: Vec<ExecRule>,
}

/// A rule that allows or denies executing files.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ExecRule {
    /// The pattern for paths, with variables replaced; `None` for syntax that this program does not
    /// know.
    pattern: Option<String>,
    denies: bool,
    /// Of the rules for a path, only those with the highest priority take effect (AppArmor 4.1).
    priority: i64,
}

/// Reads the enforced profile of the daemon that runs hooks; `None` if there is none.
pub(super) fn enforced_profile(root: &Root) -> Option<Profile> {
    DAEMONS.iter().find_map(|daemon| profile(root, daemon))
}

/// Reads a daemon's profile; `None` if it is not enforced.
fn profile(root: &Root, daemon: &'static str) -> Option<Profile> {
    let name = format!("usr.sbin.{daemon}");
    let path = format!("{APPARMOR}/{name}");
    let file = root.text(&path).present();
    match root.text(PROFILES) {
        Probe::Present(list) => {
            let is_enforced = |line: &str| {
                let profile_name =
                    line.strip_suffix(" (enforce)").or_else(|| line.strip_suffix(" (kill)"));
                profile_name
                    .is_some_and(|name| name == daemon || name == format!("/usr/sbin/{daemon}"))
            };
            list.lines().find(|line| is_enforced(line))?;
        }
        // Only root can read the list; for other users, the profile's file shows whether it is
        // enforced.
        _ => {
            let is_switched_off = ["disable", "force-complain"]
                .iter()
                .any(|folder| root.has(&format!("{APPARMOR}/{folder}/{name}")));
            let is_enabled =
                root.line("/sys/module/apparmor/parameters/enabled").present().as_deref()
                    != Some("N");
            let is_enforced = file.as_ref().is_some_and(|text| !is_complain_or_unconfined(text));
            if !is_enabled || !is_enforced || is_switched_off {
                return None;
            }
        }
    }
    let path = if file.is_some() { path } else { PROFILES.to_owned() };
    let local = root.text(&format!("{APPARMOR}/local/{name}")).present().unwrap_or_default();
    let text = file.unwrap_or_else(|| USUAL_RULES.to_owned());
    Some(Profile { daemon, path, rules: exec_rules(&format!("{text}\n{local}")) })
}

/// Whether a profile's first line puts it in complain or unconfined mode.
fn is_complain_or_unconfined(text: &str) -> bool {
    let head = text.lines().find(|line| {
        line.trim_start().starts_with("profile ") || line.trim_start().starts_with('/')
    });
    head.and_then(|line| line.split_once("flags="))
        .is_some_and(|(_, flags)| flags.contains("complain") || flags.contains("unconfined"))
}

/// Parses the execute rules of a profile.
fn exec_rules(text: &str) -> Vec<ExecRule> {
    let variables = variables(text);
    text.lines().filter_map(|line| exec_rule(line, &variables)).collect()
}

/// Parses an execute rule: `[priority=N] [audit] [deny] [owner] PATH PERMISSIONS [-> PROFILE],`, or
/// with the permissions first.
fn exec_rule(line: &str, variables: &[(String, Vec<String>)]) -> Option<ExecRule> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    // Braces contain commas, too, so the rule ends at the last one.
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
    // `file` or `all` without a path applies to all files.
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
    let is_exec =
        permissions.contains('x') && permissions.chars().all(|c| "rwamlkixpPuUcC".contains(c));
    is_exec.then(|| ExecRule {
        pattern: expand_variables(pattern, variables, denies),
        denies,
        priority,
    })
}

/// Splits a rule into words; quoted blanks do not separate words.
fn rule_words(rule: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    let mut is_in_word = false;
    for c in rule.chars() {
        if c == '"' {
            is_quoted = !is_quoted;
        } else if c.is_whitespace() && !is_quoted {
            if std::mem::take(&mut is_in_word) {
                words.push(String::new());
            }
            continue;
        } else if let Some(word) = words.last_mut() {
            word.push(c);
        }
        is_in_word = true;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_pattern(word: &str) -> bool {
    word.starts_with(['/', '@', '{'])
}

/// Parses the variables that a profile sets: `@{NAME}=VALUE …`, and `+=` to add values.
fn variables(text: &str) -> Vec<(String, Vec<String>)> {
    // Variables that AppArmor defines for folders of programs
    // (/etc/apparmor.d/tunables/multiarch.d, since 4.0).
    let mut variables = vec![
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
        match variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) if rest.starts_with('+') => known.extend(values),
            Some((_, known)) => *known = values,
            None => variables.push((name.to_owned(), values)),
        }
    }
    variables
}

/// Replaces the variables in a pattern by their values. An unknown variable may have any value, so
/// it matches everything in a rule that allows. Returns `None` if the result is too long or
/// circular, or if a rule that denies has an unknown variable.
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
    /// Whether the daemon, and therefore a hook, may execute the file at this path, which must not
    /// contain links. A rule with unknown syntax counts as allowing it.
    pub fn may_run(&self, path: &str) -> bool {
        let applies = |rule: &&ExecRule| match &rule.pattern {
            Some(pattern) => matches(pattern, path).unwrap_or(!rule.denies),
            None => !rule.denies,
        };
        let rules: Vec<&ExecRule> = self.rules.iter().filter(applies).collect();
        let Some(highest) = rules.iter().map(|rule| rule.priority).max() else { return false };
        rules.iter().filter(|rule| rule.priority == highest).all(|rule| !rule.denies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile_with(text: &str) -> Profile {
        Profile { daemon: "libvirtd", path: String::new(), rules: exec_rules(text) }
    }

    #[test]
    fn usual_rules_allow_programs_in_usr_bin() {
        let profile = profile_with(USUAL_RULES);
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
    fn parses_each_form_of_a_rule() {
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
            // A variable set in another file may be any folder.
            ("@{elsewhere}/* ix,", true),
            ("@{elsewhere}/*.so ix,", false),
            ("/usr/local/bin/* ix,\ndeny @{elsewhere}/* x,", true),
            ("priority=5 /usr/local/bin/gvtg-xml ix,", true),
            ("priority=5 /usr/local/bin/gvtg-xml ix,\ndeny /usr/local/** x,", true),
            ("/usr/local/bin/gvtg-xml ix,\npriority=1 deny /usr/local/** x,", false),
            ("allow file,", true),
            ("\"/usr/local/bin/gvtg-xml\" ix, # ours", true),
            // Unknown syntax may allow the file and never denies it.
            ("/usr/local/bin/\\x67vtg-xml ix,", true),
            ("/usr/local/bin/[gvtg-xml ix,", true),
            ("/usr/local/bin/* ix,\ndeny /usr/local/bin/[gvtg-xml x,", true),
            ("@{loop}=@{loop}\n@{loop}/* ix,", true),
        ] {
            assert_eq!(profile_with(rule).may_run("/usr/local/bin/gvtg-xml"), yes, "{rule}");
        }
        assert!(profile_with("@{bin}/* PUx,").may_run("/usr/bin/gvtg-xml"));
    }

    #[test]
    fn detects_complain_mode() {
        assert!(is_complain_or_unconfined(
            "@{LIBVIRT}=\"libvirt\"\nprofile libvirtd /usr/sbin/libvirtd flags=(attach_disconnected, complain) {\n"
        ));
        assert!(!is_complain_or_unconfined(
            "profile libvirtd /usr/sbin/libvirtd flags=(attach_disconnected) {\n  profile x flags=(complain) {\n"
        ));
    }
}
