#!/usr/bin/env python3
"""Whether two binaries print the same, byte for byte, and end with the same exit code: `benches/same.py OLD NEW FOLDER…`.

For changes that are to make the program faster and nothing else. Reads all *.xml of the folders, in all formats, for libvirts of each
form, with and without unsafe fixes; the first line that differs of each case is shown.
"""

import subprocess
import sys
from itertools import product
from pathlib import Path

FORMATS = ["full", "concise", "json", "json-lines", "sarif", "github", "gitlab", "junit"]
READERS = [[], ["--libvirt", "7.0"], ["--libvirt", "7.9"], ["--libvirt", "8.1"]]
ASKED = [
    [], ["--uuid", "c1b2e3d4-0000-4000-8000-000000000001", "--alias", "ua-other", "--type", "i915-GVTg_V5_4", "--pci", "0000:00:03.0"],
    ["--display", "egl-headless", "--romfile", "/x.rom", "--audio", "pulseaudio", "--gdk-scale", "2", "--display-env", ":7"],
    ["--keep-video", "--ignore", "namespace"], ["--only", "display"],
]


def cases(folders):
    """The words of each case, and its stdin."""
    files = [str(path) for folder in folders for path in sorted(Path(folder).glob("*.xml"))]
    for form, reader in product(FORMATS, READERS):
        yield ["lint", "--format", form, *reader, *files], None
        yield ["fix", "--diff", "--format", form, *reader, *files], None
        yield ["fix", "--diff", "--unsafe-fixes", "--format", form, *reader, *files], None
    for asked in ASKED:
        yield ["lint", *asked, *files], None
        yield ["fix", "--diff", *asked, *files], None
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


def said(binary, words, stdin):
    with open(stdin or "/dev/null", "rb") as source:
        process = subprocess.run([binary, *words], stdin=source, capture_output=True)
    return process.returncode, process.stdout, process.stderr


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    old, new, *folders = sys.argv[1:]
    count = different = 0
    for words, stdin in cases(folders):
        before, after = said(old, words, stdin), said(new, words, stdin)
        count += 1
        if before != after:
            different += 1
            print(f"{' '.join(words)[:100]} < {stdin}: exit codes {before[0]} and {after[0]}")
            for left, right in zip(before[1:], after[1:]):
                lines = zip(left.splitlines() + [b""], right.splitlines() + [b""])
                print(*next(([b"- " + one, b"+ " + other] for one, other in lines if one != other), []), sep="\n")
    print(f"{different} of {count} cases differ")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
