#!/bin/bash
# build.sh: makes what boot.sh boots, in $LAB/gvt: Debian 12's kernel, its modules with the emulated
# GPU's (module/) in place of i915 and kvmgt, and an initramfs. The kernel comes from the lab's chroot
# of Debian 12, so run tests/lab/setup.sh bookworm first. Run as root. LAB defaults to /var/tmp/lab.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lab=${LAB:-/var/tmp/lab}
root=$lab/bookworm
out=$lab/gvt
[ "$(id -u)" = 0 ] || { echo "$0: needs root: run it with sudo" >&2; exit 2; }
[ -d "$root/lab" ] || { echo "$0: no chroot in $root: run tests/lab/setup.sh bookworm" >&2; exit 2; }

# Modules that mount the root and load the rest: 9p over virtio, and an overlay for what is written.
boot_modules='virtio_pci 9pnet_virtio 9p overlay'

# shellcheck source=tests/lab/chroot.sh
. "$here/../lab/chroot.sh"

# Prints the version of the chroot's newest kernel.
kernel() {
    find "$root/boot" -name 'vmlinuz-*' 2>/dev/null | sed 's/.*vmlinuz-//' | sort -V | tail -n 1
}

build() {
    if [ -z "$(kernel)" ] || [ ! -e "$root/usr/bin/make" ]; then
        # The chroot needs no initramfs of its own; dpkg must not ask about this file.
        in_chroot "$root" sh -c 'mkdir -p /etc/initramfs-tools && echo update_initramfs=no >/etc/initramfs-tools/update-initramfs.conf'
        in_chroot "$root" apt-get -q update
        in_chroot "$root" apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confold install \
            linux-image-amd64 linux-headers-amd64 make gcc kmod busybox-static
    fi
    version=$(kernel)
    rm -rf "$out"
    mkdir -p "$out"
    cp "$root/boot/vmlinuz-$version" "$out/vmlinuz"

    # The modules, as hard links to the chroot's; depmod prefers those in updates/.
    mkdir -p "$out/modules/$version/updates"
    cp -al "$root/lib/modules/$version/kernel" "$out/modules/$version/"
    cp "$root/lib/modules/$version"/modules.{builtin,builtin.modinfo,order} "$out/modules/$version/"
    rm -rf "$root/tmp/module"
    cp -r "$here/module" "$root/tmp/module"
    in_chroot "$root" make -C "/usr/src/linux-headers-$version" M=/tmp/module modules
    cp "$root"/tmp/module/*.ko "$out/modules/$version/updates/"
    mkdir -p "$out/root/lib"
    ln -s "$out/modules" "$out/root/lib/modules"
    depmod -b "$out/root" "$version"

    # The initramfs: busybox, the modules in the order in which they are loaded, and its init.
    initramfs=$out/initramfs
    mkdir -p "$initramfs/bin" "$initramfs/modules"
    cp "$root/bin/busybox" "$initramfs/bin/"
    cp "$here/initramfs-init" "$initramfs/init"
    for module in $boot_modules; do
        modprobe -d "$out/root" -S "$version" --show-depends "$module"
    done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r path; do
        cp "$path" "$initramfs/modules/"
        basename "$path"
    done >"$initramfs/modules/order"
    (cd "$initramfs" && find . | "$root/bin/busybox" cpio -o -H newc | gzip -1) >"$out/initrd"
    echo "$version" >"$out/version"
}

# Built again when the module, this script or the initramfs change.
recipe=$(cat "$0" "$here/initramfs-init" "$here"/module/* | cksum | cut -d ' ' -f 1)
if [ ! -e "$out/complete-$recipe" ]; then
    echo "building the emulated GPU in $out, a minute (log: $lab/gvt.log)" >&2
    build >"$lab/gvt.log" 2>&1 &
    wait $! || { tail -n 20 "$lab/gvt.log" >&2; exit 1; }
    touch "$out/complete-$recipe"
fi
echo "emulated GPU: Linux $(cat "$out/version")"
