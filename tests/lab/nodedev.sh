#!/bin/bash
# nodedev.sh: defines /folder/device.xml as a libvirt node device on a host whose GPU offers the
# vGPU type i915-GVTg_V5_4. Prints the output of virsh and the files that mdevctl then has. Runs in
# in.sh.
set -eu

# A fake GPU with the files that udev and libvirt read; it cannot create vGPUs.
for folder in devices bus class; do mount -t tmpfs "$folder" "/sys/$folder"; done
gpu=/sys/devices/pci0000:00/0000:00:02.0
mkdir -p "$gpu/mdev_supported_types/i915-GVTg_V5_4" /sys/bus/pci/devices /sys/bus/pci/drivers/i915 /sys/class/mdev_bus
printf '%s\n' DRIVER=i915 PCI_CLASS=30000 PCI_ID=8086:5912 PCI_SUBSYS_ID=8086:5912 PCI_SLOT_NAME=0000:00:02.0 >"$gpu/uevent"
echo 0x8086 >"$gpu/vendor"
echo 0x5912 >"$gpu/device"
echo 0x030000 >"$gpu/class"
head -c 256 /dev/zero >"$gpu/config"
ln -s ../../../bus/pci "$gpu/subsystem"
ln -s ../../../bus/pci/drivers/i915 "$gpu/driver"
ln -s ../../../devices/pci0000:00/0000:00:02.0 /sys/bus/pci/devices/
ln -s ../../devices/pci0000:00/0000:00:02.0 /sys/class/mdev_bus/
(
    cd "$gpu/mdev_supported_types/i915-GVTg_V5_4"
    echo 1 >available_instances
    echo vfio-pci >device_api
    echo GVTg_V5_4 >name
)
cp -r /etc/mdevctl.d /tmp/mdevctl.d
mount --bind /tmp/mdevctl.d /etc/mdevctl.d

# By default, udev's library refuses a /sys that is not sysfs.
SYSTEMD_DEVICE_VERIFY_SYSFS=0 libvirtd --daemon
for _ in $(seq 60); do virsh nodedev-list >/dev/null 2>&1 && break; sleep 1; done
virsh nodedev-define --validate /folder/device.xml 2>&1
virsh nodedev-list --all --cap mdev
find /etc/mdevctl.d -type f -printf '%P\n' -exec cat {} ';'
