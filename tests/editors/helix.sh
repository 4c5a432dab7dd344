#!/bin/sh
# Drives Helix in the lab's chroot: the piece of docs/editors.md is /folder/piece, the domain /folder/virsh000000.xml. What Helix and the server
# said to each other is in helix.log; what a quick fix made in quick.xml; ends with fix-all saved.
set -eu
mkdir -p /root/.config/helix
cp /folder/piece /root/.config/helix/languages.toml
hx --health xml >/folder/health.txt 2>&1
# A key after the other, with time to draw: to the <video>, the first action there, write; then the only one at the beginning.
keys() {
    sleep 3
    for key in ':110\r' 'gs' ' a' '\r' ':w! /folder/quick.xml\r' ':w! /folder/virsh000000.xml\r' 'gg' ' a' '\r' ':w\r' ':q!\r'; do
        # shellcheck disable=SC2059 # the keys are a format
        printf "$key"
        sleep 1
    done
}
keys | TERM=xterm-256color timeout 40 script -qfc \
    'stty rows 40 cols 120; hx -vv --log /folder/helix.log /folder/virsh000000.xml' /folder/screen.txt >/dev/null
