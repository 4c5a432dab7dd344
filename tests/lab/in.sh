#!/bin/bash
# in.sh [--bind FOLDER] [--gpu FOLDER] SUITE COMMAND…: runs COMMAND in that suite's chroot, isolated
# from the machine and from other runs of in.sh: its processes, network and libvirt state are
# private and end with it. Run as root. In the chroot, this folder is /lab; with --bind, FOLDER is
# /folder and writable. With --gpu, there is a fake GPU that can create vGPUs: FOLDER/bus is
# /sys/bus and FOLDER/vfio is /dev/vfio, as made by mdev-sysfs (tests/mdev).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder= gpu=
if [ "${1-}" = --bind ]; then folder=$(cd "$2" && pwd); shift 2; fi
if [ "${1-}" = --gpu ]; then gpu=$(cd "$2" && pwd); shift 2; fi
[ $# -ge 2 ] || { echo "usage: $0 [--bind FOLDER] [--gpu FOLDER] SUITE COMMAND…" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "$0: needs root: run it with sudo" >&2; exit 2; }
root=${LAB:-/var/tmp/lab}/$1
[ -d "$root/lab" ] || { echo "$0: no chroot in $root: run $here/setup.sh $1" >&2; exit 2; }
shift

# shellcheck disable=SC2016 # the inner shell expands these
exec unshare --mount --pid --net --ipc --uts --fork --kill-child bash -c '
set -eu
root=$1 here=$2 folder=$3 gpu=$4; shift 4
mount --make-rprivate /
ip link set lo up 2>/dev/null || true

mount -t proc proc "$root/proc"
mount --bind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/net" "$root/dev/hugepages"
# libvirt opens some of these even to convert XML to a command line.
for node in null zero full random urandom tty kvm net/tun vhost-net; do
    if [ -e "/dev/$node" ]; then touch "$root/dev/$node"; mount --bind "/dev/$node" "$root/dev/$node"; fi
done
# If this machine has no KVM, run QEMU without it, in a way that libvirt does not notice.
if ! { [ -c /dev/kvm ] && : <>/dev/kvm; } 2>/dev/null; then
    [ -e "$root/dev/kvm" ] || touch "$root/dev/kvm"
    mount --bind /dev/null "$root/dev/kvm"
    for emulator in "$root"/usr/bin/qemu-system-*.real; do
        mount --bind "$here/qemu-without-kvm.py" "${emulator%.real}"
    done
fi
# Fake an IOMMU and a GPU: before it gives PCI devices or a render node to a domain, libvirt only
# checks that these files exist.
mkdir "$root/dev/vfio" "$root/dev/dri"
touch "$root/dev/vfio/vfio" "$root/dev/dri/renderD128"
if [ -d "$root/sys/kernel/iommu_groups" ]; then
    mount -t tmpfs tmpfs "$root/sys/kernel/iommu_groups"
    mkdir "$root/sys/kernel/iommu_groups/0"
fi
mount -t hugetlbfs hugetlbfs "$root/dev/hugepages" 2>/dev/null || true
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"

# Discard libvirtd state after this run, except its cache of the capabilities of QEMU.
for state in run tmp root var/lib/libvirt var/log/libvirt etc/libvirt/qemu; do
    mkdir -p "$root/$state"
    mount -t tmpfs tmpfs "$root/$state"
done
mkdir -m 1777 "$root/run/lock" "$root/tmp/.X11-unix"

mount --bind "$here" "$root/lab"
if [ -n "$folder" ]; then mount --bind "$folder" "$root/folder"; fi
if [ -n "$gpu" ]; then
    mount --bind "$gpu/bus" "$root/sys/bus"
    mount --bind "$gpu/vfio" "$root/dev/vfio"
fi
# Not exec: this shell stays process 1 and reaps the QEMUs that libvirtd probed and stopped.
# Otherwise libvirtd would wait seconds for each of them to disappear.
chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 LIBVIRT_DEFAULT_URI=qemu:///system "$@" && exit 0
exit $?
' in "$root" "$here" "$folder" "$gpu" "$@"
