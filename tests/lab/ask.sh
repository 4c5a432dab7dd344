#!/bin/bash
# ask.sh [--qemu] [--no-argv] [--validate-only] SUITE FOLDER: asks that suite's libvirt about each
# FOLDER/*.xml and writes FOLDER/SUITE.json (see ask.py for its contents). Run as root.
# Exits with 0 if every file has an answer, with 2 if libvirt could not be asked.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
options=()
while [[ "${1-}" == --* ]]; do options+=("$1"); shift; done
[ $# -eq 2 ] || { echo "usage: $0 [--qemu] [--no-argv] [--validate-only] SUITE FOLDER" >&2; exit 2; }
[ -d "$2" ] || { echo "$0: $2 is no folder" >&2; exit 2; }
"$here/in.sh" --bind "$2" "$1" python3 /lab/ask.py "${options[@]}" "$1" && exit 0
echo "$0: could not ask the libvirt of $1. If its chroot is not complete, run: $here/setup.sh $1" >&2
exit 2
