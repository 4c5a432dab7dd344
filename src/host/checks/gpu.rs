//! Checks of the GPU: whether it has GVT-g, which driver is bound to it, and which vGPUs it offers.

use super::{CheckContext, CheckResult};
use crate::host::Probe;
use crate::host::card::Card;
use crate::host::generation::Generation;
use crate::host::kernel::Word;

const DEVICES: &str = "/sys/bus/pci/devices";

pub(super) fn no_intel_gpu(context: CheckContext<'_>) -> CheckResult {
    if context.host.machine.guest.is_some() {
        return CheckResult::skipped();
    }
    match (&context.host.cards, context.card()) {
        (_, Some(card)) => CheckResult::passed([DEVICES], vec![("gpu", card.gpu.title())]),
        (Probe::Present(cards), None) => {
            let others: Vec<String> = cards
                .iter()
                .map(|card| format!("{} at {}", card.gpu.id(), card.gpu.address))
                .collect();
            let found = if others.is_empty() {
                "there is no display device".to_owned()
            } else {
                format!("only {}", others.join(", "))
            };
            CheckResult::failed([DEVICES], vec![("found", found)])
        }
        (Probe::Unreadable(why), None) => CheckResult::unreadable(DEVICES, why),
        (Probe::Absent, None) if context.host.machine.has_sys => {
            CheckResult::failed([DEVICES], vec![("found", "there is no PCI device".to_owned())])
        }
        (Probe::Absent, None) => CheckResult::skipped(),
    }
}

pub(super) fn unsupported(context: CheckContext<'_>) -> CheckResult {
    let Some(card) = context.card() else { return CheckResult::skipped() };
    let files_read = [format!("{}/device", card.path())];
    if context.supported_card().is_some() {
        return CheckResult::passed(
            files_read,
            vec![("generation", card.gpu.generation.name().to_owned())],
        );
    }
    CheckResult::failed(
        files_read,
        vec![
            ("gpu", card.gpu.title()),
            ("instead", alternative_to_gvtg(card.gpu.generation).to_owned()),
        ],
    )
}

/// The advice for a GPU without GVT-g. Intel GPUs have SR-IOV from Tiger Lake on, except Rocket
/// Lake.
fn alternative_to_gvtg(generation: Generation) -> &'static str {
    const SR_IOV: &[&str] = &[
        "Tiger Lake",
        "Alder Lake",
        "Raptor Lake",
        "Meteor Lake",
        "Arrow Lake",
        "Lunar Lake",
        "Panther Lake",
    ];
    match generation {
        Generation::Newer(name) if SR_IOV.contains(&name) => {
            "use SR-IOV: the driver xe or i915-sriov-dkms creates virtual functions, which VMs use as PCI devices (<hostdev type='pci'>)"
        }
        Generation::Unknown => {
            "if it is newer than Comet Lake, use SR-IOV: the driver xe or i915-sriov-dkms creates virtual functions, which VMs use as PCI \
             devices (<hostdev type='pci'>)"
        }
        _ => {
            "pass the whole GPU through to one VM (<hostdev type='pci'>, called GVT-d), or give the VM a virtio GPU"
        }
    }
}

/// The word that assigns the GPU to vfio-pci, and the file or command line that contains it.
fn vfio_pci_assignment(context: CheckContext<'_>, card: &Card) -> Option<(String, String)> {
    let kernel = &context.host.kernel;
    let names_gpu = |word: &Word| {
        word.value.as_ref().is_some_and(|value| {
            value.split(',').any(|id| id.to_lowercase().starts_with(&card.gpu.id()))
        })
    };
    if let Some(word) =
        kernel.words().iter().find(|word| word.name == "vfio_pci.ids" && names_gpu(word))
    {
        return Some((word.text.clone(), "the kernel command line".to_owned()));
    }
    kernel.lines("options", "vfio_pci").find_map(|line| {
        let word = line.words.iter().find(|word| word.name == "ids" && names_gpu(word))?;
        Some((word.text.clone(), line.path.clone()))
    })
}

pub(super) fn given_to_vfio_pci(context: CheckContext<'_>) -> CheckResult {
    let Some(card) = context.supported_card() else { return CheckResult::skipped() };
    let files_read = [
        format!("{}/driver", card.path()),
        "/proc/cmdline".to_owned(),
        "/etc/modprobe.d".to_owned(),
    ];
    if card.driver.as_present().is_none_or(|driver| driver != "vfio-pci") {
        return CheckResult::passed(files_read, vec![]);
    }
    let how = match vfio_pci_assignment(context, card) {
        Some((found, path)) => format!("remove {found} from {path} and reboot"),
        None => "shut down the VM that uses it, and remove its <hostdev type='pci'>".to_owned(),
    };
    CheckResult::failed(files_read, vec![("gpu", card.gpu.title()), ("how", how)])
}

/// The setting that keeps i915 from binding to the GPU, and the file or command line that contains
/// it.
fn i915_off_setting(context: CheckContext<'_>) -> Option<(String, String)> {
    let kernel = &context.host.kernel;
    let lists_i915 = |word: &Word| {
        word.value.as_ref().is_some_and(|value| value.split(',').any(|name| name == "i915"))
    };
    let is_off = |word: &&Word| match word.name.as_str() {
        "nomodeset" => true,
        "i915.modeset" => word.value.as_deref() == Some("0"),
        "modprobe.blacklist" | "module_blacklist" | "rd.driver.blacklist" => lists_i915(word),
        _ => false,
    };
    if let Some(word) = kernel.words().iter().find(is_off) {
        return Some((word.text.clone(), "the kernel command line".to_owned()));
    }
    if let Some(line) = kernel.lines("blacklist", "i915").next() {
        return Some(("the line 'blacklist i915'".to_owned(), line.path.clone()));
    }
    let runs_no_modprobe = |text: &str| {
        text.starts_with("/bin/true")
            || text.starts_with("/bin/false")
            || text.starts_with("/usr/bin/")
    };
    let line = kernel
        .lines("install", "i915")
        .find(|line| line.words.first().is_some_and(|word| runs_no_modprobe(&word.text)))?;
    Some(("the line 'install i915 …'".to_owned(), line.path.clone()))
}

pub(super) fn i915_switched_off(context: CheckContext<'_>) -> CheckResult {
    let Some(card) = context.supported_card() else { return CheckResult::skipped() };
    let files_read = [
        format!("{}/driver", card.path()),
        "/proc/cmdline".to_owned(),
        "/etc/modprobe.d".to_owned(),
    ];
    match (&card.driver, i915_off_setting(context)) {
        (Probe::Absent, Some((found, path))) => {
            CheckResult::failed(files_read, vec![("found", found), ("path", path)])
        }
        _ => CheckResult::passed(files_read, vec![]),
    }
}

pub(super) fn without_i915(context: CheckContext<'_>) -> CheckResult {
    let Some(card) = context.supported_card() else { return CheckResult::skipped() };
    let path = format!("{}/driver", card.path());
    let id = format!("{:04x}", card.gpu.device);
    let (driver, how) = match &card.driver {
        Probe::Present(driver) if driver == "i915" => return CheckResult::passed([path], vec![]),
        Probe::Present(driver) if driver == "vfio-pci" => return CheckResult::skipped(),
        Probe::Present(driver) => {
            let how = format!(
                "give it to i915: remove what assigns it to {driver} (such as {driver}.force_probe={id}) from the kernel command line"
            );
            (format!("the driver {driver}"), how)
        }
        Probe::Absent
            if i915_off_setting(context).is_some()
                || super::kernel::has_guc_submission(context) =>
        {
            return CheckResult::skipped();
        }
        Probe::Absent => (
            "no driver".to_owned(),
            "find out why i915 did not bind to it: `sudo dmesg | grep i915`".to_owned(),
        ),
        Probe::Unreadable(why) => return CheckResult::unreadable(&path, why),
    };
    CheckResult::failed([path], vec![("gpu", card.gpu.title()), ("driver", driver), ("how", how)])
}

pub(super) fn missing_types(context: CheckContext<'_>) -> CheckResult {
    let Some(card) = context.supported_card() else { return CheckResult::skipped() };
    let path = card.types_path();
    match &card.types {
        // The rule small-aperture reports an empty list.
        Probe::Present(types) if types.is_empty() => CheckResult::skipped(),
        Probe::Present(_) => CheckResult::passed([path], vec![]),
        Probe::Unreadable(why) => CheckResult::unreadable(&path, why),
        // An earlier check has reported what keeps GVT-g off.
        Probe::Absent if !super::kernel::is_ready(context) => CheckResult::skipped(),
        Probe::Absent => CheckResult::failed([path.clone()], vec![("path", path)]),
    }
}

pub(super) fn small_aperture(context: CheckContext<'_>) -> CheckResult {
    let Some(card) = context.supported_card() else { return CheckResult::skipped() };
    let files_read = [card.types_path(), format!("{}/resource", card.path())];
    let size = card.aperture.map_or("unknown".to_owned(), |size| format!("{size} MB"));
    match card.types.as_present() {
        Some(types) if !types.is_empty() => {
            let names: Vec<&str> = types.iter().map(|offered| offered.name.as_str()).collect();
            CheckResult::passed(files_read, vec![("found", size), ("types", names.join(", "))])
        }
        Some(_) => CheckResult::failed(files_read, vec![("found", size)]),
        // GVT-g is still off, but the aperture's size already shows that no type will fit.
        None if card.aperture.is_some_and(|size| {
            crate::vgpu_types::TYPES.iter().all(|kind| kind.possible(size) == 0)
        }) =>
        {
            CheckResult::failed(files_read, vec![("found", size)])
        }
        None => CheckResult::skipped(),
    }
}
