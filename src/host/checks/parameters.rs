//! Parameters that look right and do nothing: misspelt ones, and words that are none.

use std::collections::BTreeMap;

use super::{CheckContext, CheckResult, Values};
use crate::emit::parameter::{PARAMETERS, Parameter};

/// Parameters that guides name and `emit` does not write.
const OF_GUIDES: &[&str] = &["intel_iommu", "i915.enable_guc", "kvm.report_ignored_msrs"];

/// The names that guides give, like `i915.enable_gvt`.
fn wanted_names() -> impl Iterator<Item = String> {
    PARAMETERS
        .iter()
        .map(Parameter::full_name)
        .chain(OF_GUIDES.iter().map(|name| (*name).to_owned()))
}

/// Modules that guides load, and that somebody writes into the kernel's command line.
const MODULES: &[&str] =
    &["kvmgt", "kvm", "mdev", "vfio", "vfio_pci", "vfio_mdev", "vfio_iommu_type1", "xengt", "i915"];

/// The parameter that a name was meant to be; None for one that is right, or that has nothing to do
/// with these.
///
/// `real` are parameters that the modules have.
fn meant(name: &str, real: &[String]) -> Option<String> {
    let is_right =
        wanted_names().any(|wanted| wanted == name) || real.iter().any(|real| real == name);
    if is_right || is_of_i915(name) {
        return None;
    }
    let resembles = |wanted: &str| {
        let (module, parameter) = wanted.split_once('.').unwrap_or(("", wanted));
        let joined = !module.is_empty()
            && [format!("{module}_{parameter}"), parameter.to_owned()]
                .iter()
                .any(|other| other == name);
        joined || strsim::osa_distance(name, wanted) <= 2 || letters(name) == letters(wanted)
    };
    wanted_names().find(|wanted| resembles(wanted))
}

/// i915's parameters whose names are near those wanted (Linux: drivers/gpu/drm/i915/i915_params.c).
fn is_of_i915(name: &str) -> bool {
    matches!(
        name,
        "i915.enable_dc"
            | "i915.enable_psr"
            | "i915.enable_fbc"
            | "i915.enable_ips"
            | "i915.enable_dpt"
            | "i915.enable_sagv"
    )
}

/// How often each letter is there: two swapped ones change nothing.
fn letters(text: &str) -> BTreeMap<char, usize> {
    let mut count = BTreeMap::new();
    for letter in text.chars() {
        *count.entry(letter).or_default() += 1;
    }
    count
}

/// The parameter to write: with the value that `emit` gives it, else the one that the user gave the
/// misspelt word.
fn parameter_to_write(wanted: &str, value: Option<&str>) -> String {
    match (PARAMETERS.iter().find(|parameter| parameter.full_name() == wanted), value) {
        (Some(parameter), _) => parameter.word(),
        (None, Some(value)) => format!("{wanted}={value}"),
        (None, None) => wanted.to_owned(),
    }
}

pub(super) fn misspelt(asked: CheckContext<'_>) -> CheckResult {
    let kernel = &asked.host.kernel;
    if asked.able().is_none() || kernel.line.as_found().is_none() {
        return CheckResult::skipped();
    }
    let mut found: Vec<Values> = Vec::new();
    let mut add = |text: &str, path: &str, wanted: &str, how: &str| {
        found.push(vec![
            ("found", text.to_owned()),
            ("path", path.to_owned()),
            ("meant", wanted.to_owned()),
            ("how", how.to_owned()),
        ]);
    };
    for word in kernel.words() {
        if let Some(wanted) = meant(&word.name, &kernel.parameters) {
            let how = "reboot (the parameter is set in the boot loader's configuration)";
            add(
                &word.text,
                "the kernel command line",
                &parameter_to_write(&wanted, word.value.as_deref()),
                how,
            );
        }
    }
    for line in
        kernel.options.iter().filter(|line| line.command == "options" && !line.module.contains('.'))
    {
        let module = line.module.replace('-', "_");
        for word in &line.words {
            if let Some(wanted) = meant(&format!("{module}.{}", word.name), &kernel.parameters) {
                let wanted =
                    parameter_to_write(&wanted, word.value.as_deref()).replacen('.', " ", 1);
                let how = format!("run {} and reboot", asked.host.system.renewal());
                add(&format!("{} {}", line.module, word.text), &line.path, &wanted, &how);
            }
        }
    }
    CheckResult::each(["/proc/cmdline", "/etc/modprobe.d"], found)
}

pub(super) fn option_with_dot(asked: CheckContext<'_>) -> CheckResult {
    if asked.able().is_none() {
        return CheckResult::skipped();
    }
    let lines = asked.host.kernel.options.iter().filter(|line| line.command == "options");
    let fault = |line: &crate::host::kernel::ModprobeLine| {
        let (module, parameter) = line.module.split_once('.')?;
        let found = format!("options {}", line.module);
        Some(vec![
            ("found", found),
            ("path", line.path.clone()),
            ("meant", format!("options {module} {parameter}")),
        ])
    };
    CheckResult::each(["/etc/modprobe.d"], lines.filter_map(fault).collect())
}

pub(super) fn stray(asked: CheckContext<'_>) -> CheckResult {
    let kernel = &asked.host.kernel;
    if asked.able().is_none() || kernel.line.as_found().is_none() {
        return CheckResult::skipped();
    }
    let words = kernel
        .words()
        .iter()
        .filter(|word| word.value.is_none() && MODULES.contains(&word.name.as_str()));
    CheckResult::each(
        ["/proc/cmdline"],
        words.map(|word| vec![("found", word.text.clone())]).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_mistype_is_understood() {
        for (wrong, right) in [
            ("kvm.ignore_rsms", "kvm.ignore_msrs"),
            ("kmv.report_ignored_msrs", "kvm.report_ignored_msrs"),
            ("i915.enable_gtv", "i915.enable_gvt"),
            ("i915_enable_gvt", "i915.enable_gvt"),
            ("enable_gvt", "i915.enable_gvt"),
            ("i195.enable_gvt", "i915.enable_gvt"),
            ("intel_iomu", "intel_iommu"),
        ] {
            assert_eq!(meant(wrong, &[]).as_deref(), Some(right), "{wrong}");
        }
    }

    #[test]
    fn a_misspelt_word_keeps_the_users_value() {
        assert_eq!(parameter_to_write("intel_iommu", Some("off")), "intel_iommu=off");
        assert_eq!(parameter_to_write("i915.enable_gvt", None), "i915.enable_gvt=1");
    }

    #[test]
    fn other_parameters_are_left_alone() {
        let real = ["i915.enable_gvc".to_owned()];
        for right in [
            "i915.enable_gvt",
            "i915.enable_dc",
            "i915.enable_fbc",
            "i915.enable_gvc",
            "iommu",
            "amd_iommu",
            "quiet",
            "kvm.halt_poll_ns",
        ] {
            assert_eq!(meant(right, &real), None, "{right}");
        }
    }
}
