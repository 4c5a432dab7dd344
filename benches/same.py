#!/usr/bin/env python3
"""Compares the output and exit codes of two binaries byte for byte: `benches/same.py OLD NEW
FOLDER…`.

For changes that should only make the program faster. Runs both on all *.xml files in the folders,
in all formats, for libvirt releases that take different forms of XML, with and without unsafe
fixes, and shows the first differing line of each case.
"""

import subprocess
import sys
from itertools import product
from pathlib import Path

FORMATS = ["full", "concise", "json", "json-lines", "sarif", "github", "gitlab", "junit"]
LIBVIRTS = [[], ["--libvirt", "7.0"], ["--libvirt", "7.9"], ["--libvirt", "8.1"]]
SETTINGS = [
    [], ["--uuid", "c1b2e3d4-0000-4000-8000-000000000001", "--alias", "ua-other", "--type", "i915-GVTg_V5_4", "--pci", "0000:00:03.0"],
    ["--display", "egl-headless", "--romfile", "/x.rom", "--audio", "pulseaudio", "--gdk-scale", "2", "--display-env", ":7"],
    ["--keep-video", "--ignore", "namespace"], ["--only", "display"],
]


def cases(folders):
    """Yields each case's command-line arguments and stdin (a path or None)."""
    files = [str(path) for folder in folders for path in sorted(Path(folder).glob("*.xml"))]
    for form, libvirt in product(FORMATS, LIBVIRTS):
        yield ["lint", "--format", form, *libvirt, *files], None
        yield ["fix", "--diff", "--format", form, *libvirt, *files], None
        yield ["fix", "--diff", "--unsafe-fixes", "--format", form, *libvirt, *files], None
    for settings in SETTINGS:
        yield ["lint", *settings, *files], None
        yield ["fix", "--diff", *settings, *files], None
    yield ["lint", "--statistics", *files], None
    yield ["lint", "--color", "always", *files], None
    yield ["lint", *folders], None
    yield ["lint", "--all", *folders], None
    yield ["fix", "--check", *folders], None
    yield ["fix", "--suppress", "display,vgpu,qemu", "--reason", "so", "--diff", *files], None
    yield ["fix", "--suppress", "display", "--suppress-in", "comment", "--reason", "so", "--diff", *files], None
    for file in files:
        for more in ([], ["--unsafe-fixes"], ["--libvirt", "7.0"], ["--format", "full"]):
            yield ["fix", *more], file


def run(binary, arguments, stdin):
    with open(stdin or "/dev/null", "rb") as source:
        process = subprocess.run([binary, *arguments], stdin=source, capture_output=True)
    return process.returncode, process.stdout, process.stderr


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    old, new, *folders = sys.argv[1:]
    count = different = 0
    for arguments, stdin in cases(folders):
        before, after = run(old, arguments, stdin), run(new, arguments, stdin)
        count += 1
        if before != after:
            different += 1
            print(f"{' '.join(arguments)[:100]} < {stdin}: exit codes {before[0]} and {after[0]}")
            for left, right in zip(before[1:], after[1:]):
                lines = zip(left.splitlines() + [b""], right.splitlines() + [b""])
                print(*next(([b"- " + old_line, b"+ " + new_line] for old_line, new_line in lines if old_line != new_line), []), sep="\n")
    print(f"{different} of {count} cases differ")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
