//! A VM of KubeVirt's, and its domain as virt-launcher writes it (encoding/xml of Go: tabs, double quotes, no empty tags).

/// A VMI whose GPU `gpu1` is this resource, with these flags in the annotation where there are some.
pub fn vmi(resource: &str, flags: &str) -> String {
    let annotation = if flags.is_empty() { String::new() } else { format!(r#","gvtg-xml/flags":"{flags}""#) };
    let sidecar =
        r#""hooks.kubevirt.io/hookSidecars":"[{\"args\": [\"--version\", \"v1alpha2\"], \"image\": \"registry.example/gvtg-xml:0.1.0\"}]""#;
    let metadata = format!(r#"{{"name":"win10","namespace":"default","annotations":{{{sidecar}{annotation}}}}}"#);
    let devices = format!(r#"{{"gpus":[{{"name":"gpu1","deviceName":"{resource}"}}],"disks":[]}}"#);
    format!(r#"{{"metadata":{metadata},"spec":{{"domain":{{"devices":{devices},"memory":{{"guest":"4Gi"}}}}}},"status":{{}}}}"#)
}

/// Its domain, with these further attributes of the vGPU's `<hostdev>`.
pub fn domain(attributes: &str) -> String {
    let text = include_str!("../../fixtures/kubevirt.xml").trim_end();
    text.replace("model=\"vfio-pci\"", &format!("model=\"vfio-pci\"{attributes}"))
}
