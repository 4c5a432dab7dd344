//! What KubeVirt's VirtualMachineInstance says that the domain made of it does not.

use serde_json::Value;

use crate::sanitize::clean;

/// The annotation with flags for the domain of one VM.
pub(super) const ANNOTATION: &str = "gvtg-xml/flags";

/// How names of resources of other makers begin. The cluster's administrator chooses the names,
/// mostly like these.
const OTHERS: &[&str] = &["nvidia.com/", "amd.com/"];

/// Where devices stand in a VMI, and how KubeVirt's aliases for them begin (kubevirt:
/// pkg/virt-launcher/virtwrap/device/hostdevice).
const DEVICES: &[(&str, &str)] = &[
    ("/spec/domain/devices/gpus", "ua-gpu-"),
    ("/spec/domain/devices/hostDevices", "ua-hostdevice-"),
];

/// A VMI.
#[derive(Debug)]
pub(super) struct Vmi(Value);

impl Vmi {
    /// Reads one in JSON.
    ///
    /// # Errors
    /// What is wrong with the JSON.
    pub(super) fn read(json: &str) -> Result<Self, String> {
        match serde_json::from_str(json) {
            Ok(value @ Value::Object(_)) => Ok(Vmi(value)),
            Ok(_) => Err("--vmi: not a JSON object\n  help: pass the VirtualMachineInstance, as KubeVirt does".into()),
            Err(error) => Err(format!("--vmi: invalid JSON: {}", clean(&error.to_string()))),
        }
    }

    /// The flags in its annotation.
    ///
    /// # Errors
    /// An annotation that is no string.
    pub(super) fn flags(&self) -> Result<Vec<&str>, String> {
        match self
            .0
            .pointer("/metadata/annotations")
            .and_then(|annotations| annotations.get(ANNOTATION))
        {
            None => Ok(Vec::new()),
            Some(Value::String(flags)) => Ok(flags.split_whitespace().collect()),
            Some(_) => Err(format!("--vmi: annotation {ANNOTATION} is not a string")),
        }
    }

    /// The resource that a device with this alias is.
    pub(super) fn resource(&self, alias: &str) -> Option<&str> {
        DEVICES.iter().find_map(|(place, prefix)| {
            let name = alias.strip_prefix(prefix)?;
            let devices = self.0.pointer(place)?.as_array()?;
            let device = devices
                .iter()
                .find(|device| device.get("name").and_then(Value::as_str) == Some(name))?;
            device.get("deviceName")?.as_str()
        })
    }
}

/// Whether a resource's name says that it is a vGPU of Intel's.
pub(super) fn is_intels(resource: &str) -> bool {
    resource.starts_with("intel.com/") || resource.to_ascii_lowercase().contains("gvtg")
}

/// Whether a resource's name says that it is another maker's.
pub(super) fn is_others(resource: &str) -> bool {
    OTHERS.iter().any(|maker| resource.starts_with(maker))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_found_by_its_alias() {
        let vmi = Vmi::read(
            r#"{"spec":{"domain":{"devices":{
                "gpus":[{"name":"a","deviceName":"intel.com/U630"},{"name":"b","deviceName":"nvidia.com/GRID_T4-1Q"}],
                "hostDevices":[{"name":"a","deviceName":"nvidia.com/TU104"},{"deviceName":"nvidia.com/x"}]}}}}"#,
        )
        .unwrap();
        for (alias, resource) in [
            ("ua-gpu-a", Some("intel.com/U630")),
            ("ua-gpu-b", Some("nvidia.com/GRID_T4-1Q")),
            ("ua-hostdevice-a", Some("nvidia.com/TU104")),
            ("ua-gpu-c", None),
            ("gpu-b", None),
        ] {
            assert_eq!(vmi.resource(alias), resource, "{alias}");
        }
    }
}
