#!/bin/sh
# kernel-install.sh GVTG-XML: prints the boot entry of a host whose command line GVTG-XML has completed. Runs in a separate mount
# namespace.
set -eu
mkdir -p /etc/kernel
mount -t tmpfs boot /boot
mount -t tmpfs kernel /etc/kernel
mkdir -p /boot/loader/entries
echo kernel >/boot/kernel
echo layout=bls >/etc/kernel/install.conf
echo token >/etc/kernel/entry-token
echo 'root=UUID=1 ro quiet' >/etc/kernel/cmdline
"$1" emit cmdline --bootloader kernel-install --root / --force --quiet >&2
kernel-install add 6.1.0-1 /boot/kernel >&2
cat /boot/loader/entries/token-6.1.0-1.conf
