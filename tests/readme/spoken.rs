//! The commands that pages mention without showing their output: in a sentence, in a table, in a
//! script.

use crate::common::program::run;

/// A UUID instead of `$(uuidgen)`, which only a shell replaces.
const UUID: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";

/// Commands of a text that the program rejects, each with the error.
pub fn refused(text: &str) -> Vec<String> {
    // Any words after `explain` are a message.
    let commands = commands(text).into_iter().filter(|command| !command.starts_with("explain "));
    let refused = |command: String| {
        // With --help the program does nothing, but still parses the arguments before it.
        let (code, _, stderr) = run(&format!("{command} --help"), "");
        (code != 0).then(|| format!("gvtg-xml {command}: {stderr}"))
    };
    commands.filter_map(refused).collect()
}

/// The arguments of each command in code, except in `console` blocks, which are run.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut block = None;
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), block) {
            (Some(language), None) => block = Some(language),
            (Some(_), Some(_)) => block = None,
            (None, None) => {
                line.split('`').skip(1).step_by(2).for_each(|code| commands.extend(of_line(code)))
            }
            (None, Some("sh" | "yaml")) => commands.extend(of_line(line)),
            (None, Some(_)) => {}
        }
    }
    commands
}

fn of_line(line: &str) -> Vec<String> {
    let line = line
        .split("  #")
        .next()
        .unwrap_or(line)
        .replace("\\|", "|")
        .replace("cargo run --release -- ", "gvtg-xml ");
    let parts = line.split(['|', ';', '>', '&']).filter_map(|part| part.split_once("gvtg-xml "));
    // Any other word before it makes it something else, such as a folder's name.
    let is_command = |before: &str| {
        before.trim().is_empty()
            || ["sudo", "script:", "run:", "(", "'"]
                .iter()
                .any(|word| before.trim().ends_with(word))
    };
    parts
        .filter(|(before, _)| is_command(before))
        .map(|(_, arguments)| arguments.replace(['"', '\''], "").replace("$(uuidgen)", UUID))
        .collect()
}

#[test]
fn finds_commands_in_code() {
    let text = "Say `gvtg-xml lint x \\| cat` or `fix`, and gvtg-xml alone.\n```sh\ncargo run --release -- fix x   # builds\nvirsh dumpxml x | gvtg-xml fix --quiet | sudo gvtg-xml emit all   # so\n```\n\
                ```console\n$ gvtg-xml types\n```\n```yaml\n- run: gvtg-xml lint vms\n```\n`cp gvtg-xml /usr`\n";
    assert_eq!(commands(text), ["lint x ", "fix x ", "fix --quiet ", "emit all ", "lint vms"]);
    assert_eq!(refused("`gvtg-xml lint --fromat full`").len(), 1);
    assert_eq!(refused("`gvtg-xml lint --format full`"), Vec::<String>::new());
}
