#!/bin/bash
# setup.sh: installs the real VS Code (code-server from npm), Debian's Chromium to drive it, and the
# packages that build the extension, into $LAB/vscode. Run as root. Needs node 20 with its headers,
# some minutes and 1.5 GB.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lab=${LAB:-/var/tmp/lab}/vscode
[ "$(id -u)" = 0 ] || { echo "$0: needs root: run it with sudo" >&2; exit 2; }
export DEBIAN_FRONTEND=noninteractive
packages='chromium ripgrep libkrb5-dev libsecret-1-dev libx11-dev libxkbfile-dev python3 make g++'
node --version | grep -qE '^v(2[0-9]|[3-9][0-9])' || { echo "$0: needs node 20 or later (Debian 12 has 18)" >&2; exit 2; }
[ -d /usr/include/node ] || { echo "$0: needs node's headers in /usr/include/node" >&2; exit 2; }
mkdir -p "$lab/extension"
log=$lab/setup.log
# shellcheck disable=SC2086 # a list of words
apt-get install -y -q --no-install-recommends $packages >"$log" 2>&1

# npm's output goes to the log. --ignore-scripts below keeps packages from running install scripts,
# which may download programs.
quietly() { "$@" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }; }
cd "$lab"
if ! node node_modules/code-server/out/node/entry.js --version >/dev/null 2>&1; then
    [ -f package.json ] || quietly npm init -y
    quietly npm install --ignore-scripts code-server@4.100.3 playwright-core@1 node-gyp
    export npm_config_nodedir=/usr npm_config_build_from_source=true npm_config_yes=true PATH=$lab/node_modules/.bin:$PATH
    quietly npm rebuild argon2
    cd node_modules/code-server/lib/vscode
    quietly npm install --omit=dev --ignore-scripts
    # Of the native modules only Kerberos, for proxies, may be missing.
    for module in @vscode/spdlog native-watchdog node-pty @parcel/watcher @vscode/deviceid; do quietly npm rebuild "$module"; done
    ln -sfn node_modules node_modules.asar
    mkdir -p node_modules/@vscode/ripgrep/bin
    ln -sf /usr/bin/rg node_modules/@vscode/ripgrep/bin/rg
    (cd extensions && quietly npm install --omit=dev --ignore-scripts)
fi

cd "$lab/extension"
cp "$here/../package.json" "$here/../package-lock.json" .
quietly npm ci --ignore-scripts --no-audit --no-fund
cd "$lab"
printf 'VS Code (code-server) %s\n' "$(node node_modules/code-server/out/node/entry.js --version | tail -n 1)"
