//! `gvtg-xml generate`: for packagers.

use std::fs;
use std::path::Path;

use clap::ValueEnum;

use super::error::{fail, from_message};
use super::flags::GenerateArgs;
use super::io::CreateError;
use super::{Status, complete, io, manual};
use crate::settings::config::schema::schema;
use crate::text::sanitize::{clean_path, system_error};

/// Something to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum What {
    /// The manual page gvtg-xml(1); with DIR, the pages of all commands
    Man,
    /// Completions for bash
    Bash,
    /// Completions for zsh
    Zsh,
    /// Completions for fish
    Fish,
    /// GitHub problem matcher for `--format concise`
    ProblemMatcher,
    /// JSON schema of gvtg-xml.toml
    ConfigSchema,
    /// Completions for the last word after `--`
    #[value(hide = true)]
    Words,
}

const BASH: &str = include_str!("completions.bash");
const ZSH: &str = include_str!("completions.zsh");
const FISH: &str = include_str!("completions.fish");

/// The severity info has a matcher of its own, because GitHub calls it notice.
const PROBLEM_MATCHER: &str = include_str!("problem-matcher.json");

pub(super) fn run(args: &GenerateArgs) -> Status {
    if let (What::Man, Some(folder)) = (args.what, &args.dir) {
        return write_pages(folder).unwrap_or_else(|message| fail(&from_message(&message)));
    }
    if args.dir.is_some() {
        return fail(&from_message(
            "only manual pages can be written to a folder: `gvtg-xml generate man DIR`",
        ));
    }
    let text = match args.what {
        What::Man => manual::first_page(),
        What::Bash => BASH.to_owned(),
        What::Zsh => ZSH.to_owned(),
        What::Fish => FISH.to_owned(),
        What::ConfigSchema => format!("{:#}\n", schema()),
        What::ProblemMatcher => PROBLEM_MATCHER.to_owned(),
        What::Words => complete::completions(&args.words),
    };
    match io::print(&text) {
        Ok(()) => Status::Clean,
        Err(message) => fail(&message),
    }
}

/// Writes all manual pages to a folder, and prints their paths.
fn write_pages(folder: &Path) -> Result<Status, String> {
    fs::create_dir_all(folder).map_err(|error| {
        format!("{}: can't be written: {}", folder.display(), system_error(&error))
    })?;
    for (name, text) in manual::pages() {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| CreateError::new(&path, &error).to_string())?;
        io::print(&format!("{}\n", clean_path(&path))).map_err(|error| error.to_string())?;
    }
    Ok(Status::Clean)
}
