#!/bin/bash
# setup.sh SUITE…: creates (or completes) a chroot with each Debian suite's libvirt and QEMU in
# $LAB/SUITE. Run as root. LAB defaults to /var/tmp/lab. LAB_MIRROR is a Debian mirror and defaults
# to http://deb.debian.org/debian; suites that are no longer there are on
# http://archive.debian.org/debian.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lab=${LAB:-/var/tmp/lab}
mirror=${LAB_MIRROR:-http://deb.debian.org/debian}
[ $# -gt 0 ] || { echo "usage: $0 SUITE… (bullseye, bookworm, trixie, sid)" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "$0: needs root: run it with sudo" >&2; exit 2; }

# libvirt with its schema and Python binding; QEMU with GTK; an X server and Mesa's software GL,
# without which `-display gtk,gl=on` is refused; UEFI firmware and qemu-img; udev.
packages='libvirt-daemon-system libvirt-clients libvirt-daemon-driver-qemu python3-libvirt libxml2-utils
  qemu-system-x86 qemu-system-gui qemu-utils ovmf xvfb libegl1 libgl1 libgl1-mesa-dri dbus procps udev'

# The marker of a finished chroot has the checksum of this script and chroot.sh in its name, so that
# any change of them completes existing chroots.
recipe=$(cat "$0" "$here/chroot.sh" | cksum | cut -d ' ' -f 1)

# shellcheck source=tests/lab/chroot.sh
. "$here/chroot.sh"

install_packages() {
    # No daemon may start in the chroot, and a chroot that can be recreated needs no fsync.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/lab"
    in_chroot "$root" apt-get -q -o Acquire::Check-Valid-Until=false update
    wanted=$packages
    # Packages that not every suite has: separate ones for QEMU's OpenGL and SPICE, programs that
    # libvirt looks for when a domain has a TPM or a shared folder, and mdevctl.
    for extra in qemu-system-modules-opengl qemu-system-modules-spice swtpm swtpm-tools virtiofsd mdevctl; do
        if in_chroot "$root" apt-cache show "$extra" >/dev/null 2>&1; then wanted="$wanted $extra"; fi
    done
    # shellcheck disable=SC2086 # a list of words
    in_chroot "$root" apt-get -q -y --no-install-recommends install $wanted
}

make_chroot() {
    # An interrupted debootstrap leaves its own folder behind: start over.
    if [ -d "$root/debootstrap" ] || [ ! -e "$root/usr/bin/apt-get" ]; then
        rm -rf --one-file-system "$root"
        debootstrap --variant=minbase "$suite" "$root" "$mirror"
    fi
    install_packages
    # libvirt probes QEMU as the user that it runs QEMU as. With a user other than root, it would
    # find KVM only sometimes and probe QEMU again at each call.
    printf '%s\n' 'user = "root"' 'group = "root"' 'security_driver = "none"' 'remember_owner = 0' \
        >"$root/etc/libvirt/qemu.conf"
    mkdir -p "$root/lab" "$root/folder"
    # On a machine without KVM, in.sh mounts qemu-without-kvm.py over these, which then runs *.real.
    for emulator in "$root"/usr/bin/qemu-system-x86_64 "$root"/usr/bin/qemu-system-i386; do
        ln -f "$emulator" "$emulator.real"
    done
    # Probing QEMU takes seconds. libvirt caches the result in /var/cache/libvirt, which in.sh
    # keeps.
    "$here/in.sh" "$suite" sh -c '
        libvirtd &
        for try in $(seq 60); do virsh capabilities >/dev/null 2>&1 && break; sleep 1; done
        virsh domcapabilities --virttype qemu >/dev/null
        virsh domcapabilities --virttype kvm >/dev/null'
}

needed=
command -v debootstrap >/dev/null || needed="$needed debootstrap"
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || needed="$needed debian-archive-keyring"
# shellcheck disable=SC2086 # a list of words
[ -z "$needed" ] || apt-get -q -y --no-install-recommends install $needed >&2

mkdir -p "$lab"
for suite; do
    root=$lab/$suite
    marker=$root/lab-complete-$recipe
    if [ ! -e "$marker" ]; then
        echo "$suite: making $root, some minutes (log: $lab/$suite.log)" >&2
        # In the background, because `set -e` has no effect inside a function called before `||`.
        make_chroot >"$lab/$suite.log" 2>&1 &
        wait $! || { tail -n 20 "$lab/$suite.log" >&2; exit 1; }
        rm -f "$root"/lab-complete-*
        touch "$marker"
    fi
done
for suite; do
    "$here/in.sh" "$suite" sh -c '
        printf "%s: libvirt %s, QEMU %s\n" "$0" \
            "$(libvirtd --version | grep -o "[0-9.]*[0-9]" | head -n 1)" \
            "$(qemu-system-x86_64 --version | grep -o "[0-9.]*[0-9]" | head -n 1)"' "$suite"
done
