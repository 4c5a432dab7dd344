//! The GPU as a tree of files, folders and links.

use crate::gpu::{Gpu, Size, Vgpu};

/// A file, folder or link.
pub enum Node {
    Folder(Vec<String>),
    Text(String),
    Link(String),
    /// A type's `create`.
    Create(&'static Size),
    /// The `remove` of the vGPU with this uuid.
    Remove(String),
}

/// The node at a path, given by its parts from the root.
pub fn node(gpu: &Gpu, kvmgt: bool, path: &[&str]) -> Option<Node> {
    let pci = gpu.model.pci.as_str();
    let mut vgpus = gpu.vgpus();
    match path {
        // kvmgt loads mdev.
        [] => Some(folder(if kvmgt { &["iommu_groups", "mdev", "pci"] } else { &["pci"] })),
        ["pci"] => Some(folder(&["devices", "drivers"])),
        ["pci", "devices"] => Some(folder(&[pci])),
        ["pci", "devices", address, rest @ ..] if *address == pci => device(gpu, kvmgt, rest),
        ["pci", "drivers"] => Some(folder(&["i915"])),
        ["pci", "drivers", "i915"] => Some(folder(&[pci])),
        ["pci", "drivers", "i915", address] => {
            (*address == pci).then(|| Node::Link(format!("../../devices/{pci}")))
        }
        _ if !kvmgt => None,
        ["mdev"] => Some(folder(&["devices"])),
        ["mdev", "devices"] => Some(uuids(gpu)),
        ["mdev", "devices", uuid] => {
            gpu.vgpu(uuid).map(|_| Node::Link(format!("../../pci/devices/{pci}/{uuid}")))
        }
        // On a real machine, it is in /sys/kernel. It is here so that links to it work wherever
        // this is mounted.
        ["iommu_groups"] => Some(Node::Folder(vgpus.map(|vgpu| vgpu.group.to_string()).collect())),
        ["iommu_groups", group, rest @ ..] => {
            let vgpu = vgpus.find(|vgpu| vgpu.group.to_string() == *group)?;
            match rest {
                [] => Some(folder(&["devices"])),
                ["devices"] => Some(folder(&[&vgpu.uuid])),
                ["devices", uuid] if *uuid == vgpu.uuid => {
                    Some(Node::Link(format!("../../../pci/devices/{pci}/{uuid}")))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// A node in the GPU's folder.
fn device(gpu: &Gpu, kvmgt: bool, path: &[&str]) -> Option<Node> {
    let generation_8 = gpu.model.generation == "V4";
    match path {
        [] => {
            let mut names = folder_names(&["class", "device", "driver", "resource", "vendor"]);
            if kvmgt {
                names.push("mdev_supported_types".to_owned());
                names.extend(gpu.vgpus().map(|vgpu| vgpu.uuid.clone()));
            }
            Some(Node::Folder(names))
        }
        ["vendor"] => Some(text("0x8086")),
        // Broadwell's HD Graphics 5500, Kaby Lake's HD Graphics 630.
        ["device"] => Some(text(if generation_8 { "0x1616" } else { "0x5912" })),
        ["class"] => Some(text("0x030000")),
        ["resource"] => Some(text(&resource(gpu.model.aperture))),
        ["driver"] => Some(Node::Link("../../drivers/i915".to_owned())),
        _ if !kvmgt => None,
        ["mdev_supported_types"] => {
            Some(Node::Folder(gpu.sizes().map(|size| gpu.name(size)).collect()))
        }
        ["mdev_supported_types", name, rest @ ..] => {
            supported_type(gpu, gpu.sizes().find(|size| gpu.name(size) == *name)?, rest)
        }
        [uuid, rest @ ..] => vgpu(gpu, gpu.vgpu(uuid)?, rest),
    }
}

/// A node in a type's folder.
fn supported_type(gpu: &Gpu, size: &'static Size, path: &[&str]) -> Option<Node> {
    match path {
        [] => Some(folder(&[
            "available_instances",
            "create",
            "description",
            "device_api",
            "devices",
            "name",
        ])),
        ["available_instances"] => Some(text(&gpu.available(size).to_string())),
        ["create"] => Some(Node::Create(size)),
        ["description"] => {
            let Size { number, low, high, fences, resolution } = size;
            let weight = 16 / number;
            Some(text(&format!(
                "low_gm_size: {low}MB\nhigh_gm_size: {high}MB\nfence: {fences}\nresolution: {resolution}\nweight: {weight}"
            )))
        }
        ["device_api"] => Some(text("vfio-pci")),
        ["name"] => Some(text(gpu.name(size).trim_start_matches("i915-"))),
        ["devices"] => Some(Node::Folder(
            gpu.vgpus()
                .filter(|vgpu| vgpu.size.number == size.number)
                .map(|vgpu| vgpu.uuid.clone())
                .collect(),
        )),
        ["devices", uuid] => gpu
            .vgpu(uuid)
            .filter(|vgpu| vgpu.size.number == size.number)
            .map(|_| Node::Link(format!("../../../{uuid}"))),
        _ => None,
    }
}

/// A node in a vGPU's folder.
fn vgpu(gpu: &Gpu, vgpu: &Vgpu, path: &[&str]) -> Option<Node> {
    let own = format!("vfio{}", vgpu.group);
    match path {
        [] if gpu.model.iommufd => {
            Some(folder(&["iommu_group", "mdev_type", "remove", "vfio-dev"]))
        }
        [] => Some(folder(&["iommu_group", "mdev_type", "remove"])),
        ["iommu_group"] => Some(Node::Link(format!("../../../../iommu_groups/{}", vgpu.group))),
        ["mdev_type"] => {
            Some(Node::Link(format!("../mdev_supported_types/{}", gpu.name(vgpu.size))))
        }
        ["remove"] => Some(Node::Remove(vgpu.uuid.clone())),
        _ if !gpu.model.iommufd => None,
        ["vfio-dev"] => Some(folder(&[&own])),
        ["vfio-dev", name] if *name == own => Some(folder(&[])),
        _ => None,
    }
}

/// A GPU's memory regions: registers, an empty one, and the aperture.
fn resource(aperture: u32) -> String {
    let start = 0xc000_0000_u64;
    let end = start + u64::from(aperture) * 1024 * 1024 - 1;
    format!(
        "{:#018x} {:#018x} 0x0000000000140204\n{:#018x} {:#018x} {:#018x}\n",
        0xde00_0000_u64, 0xdeff_ffff_u64, 0, 0, 0
    ) + &format!("{start:#018x} {end:#018x} 0x000000000014220c")
}

fn folder(names: &[&str]) -> Node {
    Node::Folder(folder_names(names))
}

fn folder_names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn uuids(gpu: &Gpu) -> Node {
    Node::Folder(gpu.vgpus().map(|vgpu| vgpu.uuid.clone()).collect())
}

fn text(line: &str) -> Node {
    Node::Text(format!("{line}\n"))
}
