//! `gvtg-xml generate`: for packagers.

use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::lint::fail;
use super::{Cli, Status, io};

/// What can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum What {
    /// The manual page
    Man,
    Bash,
    Zsh,
    Fish,
}

pub(super) fn run(what: What) -> Status {
    let mut command = Cli::command();
    let mut bytes = Vec::new();
    let shell = match what {
        What::Man => None,
        What::Bash => Some(Shell::Bash),
        What::Zsh => Some(Shell::Zsh),
        What::Fish => Some(Shell::Fish),
    };
    match shell {
        Some(shell) => clap_complete::generate(shell, &mut command, "gvtg-xml", &mut bytes),
        None => {
            if let Err(error) = manual(command, &mut bytes) {
                return fail(&io::describe(&error));
            }
        }
    }
    match io::print(&String::from_utf8_lossy(&bytes)) {
        Ok(()) => Status::Clean,
        Err(message) => fail(&message),
    }
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
