#!/usr/bin/python
"""Writes the host's files with `gvtg-xml emit all`, and replaces only those that it wrote itself.

`emit all` does not replace an existing file with different content. A play that runs again with one
more domain has to replace the hook, so this module reads the manifest: files that `emit all` wrote
and that have not been changed since may be replaced.
"""
import hashlib
import os
import re
import stat

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: gvtg_xml_host_files
short_description: Write the hook, the modules and the kernel parameters that a GVT-g host needs
description:
  - Runs C(gvtg-xml emit all --root /) for these domains; it writes all files or none.
  - If a file exists with different content and is not as C(emit all) wrote it, this is an error, and nothing is written.
options:
  domains: {description: The names of the domains, with their XML., type: dict, required: true}
  program: {description: The gvtg-xml to run., type: str, default: gvtg-xml}
  flags: {description: Flags for C(gvtg-xml emit all)., type: list, elements: str, default: []}
  replace:
    description: Which existing files with different content are replaced.
    type: str
    choices: [none, own, all]
    default: own
author: [The gvtg-xml developers]
"""

EXAMPLES = r"""
- name: Write what this host needs for win10
  gvtg_xml_host_files:
    domains: {win10: "{{ lookup('file', 'win10.xml') }}"}
"""

RETURN = r"""
new_hook: {description: Whether a hook was written where there was none., type: bool, returned: success}
notes: {description: The notes that C(emit all) printed, including what to do next., type: list, elements: str, returned: success}
"""

MANIFEST = '/etc/gvtg-xml/manifest'
# Exit codes of `emit all --diff`; any other one means that it failed.
NOTHING_CHANGES, SOMETHING_CHANGES = 0, 1


def own_files():
    """Returns the paths in the manifest whose files are unchanged, including their modes."""
    try:
        with open(MANIFEST, encoding='utf-8') as file:
            manifest = file.read()
    except FileNotFoundError:
        return set()
    entries = re.findall(r'^# mode ([0-7]+)\n([0-9a-f]{40})  (.*)$', manifest, re.MULTILINE)
    return {'/' + path for mode, digest, path in entries if is_as_written('/' + path, int(mode, 8), digest)}


def is_as_written(path, mode, digest):
    try:
        with open(path, 'rb') as file:
            is_mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode) == mode
            return is_mode and hashlib.sha1(file.read()).hexdigest() == digest
    except OSError:
        return False


def replaced_files(diff):
    """Returns the existing files that a diff replaces, except the manifest, which may always be
    replaced.
    """
    paths = re.findall(r'^--- (/.*)$', diff, re.MULTILINE) + re.findall(r'^# (/.*): mode [0-7]+, to be [0-7]+$', diff, re.MULTILINE)
    return set(paths) - {'/dev/null', MANIFEST}


def emit(module, *flags):
    """Runs `emit all` for the domains; returns its status, its stdout, and its notes without the
    program's name.
    """
    command = [module.params['program'], 'emit', 'all', '--root', '/', *module.params['flags'], *flags, 'domains']
    status, out, err = module.run_command(command, cwd=module.tmpdir, environ_update={'LC_ALL': 'C.UTF-8'}, expand_user_and_vars=False)
    if status not in (NOTHING_CHANGES, SOMETHING_CHANGES):
        module.fail_json(msg=f'gvtg-xml emit all: {err.strip()}')
    return status, out, [line.replace('gvtg-xml: ', '', 1) for line in err.splitlines()]


def main():
    module = AnsibleModule(
        argument_spec={
            'domains': {'type': 'dict', 'required': True},
            'program': {'type': 'str', 'default': 'gvtg-xml'},
            'flags': {'type': 'list', 'elements': 'str', 'default': []},
            'replace': {'type': 'str', 'choices': ['none', 'own', 'all'], 'default': 'own'},
        },
        supports_check_mode=True)
    folder = os.path.join(module.tmpdir, 'domains')
    os.mkdir(folder, mode=0o700)
    for name, xml in module.params['domains'].items():
        with open(os.path.join(folder, name + '.xml'), 'w', encoding='utf-8') as file:
            file.write(xml)

    status, shown, notes = emit(module, '--diff')
    result = {'changed': status == SOMETHING_CHANGES, 'new_hook': bool(re.search('^# /etc/libvirt/hooks/.*: new,', shown, re.MULTILINE)),
              'notes': notes, 'diff': {'prepared': shown}}
    if not result['changed']:
        module.exit_json(**result)
    replaced = replaced_files(shown)
    kept = {'none': replaced, 'own': replaced - own_files(), 'all': set()}[module.params['replace']]
    if kept:
        module.fail_json(
            msg=f"existing files differ, and nothing was written: {', '.join(sorted(kept))}: see the differences with --diff, and remove the "
                'files or set gvtg_xml_force', **dict(result, changed=False))
    if not module.check_mode:
        result['notes'] = emit(module, *(['--force'] if replaced else []))[2]
    module.exit_json(**result)


if __name__ == '__main__':
    main()
