#!/usr/bin/env python3
"""qemu-without-kvm.py: in the place of a QEMU on a machine that has no KVM, so that libvirt believes in one.

libvirt refuses every domain of type='kvm' unless QEMU told it that KVM works. This runs the real QEMU, which lies beside it as
PROGRAM.real, with TCG in the place of KVM. Where libvirt asks what QEMU can do (machine `none`), it also stands between the two, and
changes two things: query-kvm (query-accelerators, where QEMU has it) is answered with yes, and the CPU model `host`, which QEMU has with KVM only, is asked for as `max`.
"""
import json
import os
import re
import socket
import subprocess
import sys
import threading


def with_tcg(arguments):
    """The arguments with TCG in the place of KVM."""
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


def with_kvm(libvirt, qemu):
    """Passes lines of QMP between a libvirt and a QEMU until one of them ends."""
    kvm_answers = {'query-kvm': True, 'query-accelerators': 'kvm'}
    asked = {}

    def questions():
        for line in libvirt.makefile('rb'):
            question = json.loads(line)
            if question['execute'] in kvm_answers:
                asked[question['id']] = kvm_answers[question['execute']]
            model = question.get('arguments', {}).get('model', {})
            if question['execute'] == 'query-cpu-model-expansion' and model.get('name') == 'host':
                model['name'] = 'max'
            qemu.sendall(json.dumps(question).encode() + b'\n')
        qemu.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=questions, daemon=True).start()
    for line in qemu.makefile('rb'):
        answer = json.loads(line)
        if answer.get('id') in asked and 'return' in answer:
            answer['return']['enabled'] = asked[answer['id']]
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
    # It is ready, and answers at its monitor, when its first process has ended.
    status = subprocess.call([program] + arguments)
    if status:
        sys.exit(status)
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(1)
    if os.fork():
        # libvirt waits for this process, and for what it may still say.
        return
    nothing = os.open('/dev/null', os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    qemu = socket.socket(socket.AF_UNIX)
    qemu.connect(real_path)
    with_kvm(server.accept()[0], qemu)


if __name__ == '__main__':
    main()
