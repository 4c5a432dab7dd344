//! What a hook's text says: its interpreter, and the `setup_gpu` lines at its end.

use std::collections::BTreeMap;

/// A vGPU that a hook makes: `setup_gpu NAME UUID TYPE [PCI]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The domain's name.
    pub name: String,
    /// As it stands there.
    pub uuid: String,
    /// Like `i915-GVTg_V5_4`.
    pub vgpu_type: String,
    /// The GPU's PCI address, where the hook has one.
    pub pci: Option<String>,
}

/// The program that the first line names; None without a `#!`.
pub fn interpreter(text: &str) -> Option<&str> {
    let line = text.strip_prefix("#!")?.split('\n').next()?;
    // With DOS line ends the carriage return belongs to the name: such a hook does not start.
    line.trim_start_matches([' ', '\t'])
        .split([' ', '\t'])
        .next()
        .filter(|program| program.starts_with('/'))
}

/// Whether it makes vGPUs: by our lines, or by hand.
pub fn makes_vgpus(text: &str) -> bool {
    code(text).any(|line| {
        line.contains("setup_gpu")
            || line.contains("mdev_supported_types")
            || line.contains("mdevctl")
    })
}

/// The word with which a hook runs gvtg-xml, its name or a path; None for a hook that does not run
/// it.
pub fn program_call(text: &str) -> Option<&str> {
    code(text).find_map(call)
}

/// The word in a line that runs gvtg-xml as a command.
fn call(line: &str) -> Option<&str> {
    let mut before = "";
    for word in line.split_whitespace() {
        let name = word.rsplit("$(").next().unwrap_or(word).trim_start_matches(['(', '`', '"']);
        let is_command = name.len() < word.len()
            || matches!(before, "" | "|" | "||" | "&&" | ";" | "!" | "exec" | "then" | "do");
        if is_command
            && (name == "gvtg-xml" || name.starts_with('/') && name.ends_with("/gvtg-xml"))
        {
            return Some(name);
        }
        before = word;
    }
    None
}

/// The first `function NAME` of a text, which is no POSIX shell.
pub fn bash_function(text: &str) -> Option<&str> {
    code(text)
        .find(|line| line.starts_with("function "))
        .map(|line| line.trim_end_matches([' ', '{', '(', ')']))
}

/// The `setup_gpu` lines. One that names no GPU means that of `GVT_PCI`, as in the guide.
pub fn setups(text: &str) -> Vec<Setup> {
    let variables = variables(text);
    let default = variables.get("GVT_PCI").cloned();
    let setup = |line: &str| {
        let words = words(line, &variables)?;
        let mut words = words.into_iter();
        (words.next()? == "setup_gpu").then_some(())?;
        let (name, uuid, vgpu_type) = (words.next()?, words.next()?, words.next()?);
        // The guide's lines go on with "$@".
        let pci = words.next().filter(|word| crate::domain::parse_pci(word).is_some());
        Some(Setup { name, uuid, vgpu_type, pci: pci.or_else(|| default.clone()) })
    };
    let setups: Vec<Setup> = code(text).filter_map(setup).collect();
    if setups.is_empty() { of_variables(&variables, default).into_iter().collect() } else { setups }
}

/// The one vGPU of a hook that names all in variables, as the Arch wiki's does
/// (<https://wiki.archlinux.org/title/Intel_GVT-g>).
fn of_variables(variables: &Variables, pci: Option<String>) -> Option<Setup> {
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

/// Longer values than this are none that name a domain or a vGPU.
const MAX_VALUE: usize = 128;

fn variables(text: &str) -> Variables {
    let mut variables = Variables::new();
    for line in code(text) {
        let mut line = line;
        for keyword in ["readonly ", "export ", "local ", "declare ", "typeset "] {
            line =
                line.strip_prefix(keyword).map_or(line, |rest| rest.trim_start_matches(['-', ' ']));
        }
        // A flag of `declare` or `readonly`.
        line = line.strip_prefix("r ").or_else(|| line.strip_prefix("x ")).unwrap_or(line);
        let Some((name, value)) = line.split_once('=') else { continue };
        if name.is_empty() || !name.bytes().all(is_of_name) || variables.contains_key(name) {
            continue;
        }
        let value =
            words(value, &variables).and_then(|words| words.into_iter().next()).unwrap_or_default();
        if value.len() <= MAX_VALUE {
            // `DOMAIN=win10; …`
            variables.insert(name.to_owned(), value.trim_end_matches(';').to_owned());
        }
    }
    variables
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where a script makes vGPUs, each place with the conditions around it: what it takes to see for
/// which VM, and which vGPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Creations {
    /// The text of each place, its variables filled in.
    places: Vec<String>,
    /// The conditions among them.
    conditions: Vec<String>,
}

/// libvirt's words in a hook's conditions, which are no domain's name there.
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
    /// Finds where a script makes vGPUs: by `create` of a type, by mdevctl, or by a function of its
    /// own that does.
    pub fn of(text: &str) -> Self {
        let variables = variables(text);
        let lines: Vec<String> = code(text).map(|line| filled(line, &variables)).collect();
        let makes = |line: &str| {
            (line.contains('>') || line.contains("tee ")) && line.contains("/create")
                || line.contains("mdevctl start")
                || line.starts_with("setup_gpu ")
        };
        let makers = functions(&lines, makes);
        let is_place = |line: &str| {
            makes(line) || commands(line).any(|command| makers.iter().any(|maker| maker == command))
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

    /// Whether a place makes the vGPU of this uuid.
    pub fn name_uuid(&self, uuid: &str) -> bool {
        let uuid = uuid.to_ascii_lowercase();
        uuid.len() == 36 && self.places.iter().any(|text| text.to_ascii_lowercase().contains(&uuid))
    }

    /// Whether a place is for the VM of this name.
    pub fn name_domain(&self, name: &str) -> bool {
        let is_inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '$');
        let is_word = |text: &str| {
            text.match_indices(name).any(|(at, _)| {
                let (before, after) =
                    (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
                !before.is_some_and(is_inside) && !after.is_some_and(is_inside)
            })
        };
        !name.is_empty()
            && !OPERATIONS.contains(&name)
            && self.conditions.iter().any(|text| is_word(text))
    }

    /// Whether there is any place.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// More places than this no hook has.
const MAX_PLACES: usize = 64;

/// The number of lines before a place in which its conditions are looked for.
const MAX_LINES: usize = 200;

/// A line with the values of its variables.
fn filled(line: &str, variables: &Variables) -> String {
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

/// The name of a variable behind a `$`, and what comes after it.
fn variable(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{').unwrap_or(text);
    let (name, after) =
        inner.split_at(inner.bytes().position(|byte| !is_of_name(byte)).unwrap_or(inner.len()));
    let after = if inner.len() < text.len() { after.strip_prefix('}')? } else { after };
    (!name.is_empty()).then_some((name, after))
}

/// The functions of a script with a line like this in them.
fn functions(lines: &[String], makes: impl Fn(&str) -> bool) -> Vec<String> {
    let (mut found, mut current) = (Vec::new(), None);
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
        } else if makes(line) {
            found.extend(current.clone());
        }
    }
    found
}

/// The words of a line that stand as commands.
fn commands(line: &str) -> impl Iterator<Item = &str> {
    let parts = line.split([';', '&', '|']).map(str::trim);
    parts.filter_map(|part| {
        part.split_whitespace().find(|word| {
            !matches!(*word, "then" | "else" | "do" | "if" | "!") && !word.ends_with(')')
        })
    })
}

/// How many blocks a line opens, less those that it closes.
fn opened(line: &str) -> i32 {
    let words = line.split([' ', '\t', ';']);
    words
        .map(|word| match word {
            "if" | "case" | "do" | "{" => 1,
            "fi" | "esac" | "done" | "}" => -1,
            _ => 0,
        })
        .sum()
}

/// The conditions under which a script comes to its end: those of the blocks that are open there,
/// and those under which it stopped before.
fn conditions(lines: &[String]) -> Vec<String> {
    let (mut found, mut depth, mut block, mut is_settled) = (Vec::new(), 0, Vec::new(), false);
    for line in lines.iter().rev() {
        let opens = opened(line);
        if depth > 0 || opens < 0 {
            depth -= opens;
            block.push(line.clone());
            if depth <= 0 {
                let block = std::mem::take(&mut block);
                let stops =
                    block.iter().any(|line| line.contains("exit") || line.contains("return"));
                let is_negative =
                    line.contains("!=") || line.starts_with("case ") || line.contains("! [");
                found.extend(block.into_iter().filter(|_| stops && is_negative && !is_settled));
                depth = 0;
            }
        } else if opens > 0 {
            // The block around the place. Its first line is no condition for what is in `elif`,
            // `else` and another branch.
            found.extend(Some(line.clone()).filter(|_| !is_settled));
            is_settled = false;
        } else if is_settled {
        } else if line.ends_with(";;") {
            is_settled = true;
        } else if line.starts_with("elif ") || line == "else" {
            found.push(line.clone());
            is_settled = true;
        } else if line.contains('[') || line.starts_with("test ") || line.ends_with(')') {
            found.push(line.clone());
        }
    }
    found
}

/// Lines without blanks around them that are no comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The words of a shell line, its variables filled in where they are known; None where a quote has
/// no end.
fn words(line: &str, variables: &Variables) -> Option<Vec<String>> {
    let (mut words, mut word, mut begun) = (Vec::new(), String::new(), false);
    let mut letters = line.chars();
    let value = |letters: &mut std::str::Chars<'_>| {
        let known = variable(letters.as_str())
            .and_then(|(name, after)| Some((variables.get(name)?, after)));
        let Some((value, after)) = known else { return "$" };
        *letters = after.chars();
        value.as_str()
    };
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                begun = true;
                loop {
                    match letters.next()? {
                        '\'' => break,
                        inner => word.push(inner),
                    }
                }
            }
            '"' => {
                begun = true;
                loop {
                    match letters.next()? {
                        '"' => break,
                        '\\' => word.push(letters.next()?),
                        '$' => word.push_str(value(&mut letters)),
                        inner => word.push(inner),
                    }
                }
            }
            '$' => {
                begun = true;
                word.push_str(value(&mut letters));
            }
            '\\' => {
                begun = true;
                word.push(letters.next()?);
            }
            '#' if !begun => break,
            ' ' | '\t' => {
                words.extend(std::mem::take(&mut begun).then(|| std::mem::take(&mut word)))
            }
            other => {
                begun = true;
                word.push(other);
            }
        }
    }
    words.extend(begun.then_some(word));
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";

    #[test]
    fn setup_lines_are_read_as_a_shell_does() {
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
    fn variables_are_read_like_setup_lines() {
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
    fn setup_lines_may_name_the_scripts_own_variables() {
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
    fn a_place_that_makes_a_vgpu_is_found_with_its_conditions() {
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
    fn an_interpreter_is_an_absolute_path() {
        assert_eq!(interpreter("#!/bin/sh\necho"), Some("/bin/sh"));
        assert_eq!(interpreter("#! /usr/bin/env bash\n"), Some("/usr/bin/env"));
        assert_eq!(interpreter("#!/bin/sh\r\n"), Some("/bin/sh\r"));
        for none in ["", "\n#!/bin/sh\n", "# a hook\n", "#!sh\n", "\u{feff}#!/bin/sh\n"] {
            assert_eq!(interpreter(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_call_of_the_program_is_found_and_a_mention_is_not() {
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
    fn the_guides_functions_are_no_posix_shell() {
        assert_eq!(
            bash_function("#!/bin/sh\n function create_gpu { \n"),
            Some("function create_gpu")
        );
        assert_eq!(bash_function("create_gpu() {\n"), None);
    }
}
