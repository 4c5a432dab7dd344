//! The command line: what can be said, and which exit code comes of it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use uuid::Uuid;

use crate::host::{Root, installed};
use crate::report::Format;
use crate::rules::schema::Severity;
use crate::settings::{Audio, Settings};
use crate::version::Version;

mod emit;
mod explain;
mod files;
mod fix;
mod generate;
mod io;
mod lint;
#[cfg(feature = "lsp")]
mod lsp;
mod rules;

/// Makes any libvirt domain run on an Intel GVT-g vGPU.
///
/// virsh dumpxml --inactive --security-info win10 | gvtg-xml fix | virsh define --validate /dev/stdin
#[derive(Parser, Debug)]
#[command(name = "gvtg-xml", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 nothing found (fix: nothing left), 1 something found (fix: something left), 2 could not do it.\n\
    For `fix`, 0 and 1 mean that stdout holds the whole document, 2 that it is empty.";

#[derive(Subcommand, Debug)]
enum Command {
    /// Say what is wrong, where and why
    Lint(LintArgs),
    /// Write the domain with everything mended that can be, changing nothing else
    Fix(FixArgs),
    /// Print what the host needs for domains: the libvirt hook, the kernel modules
    Emit(emit::EmitArgs),
    /// Explain a rule, or find the rule for an error message of libvirt or QEMU
    Explain(ExplainArgs),
    /// Bring the rules to an editor: a language server on stdin and stdout
    #[cfg(feature = "lsp")]
    Lsp(lsp::Deferred),
    /// Print the manual page or a shell's completions
    #[command(hide = true)]
    Generate(GenerateArgs),
}

#[derive(Args, Debug)]
struct LintArgs {
    /// Domain XML files or folders of them; stdin without any, or for -
    files: Vec<PathBuf>,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t = Format::Full)]
    format: Format,
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    settings: SettingsArgs,
}

#[derive(Args, Debug)]
struct FixArgs {
    /// Domain XML file; stdin without one, or for -. Several, and folders, with --in-place, --diff or --check
    files: Vec<PathBuf>,
    /// Write the files instead of stdout
    #[arg(long, short, conflicts_with_all = ["diff", "check"])]
    in_place: bool,
    /// Show the changes as a diff; write nothing, exit 1 if there are any
    #[arg(long, conflicts_with = "check")]
    diff: bool,
    /// Name the files that would change; write nothing, exit 1 if there are any
    #[arg(long)]
    check: bool,
    /// Also make fixes that may lose something you want
    #[arg(long)]
    unsafe_fixes: bool,
    /// Print no report on stderr
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    settings: SettingsArgs,
}

#[derive(Args, Debug)]
struct CommonArgs {
    /// Only these rules or groups of rules (display, vgpu, namespace, qemu, domain)
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    only: Vec<String>,
    /// Not these rules or groups
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,
    /// A folder of further rules; one with a built-in rule's id replaces that
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// The least severity that makes the exit code 1
    #[arg(long, value_name = "SEVERITY", default_value = "warning", value_parser = severity)]
    fail_on: Severity,
    /// Exit 0 where it would be 1
    #[arg(long)]
    exit_zero: bool,
    /// Skip files that are no domain XML, and domains with no sign of GVT-g
    #[arg(long)]
    skip_foreign: bool,
    /// In folders, also domains with no sign of GVT-g
    #[arg(long)]
    all: bool,
    /// The name that messages show for stdin
    #[arg(long, value_name = "NAME", default_value = "<stdin>", hide_default_value = true)]
    stdin_filename: String,
    /// The largest input, in MiB; 0 for any size
    #[arg(long, value_name = "MIB", default_value_t = 16)]
    max_size: u64,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Settings (the document's own values stay where they are not given)")]
struct SettingsArgs {
    /// The libvirt that will read the domain: a version, `installed`, or `current`
    #[arg(long, value_name = "VERSION", default_value = "current", value_parser = libvirt)]
    libvirt: Version,
    /// The vGPU's uuid [default: the vGPU's own, else made from the domain's]
    #[arg(long, value_parser = uuid)]
    uuid: Option<Uuid>,
    /// The vGPU's type, like i915-GVTg_V5_4, to be recorded in the domain's metadata
    #[arg(long = "type", value_name = "TYPE", value_parser = vgpu_type)]
    vgpu_type: Option<String>,
    /// The Intel GPU's PCI address; recorded in the domain's metadata where it is given [default: 0000:00:02.0]
    #[arg(long, value_name = "ADDRESS", value_parser = pci)]
    pci: Option<String>,
    /// QEMU's -display; any with gl=on, es or core [default: gtk,gl=on]
    #[arg(long, value_parser = display)]
    display: Option<String>,
    /// The X display that QEMU opens its window on [default: $DISPLAY on a pipe if it is like :0, else :0]
    #[arg(long, value_name = "DISPLAY", value_parser = display_env)]
    display_env: Option<String>,
    /// GTK's scale for that window [default: 1.0]
    #[arg(long, value_name = "SCALE", value_parser = gdk_scale)]
    gdk_scale: Option<String>,
    /// The vGPU's alias [default: ua-gvtg]
    #[arg(long, value_parser = alias)]
    alias: Option<String>,
    /// An option ROM for the vGPU of a UEFI guest
    #[arg(long, value_name = "FILE", value_parser = romfile)]
    romfile: Option<String>,
    /// Where sound goes that SPICE carried: a type of <audio>, and attributes of it [default: none]
    #[arg(long, value_name = "TYPE[,NAME=VALUE]…", value_parser = audio)]
    audio: Option<Audio>,
    /// Keep <video>, for the guest's installation
    #[arg(long)]
    keep_video: bool,
}

#[derive(Args, Debug)]
struct ExplainArgs {
    /// A rule, or a piece of an error message; lists all rules without one
    rule: Vec<String>,
    /// A folder of further rules
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct GenerateArgs {
    /// What to print
    #[arg(value_enum)]
    what: generate::What,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    Always,
    Never,
}

/// What a run ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    /// Nothing at or above `--fail-on`.
    Clean = 0,
    /// Something is.
    Findings = 1,
    /// It could not be done.
    Failed = 2,
}

/// Runs the command line that the process was given.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout and are no failure; a closed pipe is no reason to complain.
            if !error.use_stderr() {
                let _ = error.print();
                return ExitCode::SUCCESS;
            }
            // What somebody typed, or a script pasted, is in the message.
            let lines = error.render().to_string().lines().map(|line| crate::report::clean(line) + "\n").collect::<String>();
            io::report(&lines);
            return ExitCode::from(Status::Failed as u8);
        }
    };
    let status = match cli.command {
        Command::Lint(args) => lint::run(&args),
        Command::Fix(args) => fix::run(&args),
        Command::Emit(args) => emit::run(&args),
        Command::Explain(args) => explain::run(&args),
        #[cfg(feature = "lsp")]
        Command::Lsp(args) => lsp::run(&args),
        Command::Generate(args) => generate::run(args.what),
    };
    ExitCode::from(status as u8)
}

/// The settings that these flags mean, as after `gvtg-xml fix`.
///
/// # Errors
/// clap's message for flags that it doesn't know or values that don't fit.
pub fn parse_settings(flags: &str) -> Result<Settings, String> {
    let words = ["gvtg-xml", "fix"].into_iter().chain(flags.split_whitespace());
    match Cli::try_parse_from(words).map_err(|error| error.to_string())?.command {
        Command::Fix(args) => Ok(args.settings.settings(args.unsafe_fixes)),
        _ => Err("not a fix".into()),
    }
}

impl SettingsArgs {
    fn settings(&self, unsafe_fixes: bool) -> Settings {
        Settings {
            libvirt: self.libvirt,
            uuid: self.uuid,
            vgpu_type: self.vgpu_type.clone(),
            pci: self.pci.clone(),
            display: self.display.clone(),
            display_env: self.display_env.clone(),
            gdk_scale: self.gdk_scale.clone(),
            alias: self.alias.clone(),
            romfile: self.romfile.clone(),
            audio: self.audio.clone(),
            keep_video: self.keep_video,
            unsafe_fixes,
            ..Settings::default()
        }
    }
}

impl CommonArgs {
    /// The exit status that diagnostics mean.
    fn status<'a>(&self, severities: impl IntoIterator<Item = &'a Severity>) -> Status {
        let fails = severities.into_iter().any(|severity| *severity >= self.fail_on);
        if fails && !self.exit_zero { Status::Findings } else { Status::Clean }
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    match text {
        "info" => Ok(Severity::Info),
        "warning" => Ok(Severity::Warning),
        "error" => Ok(Severity::Error),
        _ => Err("give info, warning or error".into()),
    }
}

fn libvirt(text: &str) -> Result<Version, String> {
    match text {
        "installed" => {
            installed::libvirt(&Root::default()).ok_or_else(|| "no libvirt.so.0 was found on this machine: give its version".into())
        }
        text => text.parse(),
    }
}

fn uuid(text: &str) -> Result<Uuid, String> {
    crate::domain::parse_uuid(text).ok_or_else(|| "give 32 hex digits, with dashes or without".into())
}

fn vgpu_type(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    fits.then(|| text.to_owned()).ok_or_else(|| "give a name like i915-GVTg_V5_4".into())
}

fn pci(text: &str) -> Result<String, String> {
    crate::domain::parse_pci(text).map(|_| text.to_ascii_lowercase()).ok_or_else(|| "give an address like 0000:00:02.0".into())
}

fn display(text: &str) -> Result<String, String> {
    let (kind, gl) = crate::domain::display_parts(text);
    let fits = crate::domain::display_has_gl(&kind, gl.as_deref()) && plain(text).is_ok();
    fits.then(|| text.to_owned()).ok_or_else(|| "a vGPU is shown with OpenGL only: give gl=on, gl=es or gl=core too, like gtk,gl=on".into())
}

fn display_env(text: &str) -> Result<String, String> {
    crate::rules::schema::Format::Display.fits(text).then(|| text.to_owned()).ok_or_else(|| "give a display like :0".into())
}

fn gdk_scale(text: &str) -> Result<String, String> {
    crate::rules::schema::Format::Number.fits(text).then(|| text.to_owned()).ok_or_else(|| "give a number like 1.0".into())
}

fn alias(text: &str) -> Result<String, String> {
    let message = "give ua- and letters, digits, - or _: libvirt drops anything else";
    crate::domain::is_user_alias(text).then(|| text.to_owned()).ok_or_else(|| message.into())
}

fn romfile(text: &str) -> Result<String, String> {
    if text.starts_with('/') { plain(text) } else { Err("give an absolute path: QEMU runs in another folder".into()) }
}

fn audio(text: &str) -> Result<Audio, String> {
    let mut parts = text.split(',');
    let backend = parts.next().unwrap_or("").to_owned();
    const KNOWN: &[&str] = &["none", "alsa", "coreaudio", "dbus", "file", "jack", "oss", "pipewire", "pulseaudio", "sdl"];
    if !KNOWN.contains(&backend.as_str()) {
        return Err(format!("give one of {}", KNOWN.join(", ")));
    }
    let attribute = |part: &str| match part.split_once('=') {
        Some((name, value)) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            Ok((name.to_owned(), plain(value)?))
        }
        _ => Err(format!("'{part}' is not NAME=VALUE")),
    };
    Ok(Audio { backend, attributes: parts.map(attribute).collect::<Result<_, _>>()? })
}

/// A value that XML can hold on one line.
fn plain(text: &str) -> Result<String, String> {
    let fits = text.chars().all(|c| crate::xml::is_character(c) && !c.is_control());
    fits.then(|| text.to_owned()).ok_or_else(|| "control characters can't be in XML".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn settings_are_checked() {
        for wrong in [
            "--uuid x",
            "--display gtk",
            "--display gtk,gl=off",
            "--alias gvtg",
            "--alias ua-a.b",
            "--pci 00:02.0",
            "--display-env 0",
            "--gdk-scale x",
            "--libvirt nine",
            "--audio spice",
            "--audio none,x",
            "--romfile x.rom",
            "--type a/b",
        ] {
            assert!(parse_settings(wrong).is_err(), "{wrong}");
        }
        let settings =
            parse_settings("--display egl-headless --audio pulseaudio,serverName=/p --uuid AB54BABAEA9A4CE5B7B451B376B65849").unwrap();
        assert_eq!(settings.audio.unwrap().attributes, [("serverName".to_owned(), "/p".to_owned())]);
        assert_eq!(settings.uuid.unwrap().to_string(), "ab54baba-ea9a-4ce5-b7b4-51b376b65849");
    }
}
