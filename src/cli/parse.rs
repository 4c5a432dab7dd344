//! Reading the command line: for `lint` and `fix`, which run the most, their own flags are put
//! together and nothing else.

use std::ffi::OsString;
use std::path::Path;

use clap::{Args, FromArgMatches, Parser};

use super::lazy_args::Deferred;
use super::{Cli, Command};

/// The name that KubeVirt calls its hook by, which is the command `kubevirt`.
const HOOK: &str = "onDefineDomain";

/// The words that the process was given, the program's name first.
pub(super) fn words() -> Vec<OsString> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if words
        .first()
        .is_some_and(|program| Path::new(program).file_name().is_some_and(|name| name == HOOK))
    {
        words[0] = "gvtg-xml".into();
        words.insert(1, "kubevirt".into());
    }
    words
}

/// What these words say, the program's name first.
///
/// # Errors
/// clap's message for what is wrong, or the help that was asked for.
pub(super) fn command_line(words: &[OsString]) -> Result<Cli, clap::Error> {
    // Where something is wrong or asked for, the whole command line is there to tell.
    words.get(1..).and_then(directly).map_or_else(|| Cli::try_parse_from(words), Ok)
}

/// The same of the words from the command on; None where it is another command, or its words don't
/// fit.
fn directly(words: &[OsString]) -> Option<Cli> {
    let command = match words.first()?.to_str()? {
        "lint" => Command::Lint(read(words)?),
        "fix" => Command::Fix(read(words)?),
        _ => return None,
    };
    Some(Cli { command })
}

/// A command's flags out of its name and the words behind it.
fn read<A: Args>(words: &[OsString]) -> Option<Deferred<A>> {
    let command = A::augment_args(clap::Command::new("").disable_help_flag(true));
    Deferred::from_arg_matches(&command.try_get_matches_from(words).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_reads_what_the_whole_command_line_reads() {
        for line in [
            "lint",
            "fix",
            "lint a.xml b.xml --format concise",
            "lint --format json --output-file x --format full -q -- -a",
            "fix - --libvirt 8.0 --unsafe-fixes --diff",
            "fix --in-place a.xml help --only display,vgpu --keep-video=false --uuid ab54baba-ea9a-4ce5-b7b4-51b376b65849",
            "fix --suppress display --reason so --suppress-in comment",
        ] {
            let words: Vec<OsString> =
                format!("gvtg-xml {line}").split(' ').map(OsString::from).collect();
            let whole = Cli::try_parse_from(&words).unwrap();
            assert_eq!(
                format!("{:?}", directly(&words[1..]).unwrap()),
                format!("{whole:?}"),
                "{line}"
            );
        }
        for line in [
            "lint --help",
            "fix -h",
            "fix --libvirt nine",
            "fix --diff --check",
            "explain x",
            "--version",
            "lint --nothing",
            "help fix",
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert!(directly(&words).is_none(), "{line}");
        }
    }
}
