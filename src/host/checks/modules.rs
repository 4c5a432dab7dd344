//! Checks of the modules that are loaded at boot.

use super::{CheckContext, CheckResult, Values};
use crate::host::kernel::BootLine;

const READ: [&str; 3] = ["/etc/modules-load.d", "/usr/lib/modules-load.d", "/etc/modules"];

/// Modules that newer kernels merged into others.
const RETIRED: &[&str] = &["vfio_mdev", "vfio_virqfd", "xengt"];

/// Whether the line is a valid module name: letters, digits, `_` and `-`.
fn is_name(line: &BootLine) -> bool {
    line.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn module_name(line: &BootLine) -> String {
    line.name.replace('-', "_")
}

pub(super) fn not_at_boot(context: CheckContext<'_>) -> CheckResult {
    if context.supported_card().is_none() {
        return CheckResult::skipped();
    }
    let kernel = &context.host.kernel;
    let boot_line = kernel
        .at_boot
        .iter()
        .find(|line| module_name(line) == "kvmgt")
        .map(|line| line.path.clone());
    let command_line_word = kernel.words().iter().find(|word| {
        let loads = matches!(word.name.as_str(), "modules_load" | "rd.modules_load");
        loads
            && word.value.as_ref().is_some_and(|value| value.split(',').any(|name| name == "kvmgt"))
    });
    let hook_path = super::hook::hook_that_loads_kvmgt(context).map(|hook| hook.path.clone());
    match boot_line.or(command_line_word.map(|_| "/proc/cmdline".to_owned())).or(hook_path) {
        Some(path) => CheckResult::passed([path.clone()], vec![("path", path)]),
        None => CheckResult::failed(READ, vec![]),
    }
}

pub(super) fn broken_line(context: CheckContext<'_>) -> CheckResult {
    if context.supported_card().is_none() {
        return CheckResult::skipped();
    }
    let broken = context.host.kernel.at_boot.iter().filter(|line| !is_name(line));
    let values = |line: &BootLine| -> Values {
        let word: String = line
            .name
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
            .collect();
        let how = if word.is_empty() {
            "remove the line".to_owned()
        } else {
            format!("put only {word} on the line; a comment needs a line of its own")
        };
        vec![("found", line.name.clone()), ("path", line.path.clone()), ("how", how)]
    };
    CheckResult::each(READ, broken.map(values).collect())
}

pub(super) fn retired(context: CheckContext<'_>) -> CheckResult {
    let kernel = &context.host.kernel;
    if context.supported_card().is_none() {
        return CheckResult::skipped();
    }
    let is_missing_in_kernel = |line: &&BootLine| {
        let name = module_name(line);
        RETIRED.contains(&name.as_str()) && kernel.has_module(&name) == Some(false)
    };
    let retired_lines = kernel.at_boot.iter().filter(is_missing_in_kernel);
    CheckResult::each(
        READ,
        retired_lines
            .map(|line| vec![("found", line.name.clone()), ("path", line.path.clone())])
            .collect(),
    )
}
