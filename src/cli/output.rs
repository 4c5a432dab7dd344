//! Which reports a run writes, and where they go.
//!
//! `--output-file` is where the report of the `--format` before it goes; a format without one goes
//! to stdout, or to stderr where stdout is the document's. So one run can fill a server's file and
//! show people something at once.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

use super::configs::AllFiles;
use super::flags::{ColorChoice, Format};
use super::terminal::TerminalStyle;
use super::{Options, io};
use crate::diagnostic::Detail;
use crate::report::{
    Concise, FileFindings, Full, GitHub, GitLab, JUnit, Json, JsonLines, Report, Sarif, Statistics,
};
use crate::rules;
use crate::sanitize::system_error;
use crate::xml::{self, XmlErrorKind};

/// So much text is written before there is more.
const LARGE: usize = 1 << 20;

/// The flags as clap reads them.
#[derive(Args, Debug)]
struct OutputFlags {
    /// Report format
    #[arg(long, value_enum)]
    format: Vec<Format>,
    /// File for the report of the preceding --format
    #[arg(long, value_name = "FILE")]
    output_file: Vec<PathBuf>,
    /// Print the number of findings per rule
    #[arg(long)]
    statistics: bool,
}

/// The reports that are asked for.
#[derive(Clone, Debug)]
pub(super) struct OutputArgs {
    /// Those that were named, each with its file.
    formats: Vec<(Format, Option<PathBuf>)>,
    statistics: bool,
}

impl Args for OutputArgs {
    fn augment_args(command: Command) -> Command {
        OutputFlags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        OutputFlags::augment_args_for_update(command)
    }
}

impl FromArgMatches for OutputArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let flags = OutputFlags::from_arg_matches(matches)?;
        let places = |name: &str| matches.indices_of(name).map_or(Vec::new(), Iterator::collect);
        let (of_formats, of_files): (Vec<usize>, Vec<usize>) =
            (places("format"), places("output_file"));
        let mut formats: Vec<(Format, Option<PathBuf>)> =
            flags.format.into_iter().map(|format| (format, None)).collect();
        for (file, place) in flags.output_file.into_iter().zip(of_files) {
            let before = of_formats.iter().filter(|format| **format < place).count();
            match before.checked_sub(1).and_then(|index| formats.get_mut(index)) {
                Some((_, target)) if target.is_none() => *target = Some(file),
                _ => {
                    return Err(wrong(
                        "each --output-file must come after the --format it belongs to",
                    ));
                }
            }
        }
        let printed = formats.iter().filter(|(_, file)| file.is_none()).count();
        match (printed, flags.statistics) {
            (0 | 1, false) | (0, true) => {}
            (_, true) => {
                return Err(wrong(
                    "--format and --statistics both print a report: add `--output-file FILE` after --format, or leave one out",
                ));
            }
            (_, false) => {
                return Err(wrong(
                    "only one report can be printed: add `--output-file FILE` after each --format but one",
                ));
            }
        }
        Ok(OutputArgs { formats, statistics: flags.statistics })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = OutputArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

fn wrong(message: &str) -> Error {
    Error::raw(ErrorKind::ArgumentConflict, format!("{message}\n"))
}

impl OutputArgs {
    /// Whether a report was asked for, and not only what there is by default.
    pub(super) fn is_asked_for(&self) -> bool {
        self.statistics || !self.formats.is_empty()
    }

    /// Whether nothing may be added to what goes to the stream.
    pub(super) fn is_for_programs(&self) -> bool {
        let is_text =
            |format: Format| matches!(format, Format::Full | Format::Concise | Format::Github);
        self.formats.iter().any(|(format, file)| file.is_none() && !is_text(*format))
    }

    /// Whether whoever reads the report counts the findings, or finds them counted there.
    pub(super) fn is_counted(&self) -> bool {
        self.statistics || self.is_for_programs()
    }
}

/// Where a report without a file goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// What a run reports where nobody asks for a format.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum DefaultReport {
    /// [`Full`].
    Full,
    /// A line a finding, and how to mend what is left.
    WithHelp,
}

/// The reports that a run writes.
pub(super) struct Outputs {
    outputs: Vec<Output>,
}

struct Output {
    report: Box<dyn Report>,
    target: Target,
    text: String,
    /// Whether its lines are for people, and may be broken to fit a terminal.
    is_prose: bool,
}

enum Target {
    Stream(Stream),
    File(PathBuf, fs::File),
}

impl Outputs {
    /// The reports that were asked for, or `unasked` where none was; without a stream those in
    /// files alone.
    ///
    /// # Errors
    /// A file that can't be made, or holds a domain.
    pub(super) fn open(
        args: &OutputArgs,
        stream: Option<Stream>,
        unasked: Option<DefaultReport>,
        files: &AllFiles,
        options: &Options,
    ) -> Result<Self, String> {
        let mut outputs = Outputs { outputs: Vec::new() };
        // A file alone leaves stdout empty, as it does for other linters.
        if let Some((unasked, stream)) = unasked.filter(|_| !args.is_asked_for()).zip(stream) {
            let target = Target::Stream(stream);
            let report = match unasked {
                DefaultReport::Full => report(Format::Full, &target, files, options),
                DefaultReport::WithHelp => {
                    Box::new(Concise::with_help(look(&target, options.color).color))
                }
            };
            outputs.begin(report, target, unasked == DefaultReport::WithHelp);
        }
        for (format, file) in &args.formats {
            let target = match (file, stream) {
                (Some(path), _) => create(path)?,
                (None, Some(stream)) => Target::Stream(stream),
                (None, None) => continue,
            };
            outputs.begin(report(*format, &target, files, options), target, false);
        }
        if let Some(stream) = stream.filter(|_| args.statistics) {
            outputs.begin(Box::new(Statistics::default()), Target::Stream(stream), false);
        }
        Ok(outputs)
    }

    fn begin(&mut self, mut report: Box<dyn Report>, target: Target, is_prose: bool) {
        let mut text = String::new();
        report.begin(&mut text);
        self.outputs.push(Output { report, target, text, is_prose });
    }

    /// How much of a finding they show.
    pub(super) fn detail(&self) -> Detail {
        self.outputs.iter().map(|output| output.report.detail()).max().unwrap_or(Detail::Line)
    }

    /// Whether somebody who runs the program sees a report, and not only whoever reads a file.
    pub(super) fn is_seen(&self) -> bool {
        self.outputs.iter().any(|output| matches!(output.target, Target::Stream(_)))
    }

    /// Adds a file. A long run shows what it has; on stderr other lines follow.
    pub(super) fn add(&mut self, file: &FileFindings<'_>) -> Result<(), String> {
        for output in &mut self.outputs {
            output.report.file(file, &mut output.text);
            if output.text.len() > LARGE || matches!(output.target, Target::Stream(Stream::Stderr))
            {
                output.write()?;
            }
        }
        Ok(())
    }

    /// Writes the rest.
    pub(super) fn finish(mut self) -> Result<(), String> {
        for output in &mut self.outputs {
            output.report.end(&mut output.text);
            output.write()?;
        }
        Ok(())
    }
}

impl Output {
    fn write(&mut self) -> Result<(), String> {
        let text = std::mem::take(&mut self.text);
        match &mut self.target {
            Target::Stream(Stream::Stdout) => io::print(&text),
            Target::Stream(Stream::Stderr) => {
                if self.is_prose {
                    io::tell(&text);
                } else {
                    io::eprint_all(&text);
                }
                Ok(())
            }
            Target::File(path, file) => file.write_all(text.as_bytes()).map_err(|error| {
                format!("{}: can't be written: {}", path.display(), system_error(&error))
            }),
        }
    }
}

fn report(format: Format, target: &Target, files: &AllFiles, options: &Options) -> Box<dyn Report> {
    match format {
        Format::Full => {
            let look = look(target, options.color);
            Box::new(Full::new(look.color, look.width))
        }
        Format::Concise => Box::new(Concise::new(look(target, options.color).color)),
        Format::Json => Box::new(Json::default()),
        Format::JsonLines => Box::new(JsonLines::default()),
        Format::Sarif => {
            let unreadable = [XmlErrorKind::NotADomain, XmlErrorKind::NotWellFormed]
                .map(rules::rule_for_xml_error);
            let mut asked: Vec<_> = files
                .rules
                .active
                .iter()
                .copied()
                .filter(|rule| unreadable.iter().all(|other| other.id != rule.id))
                .collect();
            asked.extend(unreadable);
            asked.sort_by(|left, right| left.id.cmp(&right.id));
            Box::new(Sarif::new(asked, files.rule_pages.clone()))
        }
        Format::Github => Box::new(GitHub),
        Format::Gitlab => Box::new(GitLab::default()),
        Format::Junit => Box::new(JUnit),
    }
}

fn look(target: &Target, choice: ColorChoice) -> TerminalStyle {
    match target {
        Target::Stream(Stream::Stdout) => TerminalStyle::of_stdout(choice),
        Target::Stream(Stream::Stderr) => TerminalStyle::of_stderr(choice),
        Target::File(..) => TerminalStyle::of_file(choice),
    }
}

/// A file for a report. One that holds a domain is meant to be read, whatever the order of the
/// words on the command line says.
fn create(path: &PathBuf) -> Result<Target, String> {
    let is_domain = path.is_file()
        && fs::read(path).is_ok_and(|bytes| xml::root_name(&bytes).as_deref() == Some("domain"));
    if is_domain {
        return Err(format!(
            "{}: is a domain, and is not overwritten with a report",
            path.display()
        ));
    }
    let file = fs::File::create(path).map_err(|error| io::unwritable(path, &error))?;
    Ok(Target::File(path.clone(), file))
}
