#!/bin/bash
# filter.sh SOURCE TARGET FOLDER: runs FOLDER/steps with two hosts of these suites: domains are
# saved and restored on TARGET, and migrated from SOURCE to TARGET while shut off. TARGET has the
# hooks in FOLDER/hooks. See filter.py for the files in FOLDER. Run as root. Exits with 0 if every
# step was tried.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 3 ] || { echo "usage: $0 SOURCE TARGET FOLDER" >&2; exit 2; }
folder=$(cd "$3" && pwd)
"$here/in.sh" --bind "$folder" "$2" python3 /lab/filter.py target >"$folder/target.log" 2>&1 &
target=$!
trap 'kill "$target" 2>/dev/null || true' EXIT
status=0
"$here/in.sh" --bind "$folder" "$1" python3 /lab/filter.py source || status=$?
[ "$status" = 0 ] || cat "$folder/target.log" >&2
exit "$status"
