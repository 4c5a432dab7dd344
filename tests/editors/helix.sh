#!/bin/sh
# Drives Helix in the lab's chroot with the configuration from docs/editors.md (/folder/piece) on the domain /folder/virsh000000.xml.
# Writes the messages between Helix and the server to helix.log and the result of a quick fix to quick.xml, then applies and saves
# fix-all.
set -eu
mkdir -p /root/.config/helix
cp /folder/piece /root/.config/helix/languages.toml
hx --health xml >/folder/health.txt 2>&1
# Types keys with pauses for redrawing: go to the <video>, apply the first action, write; then apply the only action at the top.
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
