//! Faulty machines, as changes to a good one, and the rules that report them.

/// Machines that differ from the good one, and the rules that report them.
pub const FAULTS: &[(&str, &[&str])] = &[
    ("/.dockerenv =", &["in-container"]),
    ("without /dev/kvm", &["no-kvm"]),
    ("without /dev\nwithout /sys/module/kvm_intel", &["no-kvm"]),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\n/sys/devices/pci0000:00/0000:00:02.0/driver -> ../x/vfio-pci\n\
         /proc/cmdline = i915.enable_gvt=1 vfio-pci.ids=10de:1c03,8086:5916",
        &["gpu-given-to-vfio-pci"],
    ),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\nwithout /sys/devices/pci0000:00/0000:00:02.0/driver\n\
         /proc/cmdline = i915.enable_gvt=1 nomodeset",
        &["i915-switched-off"],
    ),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\nwithout /sys/devices/pci0000:00/0000:00:02.0/driver\n\
         /etc/modprobe.d/a.conf = blacklist i915",
        &["i915-switched-off"],
    ),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\n/sys/devices/pci0000:00/0000:00:02.0/driver -> ../x/xe",
        &["gpu-without-i915"],
    ),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\nwithout /sys/module/kvmgt\n\
         /usr/lib/modules/6.1.0-50-amd64/modules.dep = kernel/drivers/vfio/vfio.ko:",
        &["kernel-without-kvmgt"],
    ),
    ("without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types", &["missing-vgpu-types"]),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\n/proc/cmdline = quiet\n\
         /sys/module/i915/parameters/enable_gvt = N\n/etc/modprobe.d/gvtg.conf = options i915 enable_gvt=1",
        &["reboot-pending"],
    ),
    // A file with the same name in /etc hides the distribution's.
    (
        "/usr/lib/modprobe.d/a.conf = options i915.enable_gvt=1\n/etc/modprobe.d/a.conf = # nothing",
        &[],
    ),
    // An older kernel still has it.
    (
        "/etc/modules-load.d/gvt.conf:\n    kvmgt\n    vfio_virqfd\n\
         /usr/lib/modules/6.1.0-50-amd64/modules.dep:\n    kernel/kvmgt.ko:\n    kernel/drivers/vfio/vfio_virqfd.ko:",
        &[],
    ),
    // HuC alone does no harm, and neither does i915's own choice; and if the kernel lists types,
    // GVT-g is on.
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\n/sys/module/i915/parameters/enable_guc = 2",
        &["missing-vgpu-types"],
    ),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\n/sys/module/i915/parameters/enable_guc = -1",
        &["missing-vgpu-types"],
    ),
    ("/sys/module/i915/parameters/enable_guc = 3", &[]),
    ("without /sys/module/vfio_iommu_type1", &["vfio-not-loaded"]),
    ("without /dev/vfio", &["vfio-not-loaded"]),
    (
        "without /sys/module/vfio\n/usr/lib/modules/6.1.0-50-amd64/modules.builtin = kernel/drivers/vfio/vfio.ko",
        &[],
    ),
    ("/proc/1/environ = PATH=/bin␀container=lxc␀", &["in-container"]),
    ("/sys/class/dmi/id/product_name = Xenon KVM", &[]),
    ("/sys/devices/pci0000:00/0000:00:02.0/device = 0xffff", &[]),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types\n/sys/module/i915/parameters/enable_gvt = N",
        &["gvt-not-enabled"],
    ),
    ("/etc/libvirt/hooks/qemu (755) = echo without a first line", &["hook-without-interpreter"]),
    ("/etc/libvirt/hooks/qemu (755) = #!/usr/bin/python2", &["hook-without-interpreter"]),
    (
        "/etc/libvirt/hooks/qemu (755):\n    #!/bin/sh\n    function create_gpu {\n    }",
        &["hook-with-bash-functions"],
    ),
    ("/etc/libvirt/hooks/qemu (644) = #!/bin/sh", &[]),
    ("/etc/libvirt/hooks/qemu (757):\n    #!/bin/sh\n    exit 0", &["hook-writable-by-all"]),
    ("/etc/libvirt/hooks/qemu.d/ (777)", &["hook-writable-by-all"]),
    ("/etc/libvirt/ (757)", &["hook-writable-by-all"]),
    (
        "/etc/libvirt/hooks/qemu (644):\n    #!/bin/sh\n    setup_gpu a b c",
        &["hook-not-executable"],
    ),
    ("/etc/libvirt/hooks/qemu.d/gvtg~ (644):\n    setup_gpu a b c", &[]),
    ("/etc/libvirt/hooks/qemu (755):\n    #!/bin/bash\n    function create_gpu {\n    }", &[]),
    (
        "/usr/bin/sh -> bash\n/etc/libvirt/hooks/qemu (755):\n    #!/bin/sh\n    function create_gpu {\n    }",
        &[],
    ),
    ("/etc/libvirt/hooks/qemu (755) = #!/bin/sh␍", &["hook-without-interpreter"]),
    (
        "/usr/lib/x86_64-linux-gnu/libvirt.so.0 -> libvirt.so.0.6000.0",
        &["hook-folder-ignored", "old-libvirt"],
    ),
    (
        "/var/lib/dpkg/status:\n    Package: qemu-system-x86\n    Status: install ok installed\n    Version: 1:2.8+dfsg-6",
        &["old-qemu"],
    ),
    ("without /usr/lib/x86_64-linux-gnu", &["missing-libvirt"]),
    ("without /etc/libvirt/hooks", &["missing-hook"]),
    ("without /etc/modules-load.d", &[]),
    (
        "without /etc/modules-load.d\n/etc/libvirt/hooks/qemu.d/gvtg (755):\n    #!/bin/sh\n    echo 1 > /x/mdev_supported_types/y/create",
        &["kvmgt-not-at-boot"],
    ),
    (
        "/etc/libvirt/hooks/qemu (755):\n    #!/bin/bash\n    function a {\n    }\n    \
         setup_gpu win10 A7AC54EE-0F5B-5731-B099-091B0E8EAF75 i915-GVTg_V5_4 \"$@\"",
        &["two-hooks"],
    ),
    // The guide's own hook, with another UUID, takes the only vGPU that fits.
    (
        "/etc/libvirt/hooks/qemu (755):\n    #!/bin/bash\n    function a {\n    }\n    \
         setup_gpu win10 11111111-2222-4333-8444-555555555550 i915-GVTg_V5_4 \"$@\"",
        &["two-hooks"],
    ),
    (
        "/etc/libvirt/hooks/qemu (755):\n    #!/bin/bash\n    function a {\n    }\n    \
         setup_gpu office 11111111-2222-4333-8444-555555555550 i915-GVTg_V5_4 \"$@\"",
        &[],
    ),
    // The Arch wiki's hook does the same with variables.
    (
        "/etc/libvirt/hooks/qemu (755):\n    #!/bin/sh\n    GVT_GUID=11111111-2222-4333-8444-555555555550\n    MDEV_TYPE=i915-GVTg_V5_4\n    \
         DOMAIN=win10\n    echo $GVT_GUID > /x/mdev_supported_types/$MDEV_TYPE/create",
        &["two-hooks"],
    ),
    // Hooks written by hand, with another vGPU or with the same one.
    (
        "/etc/libvirt/hooks/qemu (755):\n    #!/bin/sh\n    if [ \"$1\" = win10 ] && [ \"$2\" = prepare ]; then\n    \
         echo 11111111-2222-4333-8444-555555555550 > /x/mdev_supported_types/y/create\n    fi",
        &["two-hooks"],
    ),
    (
        "/etc/libvirt/hooks/qemu (755):\n    #!/bin/sh\n    mdevctl start -u a7ac54ee-0f5b-5731-b099-091b0e8eaf75 -p 0000:00:02.0 -t i915-GVTg_V5_4",
        &["two-hooks"],
    ),
    (
        "/etc/libvirt/hooks/qemu (755):\n    #!/bin/sh\n    VM=win10\n    ID=11111111-2222-4333-8444-555555555550\n    \
         setup_gpu $VM $ID i915-GVTg_V5_4 \"$@\"",
        &["two-hooks"],
    ),
    (
        "/etc/libvirt/hooks/qemu (755):\n    #!/bin/sh\n    readonly GVT_GUID=11111111-2222-4333-8444-555555555550\n    \
         readonly MDEV_TYPE=i915-GVTg_V5_4\n    case $1 in\n    win10)\n    echo $GVT_GUID > /x/mdev_supported_types/$MDEV_TYPE/create ;;\n    esac",
        &["two-hooks"],
    ),
    (
        "/etc/libvirt/hooks/qemu (755):\n    #!/bin/sh\n    if [ \"$1\" = win10 ]; then\n    taskset x\n    fi\n    \
         if [ \"$1\" = office ]; then\n    echo 11111111-2222-4333-8444-555555555550 > /x/mdev_supported_types/y/create\n    fi",
        &[],
    ),
    // Scripts that PassthroughPOST's hook runs.
    (
        "/etc/libvirt/hooks/qemu (755):\n    #!/bin/bash\n    for file in /etc/libvirt/hooks/qemu.d/$1/$2/$3/*; do \"$file\" \"$@\"; done\n\
         /etc/libvirt/hooks/qemu.d/win10/prepare/begin/gpu.sh (755):\n    #!/bin/bash\n    echo $ID > /x/mdev_supported_types/y/create",
        &["two-hooks"],
    ),
    (
        "/etc/libvirt/hooks/qemu.d/win10/prepare/begin/gpu.sh (755):\n    #!/bin/bash\n    echo $ID > /x/mdev_supported_types/y/create",
        &[],
    ),
    // libvirt runs any executable file, whatever its name, and no other copy.
    (
        "without /etc/libvirt/hooks/qemu.d\n/etc/libvirt/hooks/qemu.d/gvtg.bak (644):\n    setup_gpu a b c",
        &["missing-hook"],
    ),
    ("/etc/modules-load.d/gvt.conf:\n    kvmgt\n    vfio_mdev", &["retired-module"]),
    ("/etc/modules-load.d/gvt.conf:\n    kvmgt\n    vfio # for QEMU", &["broken-modules-line"]),
    ("/proc/cmdline = i915.enable_gvt=1 kvmgt", &["stray-parameter"]),
    ("/sys/module/kvm/parameters/ignore_msrs = N", &["msrs-not-ignored"]),
    ("/etc/libvirt/qemu.conf = #cgroup_device_acl = [ ]", &["dri-not-allowed"]),
    ("without /etc/libvirt/qemu.conf", &["dri-not-allowed"]),
    (
        "/sys/devices/pci0000:00/0000:00:02.0/11111111-2222-4333-8444-555555555550/mdev_type -> ../mdev_supported_types/i915-GVTg_V5_8\n\
         /sys/bus/mdev/devices/11111111-2222-4333-8444-555555555550 -> \
         ../../../devices/pci0000:00/0000:00:02.0/11111111-2222-4333-8444-555555555550",
        &["unused-vgpu"],
    ),
];

/// Hooks and machines that contradict the domain win10, whose vGPU has type V5_4 on the GPU at
/// 0000:00:02.0.
pub const DISAGREEMENTS: &[(&str, &[&str])] = &[
    ("", &[]),
    (
        "/etc/libvirt/hooks/qemu.d/gvtg (755) emitted setup_gpu office a7ac54ee-0f5b-5731-b099-091b0e8eaf75 i915-GVTg_V5_4",
        &["hook-differs"],
    ),
    (
        "/etc/libvirt/hooks/qemu.d/gvtg (755) emitted setup_gpu win10 11111111-2222-4333-8444-555555555550 i915-GVTg_V5_4",
        &["hook-differs"],
    ),
    (
        "/etc/libvirt/hooks/qemu.d/gvtg (755) emitted setup_gpu win10 A7AC54EE-0F5B-5731-B099-091B0E8EAF75 i915-GVTg_V5_4",
        &[],
    ),
    (
        "/etc/libvirt/hooks/qemu.d/gvtg (755) emitted setup_gpu 'win10' a7ac54ee-0f5b-5731-b099-091b0e8eaf75 i915-GVTg_V5_8",
        &["hook-differs"],
    ),
    (
        "/etc/libvirt/hooks/qemu.d/gvtg (755) emitted setup_gpu win10 a7ac54ee-0f5b-5731-b099-091b0e8eaf75 i915-GVTg_V5_4 0000:03:00.0",
        &["hook-differs"],
    ),
    (
        "/etc/libvirt/hooks/qemu.d/gvtg (755) emitted setup_gpu office 11111111-2222-4333-8444-555555555550 i915-GVTg_V5_4",
        &["hook-misses-domain"],
    ),
    (
        "/etc/libvirt/hooks/qemu.d/gvtg (755):\n    #!/bin/sh\n    made=/run/gvtg\n    setup_gpu win10 a7ac54ee-0f5b-5731-b099-091b0e8eaf75 i915-GVTg_V5_4",
        &["outdated-hook"],
    ),
    (
        "/sys/devices/pci0000:00/0000:00:02.0/a7ac54ee-0f5b-5731-b099-091b0e8eaf75/mdev_type -> ../mdev_supported_types/i915-GVTg_V5_8\n\
         /sys/bus/mdev/devices/a7ac54ee-0f5b-5731-b099-091b0e8eaf75 -> \
         ../../../devices/pci0000:00/0000:00:02.0/a7ac54ee-0f5b-5731-b099-091b0e8eaf75",
        &["vgpu-of-other-type", "unused-vgpu"],
    ),
    (
        "/sys/devices/pci0000:00/0000:00:02.0/a7ac54ee-0f5b-5731-b099-091b0e8eaf75/mdev_type -> ../mdev_supported_types/i915-GVTg_V5_4\n\
         /sys/devices/pci0000:00/0000:00:02.0/a7ac54ee-0f5b-5731-b099-091b0e8eaf75/iommu_group -> ../../../../kernel/iommu_groups/7\n\
         /sys/bus/mdev/devices/a7ac54ee-0f5b-5731-b099-091b0e8eaf75 -> \
         ../../../devices/pci0000:00/0000:00:02.0/a7ac54ee-0f5b-5731-b099-091b0e8eaf75\n\
         /proc/99/cmdline = qemu␀-name␀guest=office,debug-threads=on␀\n/proc/99/fd/9 -> /dev/vfio/7",
        &["vgpu-of-other-domain"],
    ),
    (
        "/sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types/i915-GVTg_V5_4/available_instances = 0",
        &["vgpu-type-full"],
    ),
    (
        "without /sys/devices/pci0000:00/0000:00:02.0/mdev_supported_types/i915-GVTg_V5_4",
        &["vgpu-type-not-offered"],
    ),
];
