#!/usr/bin/env python3
"""ask.py [--qemu] [--no-argv] [--validate-only] SUITE: asks libvirt and QEMU about domains.

Reads each /folder/*.xml and writes /folder/SUITE.json, an object that has for each file name:

define      "ok", or libvirt's error ("crash: …" if libvirtd dies)
validate    like define, with VIR_DOMAIN_DEFINE_VALIDATE, which also checks the file against the
            schema
dumpxml     the inactive XML, with passwords, that libvirt stores; null if it refuses the file
argv        the command line that libvirt would start QEMU with (`virsh domxml-to-native qemu-argv`),
            preceded by the environment's assignments; null if there is none, and then argv_error
            has the reason
qemu        with --qemu: QEMU's stderr when it is started with this command line, followed by the
            line "started" if it came up, or "timeout" if it neither came up nor exited in
            QEMU_SECONDS. For a correct vGPU domain the only other line is
            `…: vfio /sys/bus/mdev/devices/UUID: no such host device`

--no-argv leaves out argv and qemu; --validate-only leaves out everything but validate. If there is
a NAME.beside for NAME.xml, that domain is defined while NAME.xml is tried.

QEMU gets those arguments unchanged that make up the machine, its vGPU, its displays and their
properties. Arguments that need files, daemons, host devices or KVM, which do not exist here, are
replaced or left out: see class Arguments. QEMU's environment is exactly the one that libvirt would
give it, so a GTK window without DISPLAY fails here as it would elsewhere. An X server answers on
the display that DISPLAY names.
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
# Harmless messages of Mesa, SDL and GTK's picture loader about things missing in a chroot.
LIBRARY_NOISE = ('MESA', 'libEGL', 'WARNING: Glycin', 'error: XDG_RUNTIME_DIR')


class CannotAsk(Exception):
    """Raised if libvirtd does not work in this chroot at all."""


class Crash(Exception):
    """Raised if libvirtd died during a call or did not answer in time."""


class Libvirt:
    """A private libvirtd, which is started again when it dies."""

    log = '/tmp/libvirtd.log'

    def __init__(self):
        self.daemon = None
        self.connection = None
        libvirt.registerErrorHandler(lambda *_: None, None)

    def start(self):
        # A domain left over from before a crash would conflict with the next one of the same name.
        subprocess.run('rm -rf /etc/libvirt/qemu/* /var/lib/libvirt/* /run/libvirt /run/libvirtd.pid',
                       shell=True, check=True)
        self.launch()

    def launch(self):
        """Starts libvirtd with its existing state and connects to it."""
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
        """Calls a libvirt function; raises Crash if libvirtd dies or does not answer."""
        # The binding ignores signals while it waits, but returns when libvirtd is killed.
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
        """Stops libvirtd if it still runs and returns its exit status."""
        try:
            return self.daemon.wait(5)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            return self.daemon.wait()

    def define(self, xml, flags=0):
        return self.ask(self.connection.defineXMLFlags, xml, flags)

    def argv(self, xml):
        # The conversion needs facts that libvirt otherwise determines when it starts a domain: the
        # driver of a PCI device and the bus address of a USB device.
        xml = re.sub(r"(<hostdev mode='subsystem' type='pci'[^>]*>)(?!\s*<driver)", r"\1<driver name='vfio'/>", xml)
        numbers = itertools.count(2)
        xml = re.sub(r"(<product id='[^']*'/>)(\s*</source>)",
                     lambda match: f"{match[1]}<address bus='1' device='{next(numbers)}'/>{match[2]}", xml)
        command = self.ask(self.connection.domainXMLToNative, 'qemu-argv', xml, 0)
        return shlex.split(command.replace('\\\n', ''))

    def undefine(self, domain):
        flags = 0
        for flag in ('MANAGED_SAVE', 'SNAPSHOTS_METADATA', 'CHECKPOINTS_METADATA', 'NVRAM', 'TPM'):
            flags |= getattr(libvirt, 'VIR_DOMAIN_UNDEFINE_' + flag, 0)
        self.ask(domain.undefineFlags, flags)


def answers_with_neighbor(daemon, path, options):
    """Returns the answers for one file, with the domain in its NAME.beside, if any, defined."""
    neighbor_path = path[:-len('.xml')] + '.beside'
    if not os.path.exists(neighbor_path):
        return answers_for(daemon, path, options)
    with open(neighbor_path, encoding='utf-8') as file:
        neighbor = daemon.define(file.read())
    try:
        return answers_for(daemon, path, options)
    finally:
        daemon.undefine(neighbor)


def answers_for(daemon, path, options):
    """Returns the answers for one file, as described at the top of this script."""
    answers = {}
    try:
        # Not in text mode, which would change line endings.
        with open(path, 'rb') as file:
            xml = file.read().decode('utf-8')
        if '\0' in xml:
            raise ValueError('it has a NUL character')
    except ValueError as error:
        return dict.fromkeys(('define', 'validate', 'argv_error'), 'unreadable: %s' % error)

    # Undefine in between: a file without a uuid gets a new one each time, and libvirt refuses a
    # domain with the same name and another uuid.
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


def split_fields(value):
    """Splits `a,b=c` into [('a', None), ('b', 'c')]; a doubled comma is part of a value."""
    parts = value.replace(',,', '\0').split(',')
    return [(name.replace('\0', ',,'), rest.replace('\0', ',,') if equals else None)
            for name, equals, rest in (part.partition('=') for part in parts)]


def join_fields(pairs):
    return ','.join(name if value is None else '%s=%s' % (name, value) for name, value in pairs)


class Arguments:
    """libvirt's argv, changed so that QEMU can run with it in the chroot.

    left out   -sandbox, -cpu, -msg (it adds times to messages), -overcommit, -mem-prealloc,
               -mem-path, all monitors, secrets, TLS, TPMs, shared folders, vhost and
               ivshmem-doorbell devices, -global for KVM's devices, -kernel, -initrd and -dtb with
               files that do not exist here
    replaced   KVM by TCG, disks by empty ones, network backends by `user`, memory backends that are
               files by plain ones, PCI host devices other than the vGPU by pci-testdev, USB host
               devices by usb-host, which waits for a device, chardevs by `null` (except those of
               SPICE, D-Bus and qemu-vdagent), audio backends by `none` (except SPICE's and D-Bus's)
    added      -S (the guest does not run), and a monitor on stdin, which reads `quit` once QEMU is
               up
    """

    ignored_options = {
        'sandbox': 1, 'cpu': 1, 'overcommit': 1, 'mem-prealloc': 0, 'mem-path': 1, 'mon': 1, 'tpmdev': 1,
        'fsdev': 1, 'S': 0, 'add-fd': 1, 'enable-kvm': 0, 'monitor': 1, 'qmp': 1, 'msg': 1}
    options_without_value = {
        'S', 'nodefaults', 'no-user-config', 'no-hpet', 'no-acpi', 'no-reboot', 'no-shutdown', 'no-fd-bootchk',
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
            if name not in self.options_without_value and rest:
                value = rest.pop(0)
            self.add(option, name, value)
        self.argv += ['-S', '-monitor', 'stdio']

    def add(self, option, name, value):
        if name in self.ignored_options:
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
        pairs = split_fields(value)
        return join_fields([(name, 'tcg' if name == 'accel' else rest) for name, rest in pairs
                     if name not in ('kernel_irqchip', 'kernel-irqchip', 'kvm_shadow_mem', 'mem-merge')])

    def change_global(self, value):
        return None if value.startswith('kvm') else value

    def change_kernel(self, value):
        return value if os.path.exists(value) else None

    change_initrd = change_dtb = change_kernel

    def change_append(self, value):
        return value if '-kernel' in self.argv else None

    def change_boot(self, value):
        return join_fields([pair for pair in split_fields(value) if pair[0] != 'splash'])

    def change_smbios(self, value):
        return None if value.startswith('file=') else value

    def change_blockdev(self, value):
        node = json.loads(value) if value.startswith('{') else dict(split_fields(value))
        name = node['node-name']
        if node['driver'] == 'file' and os.path.exists(node['filename']) and node['filename'].startswith('/usr/'):
            return value  # firmware
        if isinstance(node.get('file'), str):
            return json.dumps({'driver': 'raw', 'node-name': name, 'file': node['file'],
                               'read-only': node.get('read-only', False)})
        # 1 MiB is the most that a flash chip may have; a disk may have any size.
        return json.dumps({'driver': 'null-co', 'node-name': name, 'size': 1 << 20})

    def change_drive(self, value):
        pairs = dict(split_fields(value))
        if pairs.get('if') == 'pflash':
            return None
        kept = [(name, rest) for name, rest in pairs.items() if name in ('if', 'id', 'index', 'bus', 'unit', 'media')]
        if 'file' in pairs:
            kept += [('file', 'null-co://'), ('format', 'raw')]
        return join_fields(kept)

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
        return join_fields([pair for pair in split_fields(value)
                     if pair[0] not in ('tls-port', 'x509-dir', 'tls-channel', 'password-secret')])

    def change_vnc(self, value):
        return join_fields([pair for pair in split_fields(value) if pair[0] not in ('tls-creds', 'password-secret')])

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
        """Returns a property's value, from JSON or from the key=value syntax."""
        pairs = json.loads(value) if value.startswith('{') else dict(split_fields(value))
        return pairs.get(name)

    @staticmethod
    def keep(value, names, driver):
        """Returns the device with another driver and only these properties.

        The syntax (JSON or key=value) is kept, because -set needs it.
        """
        if value.startswith('{'):
            device = json.loads(value)
            return json.dumps(dict({name: device[name] for name in names if name in device}, driver=driver))
        return join_fields([(driver, None)] + [pair for pair in split_fields(value) if pair[0] in names])

    def run(self):
        show_display(self.environment.get('DISPLAY', ''))
        # The domain's folders, which libvirt creates when it starts the domain.
        for word in [self.environment.get('HOME', '')] + self.argv:
            for folder in re.findall(r'/var/lib/libvirt/qemu/domain-[^/,"]*', word):
                os.makedirs(folder, exist_ok=True)
        qemu = subprocess.Popen(self.argv, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, cwd='/')
        try:
            stderr = qemu.communicate(b'quit\n', timeout=QEMU_SECONDS)[1]
            end = 'started' if qemu.returncode == 0 else ''
            if qemu.returncode < 0:
                end = 'killed by signal %d' % -qemu.returncode
        except subprocess.TimeoutExpired:
            qemu.kill()
            stderr, end = qemu.communicate()[1], 'timeout'
        lines = stderr.decode('utf-8', 'replace').splitlines()
        return '\n'.join([line for line in lines if line and not line.startswith(LIBRARY_NOISE)] + [end]).strip()


x_servers = {}


def show_display(display):
    """Starts an X server on this display, if it is a local one and not started yet."""
    match = re.fullmatch(r'(?:unix)?:(\d+)(?:\.\d+)?', display)
    if not match or match.group(1) in x_servers:
        return
    number = match.group(1)
    # -noreset: otherwise the server resets after its last client and refuses new ones meanwhile.
    x_servers[number] = subprocess.Popen(['Xvfb', ':' + number, '-ac', '-noreset', '-screen', '0', '1024x768x24'],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + START_SECONDS
    while not os.path.exists('/tmp/.X11-unix/X' + number):
        if x_servers[number].poll() is not None or time.monotonic() > deadline:
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
    answers = {name: answers_with_neighbor(daemon, os.path.join(FOLDER, name), options) for name in names}

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
