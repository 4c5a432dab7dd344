//! The places where a hook creates vGPUs with its own commands.

use super::shell::{code_lines, fill_in, variables};

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
    pub fn find(text: &str) -> Self {
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
    pub fn has_uuid(&self, uuid: &str) -> bool {
        let uuid = uuid.to_ascii_lowercase();
        uuid.len() == 36 && self.places.iter().any(|text| text.to_ascii_lowercase().contains(&uuid))
    }

    /// Whether a condition names this VM.
    pub fn names_domain(&self, name: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";

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
            let creations = Creations::find(&text.replace("UUID", UUID));
            assert!(
                creations.names_domain("win10") && creations.has_uuid(&UUID.to_uppercase()),
                "{text}: {creations:?}"
            );
            assert!(
                !creations.names_domain("office")
                    && !creations.names_domain("prepare")
                    && !creations.names_domain("win"),
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
            assert!(
                !Creations::find(text).names_domain("win10"),
                "{text}: {:?}",
                Creations::find(text)
            );
        }
    }
}
