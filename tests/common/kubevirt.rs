//! A VM of KubeVirt, and its domain as virt-launcher writes it (Go's encoding/xml: tabs, double
//! quotes, no empty tags).

/// A VMI whose GPU `gpu1` is this resource, with these flags in the annotation, if any.
pub fn vmi(resource: &str, flags: &str) -> String {
    let text =
        include_str!("../../fixtures/kubevirt.json").trim_end().replace("intel.com/U630", resource);
    let annotation = format!(r#""annotations": {{"gvtg-xml/flags": "{flags}", "#);
    if flags.is_empty() { text } else { text.replace("\"annotations\": {", &annotation) }
}

/// Its domain, with these additional attributes of the vGPU's `<hostdev>`.
pub fn domain(attributes: &str) -> String {
    let text = include_str!("../../fixtures/kubevirt.xml").trim_end();
    text.replace("model=\"vfio-pci\"", &format!("model=\"vfio-pci\"{attributes}"))
}
