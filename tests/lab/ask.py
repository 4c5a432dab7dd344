#!/usr/bin/env python3
"""ask.py [--qemu] [--no-argv] [--validate-only] SUITE: asks the libvirt (and QEMU) of the chroot it runs in about
every /folder/*.xml, and writes /folder/SUITE.json, an object that has for each file name:

define      "ok", or why libvirt refuses the file ("crash: …" where libvirtd dies of it)
validate    the same with VIR_DOMAIN_DEFINE_VALIDATE, which also holds the file against the schema
dumpxml     what libvirt keeps of it: its inactive XML with passwords; null when it refuses it
argv        the arguments libvirt would start it with (`virsh domxml-to-native qemu-argv`), the environment's
            assignments first; null when there are none, and then argv_error says why
qemu        with --qemu: what QEMU says on stderr when started on these; "started" is added as the last line when it
            came up, "timeout" when it did neither in QEMU_SECONDS. A good vGPU domain says nothing but
            `…: vfio /sys/bus/mdev/devices/UUID: no such host device`

--no-argv leaves out the last three; --validate-only all but validate. Where there is a NAME.beside for NAME.xml, that
domain is there already.

Of the argv, QEMU gets what makes the machine, its vGPU, its displays and its properties, unchanged. What needs files,
daemons, host devices or KVM that are not here is replaced or left out: see class Arguments.
It gets the environment that libvirt gives it and no other: a GTK window without DISPLAY fails here as it would
elsewhere. An X server answers on the display that DISPLAY names.
"""
import argparse
import itertools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time

import libvirt

FOLDER = '/folder'
START_SECONDS = 60
ANSWER_SECONDS = 60
QEMU_SECONDS = 20
# What Mesa, SDL and GTK's picture loader find missing in a chroot, and do without.
LIBRARY_NOISE = ('MESA', 'libEGL', 'WARNING: Glycin', 'error: XDG_RUNTIME_DIR')


class CannotAsk(Exception):
    """libvirtd does not work here at all."""


class Crash(Exception):
    """libvirtd died of the question, or never answered it."""


class Libvirt:
    """A libvirtd of our own, started again when it dies."""

    log = '/tmp/libvirtd.log'

    def __init__(self):
        self.daemon = None
        self.connection = None
        libvirt.registerErrorHandler(lambda *_: None, None)

    def start(self):
        # A domain that was left from before a crash would be in the way of the next one of its name.
        subprocess.run('rm -rf /etc/libvirt/qemu/* /var/lib/libvirt/* /run/libvirt /run/libvirtd.pid',
                       shell=True, check=True)
        self.launch()

    def launch(self):
        """Starts libvirtd with what it knows from before, and connects to it."""
        try:
            with open(self.log, 'wb') as log:
                self.daemon = subprocess.Popen(['libvirtd'], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        except OSError as error:
            raise CannotAsk('libvirtd does not start: %s' % error)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connection = libvirt.open('qemu:///system')
                return
            except libvirt.libvirtError as error:
                if self.daemon.poll() is not None or time.monotonic() > deadline:
                    with open(self.log, errors='replace') as log:
                        raise CannotAsk('libvirtd does not start: %s\n%s' % (error, log.read()[-2000:]))
                time.sleep(0.05)

    def ask(self, question, *arguments):
        """Calls a function of libvirt's, and turns the death of libvirtd into a Crash."""
        # The binding does not listen to signals while it waits, but it comes back when libvirtd is gone.
        watchdog = threading.Timer(ANSWER_SECONDS, self.daemon.kill)
        watchdog.start()
        try:
            return question(*arguments)
        except libvirt.libvirtError as error:
            if not self.connection.isAlive():
                killed = self.stop() == -signal.SIGKILL
                self.start()
                raise Crash('crash: ' + ('no answer in %d seconds' % ANSWER_SECONDS if killed else str(error)))
            raise
        finally:
            watchdog.cancel()

    def stop(self):
        """Ends libvirtd if it still runs, and returns what it ended with."""
        try:
            return self.daemon.wait(5)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            return self.daemon.wait()

    def define(self, xml, flags=0):
        return self.ask(self.connection.defineXMLFlags, xml, flags)

    def argv(self, xml):
        # What a start finds out, the conversion wants to be told: the driver of a PCI device and the place of a USB one.
        xml = re.sub(r"(<hostdev mode='subsystem' type='pci'[^>]*>)(?!\s*<driver)", r"\1<driver name='vfio'/>", xml)
        numbers = itertools.count(2)
        xml = re.sub(r"(<product id='[^']*'/>)(\s*</source>)",
                     lambda found: f"{found[1]}<address bus='1' device='{next(numbers)}'/>{found[2]}", xml)
        command = self.ask(self.connection.domainXMLToNative, 'qemu-argv', xml, 0)
        return shlex.split(command.replace('\\\n', ''))

    def undefine(self, domain):
        flags = 0
        for flag in ('MANAGED_SAVE', 'SNAPSHOTS_METADATA', 'CHECKPOINTS_METADATA', 'NVRAM', 'TPM'):
            flags |= getattr(libvirt, 'VIR_DOMAIN_UNDEFINE_' + flag, 0)
        self.ask(domain.undefineFlags, flags)


def answers_on(daemon, path, options):
    """Everything that libvirt and QEMU say about one file, beside the other domain that it may have."""
    beside = path[:-len('.xml')] + '.beside'
    if not os.path.exists(beside):
        return answers_alone(daemon, path, options)
    with open(beside, encoding='utf-8') as file:
        other = daemon.define(file.read())
    try:
        return answers_alone(daemon, path, options)
    finally:
        daemon.undefine(other)


def answers_alone(daemon, path, options):
    """Everything that libvirt and QEMU say about one file."""
    answers = {}
    try:
        # Not in text mode, which would change line ends.
        with open(path, 'rb') as file:
            xml = file.read().decode('utf-8')
        if '\0' in xml:
            raise ValueError('it has a NUL character')
    except ValueError as error:
        return dict.fromkeys(('define', 'validate', 'argv_error'), 'unreadable: %s' % error)

    # A domain of the same name and another, newly made uuid is refused: undefine between the two.
    try:
        daemon.undefine(daemon.define(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE))
        answers['validate'] = 'ok'
    except (libvirt.libvirtError, Crash) as error:
        answers['validate'] = str(error)
    if options.validate_only:
        return answers

    answers.update(dumpxml=None, argv=None)
    try:
        domain = daemon.define(xml)
        answers['define'] = 'ok'
    except (libvirt.libvirtError, Crash) as error:
        answers['define'] = str(error)
        answers['argv_error'] = 'not defined'
        return answers
    try:
        answers['dumpxml'] = daemon.ask(
            domain.XMLDesc, libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
        if options.no_argv:
            answers['argv_error'] = 'not asked'
        else:
            answers['argv'] = daemon.argv(answers['dumpxml'])
        daemon.undefine(domain)
    except Crash as error:
        answers['argv_error'] = str(error)
    except libvirt.libvirtError as error:
        answers['argv_error'] = str(error)
        daemon.undefine(domain)
    if options.qemu and answers['argv']:
        answers['qemu'] = Arguments(answers['argv']).run()
    return answers


def fields(value):
    """`a,b=c` as [('a', None), ('b', 'c')]; a comma inside a value is doubled."""
    parts = value.replace(',,', '\0').split(',')
    return [(name.replace('\0', ',,'), rest.replace('\0', ',,') if equals else None)
            for name, equals, rest in (part.partition('=') for part in parts)]


def text(pairs):
    return ','.join(name if value is None else '%s=%s' % (name, value) for name, value in pairs)


class Arguments:
    """libvirt's argv, changed so that QEMU can run on it here.

    left out   -sandbox, -cpu, -msg (no times in the answer), -overcommit, -mem-prealloc, -mem-path, every monitor,
               secrets, TLS, TPMs, shared folders, vhost and ivshmem-doorbell devices, -global for KVM's devices,
               -kernel, -initrd and -dtb of files that are not here
    replaced   KVM by TCG, disks by empty ones, network backends by `user`, chardevs but SPICE's, D-Bus's and
               qemu-vdagent's by `null`, memory backends that are files by plain ones, audio backends but SPICE's
               and D-Bus's by `none`, other PCI host devices by pci-testdev, USB ones by usb-host that waits for one
    added      -S (nothing runs in the machine), and a monitor that reads `quit`, which it does when QEMU is up
    """

    left_out = {'sandbox': 1, 'cpu': 1, 'overcommit': 1, 'mem-prealloc': 0, 'mem-path': 1, 'mon': 1, 'tpmdev': 1,
                'fsdev': 1, 'S': 0, 'add-fd': 1, 'enable-kvm': 0, 'monitor': 1, 'qmp': 1, 'msg': 1}
    alone = {'S', 'nodefaults', 'no-user-config', 'no-hpet', 'no-acpi', 'no-reboot', 'no-shutdown', 'no-fd-bootchk',
             'enable-kvm', 'nographic', 'snapshot', 'full-screen', 'usb', 'mem-prealloc', 'daemonize', 'only-migratable',
             'win2k-hack', 'no-quit', 'alt-grab', 'ctrl-grab', 'h', 'help', 'version', 'singlestep', 'preconfig'}

    def __init__(self, argv):
        self.environment = {}
        rest = list(argv)
        while rest and re.match(r'[A-Za-z_][A-Za-z0-9_]*=', rest[0]):
            name, _, value = rest.pop(0).partition('=')
            self.environment[name] = value
        self.argv = [rest.pop(0)]
        while rest:
            option = rest.pop(0)
            name = option.lstrip('-')
            if not option.startswith('-'):
                self.argv.append(option)
                continue
            value = None
            if name not in self.alone and rest:
                value = rest.pop(0)
            self.add(option, name, value)
        self.argv += ['-S', '-monitor', 'stdio']

    def add(self, option, name, value):
        if name in self.left_out:
            return
        change = getattr(self, 'change_' + name.replace('-', '_'), None)
        if change and value is not None:
            value = change(value)
            if value is None:
                return
        self.argv += [option] if value is None else [option, value]

    # Each change_OPTION returns the option's new value, or None to leave the option out.

    def change_accel(self, value):
        return 'tcg'

    def change_machine(self, value):
        pairs = fields(value)
        return text([(name, 'tcg' if name == 'accel' else rest) for name, rest in pairs
                     if name not in ('kernel_irqchip', 'kernel-irqchip', 'kvm_shadow_mem', 'mem-merge')])

    def change_global(self, value):
        return None if value.startswith('kvm') else value

    def change_kernel(self, value):
        return value if os.path.exists(value) else None

    change_initrd = change_dtb = change_kernel

    def change_append(self, value):
        return value if '-kernel' in self.argv else None

    def change_boot(self, value):
        return text([pair for pair in fields(value) if pair[0] != 'splash'])

    def change_smbios(self, value):
        return None if value.startswith('file=') else value

    def change_blockdev(self, value):
        node = json.loads(value) if value.startswith('{') else dict(fields(value))
        name = node['node-name']
        if node['driver'] == 'file' and os.path.exists(node['filename']) and node['filename'].startswith('/usr/'):
            return value  # firmware
        if isinstance(node.get('file'), str):
            return json.dumps({'driver': 'raw', 'node-name': name, 'file': node['file'],
                               'read-only': node.get('read-only', False)})
        # 1 MiB: as much as a flash chip may have, and a disk does not mind.
        return json.dumps({'driver': 'null-co', 'node-name': name, 'size': 1 << 20})

    def change_drive(self, value):
        pairs = dict(fields(value))
        if pairs.get('if') == 'pflash':
            return None
        kept = [(name, rest) for name, rest in pairs.items() if name in ('if', 'id', 'index', 'bus', 'unit', 'media')]
        if 'file' in pairs:
            kept += [('file', 'null-co://'), ('format', 'raw')]
        return text(kept)

    def change_netdev(self, value):
        return 'user,id=%s,restrict=on' % self.get(value, 'id')

    def change_chardev(self, value):
        if value.split(',')[0] in ('spicevmc', 'spiceport', 'qemu-vdagent', 'dbus'):
            return value
        name = self.get(value, 'id')
        return None if name == 'charmonitor' else 'null,id=' + name

    def change_audiodev(self, value):
        backend = self.get(value, 'driver') or value.split(',')[0]
        return value if backend in ('none', 'spice', 'dbus') else 'none,id=' + self.get(value, 'id')

    def change_object(self, value):
        kind = self.get(value, 'qom-type') or value.split(',')[0]
        if kind == 'secret' or kind.startswith(('tls-', 'monitor-')):
            return None
        if kind == 'input-linux':
            return value if os.path.exists(self.get(value, 'evdev') or '') else None
        if kind == 'rng-random':
            return 'rng-random,id=' + self.get(value, 'id')
        if kind.startswith('memory-backend'):
            size = self.get(value, 'size')
            shared = 'on' if str(self.get(value, 'share')) in ('True', 'on', 'yes') else 'off'
            return 'memory-backend-ram,id=%s,size=%s,share=%s' % (self.get(value, 'id'), size, shared)
        return value

    def change_spice(self, value):
        return text([pair for pair in fields(value)
                     if pair[0] not in ('tls-port', 'x509-dir', 'tls-channel', 'password-secret')])

    def change_vnc(self, value):
        return text([pair for pair in fields(value) if pair[0] not in ('tls-creds', 'password-secret')])

    def change_device(self, value):
        driver = self.get(value, 'driver') or value.split(',')[0]
        if driver.startswith(('vhost-', 'virtio-9p-', 'tpm-', 'ivshmem-doorbell')):
            return None
        if driver.startswith('vfio-pci') and self.get(value, 'host') is not None:
            value = self.keep(value, ('id', 'bus', 'addr', 'multifunction'), 'pci-testdev')
        elif driver == 'usb-host':
            value = self.keep(value, ('id', 'bus', 'port', 'vendorid', 'productid'), 'usb-host')
        return value

    @staticmethod
    def get(value, name):
        """A property's value, of JSON or of the older syntax."""
        pairs = json.loads(value) if value.startswith('{') else dict(fields(value))
        return pairs.get(name)

    @staticmethod
    def keep(value, names, driver):
        """The device with these of its properties, as another driver, in the syntax it came in (-set needs it)."""
        if value.startswith('{'):
            device = json.loads(value)
            return json.dumps(dict({name: device[name] for name in names if name in device}, driver=driver))
        return text([(driver, None)] + [pair for pair in fields(value) if pair[0] in names])

    def run(self):
        show_display(self.environment.get('DISPLAY', ''))
        # The folders of the domain, which libvirt makes when it starts it.
        for word in [self.environment.get('HOME', '')] + self.argv:
            for folder in re.findall(r'/var/lib/libvirt/qemu/domain-[^/,"]*', word):
                os.makedirs(folder, exist_ok=True)
        qemu = subprocess.Popen(self.argv, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, cwd='/')
        try:
            said = qemu.communicate(b'quit\n', timeout=QEMU_SECONDS)[1]
            end = 'started' if qemu.returncode == 0 else ''
            if qemu.returncode < 0:
                end = 'killed by signal %d' % -qemu.returncode
        except subprocess.TimeoutExpired:
            qemu.kill()
            said, end = qemu.communicate()[1], 'timeout'
        lines = said.decode('utf-8', 'replace').splitlines()
        return '\n'.join([line for line in lines if line and not line.startswith(LIBRARY_NOISE)] + [end]).strip()


shown = {}


def show_display(display):
    """Sees to it that an X server answers on this display, if it is one of this machine."""
    match = re.fullmatch(r'(?:unix)?:(\d+)(?:\.\d+)?', display)
    if not match or match.group(1) in shown:
        return
    number = match.group(1)
    # -noreset: otherwise it begins anew when its last client leaves, and refuses those that come meanwhile.
    shown[number] = subprocess.Popen(['Xvfb', ':' + number, '-ac', '-noreset', '-screen', '0', '1024x768x24'],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + START_SECONDS
    while not os.path.exists('/tmp/.X11-unix/X' + number):
        if shown[number].poll() is not None or time.monotonic() > deadline:
            raise CannotAsk('Xvfb does not start on display :' + number)
        time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--qemu', action='store_true')
    parser.add_argument('--no-argv', action='store_true')
    parser.add_argument('--validate-only', action='store_true')
    parser.add_argument('suite')
    options = parser.parse_args()

    names = sorted(name for name in os.listdir(FOLDER) if name.endswith('.xml'))
    if not names:
        raise CannotAsk('no .xml file in the folder')
    daemon = Libvirt()
    daemon.start()
    answers = {name: answers_on(daemon, os.path.join(FOLDER, name), options) for name in names}

    output = os.path.join(FOLDER, options.suite + '.json')
    with open(output + '.new', 'w', encoding='utf-8') as file:
        json.dump(answers, file, indent=1, ensure_ascii=False, sort_keys=True)
        file.write('\n')
    owner = os.stat(FOLDER)
    os.chown(output + '.new', owner.st_uid, owner.st_gid)
    os.replace(output + '.new', output)


if __name__ == '__main__':
    try:
        main()
    except CannotAsk as error:
        print('ask.py: %s' % error, file=sys.stderr)
        sys.exit(2)
