//! Domains with vGPUs for the host to create.

pub const UUID: &str = "ab54baba-ea9a-4ce5-b7b4-51b376b65849";
pub const OTHER: &str = "11111111-2222-4333-8444-555555555555";

/// Names of domains, written as XML, that have a special meaning for a shell, XML, JSON, modprobe
/// or a terminal.
pub const NAMES_THAT_HURT: &[&str] = &[
    "a b",
    "$(touch x)",
    "`touch x`",
    "&apos;\"",
    "-n",
    "*",
    "a\\b",
    "a\\",
    "--&gt;",
    "a--",
    "?&gt;",
    "#;%s",
    "&#x202e;é",
    "äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü",
];

/// A domain with these vGPUs and this content of `<metadata>`.
pub fn domain(name: &str, uuids: &[&str], metadata: &str) -> String {
    let vgpus: String = uuids
        .iter()
        .map(|uuid| format!("<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='{uuid}'/></source></hostdev>\n"))
        .collect();
    format!(
        "<domain type='kvm'>\n<name>{name}</name>\n<metadata>{metadata}</metadata>\n<devices>\n{vgpus}</devices>\n</domain>\n"
    )
}

/// A domain with these vGPUs and without metadata.
pub fn with_vgpus(name: &str, uuids: &[&str]) -> String {
    domain(name, uuids, "")
}
