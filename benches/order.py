#!/usr/bin/env python3
"""Writes benches/order.txt: the functions that runs of the release binary call, so that the linker puts them side by side.

Needs python3, valgrind and the toolchain of the release. Commit what it writes. A list that is stale does no harm: what it doesn't
name, and what is gone, stays where the linker would have put it.
"""

import os
import sys
import tempfile
from pathlib import Path

import callgrind
import inputs
import release

LIST = release.ROOT / "benches" / "order.txt"
# What libc has in assembly, which callgrind finds no name of.
NAMELESS = ["_start", "__set_thread_area", "memcpy", "memmove", "memset"]
# The flags of .cargo/config.toml, which these take the place of, and the names left in. Flags make no difference to names.
FLAGS = "-C target-feature=+crt-static -C relocation-model=static -C strip=none"


def runs(folder):
    """What is run, the most frequent first: the words behind the program's name, and its stdin."""
    small = release.ROOT / "fixtures" / "win10-virt-manager.xml"
    some = sorted(str(path) for path in (folder / "corpus").glob("*.xml"))[:100]
    yield ["fix"], small
    yield ["lint", "--format", "concise", *some], None
    yield ["lint", "--format", "json", *some], None
    yield ["lint", "--format", "full", *some], None


def main():
    if sys.argv[1:]:
        sys.exit(__doc__)
    if not callgrind.is_there():
        sys.exit(2)
    os.environ["RUSTFLAGS"] = FLAGS
    with tempfile.TemporaryDirectory(prefix="gvtg-xml-order-") as folder:
        os.environ["CARGO_TARGET_DIR"] = f"{folder}/target"
        binary = release.build()
        inputs.write_inputs(Path(folder))
        names = dict.fromkeys(NAMELESS) | dict.fromkeys(name for words, stdin in runs(Path(folder)) for name in callgrind.functions([binary, *words], stdin))
    LIST.write_text(f"# By benches/order.py, with {release.compiler()}.\n" + "".join(f"{name}\n" for name in names))


if __name__ == "__main__":
    main()
