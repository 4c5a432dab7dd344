#!/bin/sh
# mdevctl.sh MDEV-SYSFS: prints what mdevctl reads from the files below ./etc and does for ./commands, on a host with an emulated
# GPU. Runs in separate mount and process namespaces.
set -eu
mkdir bus vfio
touch kvmgt
"$1" "$PWD/bus" --kvmgt "$PWD/kvmgt" --vfio "$PWD/vfio" &
until mountpoint -q bus; do
    kill -0 $!
    sleep 0.1
done
mount --bind bus /sys/bus
mount -t tmpfs class /sys/class
mkdir /sys/class/mdev_bus
ln -s ../../bus/pci/devices/0000:00:02.0 /sys/class/mdev_bus/0000:00:02.0
# mdevctl needs its folders for scripts.
cp -r /etc/mdevctl.d own
mount --bind own /etc/mdevctl.d
cp -r etc/mdevctl.d/. /etc/mdevctl.d

list() {
    mdevctl list "$@" | sed '/^$/d'
}
echo "defined: $(list --defined)"
uuid=$(list --defined | cut -d ' ' -f 1)
mdevctl start --uuid "$uuid"
echo "started: $(list)"
mdevctl stop --uuid "$uuid"
echo "stopped: $(list)"
mdevctl undefine --uuid "$uuid"
sh ./commands
echo "by commands: $(list --defined)"
cat "/etc/mdevctl.d/0000:00:02.0/$uuid"
