//! The kernel parameters of a GVT-g host, and how they join those that a kernel already gets.

use super::shell;
use crate::command_line::{split, split_init};

/// A kernel parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The module that it is of; empty for one of the kernel's own.
    pub module: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// The value that it gets.
    pub value: &'static str,
    /// Other values that do as well: they stay.
    pub also_good: &'static [&'static str],
    /// What it is for, as a sentence.
    pub why: &'static str,
}

/// The guide's parameters, in its order.
///
/// Sources: `intel_gvt.c` and `intel_uc.c` in Linux' drivers/gpu/drm/i915; <https://github.com/intel/gvt-linux/issues/60>, where one of
/// GVT-g's authors says that vGPUs need no IOMMU and that Windows' driver reads MSRs which KVM does not have.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        module: "",
        name: "intel_iommu",
        value: "on",
        also_good: &[],
        why: "Guides have it. It is for whole PCI cards that a guest gets; vGPUs do not need it.",
    },
    Parameter { module: "i915", name: "enable_gvt", value: "1", also_good: &["y", "Y", "on"], why: "Turns GVT-g on." },
    Parameter {
        module: "i915",
        name: "enable_guc",
        value: "0",
        also_good: &["2", "-1"],
        why: "What GPUs with GVT-g have anyway. 1 and 3 turn GVT-g off; 2 (HuC alone) does not. The kernel calls itself tainted for it, which does no harm.",
    },
    Parameter {
        module: "kvm",
        name: "ignore_msrs",
        value: "1",
        also_good: &["y", "Y", "on"],
        why: "For Windows guests, whose driver reads registers that KVM does not have. Linux guests do without.",
    },
];

impl Parameter {
    /// Its name on the kernel's command line.
    pub fn full_name(&self) -> String {
        if self.module.is_empty() { self.name.to_owned() } else { format!("{}.{}", self.module, self.name) }
    }

    /// The word on the kernel's command line.
    pub fn word(&self) -> String {
        format!("{}={}", self.full_name(), self.value)
    }

    /// Whether these words set it to a value that is good. The kernel reads - in a name as _, and the last word counts.
    fn is_set(&self, words: &[&str]) -> bool {
        let name = self.full_name();
        let mut values = words.iter().filter_map(|word| word.split_once('=')).filter(|(other, _)| other.replace('-', "_") == name);
        values.next_back().is_some_and(|(_, value)| value == self.value || self.also_good.contains(&value))
    }
}

/// All of them as words of a command line.
pub fn words() -> Vec<String> {
    PARAMETERS.iter().map(Parameter::word).collect()
}

/// What each is for, as comment lines.
pub fn comments() -> String {
    PARAMETERS.iter().map(|parameter| shell::comment(&format!("{}: {}", parameter.word(), parameter.why))).collect()
}

/// The words that a command line lacks; behind all others they count, whatever stands before.
pub fn missing(line: &str) -> Vec<String> {
    let words = split(split_init(line).0);
    PARAMETERS.iter().filter(|parameter| !parameter.is_set(&words)).map(Parameter::word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_and_good_is_not_missing() {
        assert_eq!(missing("root=/dev/sda1 quiet").join(" "), "intel_iommu=on i915.enable_gvt=1 i915.enable_guc=0 kvm.ignore_msrs=1");
        assert_eq!(missing("intel_iommu=on i915.enable_gvt=1 i915.enable-guc=2 kvm.ignore_msrs=Y"), [""; 0]);
        // The last word counts.
        assert_eq!(
            missing("intel_iommu=on i915.enable_gvt=1 i915.enable_gvt=0 i915.enable_guc=3 kvm.ignore_msrs=1").join(" "),
            "i915.enable_gvt=1 i915.enable_guc=0"
        );
        // Words that only look like them.
        assert_eq!(missing("quiet -- intel_iommu=on i915.enable_gvt=1").len(), 4);
        assert_eq!(missing("xintel_iommu=on i915.enable_gvt=10 i915.enable_guc kvm.ignore_msrs").len(), 4);
        assert_eq!(missing("dyndbg=\"file x intel_iommu=on +p\"").len(), 4);
    }
}
