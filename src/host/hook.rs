//! What a hook's text says: its interpreter, and the `setup_gpu` lines at its end.

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
    line.trim_start_matches([' ', '\t']).split([' ', '\t']).next().filter(|program| program.starts_with('/'))
}

/// Whether it makes vGPUs: by our lines, or by hand.
pub fn makes_vgpus(text: &str) -> bool {
    code(text).any(|line| line.contains("setup_gpu") || line.contains("mdev_supported_types") || line.contains("mdevctl"))
}

/// The word with which a hook runs gvtg-xml, its name or a path; None for a hook that does not run it.
pub fn program_call(text: &str) -> Option<&str> {
    code(text).find_map(call)
}

/// The word in a line that runs gvtg-xml as a command.
fn call(line: &str) -> Option<&str> {
    let mut before = "";
    for word in line.split_whitespace() {
        let name = word.rsplit("$(").next().unwrap_or(word).trim_start_matches(['(', '`', '"']);
        let is_command = name.len() < word.len() || matches!(before, "" | "|" | "||" | "&&" | ";" | "!" | "exec" | "then" | "do");
        if is_command && (name == "gvtg-xml" || name.starts_with('/') && name.ends_with("/gvtg-xml")) {
            return Some(name);
        }
        before = word;
    }
    None
}

/// The first `function NAME` of a text, which is no POSIX shell.
pub fn bash_function(text: &str) -> Option<&str> {
    code(text).find(|line| line.starts_with("function ")).map(|line| line.trim_end_matches([' ', '{', '(', ')']))
}

/// The `setup_gpu` lines. One that names no GPU means that of `GVT_PCI`, as in the guide.
pub fn setups(text: &str) -> Vec<Setup> {
    let default = code(text).find_map(|line| line.strip_prefix("GVT_PCI=")).map(|value| value.trim_matches(['"', '\'']).to_owned());
    let setup = |line: &str| {
        let words = words(line)?;
        let mut words = words.into_iter();
        (words.next()? == "setup_gpu").then_some(())?;
        let (name, uuid, vgpu_type) = (words.next()?, words.next()?, words.next()?);
        // The guide's lines go on with "$@".
        let pci = words.next().filter(|word| crate::domain::parse_pci(word).is_some());
        Some(Setup { name, uuid, vgpu_type, pci: pci.or_else(|| default.clone()) })
    };
    let setups: Vec<Setup> = code(text).filter_map(setup).collect();
    if setups.is_empty() { of_variables(text, default).into_iter().collect() } else { setups }
}

/// The single vGPU of a hook that puts everything in variables, as the Arch wiki's does (<https://wiki.archlinux.org/title/Intel_GVT-g>).
fn of_variables(text: &str, pci: Option<String>) -> Option<Setup> {
    let value = |name: &str| {
        let value = code(text).find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        let mut words = words(value)?.into_iter();
        words.next().filter(|word| !word.contains('$'))
    };
    Some(Setup { name: value("DOMAIN")?, uuid: value("GVT_GUID")?, vgpu_type: value("MDEV_TYPE")?, pci })
}

/// Lines without blanks around them that are no comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The words of a shell line; None where a quote has no end.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut begun) = (Vec::new(), String::new(), false);
    let mut letters = line.chars();
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
                        inner => word.push(inner),
                    }
                }
            }
            '\\' => {
                begun = true;
                word.push(letters.next()?);
            }
            '#' if !begun => break,
            ' ' | '\t' => words.extend(std::mem::take(&mut begun).then(|| std::mem::take(&mut word))),
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
        assert_eq!((setups[0].name.as_str(), setups[0].pci.as_deref()), ("win10", Some("0000:00:03.0")));
        assert_eq!((setups[1].name.as_str(), setups[1].pci.as_deref()), ("a b' $(x)", Some("0000:00:02.0")));
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
        assert_eq!(bash_function("#!/bin/sh\n function create_gpu { \n"), Some("function create_gpu"));
        assert_eq!(bash_function("create_gpu() {\n"), None);
    }
}
