//! What a machine's facts mean for GVT-g: a function for each rule in `rules/host/`, and what all
//! of them together say.
//!
//! The table below is in the order of causes: what comes first is to be mended first, as it may be
//! why others are wrong.

mod domain;
mod gpu;
mod hook;
mod kernel;
mod libvirt;
mod machine;
mod modules;
mod parameters;
mod vgpus;

pub use kernel::NEXT;

use super::Host;
use super::card::Card;
use crate::emit::Guest;
use crate::rules::schema::{Check, Severity};
use crate::rules::{Rule, of_host, template};

/// What the checks look at.
#[derive(Clone, Copy, Debug)]
pub struct CheckContext<'h> {
    /// The machine's facts.
    pub host: &'h Host,
    /// The domains that are to run on it; none where nobody named any.
    pub guests: &'h [Guest],
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// Which files tell.
    pub read: Vec<String>,
    /// What they tell.
    pub outcome: Outcome,
}

/// What the files tell, with the values for a rule's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Fine(Values),
    /// Once for each thing that is wrong.
    Wrong(Vec<Values>),
    /// Nobody can tell, and why.
    Unknown(String),
    /// There is nothing to look at, or another check has said what is wrong.
    Skipped,
}

/// What the words of a rule need, by placeholder.
pub type Values = Vec<(&'static str, String)>;

/// The finding's value that replaces the rule's help on a machine that needs less.
const HELP: &str = "help";

type Function = fn(CheckContext<'_>) -> CheckResult;

const FUNCTIONS: &[(&str, Function)] = &[
    ("no-machine", machine::no_machine),
    ("in-guest", machine::in_guest),
    ("in-container", machine::in_container),
    ("no-intel-gpu", gpu::no_intel_gpu),
    ("unsupported-gpu", gpu::unsupported),
    ("no-kvm", machine::no_kvm),
    ("misspelt-parameter", parameters::misspelt),
    ("modprobe-option-with-dot", parameters::option_with_dot),
    ("guc-submission", kernel::guc_submission),
    ("gpu-given-to-vfio-pci", gpu::given_to_vfio_pci),
    ("i915-switched-off", gpu::i915_switched_off),
    ("gpu-without-i915", gpu::without_i915),
    ("kernel-without-kvmgt", kernel::without_kvmgt),
    ("reboot-pending", kernel::reboot_pending),
    ("gvt-not-enabled", kernel::gvt_not_enabled),
    ("kvmgt-not-loaded", kernel::kvmgt_not_loaded),
    ("vfio-not-loaded", kernel::vfio_not_loaded),
    ("missing-vgpu-types", gpu::missing_types),
    ("small-aperture", gpu::small_aperture),
    ("hook-without-interpreter", hook::without_interpreter),
    ("hook-with-bash-functions", hook::with_bash_functions),
    ("hook-not-executable", hook::not_executable),
    ("hook-writable-by-all", hook::writable_by_all),
    ("hook-folder-ignored", hook::folder_ignored),
    ("hook-without-program", hook::without_program),
    ("wrong-gpu-address", domain::wrong_address),
    ("vgpu-type-not-offered", domain::type_not_offered),
    ("hook-misses-domain", domain::hook_misses),
    ("hook-differs", domain::hook_differs),
    ("vgpu-of-other-type", domain::other_type),
    ("vgpu-of-other-domain", domain::other_domain),
    ("vgpu-type-full", domain::type_full),
    ("old-qemu", libvirt::old_qemu),
    ("missing-libvirt", libvirt::missing),
    ("old-libvirt", libvirt::old),
    ("two-hooks", hook::two),
    ("missing-hook", hook::missing),
    ("outdated-hook", hook::outdated),
    ("broken-modules-line", modules::broken_line),
    ("kvmgt-not-at-boot", modules::not_at_boot),
    ("retired-module", modules::retired),
    ("stray-parameter", parameters::stray),
    ("msrs-not-ignored", kernel::msrs_not_ignored),
    ("dri-not-allowed", libvirt::dri_not_allowed),
    ("window-forbidden", libvirt::window_forbidden),
    ("full-gpu", vgpus::full),
    ("unused-vgpu", vgpus::unused),
];

/// What a rule says about a machine.
#[derive(Clone, Debug)]
pub struct Item<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// How it stands.
    pub status: Status,
    /// What is so, for people.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Which files tell.
    pub read: Vec<String>,
}

/// How it stands with what a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Well.
    Ok,
    /// Not well.
    Wrong(Severity),
    /// Nobody can tell.
    Unknown,
    /// There was nothing to look at.
    Skipped,
}

impl Status {
    /// The word that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Wrong(severity) => severity.name(),
            Status::Unknown => "unknown",
            Status::Skipped => "skipped",
        }
    }
}

/// What these rules say about a machine, in the order of causes.
pub fn look<'r>(asked: CheckContext<'_>, rules: &[&'r Rule]) -> Vec<Item<'r>> {
    let mut items = Vec::new();
    for (name, function) in FUNCTIONS {
        let is_its = |rule: &&&Rule| matches!(&rule.check, Check::Code { function } if function.name == *name);
        if let Some(rule) = rules.iter().find(is_its) {
            items.extend(of_verdict(rule, function(asked)));
        }
    }
    items
}

/// All rules about the host.
pub fn all() -> Vec<&'static Rule> {
    of_host().iter().collect()
}

/// The one to begin with: the first error, else the first warning.
pub fn first<'i, 'r>(items: &'i [Item<'r>]) -> Option<&'i Item<'r>> {
    let with = |severity| items.iter().find(move |item| item.status == Status::Wrong(severity));
    with(Severity::Error).or_else(|| with(Severity::Warning))
}

fn of_verdict<'r>(rule: &'r Rule, verdict: CheckResult) -> Vec<Item<'r>> {
    let CheckResult { read, outcome } = verdict;
    let filled = |text: &str, values: &Values| {
        template::substitute(text, |name| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        })
    };
    let item = |status, message: String, help: Option<String>| Item {
        rule,
        status,
        message,
        help,
        read: read.clone(),
    };
    match outcome {
        Outcome::Fine(values) => vec![item(
            Status::Ok,
            filled(rule.ok_message.as_deref().unwrap_or(&rule.summary), &values),
            None,
        )],
        Outcome::Wrong(found) => {
            let wrong = |values: &Values| {
                let own =
                    values.iter().find(|(name, _)| *name == HELP).map(|(_, help)| help.clone());
                let help = own.or_else(|| rule.help.as_ref().map(|help| filled(help, values)));
                item(Status::Wrong(rule.severity), filled(&rule.message, values), help)
            };
            found.iter().map(wrong).collect()
        }
        Outcome::Unknown(why) => vec![item(Status::Unknown, why, None)],
        Outcome::Skipped => vec![item(Status::Skipped, rule.summary.to_string(), None)],
    }
}

impl<'h> CheckContext<'h> {
    /// The GPU that vGPUs are made of; None in a guest, whose GPU is of no use for that.
    fn card(self) -> Option<&'h Card> {
        self.host.card().filter(|_| self.host.machine.guest.is_none())
    }

    /// The same, if it is one that has GVT-g.
    fn able(self) -> Option<&'h Card> {
        self.card().filter(|card| card.type_prefix().is_some())
    }

    /// Whether the kernel lists the GPU's vGPU types: then GVT-g is on, whatever else is said.
    fn is_on(self) -> bool {
        self.card().is_some_and(|card| card.types.as_found().is_some())
    }
}

impl CheckResult {
    /// All is well.
    fn fine(read: impl IntoIterator<Item = impl Into<String>>, values: Values) -> Self {
        CheckResult {
            read: read.into_iter().map(Into::into).collect(),
            outcome: Outcome::Fine(values),
        }
    }

    /// One thing is wrong.
    fn wrong(read: impl IntoIterator<Item = impl Into<String>>, values: Values) -> Self {
        CheckResult {
            read: read.into_iter().map(Into::into).collect(),
            outcome: Outcome::Wrong(vec![values]),
        }
    }

    /// These things are wrong; where there are none, all is well.
    fn each(read: impl IntoIterator<Item = impl Into<String>>, found: Vec<Values>) -> Self {
        let outcome =
            if found.is_empty() { Outcome::Fine(Vec::new()) } else { Outcome::Wrong(found) };
        CheckResult { read: read.into_iter().map(Into::into).collect(), outcome }
    }

    /// Nobody can tell: a file can't be read.
    fn unreadable(path: &str, why: &str) -> Self {
        CheckResult {
            read: vec![path.to_owned()],
            outcome: Outcome::Unknown(format!("{path}: {why}")),
        }
    }

    /// Nobody can tell.
    fn unknown(read: impl IntoIterator<Item = impl Into<String>>, why: impl Into<String>) -> Self {
        CheckResult {
            read: read.into_iter().map(Into::into).collect(),
            outcome: Outcome::Unknown(why.into()),
        }
    }

    /// There is nothing to look at.
    fn skipped() -> Self {
        CheckResult { read: Vec::new(), outcome: Outcome::Skipped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_is_the_check_of_one_rule() {
        let mut functions: Vec<&str> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
        let mut rules: Vec<&str> = Vec::new();
        for rule in of_host() {
            if let Check::Code { function } = &rule.check {
                rules.push(&function.name);
            }
        }
        functions.sort_unstable();
        rules.sort_unstable();
        assert_eq!(functions, rules);
    }
}
