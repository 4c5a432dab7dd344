//! Parses the command line. `lint` and `fix`, which run most often, have a fast path that builds
//! only their own flags.

use std::ffi::OsString;
use std::path::Path;

use clap::{Args, FromArgMatches, Parser};

use super::lazy_args::Deferred;
use super::{Cli, Command};

/// The name by which KubeVirt calls its hook; called so, the program runs the command `kubevirt`.
const HOOK: &str = "onDefineDomain";

/// Returns the process's arguments, the program's name first.
pub(super) fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments
        .first()
        .is_some_and(|program| Path::new(program).file_name().is_some_and(|name| name == HOOK))
    {
        arguments[0] = "gvtg-xml".into();
        arguments.insert(1, "kubevirt".into());
    }
    arguments
}

/// Parses the arguments, of which the first is the program's name.
///
/// # Errors
/// Returns clap's error, which is also how clap returns a requested help or version text.
pub(super) fn command_line(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    // Errors and help need the whole command line.
    arguments.get(1..).and_then(parse_directly).map_or_else(|| Cli::try_parse_from(arguments), Ok)
}

/// Parses the arguments from the command's name on. Returns `None` for any command but `lint` and
/// `fix`, and for arguments that clap rejects.
fn parse_directly(arguments: &[OsString]) -> Option<Cli> {
    let command = match arguments.first()?.to_str()? {
        "lint" => Command::Lint(read(arguments)?),
        "fix" => Command::Fix(read(arguments)?),
        _ => return None,
    };
    Some(Cli { command })
}

/// Parses a command's flags from its name and the arguments after it.
fn read<A: Args>(arguments: &[OsString]) -> Option<Deferred<A>> {
    let command = A::augment_args(clap::Command::new("").disable_help_flag(true));
    Deferred::from_arg_matches(&command.try_get_matches_from(arguments).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_directly_what_the_whole_command_line_parses() {
        for line in [
            "lint",
            "fix",
            "lint a.xml b.xml --format concise",
            "lint --format json --output-file x --format full -q -- -a",
            "fix - --libvirt 8.0 --unsafe-fixes --diff",
            "fix --in-place a.xml help --only display,vgpu --keep-video=false --uuid ab54baba-ea9a-4ce5-b7b4-51b376b65849",
            "fix --suppress display --reason so --suppress-in comment",
        ] {
            let arguments: Vec<OsString> =
                format!("gvtg-xml {line}").split(' ').map(OsString::from).collect();
            let expected = Cli::try_parse_from(&arguments).unwrap();
            assert_eq!(
                format!("{:?}", parse_directly(&arguments[1..]).unwrap()),
                format!("{expected:?}"),
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
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert!(parse_directly(&arguments).is_none(), "{line}");
        }
    }
}
