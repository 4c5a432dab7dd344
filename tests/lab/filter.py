#!/usr/bin/env python3
"""filter.py target|source: runs one of two hosts that test hooks which filter domains.

in.sh runs each host. The target has the hooks in /folder/hooks, and a link to /folder/program as
/usr/local/bin/gvtg-xml; its libvirtd listens in /folder/target. The source defines each
/folder/NAME.xml that is moved and runs the lines of /folder/steps: `move NAME` migrates the shut
off domain to the target; `cycle NAME` defines, starts, saves and restores the domain on the target,
without its vGPU, which does not exist here; `program NAME` makes /folder/NAME the target's gvtg-xml
from then on. /folder/answers.json has for each step: libvirt's answer ("ok" or its error), and the
domain's XML as the target then has it, or null.
"""
import json
import os
import subprocess
import sys
import time

import libvirt

from ask import Libvirt
from start import HOOKS, install_qemu, make_startable

FOLDER = '/folder'
TARGET = FOLDER + '/target'
PROGRAM = FOLDER + '/program'
STATE = '/tmp/state'


def target():
    subprocess.run(['mount', '--bind', FOLDER + '/hooks', HOOKS], check=True)
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'programs', '/usr/local/bin'], check=True)
    os.symlink(PROGRAM, '/usr/local/bin/gvtg-xml')
    install_qemu()
    # A migration needs a host name that differs from the source's and that libvirt considers
    # resolvable by others.
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


def migrate(source_connection, target_connection, name):
    flags = libvirt.VIR_MIGRATE_OFFLINE | libvirt.VIR_MIGRATE_PERSIST_DEST
    source_connection.lookupByName(name).migrate3(target_connection, {}, flags)


def run_save_restore(_, target_connection, name):
    domain = target_connection.defineXML(make_startable(read(name)))
    domain.create()
    try:
        domain.save(STATE)
        target_connection.restore(STATE)
        if not domain.isActive():
            raise libvirt.libvirtError('it does not run')
    finally:
        if domain.isActive():
            domain.destroy()


def switch_program(_, target_connection, name):
    if os.path.lexists(PROGRAM):
        os.unlink(PROGRAM)
    os.symlink('%s/%s' % (FOLDER, name), PROGRAM)


def source():
    daemon = Libvirt()
    daemon.start()
    target_connection = connect()
    with open(FOLDER + '/steps', encoding='utf-8') as file:
        steps = [line.split() for line in file.read().splitlines()]
    for name in {name for step, name in steps if step == 'move'}:
        daemon.define(read(name))
    answers = []
    for step, name in steps:
        outcome, kept_xml = 'ok', None
        try:
            {'move': migrate, 'cycle': run_save_restore, 'program': switch_program}[step](daemon.connection, target_connection, name)
        except libvirt.libvirtError as error:
            outcome = str(error)
        for domain in target_connection.listAllDomains():
            kept_xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
            domain.undefine()
        answers.append({'step': '%s %s' % (step, name), 'said': outcome, 'kept': kept_xml})
    with open(FOLDER + '/answers.json', 'w') as file:
        json.dump(answers, file, indent=1)


if __name__ == '__main__':
    {'target': target, 'source': source}[sys.argv[1]]()
