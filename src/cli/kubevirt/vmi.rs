//! Reads KubeVirt's VirtualMachineInstance, for what the generated domain does not contain.

use miette::Diagnostic;
use serde_json::Value;
use thiserror::Error;

/// Annotation with flags for the domain of this VM.
pub(super) const ANNOTATION: &str = "gvtg-xml/flags";

/// Prefixes of other vendors' resource names. The cluster's administrator chooses the names,
/// usually with these prefixes.
const OTHER_VENDORS: &[&str] = &["nvidia.com/", "amd.com/"];

/// Where a VMI lists devices, and the prefix of KubeVirt's aliases for them (kubevirt:
/// pkg/virt-launcher/virtwrap/device/hostdevice).
const DEVICES: &[(&str, &str)] = &[
    ("/spec/domain/devices/gpus", "ua-gpu-"),
    ("/spec/domain/devices/hostDevices", "ua-hostdevice-"),
];

/// An error of reading a VirtualMachineInstance.
#[derive(Debug, Error, Diagnostic)]
pub(super) enum VmiError {
    #[error("--vmi: not a JSON object")]
    #[diagnostic(help("pass the VirtualMachineInstance, as KubeVirt does"))]
    NotAnObject,
    #[error("--vmi: invalid JSON: {0}")]
    InvalidJson(serde_json::Error),
    #[error("--vmi: annotation {ANNOTATION} is not a string")]
    AnnotationNotAString,
}

/// A VirtualMachineInstance.
#[derive(Debug)]
pub(super) struct Vmi(Value);

impl Vmi {
    /// Parses a VMI from JSON.
    ///
    /// # Errors
    /// Fails if the text is not a JSON object.
    pub(super) fn read(json: &str) -> Result<Self, VmiError> {
        match serde_json::from_str(json) {
            Ok(value @ Value::Object(_)) => Ok(Vmi(value)),
            Ok(_) => Err(VmiError::NotAnObject),
            Err(error) => Err(VmiError::InvalidJson(error)),
        }
    }

    /// Returns the flags in the annotation; empty if there is none.
    ///
    /// # Errors
    /// Fails if the annotation is not a string.
    pub(super) fn flags(&self) -> Result<Vec<&str>, VmiError> {
        match self
            .0
            .pointer("/metadata/annotations")
            .and_then(|annotations| annotations.get(ANNOTATION))
        {
            None => Ok(Vec::new()),
            Some(Value::String(flags)) => Ok(flags.split_whitespace().collect()),
            Some(_) => Err(VmiError::AnnotationNotAString),
        }
    }

    /// Returns the resource name of the device with this alias.
    pub(super) fn resource(&self, alias: &str) -> Option<&str> {
        DEVICES.iter().find_map(|(pointer, prefix)| {
            let name = alias.strip_prefix(prefix)?;
            let devices = self.0.pointer(pointer)?.as_array()?;
            let device = devices
                .iter()
                .find(|device| device.get("name").and_then(Value::as_str) == Some(name))?;
            device.get("deviceName")?.as_str()
        })
    }
}

/// Whether a resource's name identifies an Intel vGPU.
pub(super) fn is_intel_resource(resource: &str) -> bool {
    resource.starts_with("intel.com/") || resource.to_ascii_lowercase().contains("gvtg")
}

/// Whether a resource's name identifies another vendor's device.
pub(super) fn is_other_vendors_resource(resource: &str) -> bool {
    OTHER_VENDORS.iter().any(|vendor| resource.starts_with(vendor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_resource_by_alias() {
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
