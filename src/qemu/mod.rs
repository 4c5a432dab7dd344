//! QEMU's command line, by QEMU's own rules: [`options`] says which options there are, [`list`]
//! reads and edits their operands, and [`display`] knows which displays can show a vGPU.

pub mod display;
pub mod json;
pub mod list;
pub mod options;

pub use display::{DISPLAYS, DisplayError, DisplayValue, GL_MODES, check_display, is_vnc_server};
pub use list::{OptionList, Syntax, Value};
pub use options::{Known, known};

/// The operand of `-set` by QEMU's rule (system/vl.c `qemu_set_option`): `GROUP.ID.NAME=VALUE`, the
/// value as it stands.
pub fn set_parts(operand: &str) -> Option<[&str; 4]> {
    /// QEMU reads no longer word than this.
    const LONGEST: usize = 63;
    let (group, rest) = operand.split_once('.')?;
    let (id, rest) = rest.split_once('.')?;
    let (name, value) = rest.split_once('=')?;
    let fits = |word: &str| !word.is_empty() && word.len() <= LONGEST;
    (fits(group) && fits(id) && fits(name)).then_some([group, id, name, value])
}

/// The operand of `-global`: driver, property and value, from `DRIVER.PROPERTY=VALUE`, whose value
/// stands as it is, or from `driver=…,property=…,value=…` (system/qdev-monitor.c
/// `qemu_global_option`).
pub fn global_parts(operand: &str) -> Option<[String; 3]> {
    if let Some((driver, rest)) = operand.split_once('.')
        && !driver.contains('=')
        && let Some((property, value)) = rest.split_once('=')
    {
        return Some([driver, property, value].map(str::to_owned));
    }
    let list = OptionList::parse(operand, Syntax::GLOBAL).ok()?;
    let part = |name| list.get(name).map(str::to_owned);
    Some([part("driver")?, part("property")?, part("value")?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operand_of_set_has_four_parts() {
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
    fn globals_have_two_forms() {
        let parts = |operand| global_parts(operand).map(|parts| parts.join(" "));
        assert_eq!(parts("vfio-pci.romfile=/a,,b").as_deref(), Some("vfio-pci romfile /a,,b"));
        assert_eq!(
            parts("driver=vfio-pci,property=romfile,value=/a,,b.rom").as_deref(),
            Some("vfio-pci romfile /a,b.rom")
        );
        assert_eq!(parts("vfio-pci"), None);
    }
}
