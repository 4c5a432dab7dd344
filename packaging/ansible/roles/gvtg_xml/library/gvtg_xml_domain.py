#!/usr/bin/python
"""Fixes a domain with `virsh dumpxml`, `gvtg-xml fix` and `virsh define --validate`.

All steps are in one module rather than in tasks, so that only milliseconds pass between reading and
defining a domain, in which it could be edited, its passwords do not leave the host, and check mode
can report what would change.
"""
import datetime
import difflib
import json
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: gvtg_xml_domain
short_description: Give a libvirt domain an Intel GVT-g vGPU
description:
  - Reads the inactive XML of a domain, fixes it with C(gvtg-xml fix), and defines the result if it differs.
  - A running domain is not interrupted; the new XML takes effect at its next start.
  - Nothing is defined if C(gvtg-xml fix) fails, leaves an error, or changes nothing.
  - The old XML is saved to a file before anything is defined.
options:
  name: {description: The domain's name., type: str, required: true}
  program: {description: The gvtg-xml to run., type: str, default: gvtg-xml}
  flags: {description: Flags for C(gvtg-xml fix)., type: list, elements: str, default: []}
  uri: {description: The URI of the libvirt connection., type: str, default: 'qemu:///system'}
  backup_folder: {description: The folder for backups of the old XML., type: path, required: true}
author: [The gvtg-xml developers]
"""

EXAMPLES = r"""
- name: Give win10 a vGPU
  gvtg_xml_domain:
    name: win10
    flags: [--libvirt, installed, --type, i915-GVTg_V5_4]
    backup_folder: /var/backups/gvtg-xml
"""

RETURN = r"""
report:
  description:
    - C(state) is C(right) (nothing to fix), C(fixed), or the reason why the domain was left unchanged - C(held) (an error is left that
      must be fixed by hand), C(failed) (fix failed) or C(refused) (C(virsh define --validate) rejected the result); C(message) then has
      their output.
    - C(left) lists the findings that are left, C(running) tells whether the domain is running, C(saved)
      whether its next start restores a saved state, C(backup) is the file with the old XML.
  type: dict
  returned: success
xml: {description: The domain's XML without its passwords; in check mode the XML that it would have., type: str, returned: success}
"""

# Exit codes of `fix --fail-on error`; any other one means that fix failed.
NOTHING_LEFT, ERRORS_LEFT = 0, 1


class Domain:
    """A domain of this host's libvirt, identified by its name."""

    def __init__(self, module):
        self.module = module
        self.name = module.params['name']

    def virsh(self, *arguments, stdin=b''):
        """Runs virsh; returns the exit status, stdout as bytes, and stderr as text."""
        return self.run(['virsh', '--quiet', '--connect', self.module.params['uri'], *arguments], stdin)

    def run(self, command, stdin=b''):
        # fix would write a DISPLAY from the environment of the play into the domain.
        environment = dict(os.environ, LC_ALL='C.UTF-8', DISPLAY='')
        # Not run_command, which fails if a program exits before it has read its whole stdin.
        done = subprocess.run(command, input=stdin, capture_output=True, env=environment, check=False)
        return done.returncode, done.stdout, done.stderr.decode('utf-8', 'replace').strip()

    def is_listed(self, *which):
        status, names, err = self.virsh('list', '--name', *which)
        if status:
            self.fail('virsh list', err)
        return self.name in names.decode('utf-8').splitlines()

    def dump(self):
        """Returns the inactive XML as bytes, with the passwords, which `virsh define` needs."""
        status, text, err = self.virsh('dumpxml', '--inactive', '--security-info', f'--domain={self.name}')
        if status:
            self.fail('virsh dumpxml', err)
        # virsh also accepts an id or a uuid here, so the name may have selected another domain.
        found = ElementTree.fromstring(text).findtext('name')
        if found != self.name:
            self.fail('virsh dumpxml', f'virsh takes this name for the id of the running domain {found!r}: shut that domain down first')
        return text

    def fix(self, text):
        """Runs `gvtg-xml fix`; returns its status, the fixed XML, the findings that are left, and
        its stderr.
        """
        report = os.path.join(self.module.tmpdir, 'report.json')
        command = [self.module.params['program'], 'fix', '--fail-on', 'error', '--stdin-filename', self.name + '.xml',
                   '--format', 'json', '--output-file', report, *self.module.params['flags']]
        status, fixed, err = self.run(command, text)
        if status not in (NOTHING_LEFT, ERRORS_LEFT):
            return status, text, [], err
        with open(report, encoding='utf-8') as file:
            findings = json.load(file)['diagnostics']
        left = [f"{one['severity']}[{one['rule']}] {one['message']}" + (f"; {one['help']}" if one['help'] else '')
                for one in findings if one['state'] == 'left']
        return status, fixed, left, err

    def back_up(self, text):
        """Writes the XML to a new file that only root can read, because it has passwords; returns
        its path.
        """
        folder = self.module.params['backup_folder']
        os.makedirs(folder, mode=0o700, exist_ok=True)
        now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y%m%dT%H%M%S.%fZ')
        path = os.path.join(folder, f'{self.name}.{now}.xml')
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), 'wb') as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return path

    def fail(self, what, err):
        self.module.fail_json(msg=f'{what}: {self.name}: {err}; the domain was left unchanged')


def shown(text):
    """Returns the XML for logs, without passwords and the cookies of network disks."""
    text = re.sub(r"""\b(passwd=)(?:'[^']*'|"[^"]*")""", r"\1'***'", text.decode('utf-8'))
    return re.sub(r'(<cookie\b[^>]*>)[^<]*', r'\1***', text)


def diff(name, before, after):
    lines = [shown(text).splitlines(keepends=True) for text in (before, after)]
    return {'prepared': ''.join(difflib.unified_diff(*lines, fromfile=f'{name} (inactive)', tofile=f'{name} (fixed)'))}


def fix_domain(domain):
    """Fixes the domain and returns the module's result."""
    if not domain.is_listed('--all'):
        domain.fail('virsh list', 'this libvirt has no domain of that name; virsh list --all lists the domains')
    if not domain.is_listed('--all', '--persistent'):
        domain.fail('virsh list', 'it is transient: libvirt stores no XML for its next start')
    before = domain.dump()
    status, after, left, said = domain.fix(before)
    report = {'state': 'right', 'left': left, 'running': domain.is_listed(), 'saved': domain.is_listed('--all', '--with-managed-save')}
    as_it_was = {'changed': False, 'xml': shown(before), 'report': report}
    if status == ERRORS_LEFT:
        return dict(as_it_was, report=dict(report, state='held'))
    if status != NOTHING_LEFT:
        return dict(as_it_was, report=dict(report, state='failed', message=said))
    if after == before:
        return as_it_was
    report['state'] = 'fixed'
    fixed = {'changed': True, 'xml': shown(after), 'report': report, 'diff': diff(domain.name, before, after)}
    if domain.module.check_mode:
        return fixed
    report['backup'] = domain.back_up(before)
    status, _, err = domain.virsh('define', '--validate', '/dev/stdin', stdin=after)
    if status:
        # The connection may have been lost after libvirt accepted the XML, so the backup is only
        # removed if the domain is unchanged.
        if domain.dump() != before:
            domain.module.fail_json(msg=f"virsh define: {domain.name}: {err}; its old XML is in {report['backup']}")
        os.unlink(report.pop('backup'))
        return dict(as_it_was, report=dict(report, state='refused', message=err))
    return fixed


def main():
    module = AnsibleModule(
        argument_spec={
            'name': {'type': 'str', 'required': True},
            'program': {'type': 'str', 'default': 'gvtg-xml'},
            'flags': {'type': 'list', 'elements': 'str', 'default': []},
            'uri': {'type': 'str', 'default': 'qemu:///system'},
            'backup_folder': {'type': 'path', 'required': True},
        },
        supports_check_mode=True)
    try:
        result = fix_domain(Domain(module))
    except OSError as error:
        module.fail_json(msg=f'{error}; nothing was defined')
    module.exit_json(**result)


if __name__ == '__main__':
    main()
