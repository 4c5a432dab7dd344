//! The checks of a host: one function for each rule in `rules/host/`.
//!
//! The table below puts causes before effects. An earlier problem may have caused the later ones,
//! so reports ask the user to resolve the first one first.

mod domain;
mod gpu;
mod hook;
mod kernel;
mod libvirt;
mod machine;
mod modules;
mod parameters;
mod vgpus;

pub use kernel::SETUP_STEPS;

use super::Host;
use super::card::Card;
use crate::emit::Guest;
use crate::rules::schema::{Check, Severity};
use crate::rules::{Rule, template};

/// The input of the checks.
#[derive(Clone, Copy, Debug)]
pub struct CheckContext<'h> {
    /// The machine's facts.
    pub host: &'h Host,
    /// The domains that will run on it; empty if the user named none.
    pub guests: &'h [Guest],
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// The files that were read.
    pub files_read: Vec<String>,
    /// The outcome.
    pub outcome: Outcome,
}

/// The outcome of a check, with the values for the rule's messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The check passed.
    Passed(Values),
    /// The check failed; the values of each finding.
    Failed(Vec<Values>),
    /// The check could not decide; the reason.
    Unknown(String),
    /// The check does not apply, or another check has reported the problem.
    Skipped,
}

/// The values for a rule's messages, by placeholder.
pub type Values = Vec<(&'static str, String)>;

/// The name of a finding's value that replaces the rule's help.
const HELP: &str = "help";

type Function = fn(CheckContext<'_>) -> CheckResult;

/// The function of each rule by its name, causes before effects.
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
    ("two-hooks", hook::duplicate_hooks),
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

/// A rule's result for a machine.
#[derive(Clone, Debug)]
pub struct Item<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// The status.
    pub status: Status,
    /// The message for the user.
    pub message: String,
    /// The advice to the user.
    pub help: Option<String>,
    /// The files that were read.
    pub files_read: Vec<String>,
}

/// The status of a rule on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The check passed.
    Ok,
    /// The check failed, with this severity.
    Failed(Severity),
    /// The check could not decide.
    Unknown,
    /// The check does not apply.
    Skipped,
}

impl Status {
    /// The status as a word for reports.
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Failed(severity) => severity.name(),
            Status::Unknown => "unknown",
            Status::Skipped => "skipped",
        }
    }
}

/// Runs the checks of these rules, causes before effects.
pub fn run<'r>(context: CheckContext<'_>, rules: &[&'r Rule]) -> Vec<Item<'r>> {
    let mut checks: Vec<(usize, &'r Rule)> = Vec::new();
    for rule in rules {
        let index = function_index(rule);
        // `pairs_each_function_with_one_rule` tests this for all rules of the host.
        debug_assert!(index.is_some(), "the rule {} has no function", rule.id);
        checks.extend(index.map(|index| (index, *rule)));
    }
    checks.sort_by_key(|(index, _)| *index);
    let run = |(index, rule): (usize, &'r Rule)| items_of_result(rule, FUNCTIONS[index].1(context));
    checks.into_iter().flat_map(run).collect()
}

/// The finding to resolve first: the first error, else the first warning.
pub fn first<'i, 'r>(items: &'i [Item<'r>]) -> Option<&'i Item<'r>> {
    let first_with =
        |severity| items.iter().find(move |item| item.status == Status::Failed(severity));
    first_with(Severity::Error).or_else(|| first_with(Severity::Warning))
}

/// The index of a rule's function in `FUNCTIONS`.
fn function_index(rule: &Rule) -> Option<usize> {
    let Check::Code { function } = &rule.check else { return None };
    FUNCTIONS.iter().position(|(name, _)| *name == function.name)
}

fn items_of_result<'r>(rule: &'r Rule, result: CheckResult) -> Vec<Item<'r>> {
    let CheckResult { files_read, outcome } = result;
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
        files_read: files_read.clone(),
    };
    match outcome {
        Outcome::Passed(values) => vec![item(
            Status::Ok,
            filled(rule.ok_message.as_deref().unwrap_or(&rule.summary), &values),
            None,
        )],
        Outcome::Failed(found) => {
            let finding = |values: &Values| {
                let replacement =
                    values.iter().find(|(name, _)| *name == HELP).map(|(_, help)| help.clone());
                let help =
                    replacement.or_else(|| rule.help.as_ref().map(|help| filled(help, values)));
                item(Status::Failed(rule.severity), filled(&rule.message, values), help)
            };
            found.iter().map(finding).collect()
        }
        Outcome::Unknown(why) => vec![item(Status::Unknown, why, None)],
        Outcome::Skipped => vec![item(Status::Skipped, rule.summary.to_string(), None)],
    }
}

impl<'h> CheckContext<'h> {
    /// The GPU on which vGPUs are created; `None` in a guest, whose GPU cannot have any.
    fn card(self) -> Option<&'h Card> {
        self.host.card().filter(|_| self.host.machine.guest.is_none())
    }

    /// The GPU on which vGPUs are created, if its generation has GVT-g.
    fn supported_card(self) -> Option<&'h Card> {
        self.card().filter(|card| card.type_prefix().is_some())
    }

    /// Whether the kernel lists vGPU types, which proves that GVT-g is on, whatever the
    /// configuration says.
    fn is_gvt_on(self) -> bool {
        self.card().is_some_and(|card| card.types.as_present().is_some())
    }
}

impl CheckResult {
    /// A passed check.
    fn passed(files_read: impl IntoIterator<Item = impl Into<String>>, values: Values) -> Self {
        CheckResult {
            files_read: files_read.into_iter().map(Into::into).collect(),
            outcome: Outcome::Passed(values),
        }
    }

    /// A failed check with a single finding.
    fn failed(files_read: impl IntoIterator<Item = impl Into<String>>, values: Values) -> Self {
        CheckResult {
            files_read: files_read.into_iter().map(Into::into).collect(),
            outcome: Outcome::Failed(vec![values]),
        }
    }

    /// A failed check with these findings; a passed one if there are none.
    fn each(
        files_read: impl IntoIterator<Item = impl Into<String>>,
        findings: Vec<Values>,
    ) -> Self {
        let outcome = if findings.is_empty() {
            Outcome::Passed(Vec::new())
        } else {
            Outcome::Failed(findings)
        };
        CheckResult { files_read: files_read.into_iter().map(Into::into).collect(), outcome }
    }

    /// An undecided check, because a file cannot be read.
    fn unreadable(path: &str, why: &str) -> Self {
        CheckResult {
            files_read: vec![path.to_owned()],
            outcome: Outcome::Unknown(format!("{path}: {why}")),
        }
    }

    /// An undecided check.
    fn unknown(
        files_read: impl IntoIterator<Item = impl Into<String>>,
        why: impl Into<String>,
    ) -> Self {
        CheckResult {
            files_read: files_read.into_iter().map(Into::into).collect(),
            outcome: Outcome::Unknown(why.into()),
        }
    }

    /// A check that does not apply.
    fn skipped() -> Self {
        CheckResult { files_read: Vec::new(), outcome: Outcome::Skipped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::of_host;

    #[test]
    fn pairs_each_function_with_one_rule() {
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
