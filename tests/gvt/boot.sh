#!/bin/bash
# boot.sh SUITE FOLDER: boots that suite's chroot (tests/lab/setup.sh) as a virtual machine with an
# emulated Intel GPU at 0000:00:02.0 (build.sh), and runs FOLDER/script in it as root; FOLDER is /gvt
# there, and writable. Prints the machine's console. Nothing is written to the chroot. Ends after
# GVTG_BOOT_SECONDS (600) at the latest. Run as root; needs qemu-system-x86_64, but no KVM.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lab=${LAB:-/var/tmp/lab}
[ $# -eq 2 ] || { echo "usage: $0 SUITE FOLDER" >&2; exit 2; }
root=$lab/$1
folder=$(cd "$2" && pwd)
[ "$(id -u)" = 0 ] || { echo "$0: needs root: run it with sudo" >&2; exit 2; }
[ -d "$root/lab" ] || { echo "$0: no chroot in $root: run tests/lab/setup.sh $1" >&2; exit 2; }
[ -e "$lab/gvt/initrd" ] || { echo "$0: no emulated GPU in $lab/gvt: run $here/build.sh" >&2; exit 2; }
cp "$here/init" "$folder/init"

share() { # TAG PATH [OPTION]: a folder of this machine as a file system of the emulated one
    echo "-virtfs local,path=$2,mount_tag=$1,security_model=passthrough,multidevs=remap${3-}"
}
# TCG, so that it runs everywhere; edu is the device that the module takes for a GPU.
# shellcheck disable=SC2046 # lists of words
exec timeout "${GVTG_BOOT_SECONDS:-600}" qemu-system-x86_64 -M q35 -accel tcg,thread=multi -cpu max,-hypervisor -smbios type=1,manufacturer=Emulated,product=GVT-g -m 6G -smp 2 \
    -nodefaults -no-reboot -nographic -serial stdio -monitor none \
    -kernel "$lab/gvt/vmlinuz" -initrd "$lab/gvt/initrd" \
    -append "console=ttyS0 quiet panic=-1" \
    -device edu,addr=02.0 \
    $(share root "$root" ,readonly=on) $(share gvt "$folder") $(share modules "$lab/gvt/modules" ,readonly=on)
