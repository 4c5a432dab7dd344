#!/usr/bin/env python3
"""qemu-without-kvm.py: replaces QEMU on a machine without KVM.

libvirt refuses domains of type='kvm' unless QEMU reports that KVM works, so that is faked. This
script runs the real QEMU, which is next to it as PROGRAM.real, with TCG instead of KVM. When
libvirt probes QEMU's capabilities (machine `none`), the script also relays QMP between them and
changes two things: query-kvm (query-accelerators in newer QEMUs) is answered with yes, and the CPU
model `host`, which QEMU only has with KVM, is replaced by `max`.
"""
import json
import os
import re
import socket
import subprocess
import sys
import threading


def with_tcg(arguments):
    """Returns the arguments with TCG instead of KVM."""
    changed = []
    for argument in arguments:
        option = changed[-1].lstrip('-') if changed else ''
        if argument in ('-enable-kvm', '--enable-kvm'):
            continue
        if option == 'accel':
            argument = re.sub(r'^kvm\b', 'tcg', argument)
        elif option in ('machine', 'M'):
            argument = re.sub(r'\baccel=kvm(:tcg)?', 'accel=tcg', argument)
            argument = re.sub(r',kernel[_-]irqchip=[^,]*', '', argument)
        changed.append(argument)
    return changed


def relay_qmp(libvirt, qemu):
    """Relays QMP between libvirt and QEMU, reporting that KVM works, until one of them ends."""
    kvm_answers = {'query-kvm': True, 'query-accelerators': 'kvm'}
    kvm_questions = {}

    def relay_questions():
        for line in libvirt.makefile('rb'):
            question = json.loads(line)
            if question['execute'] in kvm_answers:
                kvm_questions[question['id']] = kvm_answers[question['execute']]
            model = question.get('arguments', {}).get('model', {})
            if question['execute'] == 'query-cpu-model-expansion' and model.get('name') == 'host':
                model['name'] = 'max'
            qemu.sendall(json.dumps(question).encode() + b'\n')
        qemu.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=relay_questions, daemon=True).start()
    for line in qemu.makefile('rb'):
        answer = json.loads(line)
        if answer.get('id') in kvm_questions and 'return' in answer:
            answer['return']['enabled'] = kvm_questions[answer['id']]
            line = json.dumps(answer).encode() + b'\r\n'
        libvirt.sendall(line)


def main():
    program = os.path.realpath(sys.argv[0]) + '.real'
    arguments = with_tcg(sys.argv[1:])
    monitor = next((argument for argument in arguments if argument.startswith('unix:') and 'server' in argument), None)
    if not monitor or '-daemonize' not in arguments or not any('accel=kvm' in argument for argument in sys.argv):
        os.execv(program, [program] + arguments)

    path = monitor[len('unix:'):].split(',')[0]
    real_path = '/tmp/qemu-%d.monitor' % os.getpid()
    arguments[arguments.index(monitor)] = monitor.replace(path, real_path)
    # QEMU daemonizes: when its first process exits, the monitor answers.
    status = subprocess.call([program] + arguments)
    if status:
        sys.exit(status)
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(1)
    if os.fork():
        # libvirt waits for this process to exit, and for its output to be closed.
        return
    null_device = os.open('/dev/null', os.O_RDWR)
    for stream in range(3):
        os.dup2(null_device, stream)
    qemu = socket.socket(socket.AF_UNIX)
    qemu.connect(real_path)
    relay_qmp(server.accept()[0], qemu)


if __name__ == '__main__':
    main()
