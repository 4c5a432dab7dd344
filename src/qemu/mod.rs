//! QEMU's command line: [`options`] knows the options, [`list`] parses and edits their operands,
//! and [`display`] knows the displays that can show a vGPU.

pub mod display;
pub mod json;
pub mod list;
pub mod options;
pub mod property;

pub use display::{DISPLAYS, DisplayError, DisplayValue, check_display, is_vnc_server};
pub use list::{OptionList, Syntax, Value};
pub use options::known_option;

/// Splits the operand of `-set`, `GROUP.ID.NAME=VALUE`, as QEMU does (system/vl.c
/// `qemu_set_option`). The value is kept verbatim, including commas.
pub fn set_parts(operand: &str) -> Option<[&str; 4]> {
    /// The maximum length in bytes of the group, id and name that QEMU reads.
    const MAX_WORD_LEN: usize = 63;
    let (group, rest) = operand.split_once('.')?;
    let (id, rest) = rest.split_once('.')?;
    let (name, value) = rest.split_once('=')?;
    let is_valid = |word: &str| !word.is_empty() && word.len() <= MAX_WORD_LEN;
    if is_valid(group) && is_valid(id) && is_valid(name) {
        Some([group, id, name, value])
    } else {
        None
    }
}

/// Splits the operand of `-global` into driver, property and value: `DRIVER.PROPERTY=VALUE`, whose
/// value is verbatim, or `driver=…,property=…,value=…` (system/qdev-monitor.c
/// `qemu_global_option`).
pub fn global_parts(operand: &str) -> Option<[String; 3]> {
    if let Some((driver, rest)) = operand.split_once('.')
        && !driver.contains('=')
        && let Some((property, value)) = rest.split_once('=')
    {
        return Some([driver, property, value].map(str::to_owned));
    }
    let list = OptionList::parse(operand, Syntax::GLOBAL).ok()?;
    let list_value = |name| list.get(name).map(str::to_owned);
    Some([list_value("driver")?, list_value("property")?, list_value("value")?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_set_operands() {
        assert_eq!(
            set_parts("device.hostdev0.romfile=/a.b=c,,d"),
            Some(["device", "hostdev0", "romfile", "/a.b=c,,d"])
        );
        for wrong in
            ["-display", "gtk,gl=on", "device.x", "device.x.y", "device..y=1", "device.x.=1"]
        {
            assert_eq!(set_parts(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn splits_both_forms_of_global_operands() {
        let parts = |operand| global_parts(operand).map(|parts| parts.join(" "));
        assert_eq!(parts("vfio-pci.romfile=/a,,b").as_deref(), Some("vfio-pci romfile /a,,b"));
        assert_eq!(
            parts("driver=vfio-pci,property=romfile,value=/a,,b.rom").as_deref(),
            Some("vfio-pci romfile /a,b.rom")
        );
        assert_eq!(parts("vfio-pci"), None);
    }
}
