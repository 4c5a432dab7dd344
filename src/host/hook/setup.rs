//! The vGPUs that a hook describes: by its `setup_gpu` lines, or by its variables.

use super::shell::{Variables, code_lines, variables, words};

/// A vGPU that a hook creates: `setup_gpu NAME UUID TYPE [PCI]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The domain's name.
    pub name: String,
    /// The vGPU's UUID, as written.
    pub uuid: String,
    /// The vGPU type, like `i915-GVTg_V5_4`.
    pub vgpu_type: String,
    /// The GPU's PCI address, if the line or the hook sets one.
    pub pci: Option<String>,
}

/// Parses the `setup_gpu` lines. A line without a GPU uses that of `GVT_PCI`, as in the guide.
/// Without such lines, the hook's variables may describe a vGPU.
pub fn setups(text: &str) -> Vec<Setup> {
    let variables = variables(text);
    let default_pci = variables.get("GVT_PCI").cloned();
    let setup = |line: &str| {
        let words = words(line, &variables)?;
        let mut words = words.into_iter();
        if words.next()? != "setup_gpu" {
            return None;
        }
        let (name, uuid, vgpu_type) = (words.next()?, words.next()?, words.next()?);
        // In the guide's lines, `"$@"` follows the type.
        let pci = words.next().filter(|word| crate::domain::parse_pci(word).is_some());
        Some(Setup { name, uuid, vgpu_type, pci: pci.or_else(|| default_pci.clone()) })
    };
    let setups: Vec<Setup> = code_lines(text).filter_map(setup).collect();
    if setups.is_empty() {
        setup_from_variables(&variables, default_pci).into_iter().collect()
    } else {
        setups
    }
}

/// The vGPU of a hook that describes it in variables, like the Arch wiki's
/// (<https://wiki.archlinux.org/title/Intel_GVT-g>).
fn setup_from_variables(variables: &Variables, pci: Option<String>) -> Option<Setup> {
    let value = |name: &str| variables.get(name).filter(|word| !word.contains('$')).cloned();
    Some(Setup {
        name: value("DOMAIN")?,
        uuid: value("GVT_GUID")?,
        vgpu_type: value("MDEV_TYPE")?,
        pci,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";

    #[test]
    fn parses_setup_lines_as_a_shell_does() {
        let text = format!(
            "GVT_PCI=0000:00:03.0\nsetup_gpu() {{\n# setup_gpu no {UUID} t\nsetup_gpu win10 {UUID} i915-GVTg_V5_4 \"$@\"\n  setup_gpu 'a b'\\'' $(x)' {UUID} i915-GVTg_V5_8 0000:00:02.0 # two\n\
             setup_gpu 'no end\n"
        );
        let setups = setups(&text);
        assert_eq!(setups.len(), 2, "{setups:?}");
        assert_eq!(
            (setups[0].name.as_str(), setups[0].pci.as_deref()),
            ("win10", Some("0000:00:03.0"))
        );
        assert_eq!(
            (setups[1].name.as_str(), setups[1].pci.as_deref()),
            ("a b' $(x)", Some("0000:00:02.0"))
        );
    }

    #[test]
    fn reads_a_setup_from_variables() {
        let text = format!(
            "#!/bin/sh\nGVT_PCI=0000:00:02.0\nGVT_GUID={UUID}\nMDEV_TYPE=i915-GVTg_V5_8\nDOMAIN='win 10'\n\
             if [ $1 = \"$DOMAIN\" -a $2 = prepare -a $3 = begin ]; then\n\
             echo \"$GVT_GUID\" > \"/sys/bus/pci/devices/$GVT_PCI/mdev_supported_types/$MDEV_TYPE/create\"\nfi\n"
        );
        let wanted = Setup {
            name: "win 10".to_owned(),
            uuid: UUID.to_owned(),
            vgpu_type: "i915-GVTg_V5_8".to_owned(),
            pci: Some("0000:00:02.0".to_owned()),
        };
        assert_eq!(setups(&text), [wanted]);
        assert_eq!(setups(&text.replace("DOMAIN='win 10'", "DOMAIN=$1")), []);
    }

    #[test]
    fn fills_in_the_scripts_variables_in_setup_lines() {
        let text = format!(
            "readonly VM=win10\nexport ID='{UUID}'\nsetup_gpu \"$VM\" ${{ID}} \"$TYPE\" '$VM'\n"
        );
        let setups = setups(&text);
        assert_eq!(
            (setups[0].name.as_str(), setups[0].uuid.as_str(), setups[0].vgpu_type.as_str()),
            ("win10", UUID, "$TYPE")
        );
    }
}
