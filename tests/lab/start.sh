#!/bin/bash
# start.sh SUITE FOLDER MDEV-SYSFS: runs FOLDER/steps with that suite's libvirt, with FOLDER/hook
# installed and a fake GPU that can create vGPUs (the program MDEV-SYSFS, built from tests/mdev).
# See start.py for the files in FOLDER; the GPU's log is FOLDER/gpu.log. Run as root. Exits with 0
# if every step was tried.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 3 ] || { echo "usage: $0 SUITE FOLDER MDEV-SYSFS" >&2; exit 2; }
# The namespaces unmount the GPU's file system when they end.
# shellcheck disable=SC2016 # the inner shell expands these
exec unshare --mount --pid --fork --kill-child --mount-proc bash -c '
set -eu
here=$1 suite=$2 folder=$3 program=$4
mount --make-rprivate /
gpu=$(mktemp -d)
mount -t tmpfs gpu "$gpu"
mkdir "$gpu/bus" "$gpu/vfio"
touch "$gpu/kvmgt" "$gpu/vfio/vfio"
"$program" "$gpu/bus" --kvmgt "$gpu/kvmgt" --log "$folder/gpu.log" --vfio "$gpu/vfio" &
until mountpoint -q "$gpu/bus"; do
    kill -0 "$!"
    sleep 0.05
done
"$here/in.sh" --bind "$folder" --gpu "$gpu" "$suite" python3 /lab/start.py && exit 0
exit $?
' start "$here" "$1" "$(cd "$2" && pwd)" "$3"
