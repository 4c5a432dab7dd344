//! `gvtg-xml generate`: for packagers.

use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::lint::fail;
use super::{Cli, Status, io};
use crate::config::schema::schema;
use crate::printable::system_error;

/// What can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum What {
    /// The manual page
    Man,
    Bash,
    Zsh,
    Fish,
    /// GitHub's problem matcher for `--format concise`
    ProblemMatcher,
    /// The JSON schema of gvtg-xml.toml
    ConfigSchema,
}

/// Infos have a matcher of their own: GitHub calls them notices.
const PROBLEM_MATCHER: &str = include_str!("problem-matcher.json");

pub(super) fn run(what: What) -> Status {
    let mut bytes = Vec::new();
    match what {
        What::Man => {
            if let Err(error) = manual(Cli::command(), &mut bytes) {
                return fail(&system_error(&error));
            }
        }
        What::Bash => complete(Shell::Bash, &mut bytes),
        What::Zsh => complete(Shell::Zsh, &mut bytes),
        What::Fish => complete(Shell::Fish, &mut bytes),
        What::ConfigSchema => bytes.extend_from_slice(format!("{:#}\n", schema()).as_bytes()),
        What::ProblemMatcher => bytes.extend_from_slice(PROBLEM_MATCHER.as_bytes()),
    }
    match io::print(&String::from_utf8_lossy(&bytes)) {
        Ok(()) => Status::Clean,
        Err(message) => fail(&message),
    }
}

fn complete(shell: Shell, bytes: &mut Vec<u8>) {
    clap_complete::generate(shell, &mut Cli::command(), "gvtg-xml", bytes);
}

/// One page for the program and its commands.
fn manual(mut command: clap::Command, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    command.build();
    clap_mangen::Man::new(command.clone()).render(bytes)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        let name = sub.get_name().to_uppercase();
        bytes.extend_from_slice(format!(".SH \"GVTG-XML {name}\"\n").as_bytes());
        let page = clap_mangen::Man::new(sub.clone());
        page.render_description_section(bytes)?;
        page.render_options_section(bytes)?;
    }
    Ok(())
}
