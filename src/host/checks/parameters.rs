//! Checks for parameters that have no effect: misspelled names, and words that are not parameters.

use std::collections::BTreeMap;

use super::{CheckContext, CheckResult, Values};
use crate::emit::parameter::{PARAMETERS, Parameter};

/// Parameters that guides set and `emit` does not write.
const GUIDE_PARAMETERS: &[&str] = &["intel_iommu", "i915.enable_guc", "kvm.report_ignored_msrs"];

/// The correct parameter names, like `i915.enable_gvt`.
fn correct_names() -> impl Iterator<Item = String> {
    PARAMETERS
        .iter()
        .map(Parameter::full_name)
        .chain(GUIDE_PARAMETERS.iter().map(|name| (*name).to_owned()))
}

/// Modules that guides load, and whose names users write into the kernel command line by mistake.
const MODULES: &[&str] =
    &["kvmgt", "kvm", "mdev", "vfio", "vfio_pci", "vfio_mdev", "vfio_iommu_type1", "xengt", "i915"];

/// The correct name that a misspelled name resembles; `None` if the name is right or resembles
/// none.
///
/// `real_parameters` are the parameters of the loaded modules.
fn correction(name: &str, real_parameters: &[String]) -> Option<String> {
    let is_right = correct_names().any(|wanted| wanted == name)
        || real_parameters.iter().any(|real| real == name);
    if is_right || is_other_i915_parameter(name) {
        return None;
    }
    let resembles = |wanted: &str| {
        let (module, parameter) = wanted.split_once('.').unwrap_or(("", wanted));
        let is_misjoined = !module.is_empty()
            && [format!("{module}_{parameter}"), parameter.to_owned()]
                .iter()
                .any(|other| other == name);
        is_misjoined
            || strsim::osa_distance(name, wanted) <= 2
            || letter_counts(name) == letter_counts(wanted)
    };
    correct_names().find(|wanted| resembles(wanted))
}

/// Parameters of i915 whose names resemble those of [`correct_names`] (Linux:
/// drivers/gpu/drm/i915/i915_params.c).
fn is_other_i915_parameter(name: &str) -> bool {
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

/// Counts each letter, so that names with swapped letters compare equal.
fn letter_counts(text: &str) -> BTreeMap<char, usize> {
    let mut count = BTreeMap::new();
    for letter in text.chars() {
        *count.entry(letter).or_default() += 1;
    }
    count
}

/// The parameter to write in place of a misspelled one: with the value that `emit` gives it, else
/// with the user's value.
fn parameter_to_write(wanted: &str, value: Option<&str>) -> String {
    match (PARAMETERS.iter().find(|parameter| parameter.full_name() == wanted), value) {
        (Some(parameter), _) => parameter.word(),
        (None, Some(value)) => format!("{wanted}={value}"),
        (None, None) => wanted.to_owned(),
    }
}

pub(super) fn misspelt(context: CheckContext<'_>) -> CheckResult {
    let kernel = &context.host.kernel;
    if context.supported_card().is_none() || kernel.line.as_present().is_none() {
        return CheckResult::skipped();
    }
    let mut findings: Vec<Values> = Vec::new();
    let mut add = |text: &str, path: &str, wanted: &str, how: &str| {
        findings.push(vec![
            ("found", text.to_owned()),
            ("path", path.to_owned()),
            ("meant", wanted.to_owned()),
            ("how", how.to_owned()),
        ]);
    };
    for word in kernel.words() {
        if let Some(wanted) = correction(&word.name, &kernel.parameters) {
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
            if let Some(wanted) = correction(&format!("{module}.{}", word.name), &kernel.parameters)
            {
                let wanted =
                    parameter_to_write(&wanted, word.value.as_deref()).replacen('.', " ", 1);
                let how = format!("run {} and reboot", context.host.system.regeneration_command());
                add(&format!("{} {}", line.module, word.text), &line.path, &wanted, &how);
            }
        }
    }
    CheckResult::each(["/proc/cmdline", "/etc/modprobe.d"], findings)
}

pub(super) fn option_with_dot(context: CheckContext<'_>) -> CheckResult {
    if context.supported_card().is_none() {
        return CheckResult::skipped();
    }
    let lines = context.host.kernel.options.iter().filter(|line| line.command == "options");
    let finding = |line: &crate::host::kernel::ModprobeLine| {
        let (module, parameter) = line.module.split_once('.')?;
        let found = format!("options {}", line.module);
        Some(vec![
            ("found", found),
            ("path", line.path.clone()),
            ("meant", format!("options {module} {parameter}")),
        ])
    };
    CheckResult::each(["/etc/modprobe.d"], lines.filter_map(finding).collect())
}

pub(super) fn stray(context: CheckContext<'_>) -> CheckResult {
    let kernel = &context.host.kernel;
    if context.supported_card().is_none() || kernel.line.as_present().is_none() {
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
    fn corrects_misspelt_names() {
        for (wrong, right) in [
            ("kvm.ignore_rsms", "kvm.ignore_msrs"),
            ("kmv.report_ignored_msrs", "kvm.report_ignored_msrs"),
            ("i915.enable_gtv", "i915.enable_gvt"),
            ("i915_enable_gvt", "i915.enable_gvt"),
            ("enable_gvt", "i915.enable_gvt"),
            ("i195.enable_gvt", "i915.enable_gvt"),
            ("intel_iomu", "intel_iommu"),
        ] {
            assert_eq!(correction(wrong, &[]).as_deref(), Some(right), "{wrong}");
        }
    }

    #[test]
    fn keeps_the_users_value() {
        assert_eq!(parameter_to_write("intel_iommu", Some("off")), "intel_iommu=off");
        assert_eq!(parameter_to_write("i915.enable_gvt", None), "i915.enable_gvt=1");
    }

    #[test]
    fn accepts_other_parameters() {
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
            assert_eq!(correction(right, &real), None, "{right}");
        }
    }
}
