#!/bin/bash
# qemu-conf.sh: starts libvirtd with /folder/qemu.conf appended to its own qemu.conf. Prints "ready"
# if the QEMU driver was loaded, and libvirtd's messages about the file. Runs in in.sh.
set -eu
cat /etc/libvirt/qemu.conf /folder/qemu.conf >/tmp/qemu.conf
mount --bind /tmp/qemu.conf /etc/libvirt/qemu.conf
libvirtd >/tmp/log 2>&1 &
for _ in $(seq 60); do
    if virsh capabilities >/tmp/answer 2>&1; then
        echo ready
        break
    fi
    if grep -q 'configuration file' /tmp/log; then break; fi
    sleep 1
done
grep 'configuration file\|qemu\.conf' /tmp/log || true
