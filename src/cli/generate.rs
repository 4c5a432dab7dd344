//! `gvtg-xml generate`: for packagers.

use std::fs;
use std::io::Error as IoError;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use miette::Diagnostic;
use thiserror::Error;

use super::error::fail;
use super::io::{CreateError, StdoutError};
use super::{Status, complete, io, manual};
use crate::settings::config::schema::schema;
use crate::text::sanitize::{clean_path, system_error};

/// Print manual pages, shell completions and schemas
///
/// Prints files for packages and other tools: manual pages, shell completions, a GitHub problem
/// matcher, and the JSON schema of gvtg-xml.toml.
#[derive(Args, Debug)]
#[command(
    after_help = "\
Examples:
  gvtg-xml generate man ~/.local/share/man/man1  # write all manual pages
  gvtg-xml generate bash > ~/.local/share/bash-completion/completions/gvtg-xml  # completions for \
      bash
  gvtg-xml generate zsh > ~/.zfunc/_gvtg-xml  # for zsh, in a folder of $fpath",
    after_long_help = "\
Exit codes:
  0  The file was printed or written
  2  The command failed

See also:
  bash(1), zsh(1), fish(1)"
)]
pub(super) struct GenerateArgs {
    /// What to print
    #[arg(value_enum)]
    what: What,
    /// With man: write all manual pages to this folder
    #[arg(value_hint = ValueHint::DirPath)]
    dir: Option<PathBuf>,
    /// With words: a command line whose last word is incomplete
    #[arg(last = true, hide = true)]
    words: Vec<String>,
}

/// Something to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
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

/// An error of `generate`.
#[derive(Debug, Error, Diagnostic)]
enum GenerateError {
    #[error("only manual pages can be written to a folder: `gvtg-xml generate man DIR`")]
    NeedsNoFolder,
    #[error("{}", system_error(.0))]
    Manual(IoError),
    #[error("{}: can't be written: {}", path.display(), system_error(error))]
    Folder { path: PathBuf, error: IoError },
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] CreateError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Stdout(#[from] StdoutError),
}

pub(super) fn run(args: &GenerateArgs) -> Status {
    match generate(args) {
        Ok(()) => Status::Clean,
        Err(error) => fail(&error),
    }
}

fn generate(args: &GenerateArgs) -> Result<(), GenerateError> {
    if let (What::Man, Some(folder)) = (args.what, &args.dir) {
        return write_pages(folder);
    }
    if args.dir.is_some() {
        return Err(GenerateError::NeedsNoFolder);
    }
    let text = match args.what {
        What::Man => manual::first_page().map_err(GenerateError::Manual)?,
        What::Bash => BASH.to_owned(),
        What::Zsh => ZSH.to_owned(),
        What::Fish => FISH.to_owned(),
        What::ConfigSchema => format!("{:#}\n", schema()),
        What::ProblemMatcher => PROBLEM_MATCHER.to_owned(),
        What::Words => complete::completions(&args.words),
    };
    Ok(io::print(&text)?)
}

/// Writes all manual pages to a folder, and prints their paths.
fn write_pages(folder: &Path) -> Result<(), GenerateError> {
    fs::create_dir_all(folder)
        .map_err(|error| GenerateError::Folder { path: folder.to_owned(), error })?;
    for (name, text) in manual::pages().map_err(GenerateError::Manual)? {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| CreateError::new(&path, &error))?;
        io::print(&format!("{}\n", clean_path(&path)))?;
    }
    Ok(())
}
