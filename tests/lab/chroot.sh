# shellcheck shell=bash
# Sourced by the scripts that set up chroots.

# in_chroot ROOT COMMAND…: runs a command in the chroot with the machine's network; its mounts end
# with the command.
in_chroot() {
    # shellcheck disable=SC2016 # the inner shell expands these
    unshare --mount --fork bash -c '
        set -eu
        mount --make-rprivate /
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        root=$1; shift
        exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
            DEBIAN_FRONTEND=noninteractive "$@"' in_chroot "$@"
}
