#!/bin/bash
# setup.sh SUITE…: makes (or completes) a chroot with each Debian suite's libvirt and QEMU in $LAB/SUITE.
# Run as root. LAB: default /var/tmp/lab. LAB_MIRROR: a Debian mirror, default http://deb.debian.org/debian
# (a suite that has left it is on http://archive.debian.org/debian).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lab=${LAB:-/var/tmp/lab}
mirror=${LAB_MIRROR:-http://deb.debian.org/debian}
[ $# -gt 0 ] || { echo "usage: $0 SUITE… (bullseye, bookworm, trixie, sid)" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "$0: needs root: run it with sudo" >&2; exit 2; }

# libvirt with its schema and Python binding; QEMU with GTK; an X server and Mesa's software GL, without
# which `-display gtk,gl=on` is refused; UEFI firmware and qemu-img; udev.
packages='libvirt-daemon-system libvirt-clients libvirt-daemon-driver-qemu python3-libvirt libxml2-utils
  qemu-system-x86 qemu-system-gui qemu-utils ovmf xvfb libegl1 libgl1 libgl1-mesa-dri dbus procps udev'

# The marker of a finished chroot carries this script's checksum: a change here completes older ones.
recipe=$(cksum <"$0" | cut -d ' ' -f 1)

# Runs a command in the chroot with the machine's network. Its mounts end with it.
in_chroot() {
    unshare --mount --fork bash -c '
        set -eu
        mount --make-rprivate /
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        root=$1; shift
        exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
            DEBIAN_FRONTEND=noninteractive "$@"' in_chroot "$root" "$@"
}

install_packages() {
    # No daemon may start in there, and a chroot that can be made again needs no fsync.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/lab"
    in_chroot apt-get -q -o Acquire::Check-Valid-Until=false update
    wanted=$packages
    # Not in every suite: QEMU's OpenGL and SPICE as packages of their own, what libvirt wants to see for a TPM and for
    # a shared folder; what keeps mediated devices.
    for extra in qemu-system-modules-opengl qemu-system-modules-spice swtpm swtpm-tools virtiofsd mdevctl; do
        if in_chroot apt-cache show "$extra" >/dev/null 2>&1; then wanted="$wanted $extra"; fi
    done
    # shellcheck disable=SC2086 # a list of words
    in_chroot apt-get -q -y --no-install-recommends install $wanted
}

make_chroot() {
    # A debootstrap that was cut off leaves its own folder behind: begin again.
    if [ -d "$root/debootstrap" ] || [ ! -e "$root/usr/bin/apt-get" ]; then
        rm -rf --one-file-system "$root"
        debootstrap --variant=minbase "$suite" "$root" "$mirror"
    fi
    install_packages
    # libvirt probes QEMU as the user that it runs QEMU as. As anybody else than root it would find KVM now
    # there, now not, and probe again at each question.
    printf '%s\n' 'user = "root"' 'group = "root"' 'security_driver = "none"' 'remember_owner = 0' \
        >"$root/etc/libvirt/qemu.conf"
    mkdir -p "$root/lab" "$root/folder"
    # By another name too: on a machine without KVM, in.sh puts qemu-without-kvm.py into their places.
    for emulator in "$root"/usr/bin/qemu-system-x86_64 "$root"/usr/bin/qemu-system-i386; do
        ln -f "$emulator" "$emulator.real"
    done
    # Probing QEMU takes seconds. libvirt keeps the answer in /var/cache/libvirt, which in.sh leaves in place.
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
        # In the background, as `set -e` would not hold inside a function that stands before `||`.
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
