//! An Intel GPU that can create vGPUs, as the kernel shows it in /sys/bus: a FUSE file system for
//! tests.
//!
//! `mdev-sysfs FOLDER` mounts it there and serves it until it is killed or unmounted. It behaves
//! like i915, kvmgt and mdev on Linux 4.16 to 6.12:
//! drivers/gpu/drm/i915/gvt/vgpu.c, drivers/vfio/mdev/mdev_core.c and mdev_sysfs.c.

mod files;
mod gpu;
mod tree;
mod vfio;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Shows an Intel GPU with its vGPU types at FOLDER, as the kernel does in /sys/bus.
#[derive(Parser)]
struct Options {
    /// The mount point.
    folder: PathBuf,
    /// The GPU's PCI address.
    #[arg(long, default_value = "0000:00:02.0")]
    pci: String,
    /// The size of the GPU's aperture in MiB.
    #[arg(long, default_value_t = 256)]
    aperture: u32,
    /// The generation in the names of types: V4 on Broadwell, V5 from Skylake on.
    #[arg(long, default_value = "V5")]
    generation: String,
    /// Show only these sizes of vGPU: 1, 2, 4 or 8, the number at the end of a type's name.
    #[arg(long, value_delimiter = ',')]
    sizes: Vec<u32>,
    /// Treat kvmgt as loaded once this file exists.
    #[arg(long)]
    kvmgt: Option<PathBuf>,
    /// Let a vGPU appear only this many milliseconds after its create.
    #[arg(long, default_value_t = 0)]
    late: u64,
    /// Answer EIO to every create that would succeed.
    #[arg(long)]
    refuse: bool,
    /// Answer EBUSY to every remove.
    #[arg(long)]
    keep: bool,
    /// Answer EBUSY to the remove of a vGPU that is in use, as kernels before 5.19 do; newer ones
    /// leave it half dead.
    #[arg(long)]
    old_kernel: bool,
    /// Write a line for each create and remove to this file.
    #[arg(long)]
    log: Option<PathBuf>,
    /// Create a device node for each vGPU's IOMMU group in this folder, like /dev/vfio. A vGPU whose
    /// node is open is in use.
    #[arg(long)]
    vfio: Option<PathBuf>,
    /// Give each vGPU a node of its own too, in the subfolder `devices`, as kernels from 6.6 on do for
    /// iommufd.
    #[arg(long)]
    iommufd: bool,
}

fn main() -> std::io::Result<()> {
    let options = Options::parse();
    let gpu = gpu::Gpu::new(gpu::Model {
        pci: options.pci,
        aperture: options.aperture,
        generation: options.generation,
        sizes: options.sizes,
        late: Duration::from_millis(options.late),
        refuses_create: options.refuse,
        refuses_remove: options.keep,
        refuses_remove_in_use: options.old_kernel,
        iommufd: options.iommufd,
    });
    let mut config = fuser::Config::default();
    config.mount_options = vec![fuser::MountOption::FSName("mdev-sysfs".to_owned())];
    let files = files::Files::new(
        gpu,
        options.kvmgt,
        options.log,
        vfio::Devices { folder: options.vfio, iommufd: options.iommufd },
    );
    fuser::mount(files, &options.folder, &config)
}
