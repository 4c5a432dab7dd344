//! The text of a hook: its interpreter, its `setup_gpu` lines, and its own commands that create
//! vGPUs.

use std::collections::BTreeMap;

/// A vGPU that a hook creates: `setup_gpu NAME UUID TYPE [PCI]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The domain's name.
    pub name: String,
    /// The vGPU's UUID, as written.
    pub uuid: String,
    /// The vGPU type, like `i915-GVTg_V5_4`.
    pub vgpu_type: String,
    /// The GPU's PCI address, if the line or the hook sets one.
    pub pci: Option<String>,
}

/// The absolute path of the program on the `#!` line; `None` without one.
pub fn interpreter(text: &str) -> Option<&str> {
    let line = text.strip_prefix("#!")?.split('\n').next()?;
    // A DOS line ending makes the carriage return a part of the name; such a hook does not start.
    line.trim_start_matches([' ', '\t'])
        .split([' ', '\t'])
        .next()
        .filter(|program| program.starts_with('/'))
}

/// Whether a hook creates vGPUs: by `setup_gpu` lines, or by its own commands.
pub fn makes_vgpus(text: &str) -> bool {
    code_lines(text).any(|line| {
        line.contains("setup_gpu")
            || line.contains("mdev_supported_types")
            || line.contains("mdevctl")
    })
}

/// The word with which a hook runs gvtg-xml, a name or a path; `None` if it does not run it.
pub fn program_call(text: &str) -> Option<&str> {
    code_lines(text).find_map(program_call_in_line)
}

/// The word in a line that runs gvtg-xml as a command.
fn program_call_in_line(line: &str) -> Option<&str> {
    let mut previous_word = "";
    for word in line.split_whitespace() {
        let name = word.rsplit("$(").next().unwrap_or(word).trim_start_matches(['(', '`', '"']);
        let is_command = name.len() < word.len()
            || matches!(previous_word, "" | "|" | "||" | "&&" | ";" | "!" | "exec" | "then" | "do");
        if is_command
            && (name == "gvtg-xml" || name.starts_with('/') && name.ends_with("/gvtg-xml"))
        {
            return Some(name);
        }
        previous_word = word;
    }
    None
}

/// The first `function NAME`, which is bash syntax and not POSIX.
pub fn bash_function(text: &str) -> Option<&str> {
    code_lines(text)
        .find(|line| line.starts_with("function "))
        .map(|line| line.trim_end_matches([' ', '{', '(', ')']))
}

/// Parses the `setup_gpu` lines. A line without a GPU uses that of `GVT_PCI`, as in the guide.
/// Without such lines, the hook's variables may describe a vGPU.
pub fn setups(text: &str) -> Vec<Setup> {
    let variables = variables(text);
    let default_pci = variables.get("GVT_PCI").cloned();
    let setup = |line: &str| {
        let words = words(line, &variables)?;
        let mut words = words.into_iter();
        if words.next()? != "setup_gpu" {
            return None;
        }
        let (name, uuid, vgpu_type) = (words.next()?, words.next()?, words.next()?);
        // In the guide's lines, `"$@"` follows the type.
        let pci = words.next().filter(|word| crate::domain::parse_pci(word).is_some());
        Some(Setup { name, uuid, vgpu_type, pci: pci.or_else(|| default_pci.clone()) })
    };
    let setups: Vec<Setup> = code_lines(text).filter_map(setup).collect();
    if setups.is_empty() {
        setup_from_variables(&variables, default_pci).into_iter().collect()
    } else {
        setups
    }
}

/// The vGPU of a hook that describes it in variables, like the Arch wiki's
/// (<https://wiki.archlinux.org/title/Intel_GVT-g>).
fn setup_from_variables(variables: &Variables, pci: Option<String>) -> Option<Setup> {
    let value = |name: &str| variables.get(name).filter(|word| !word.contains('$')).cloned();
    Some(Setup {
        name: value("DOMAIN")?,
        uuid: value("GVT_GUID")?,
        vgpu_type: value("MDEV_TYPE")?,
        pci,
    })
}

/// The variables that a script sets, each with its first value.
type Variables = BTreeMap<String, String>;

/// The maximum length of a value in bytes; longer ones do not name a domain or a vGPU.
const MAX_VALUE: usize = 128;

fn variables(text: &str) -> Variables {
    let mut variables = Variables::new();
    for line in code_lines(text) {
        let mut line = line;
        for keyword in ["readonly ", "export ", "local ", "declare ", "typeset "] {
            line =
                line.strip_prefix(keyword).map_or(line, |rest| rest.trim_start_matches(['-', ' ']));
        }
        // A flag of `declare` or `readonly`, whose dash was removed above.
        line = line.strip_prefix("r ").or_else(|| line.strip_prefix("x ")).unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else { continue };
        if name.is_empty() || !name.bytes().all(is_name_byte) || variables.contains_key(name) {
            continue;
        }
        let value =
            words(value, &variables).and_then(|words| words.into_iter().next()).unwrap_or_default();
        if value.len() <= MAX_VALUE {
            // In `DOMAIN=win10; …`, the semicolon is not part of the value.
            variables.insert(name.to_owned(), value.trim_end_matches(';').to_owned());
        }
    }
    variables
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The places where a script creates vGPUs, and the conditions around them, which tell for which VM
/// and which vGPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Creations {
    /// The line of each place, with the values of variables filled in.
    places: Vec<String>,
    /// The lines of all places and the conditions around them, filled in, too.
    conditions: Vec<String>,
}

/// The words that libvirt passes to hooks and that conditions compare; they are not domain names.
const OPERATIONS: &[&str] = &[
    "prepare",
    "begin",
    "start",
    "started",
    "stopped",
    "end",
    "release",
    "migrate",
    "restore",
    "reconnect",
    "attach",
];

impl Creations {
    /// Finds the places where a script creates vGPUs: by writing a uuid to `create`, by mdevctl, by
    /// `setup_gpu`, or by calling a function of the script that does any of these.
    pub fn of(text: &str) -> Self {
        let variables = variables(text);
        let lines: Vec<String> = code_lines(text).map(|line| fill_in(line, &variables)).collect();
        let creates_vgpu = |line: &str| {
            (line.contains('>') || line.contains("tee ")) && line.contains("/create")
                || line.contains("mdevctl start")
                || line.starts_with("setup_gpu ")
        };
        let creating_functions = functions(&lines, creates_vgpu);
        let is_place = |line: &str| {
            creates_vgpu(line)
                || commands(line)
                    .any(|command| creating_functions.iter().any(|function| function == command))
        };
        let mut creations = Creations::default();
        for (at, line) in
            lines.iter().enumerate().filter(|(_, line)| is_place(line)).take(MAX_PLACES)
        {
            creations.places.push(line.clone());
            creations.conditions.push(line.clone());
            creations.conditions.extend(conditions(&lines[at.saturating_sub(MAX_LINES)..at]));
        }
        creations
    }

    /// Whether a place creates the vGPU with this UUID.
    pub fn name_uuid(&self, uuid: &str) -> bool {
        let uuid = uuid.to_ascii_lowercase();
        uuid.len() == 36 && self.places.iter().any(|text| text.to_ascii_lowercase().contains(&uuid))
    }

    /// Whether a condition names this VM.
    pub fn name_domain(&self, name: &str) -> bool {
        let is_name_char =
            |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '$');
        let is_word = |text: &str| {
            text.match_indices(name).any(|(at, _)| {
                let (before, after) =
                    (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
                !before.is_some_and(is_name_char) && !after.is_some_and(is_name_char)
            })
        };
        !name.is_empty()
            && !OPERATIONS.contains(&name)
            && self.conditions.iter().any(|text| is_word(text))
    }

    /// Whether the script has no place that creates vGPUs.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// The maximum number of places that are looked at.
const MAX_PLACES: usize = 64;

/// The maximum number of lines before a place in which its conditions are searched.
const MAX_LINES: usize = 200;

/// Fills in the values of known variables.
fn fill_in(line: &str, variables: &Variables) -> String {
    let mut filled = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        rest = match variable(after) {
            Some((name, after)) if variables.contains_key(name) => {
                filled.push_str(&variables[name]);
                after
            }
            _ => {
                filled.push('$');
                after
            }
        };
    }
    filled + rest
}

/// Parses the name of a variable after a `$`, with or without braces; also returns the text after
/// it.
fn variable(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{').unwrap_or(text);
    let (name, after) =
        inner.split_at(inner.bytes().position(|byte| !is_name_byte(byte)).unwrap_or(inner.len()));
    let after = if inner.len() < text.len() { after.strip_prefix('}')? } else { after };
    (!name.is_empty()).then_some((name, after))
}

/// The names of the script's functions with a line for which `creates_vgpu` is true.
fn functions(lines: &[String], creates_vgpu: impl Fn(&str) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    let mut current = None;
    for line in lines {
        let head = line.strip_prefix("function ").unwrap_or(line).trim_end_matches(['{', ' ']);
        let name = head
            .strip_suffix("()")
            .map(str::trim_end)
            .or_else(|| line.starts_with("function ").then_some(head));
        if let Some(name) = name.filter(|name| !name.is_empty() && !name.contains(' ')) {
            current = Some(name.to_owned());
        } else if line == "}" {
            current = None;
        } else if creates_vgpu(line) {
            names.extend(current.clone());
        }
    }
    names
}

/// The command word of each command in a line.
fn commands(line: &str) -> impl Iterator<Item = &str> {
    let parts = line.split([';', '&', '|']).map(str::trim);
    parts.filter_map(|part| {
        part.split_whitespace().find(|word| {
            !matches!(*word, "then" | "else" | "do" | "if" | "!") && !word.ends_with(')')
        })
    })
}

/// The number of blocks that a line opens minus the number that it closes.
fn opened_blocks(line: &str) -> i32 {
    let words = line.split([' ', '\t', ';']);
    words
        .map(|word| match word {
            "if" | "case" | "do" | "{" => 1,
            "fi" | "esac" | "done" | "}" => -1,
            _ => 0,
        })
        .sum()
}

/// The conditions under which a script reaches the end of these lines: those of the blocks that are
/// still open there, and those of earlier blocks that exit the script.
fn conditions(lines: &[String]) -> Vec<String> {
    let mut conditions = Vec::new();
    let mut depth = 0;
    let mut block = Vec::new();
    // Whether the rest of the enclosing block is in other branches.
    let mut is_in_other_branch = false;
    for line in lines.iter().rev() {
        let block_change = opened_blocks(line);
        if depth > 0 || block_change < 0 {
            depth -= block_change;
            block.push(line.clone());
            if depth <= 0 {
                let block = std::mem::take(&mut block);
                let exits =
                    block.iter().any(|line| line.contains("exit") || line.contains("return"));
                let is_negative =
                    line.contains("!=") || line.starts_with("case ") || line.contains("! [");
                if exits && is_negative && !is_in_other_branch {
                    conditions.extend(block);
                }
                depth = 0;
            }
        } else if block_change > 0 {
            // The first line of the block around the place is a condition only for its first
            // branch, not after `elif`, `else` or `;;`.
            if !is_in_other_branch {
                conditions.push(line.clone());
            }
            is_in_other_branch = false;
        } else if is_in_other_branch {
        } else if line.ends_with(";;") {
            is_in_other_branch = true;
        } else if line.starts_with("elif ") || line == "else" {
            conditions.push(line.clone());
            is_in_other_branch = true;
        } else if line.contains('[') || line.starts_with("test ") || line.ends_with(')') {
            conditions.push(line.clone());
        }
    }
    conditions
}

/// The trimmed lines of a script that are neither empty nor comments.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Splits a shell line into words and fills in known variables; `None` if a quote is not closed.
fn words(line: &str, variables: &Variables) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    // An empty quoted string is a word, too.
    let mut is_in_word = false;
    let mut chars = line.chars();
    let take_variable = |chars: &mut std::str::Chars<'_>| {
        let known =
            variable(chars.as_str()).and_then(|(name, after)| Some((variables.get(name)?, after)));
        let Some((value, after)) = known else { return "$" };
        *chars = after.chars();
        value.as_str()
    };
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                is_in_word = true;
                loop {
                    match chars.next()? {
                        '\'' => break,
                        inner => word.push(inner),
                    }
                }
            }
            '"' => {
                is_in_word = true;
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => word.push(chars.next()?),
                        '$' => word.push_str(take_variable(&mut chars)),
                        inner => word.push(inner),
                    }
                }
            }
            '$' => {
                is_in_word = true;
                word.push_str(take_variable(&mut chars));
            }
            '\\' => {
                is_in_word = true;
                word.push(chars.next()?);
            }
            '#' if !is_in_word => break,
            ' ' | '\t' => {
                if is_in_word {
                    words.push(std::mem::take(&mut word));
                }
                is_in_word = false;
            }
            other => {
                is_in_word = true;
                word.push(other);
            }
        }
    }
    if is_in_word {
        words.push(word);
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";

    #[test]
    fn parses_setup_lines_as_a_shell_does() {
        let text = format!(
            "GVT_PCI=0000:00:03.0\nsetup_gpu() {{\n# setup_gpu no {UUID} t\nsetup_gpu win10 {UUID} i915-GVTg_V5_4 \"$@\"\n  setup_gpu 'a b'\\'' $(x)' {UUID} i915-GVTg_V5_8 0000:00:02.0 # two\n\
             setup_gpu 'no end\n"
        );
        let setups = setups(&text);
        assert_eq!(setups.len(), 2, "{setups:?}");
        assert_eq!(
            (setups[0].name.as_str(), setups[0].pci.as_deref()),
            ("win10", Some("0000:00:03.0"))
        );
        assert_eq!(
            (setups[1].name.as_str(), setups[1].pci.as_deref()),
            ("a b' $(x)", Some("0000:00:02.0"))
        );
    }

    #[test]
    fn reads_a_setup_from_variables() {
        let text = format!(
            "#!/bin/sh\nGVT_PCI=0000:00:02.0\nGVT_GUID={UUID}\nMDEV_TYPE=i915-GVTg_V5_8\nDOMAIN='win 10'\n\
             if [ $1 = \"$DOMAIN\" -a $2 = prepare -a $3 = begin ]; then\n\
             echo \"$GVT_GUID\" > \"/sys/bus/pci/devices/$GVT_PCI/mdev_supported_types/$MDEV_TYPE/create\"\nfi\n"
        );
        let wanted = Setup {
            name: "win 10".to_owned(),
            uuid: UUID.to_owned(),
            vgpu_type: "i915-GVTg_V5_8".to_owned(),
            pci: Some("0000:00:02.0".to_owned()),
        };
        assert_eq!(setups(&text), [wanted]);
        assert_eq!(setups(&text.replace("DOMAIN='win 10'", "DOMAIN=$1")), []);
    }

    #[test]
    fn fills_in_the_scripts_variables_in_setup_lines() {
        let text = format!(
            "readonly VM=win10\nexport ID='{UUID}'\nsetup_gpu \"$VM\" ${{ID}} \"$TYPE\" '$VM'\n"
        );
        let setups = setups(&text);
        assert_eq!(
            (setups[0].name.as_str(), setups[0].uuid.as_str(), setups[0].vgpu_type.as_str()),
            ("win10", UUID, "$TYPE")
        );
    }

    #[test]
    fn finds_places_that_create_vgpus_with_their_conditions() {
        for text in [
            "if [ \"$1\" = win10 ] && [ \"$2\" = prepare ]; then echo UUID > /x/mdev_supported_types/y/create; fi",
            "if [ \"$1\" = \"win10\" ]; then\nif [ ! -d /x ]; then\nlogger x\nfi\necho UUID > /x/create\nfi",
            "case $1 in\noffice)\ntrue ;;\nwin10)\nmdevctl start -u UUID ;;\nesac",
            "case \"$1\" in\nwin10) mdevctl start -u UUID ;;\nesac",
            "DOMAIN=win10\nID=UUID\n[ \"$1\" = \"$DOMAIN\" ] || exit 0\necho \"$ID\" | sudo tee /x/create",
            "if [ \"$1\" != win10 ]; then\nexit 0\nfi\necho UUID > /x/create",
            "make_it() {\necho $1 > /x/create\n}\nif [ $1 = 'win10' ]; then\nmake_it UUID\nfi",
            "if [ $1 = office ]; then\ntrue\nelif [ $1 = win10 ]; then\necho UUID > /x/create\nfi",
        ] {
            let creations = Creations::of(&text.replace("UUID", UUID));
            assert!(
                creations.name_domain("win10") && creations.name_uuid(&UUID.to_uppercase()),
                "{text}: {creations:?}"
            );
            assert!(
                !creations.name_domain("office")
                    && !creations.name_domain("prepare")
                    && !creations.name_domain("win"),
                "{text}"
            );
        }
        for text in [
            "if [ $1 = win10 ]; then\ntaskset x\nfi\nif [ $1 = office ]; then\necho x > /x/create\nfi",
            "if [ $1 = win10 ]; then\ntrue\nelif [ $1 = office ]; then\necho x > /x/create\nfi",
            "case $1 in\nwin10)\ntrue\n;;\noffice)\necho x > /x/create\n;;\nesac",
            "# win10\nif [ $1 = win10-old ]; then\necho x > /x/create\nfi",
            "if [ $1 = win10 ]; then\nmdevctl list\nfi",
        ] {
            assert!(!Creations::of(text).name_domain("win10"), "{text}: {:?}", Creations::of(text));
        }
    }

    #[test]
    fn accepts_only_absolute_interpreters() {
        assert_eq!(interpreter("#!/bin/sh\necho"), Some("/bin/sh"));
        assert_eq!(interpreter("#! /usr/bin/env bash\n"), Some("/usr/bin/env"));
        assert_eq!(interpreter("#!/bin/sh\r\n"), Some("/bin/sh\r"));
        for none in ["", "\n#!/bin/sh\n", "# a hook\n", "#!sh\n", "\u{feff}#!/bin/sh\n"] {
            assert_eq!(interpreter(none), None, "{none:?}");
        }
    }

    #[test]
    fn finds_calls_of_the_program_but_not_mentions() {
        for (line, call) in [
            ("    gvtg-xml \"$command\" --quiet", Some("gvtg-xml")),
            ("new=$(gvtg-xml fix)", Some("gvtg-xml")),
            ("cat | /opt/bin/gvtg-xml fix", Some("/opt/bin/gvtg-xml")),
            ("exec gvtg-xml fix", Some("gvtg-xml")),
            ("printf 'gvtg-xml: %s\\n' x", None),
            ("echo see gvtg-xml host", None),
            ("# gvtg-xml fix", None),
        ] {
            assert_eq!(program_call(line), call, "{line}");
        }
    }

    #[test]
    fn detects_bash_function_syntax() {
        assert_eq!(
            bash_function("#!/bin/sh\n function create_gpu { \n"),
            Some("function create_gpu")
        );
        assert_eq!(bash_function("create_gpu() {\n"), None);
    }
}
