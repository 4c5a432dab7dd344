//! The kernel parameters of a GVT-g host, and how they are added to an existing command line.

use super::shell;
use crate::emit::kernel_cmdline::{split, split_init};

/// A kernel parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The module that has the parameter.
    pub module: &'static str,
    /// The name within the module.
    pub name: &'static str,
    /// The value to set.
    pub value: &'static str,
    /// Equivalent values, which are kept if already set.
    pub also_good: &'static [&'static str],
    /// The purpose, as a sentence.
    pub why: &'static str,
}

/// The parameters that a GVT-g host needs.
///
/// Two more that guides set are left out. `intel_iommu=on` is for passing whole PCI devices through
/// to a guest: GVT-g works without an IOMMU, and a machine may have it off on purpose.
/// `i915.enable_guc=0` is the default on all GPUs with GVT-g, and setting it taints the kernel.
///
/// Sources: `intel_gvt.c` and `intel_uc.c` in Linux's drivers/gpu/drm/i915;
/// <https://github.com/intel/gvt-linux/issues/60>, where one of GVT-g's authors says that vGPUs
/// need no IOMMU and that Windows' driver reads MSRs which KVM does not have.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        module: "i915",
        name: "enable_gvt",
        value: "1",
        also_good: &["y", "Y", "on"],
        why: "Turns GVT-g on.",
    },
    Parameter {
        module: "kvm",
        name: "ignore_msrs",
        value: "1",
        also_good: &["y", "Y", "on"],
        why: "For Windows guests, whose driver reads registers that KVM does not emulate. Linux guests do not need it.",
    },
];

impl Parameter {
    /// The name on the kernel command line, like `i915.enable_gvt`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.module, self.name)
    }

    /// The word on the kernel command line, like `i915.enable_gvt=1`.
    pub fn word(&self) -> String {
        format!("{}={}", self.full_name(), self.value)
    }

    /// Whether these words set the parameter to its value or an equivalent one. The kernel reads
    /// `-` in a name as `_`, and the last word takes effect.
    fn is_set(&self, words: &[&str]) -> bool {
        let name = self.full_name();
        let mut values = words
            .iter()
            .filter_map(|word| word.split_once('='))
            .filter(|(other, _)| other.replace('-', "_") == name);
        values
            .next_back()
            .is_some_and(|(_, value)| value == self.value || self.also_good.contains(&value))
    }
}

/// All parameters as words of a command line.
pub fn words() -> Vec<String> {
    PARAMETERS.iter().map(Parameter::word).collect()
}

/// The words of this command line that are exactly as this program adds them.
pub fn added_to(line: &str) -> Vec<String> {
    let present = split(split_init(line).0);
    words().into_iter().filter(|word| present.contains(&word.as_str())).collect()
}

/// The purpose of each parameter, as comment lines.
pub fn comments() -> String {
    PARAMETERS
        .iter()
        .map(|parameter| shell::comment(&format!("{}: {}", parameter.word(), parameter.why)))
        .collect()
}

/// The words to append to a command line so that all parameters are set. The last word takes
/// effect, so appended ones override earlier ones.
pub fn missing(line: &str) -> Vec<String> {
    let words = split(split_init(line).0);
    PARAMETERS.iter().filter(|parameter| !parameter.is_set(&words)).map(Parameter::word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_parameters_that_are_not_set() {
        assert_eq!(
            missing("root=/dev/sda1 quiet").join(" "),
            "i915.enable_gvt=1 kvm.ignore_msrs=1"
        );
        assert_eq!(missing("i915.enable-gvt=1 kvm.ignore_msrs=Y"), [""; 0]);
        // The last word takes effect.
        assert_eq!(
            missing("i915.enable_gvt=1 i915.enable_gvt=0 kvm.ignore_msrs=1").join(" "),
            "i915.enable_gvt=1"
        );
        // Words that only resemble the parameters.
        assert_eq!(missing("quiet -- i915.enable_gvt=1 kvm.ignore_msrs=1").len(), 2);
        assert_eq!(missing("xi915.enable_gvt=1 i915.enable_gvt=10 kvm.ignore_msrs").len(), 2);
        assert_eq!(missing("dyndbg=\"file x i915.enable_gvt=1 +p\"").len(), 2);
    }

    #[test]
    fn leaves_iommu_and_guc_parameters_alone() {
        for line in ["intel_iommu=off", "intel_iommu=on", "i915.enable_guc=2"] {
            assert_eq!(missing(line).join(" "), "i915.enable_gvt=1 kvm.ignore_msrs=1", "{line}");
        }
    }
}
