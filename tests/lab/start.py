#!/usr/bin/env python3
"""start.py: starts and stops domains with a real libvirtd and an installed hook.

Runs in in.sh --gpu. Installs /folder/hook as hooks/qemu.d/gvtg, defines each /folder/*.xml and runs
the lines of /folder/steps: `start NAME`, `destroy NAME`, `restart-libvirtd` (which must find the
running domains again). NAME is a file's name without .xml. /folder/answers.json has for each step:
libvirt's answer ("ok" or its error), the vGPUs that then exist, and the running domains.
/folder/qemu.log has a line for each QEMU with a vGPU: the vGPU's uuid, and whether the vGPU existed
when QEMU was started.

The vGPUs are fake, so QEMU is started through the wrapper /tmp/qemu, which removes the argument for
the vGPU, and with a limit on locked memory that an unprivileged process may have.
"""
import glob
import json
import os
import subprocess

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


def make_startable(xml):
    """Returns the domain with the wrapper as its emulator and a locked-memory limit that needs no
    privileges.
    """
    xml = xml.replace('<devices>', '<devices><emulator>/tmp/qemu</emulator>', 1)
    limit = "<memtune><hard_limit unit='MiB'>8</hard_limit></memtune>"
    return xml.replace('<os>', limit + '<os>', 1)


def install_qemu():
    """Installs the wrapper of QEMU, and a configuration with which libvirtd can run it here."""
    with open('/tmp/qemu', 'w') as file:
        file.write(QEMU)
    os.chmod('/tmp/qemu', 0o755)
    # By default, libvirt gives QEMU a private /dev, which needs devices that are only files here.
    with open('/tmp/qemu.conf', 'w') as file, open('/etc/libvirt/qemu.conf') as original:
        file.write(original.read() + 'namespaces = []\ncgroup_controllers = []\nstdio_handler = "file"\n')
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
            domain = daemon.define(make_startable(file.read()))
        names[os.path.basename(path)[:-4]] = domain.name()
    answers = []
    with open(FOLDER + '/steps', encoding='utf-8') as file:
        steps = [line.split() for line in file.read().splitlines()]
    for step in steps:
        outcome = 'ok'
        try:
            if step[0] == 'restart-libvirtd':
                daemon.connection.close()
                daemon.daemon.terminate()
                daemon.daemon.wait()
                daemon.launch()
                # A domain answers only when libvirt has finished reconnecting to it.
                for domain in daemon.connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
                    domain.memoryStats()
            else:
                domain = daemon.connection.lookupByName(names[step[1]])
                {'start': domain.create, 'destroy': domain.destroy}[step[0]]()
        except libvirt.libvirtError as error:
            outcome = str(error)
        running = [file for file, name in names.items() if daemon.connection.lookupByName(name).isActive()]
        vgpus = sorted(os.listdir(VGPUS)) if os.path.isdir(VGPUS) else []
        answers.append({'step': ' '.join(step), 'said': outcome, 'vgpus': vgpus, 'running': running})
    with open(FOLDER + '/answers.json', 'w') as file:
        json.dump(answers, file, indent=1)


if __name__ == '__main__':
    main()
