//! The kernel: its command line, the parameters and options of its modules, and which modules are
//! loaded, built in or available.

use super::boot::next_boot;
use super::{Probe, Root};

mod modprobe;
mod module_list;
mod parameter;
mod words;

pub use modprobe::{BootLine, ModprobeLine};
pub use parameter::{NextValue, Parameter, is_on};
pub use words::{Word, words};

use words::normalized;

/// The kernel's configuration and state.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The words of /proc/cmdline.
    pub line: Probe<Vec<Word>>,
    /// The lines of the files in modprobe.d.
    pub options: Vec<ModprobeLine>,
    /// The names in /sys/module: modules that are loaded, or built in and with parameters.
    pub loaded: Probe<Vec<String>>,
    /// The built-in modules, from modules.builtin.
    pub built_in: Vec<String>,
    /// The lines of the files in modules-load.d and of /etc/modules.
    pub at_boot: Vec<BootLine>,
    /// The modules that this kernel can load, from modules.dep.
    pub available: Probe<Vec<String>>,
    /// The running kernel's release, like `6.1.0-50-amd64`.
    pub release: Probe<String>,
    /// The parameters of the loaded i915 and kvm, like `i915.enable_gvt`.
    pub parameters: Vec<String>,
    /// `i915.enable_gvt`.
    pub enable_gvt: Parameter,
    /// `i915.enable_guc`.
    pub enable_guc: Parameter,
    /// `kvm.ignore_msrs`.
    pub ignore_msrs: Parameter,
}

impl Kernel {
    /// Reads the configuration and state of a machine's kernel.
    pub fn read(root: &Root) -> Self {
        let line = root.text("/proc/cmdline").map(|text| words(&text));
        let options = modprobe::read_options(root);
        let release = root.line("/proc/sys/kernel/osrelease");
        let next = next_boot(root);
        let parameter = |name| parameter::read(root, name, &line, &options, &next);
        let (enable_gvt, enable_guc, ignore_msrs) = (
            parameter("i915.enable_gvt"),
            parameter("i915.enable_guc"),
            parameter("kvm.ignore_msrs"),
        );
        let parameters = ["i915", "kvm"].into_iter().flat_map(|module| {
            let names = root
                .names(&format!("/sys/module/{module}/parameters"))
                .present()
                .unwrap_or_default();
            names.into_iter().map(move |name| format!("{module}.{name}"))
        });
        Kernel {
            parameters: parameters.collect(),
            built_in: module_list::built_in(root, &release),
            loaded: root.names("/sys/module"),
            available: module_list::available(root, &release),
            line,
            options,
            at_boot: modprobe::read_boot_lines(root),
            release,
            enable_gvt,
            enable_guc,
            ignore_msrs,
        }
    }

    /// Whether a module is loaded or built in; `None` if /sys/module cannot be read.
    pub fn is_loaded(&self, module: &str) -> Option<bool> {
        let is_listed = |names: &[String]| names.iter().any(|name| name == module);
        self.loaded.as_present().map(|names| is_listed(names) || is_listed(&self.built_in))
    }

    /// Whether this kernel has a module, built in or loadable; `None` if the list of modules cannot
    /// be read.
    pub fn has_module(&self, module: &str) -> Option<bool> {
        self.available
            .as_present()
            .map(|names| names.iter().chain(&self.built_in).any(|name| name == module))
    }

    /// The words of the running kernel's command line.
    pub fn words(&self) -> &[Word] {
        self.line.as_present().map_or(&[], Vec::as_slice)
    }

    /// The lines of modprobe.d with this command for this module.
    pub fn lines<'k>(
        &'k self,
        command: &'k str,
        module: &'k str,
    ) -> impl Iterator<Item = &'k ModprobeLine> {
        self.options
            .iter()
            .filter(move |line| line.command == command && normalized(&line.module) == module)
    }
}
