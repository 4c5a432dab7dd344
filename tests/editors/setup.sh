#!/bin/bash
# setup.sh: installs the editors that the language server is tested with: Emacs with eglot on this machine, Neovim and Helix in the
# lab's trixie chroot (Debian 12 has no Helix, and its Neovim 0.7 is too old).
# Run as root, after tests/lab/setup.sh trixie.
set -eu

root=${LAB:-/var/tmp/lab}/trixie
[ "$(id -u)" = 0 ] || { echo "$0: needs root: run it with sudo" >&2; exit 2; }
[ -d "$root/lab" ] || { echo "$0: no chroot in $root: run tests/lab/setup.sh trixie" >&2; exit 2; }

export DEBIAN_FRONTEND=noninteractive
apt-get install -y -q --no-install-recommends emacs-nox elpa-eglot >/dev/null

if ! [ -e "$root/usr/bin/nvim" ] || ! [ -e "$root/usr/bin/hx" ]; then
    # shellcheck disable=SC2016 # the inner shell expands these
    unshare --mount --fork bash -c '
        set -eu
        mount --make-rprivate /
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        run() { chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "${@:2}"; }
        run "$1" apt-get -q update
        run "$1" apt-get -q -y --no-install-recommends install neovim hx' setup "$root" >"$root/../editors.log" 2>&1 ||
        { tail -n 20 "$root/../editors.log" >&2; exit 1; }
fi
emacs --version | head -n 1
chroot "$root" nvim --version | head -n 1
chroot "$root" hx --version
