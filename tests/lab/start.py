#!/usr/bin/env python3
"""start.py: starts and stops domains with a real libvirtd and an installed hook, as in.sh --gpu has it.

/folder/hook is installed as hooks/qemu.d/gvtg, /folder/*.xml are defined, and each line of /folder/steps is done:
`start NAME`, `destroy NAME`, `restart-libvirtd` (it starts again, and finds the domains that run). NAME is a file's name
without .xml. /folder/answers.json has for each step: what libvirt said ("ok" or its error), which vGPUs there are then, and
which domains run. /folder/qemu.log has a line for each QEMU with a vGPU: its domain's file and whether the vGPU was there before it.

No vGPU is real here, so each domain's QEMU is started without the argument for it, by /tmp/qemu, and may lock only what every process
may.
"""
import glob
import json
import os
import re
import subprocess
import time

import libvirt

from ask import Libvirt

FOLDER = '/folder'
VGPUS = '/sys/bus/mdev/devices'
HOOKS = '/etc/libvirt/hooks'
QEMU = '''#!/bin/bash
# QEMU without its vGPU and without a window.
arguments=()
while [ $# -gt 0 ]; do
    case $1/${2-} in
        -device/*sysfsdev*)
            vgpu=$(grep -o '/sys/bus/mdev/devices/[0-9a-f-]*' <<<"$2")
            if [ -d "$vgpu" ]; then echo "${vgpu##*/} there"; else echo "${vgpu##*/} missing"; fi >>/folder/qemu.log
            shift 2 ;;
        -display/*) shift 2 ;;
        *) arguments+=("$1"); shift ;;
    esac
done
exec /usr/bin/qemu-system-x86_64 "${arguments[@]}" -display none
'''


def prepared(xml):
    """A domain that can start here: with that QEMU, and with a limit on what it locks that needs no right to raise."""
    xml = xml.replace('<devices>', '<devices><emulator>/tmp/qemu</emulator>', 1)
    limit = "<memtune><hard_limit unit='MiB'>8</hard_limit></memtune>"
    return xml.replace('<os>', limit + '<os>', 1)


def install_qemu():
    """That QEMU, and a libvirtd that takes it as it is here."""
    with open('/tmp/qemu', 'w') as file:
        file.write(QEMU)
    os.chmod('/tmp/qemu', 0o755)
    # libvirt would give QEMU a /dev of its own, for which it needs devices that are only files here.
    with open('/tmp/qemu.conf', 'w') as file, open('/etc/libvirt/qemu.conf') as own:
        file.write(own.read() + 'namespaces = []\ncgroup_controllers = []\nstdio_handler = "file"\n')
    subprocess.run(['mount', '--bind', '/tmp/qemu.conf', '/etc/libvirt/qemu.conf'], check=True)


def install(hook):
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'hooks', HOOKS], check=True)
    os.mkdir(HOOKS + '/qemu.d', 0o755)
    path = HOOKS + '/qemu.d/gvtg'
    with open(hook, 'rb') as source, open(path, 'wb') as target:
        target.write(source.read())
    os.chmod(path, 0o755)


def main():
    install(FOLDER + '/hook')
    install_qemu()
    daemon = Libvirt()
    daemon.start()
    names = {}
    for path in sorted(glob.glob(FOLDER + '/*.xml')):
        with open(path, encoding='utf-8') as file:
            domain = daemon.define(prepared(file.read()))
        names[os.path.basename(path)[:-4]] = domain.name()
    answers = []
    with open(FOLDER + '/steps', encoding='utf-8') as file:
        steps = [line.split() for line in file.read().splitlines()]
    for step in steps:
        said = 'ok'
        try:
            if step[0] == 'restart-libvirtd':
                daemon.connection.close()
                daemon.daemon.terminate()
                daemon.daemon.wait()
                daemon.launch()
                # Each answers only when libvirt is done with finding it again.
                for domain in daemon.connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
                    domain.memoryStats()
            else:
                domain = daemon.connection.lookupByName(names[step[1]])
                {'start': domain.create, 'destroy': domain.destroy}[step[0]]()
        except libvirt.libvirtError as error:
            said = str(error)
        running = [file for file, name in names.items() if daemon.connection.lookupByName(name).isActive()]
        vgpus = sorted(os.listdir(VGPUS)) if os.path.isdir(VGPUS) else []
        answers.append({'step': ' '.join(step), 'said': said, 'vgpus': vgpus, 'running': running})
    with open(FOLDER + '/answers.json', 'w') as file:
        json.dump(answers, file, indent=1)


if __name__ == '__main__':
    main()
