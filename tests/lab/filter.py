#!/usr/bin/env python3
"""filter.py target|source: two hosts, as in.sh has each, for what libvirt does with hooks that filter domains.

The target has the hooks in /folder/hooks, and /folder/gvtg-xml as /usr/local/bin/gvtg-xml; its libvirtd listens in /folder/target. The
source defines /folder/NAME.xml, and does each line of /folder/steps, with the target's libvirtd or its own: `move NAME` (the domain,
shut off, to the target), `cycle NAME` (it is defined on the target, started, saved and restored; without its vGPU, which is none here),
`program NAME` (/folder/NAME is gvtg-xml on the target from then on). /folder/answers.json has for each step: what libvirt
said ("ok" or its error), and the domain as the target has it then, or null.
"""
import json
import os
import subprocess
import sys
import time

import libvirt

from ask import Libvirt
from start import HOOKS, install_qemu, prepared

FOLDER = '/folder'
TARGET = FOLDER + '/target'
PROGRAM = FOLDER + '/program'
STATE = '/tmp/state'


def target():
    subprocess.run(['mount', '--bind', FOLDER + '/hooks', HOOKS], check=True)
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'programs', '/usr/local/bin'], check=True)
    os.symlink(PROGRAM, '/usr/local/bin/gvtg-xml')
    install_qemu()
    # Another host than the source, with a name that libvirt believes others find it by.
    subprocess.run(['hostname', 'target.example'], check=True)
    with open('/tmp/hosts', 'w') as file:
        file.write('127.0.0.1 localhost\n192.0.2.1 target.example target\n')
    open('/etc/hosts', 'a').close()
    subprocess.run(['mount', '--bind', '/tmp/hosts', '/etc/hosts'], check=True)
    os.makedirs(TARGET, exist_ok=True)
    with open('/tmp/libvirtd.conf', 'w') as file:
        file.write('unix_sock_dir = "%s"\nauth_unix_rw = "none"\nhost_uuid = "11111111-2222-4333-8444-555555555555"\n' % TARGET)
    os.execvp('libvirtd', ['libvirtd', '--config', '/tmp/libvirtd.conf'])


def connect():
    deadline = time.monotonic() + 60
    while True:
        try:
            return libvirt.open('qemu+unix:///system?socket=%s/libvirt-sock' % TARGET)
        except libvirt.libvirtError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def read(name):
    with open('%s/%s.xml' % (FOLDER, name), encoding='utf-8') as file:
        return file.read()


def move(here, there, name):
    flags = libvirt.VIR_MIGRATE_OFFLINE | libvirt.VIR_MIGRATE_PERSIST_DEST
    here.lookupByName(name).migrate3(there, {}, flags)


def cycle(_, there, name):
    domain = there.defineXML(prepared(read(name)))
    domain.create()
    try:
        domain.save(STATE)
        there.restore(STATE)
        if not domain.isActive():
            raise libvirt.libvirtError('it does not run')
    finally:
        if domain.isActive():
            domain.destroy()


def program(_, there, name):
    if os.path.lexists(PROGRAM):
        os.unlink(PROGRAM)
    os.symlink('%s/%s' % (FOLDER, name), PROGRAM)


def source():
    daemon = Libvirt()
    daemon.start()
    there = connect()
    with open(FOLDER + '/steps', encoding='utf-8') as file:
        steps = [line.split() for line in file.read().splitlines()]
    for name in {name for step, name in steps if step == 'move'}:
        daemon.define(read(name))
    answers = []
    for step, name in steps:
        said, kept = 'ok', None
        try:
            {'move': move, 'cycle': cycle, 'program': program}[step](daemon.connection, there, name)
        except libvirt.libvirtError as error:
            said = str(error)
        for domain in there.listAllDomains():
            kept = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
            domain.undefine()
        answers.append({'step': '%s %s' % (step, name), 'said': said, 'kept': kept})
    with open(FOLDER + '/answers.json', 'w') as file:
        json.dump(answers, file, indent=1)


if __name__ == '__main__':
    {'target': target, 'source': source}[sys.argv[1]]()
