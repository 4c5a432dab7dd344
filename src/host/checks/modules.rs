//! The modules that are loaded at boot.

use super::{CheckContext, CheckResult, Values};
use crate::host::kernel::BootLine;

const READ: [&str; 3] = ["/etc/modules-load.d", "/usr/lib/modules-load.d", "/etc/modules"];

/// Modules that newer kernels no longer have: they became part of others.
const RETIRED: &[&str] = &["vfio_mdev", "vfio_virqfd", "xengt"];

/// A module's name is letters, digits, `_` and `-`.
fn is_name(line: &BootLine) -> bool {
    line.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn module(line: &BootLine) -> String {
    line.name.replace('-', "_")
}

pub(super) fn not_at_boot(asked: CheckContext<'_>) -> CheckResult {
    if asked.able().is_none() {
        return CheckResult::skipped();
    }
    let kernel = &asked.host.kernel;
    let listed =
        kernel.at_boot.iter().find(|line| module(line) == "kvmgt").map(|line| line.path.clone());
    let on_line = kernel.words().iter().find(|word| {
        let loads = matches!(word.name.as_str(), "modules_load" | "rd.modules_load");
        loads
            && word.value.as_ref().is_some_and(|value| value.split(',').any(|name| name == "kvmgt"))
    });
    let by_hook = super::hook::that_loads_kvmgt(asked).map(|hook| hook.path.clone());
    match listed.or(on_line.map(|_| "/proc/cmdline".to_owned())).or(by_hook) {
        Some(path) => CheckResult::fine([path.clone()], vec![("path", path)]),
        None => CheckResult::wrong(READ, vec![]),
    }
}

pub(super) fn broken_line(asked: CheckContext<'_>) -> CheckResult {
    if asked.able().is_none() {
        return CheckResult::skipped();
    }
    let broken = asked.host.kernel.at_boot.iter().filter(|line| !is_name(line));
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

pub(super) fn retired(asked: CheckContext<'_>) -> CheckResult {
    let kernel = &asked.host.kernel;
    if asked.able().is_none() {
        return CheckResult::skipped();
    }
    let is_gone = |line: &&BootLine| {
        let name = module(line);
        RETIRED.contains(&name.as_str()) && kernel.has_module(&name) == Some(false)
    };
    let gone = kernel.at_boot.iter().filter(is_gone);
    CheckResult::each(
        READ,
        gone.map(|line| vec![("found", line.name.clone()), ("path", line.path.clone())]).collect(),
    )
}
