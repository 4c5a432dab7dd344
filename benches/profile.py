#!/usr/bin/env python3
"""Writes what the release is compiled by: how often each part of the program runs (benches/profile.profdata), and which functions runs
call, so that the linker puts them side by side (benches/order.txt).

Needs python3, valgrind, nm (Debian: binutils), the toolchain of the release and its llvm-profdata: rustup component add llvm-tools.
Another llvm-profdata of the same LLVM is named by LLVM_PROFDATA. Commit what it writes, and then what benches/instructions.py --record
counts. A profile that is stale does no harm: what has changed since is compiled without it.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import callgrind
import inputs
import release

PROFILE = release.ROOT / "benches" / "profile.profdata"
LIST = release.ROOT / "benches" / "order.txt"


def profdata():
    """The program that puts profiles together."""
    host = release.rustc("-vV").split("host: ")[1].split()[0]
    tool = os.environ.get("LLVM_PROFDATA") or f"{release.rustc('--print', 'sysroot')}/lib/rustlib/{host}/bin/llvm-profdata"
    if not Path(tool).exists():
        sys.exit(f"{tool} is missing: rustup component add llvm-tools")
    return tool


def runs(folder):
    """What is run to see how often what runs: the words behind the program's name, and stdin. What counts is the share of each."""
    corpus = sorted((folder / "corpus").glob("*.xml"))
    yield from [(["fix"], release.SMALL)] * 50
    for form in ("concise", "full", "json"):
        yield ["lint", "--format", form, *map(str, corpus)], None
    for one in [*corpus, *sorted(release.SMALL.parent.glob("*.xml"))]:
        yield ["fix"], one
        yield ["lint"], one
    for many in sorted((folder / "growing-1").glob("*.xml")):
        yield ["fix", "--format", "concise"], many
    large = folder / "large.xml"
    large.write_text(inputs.domain(inputs.disks(inputs.MIB, inputs.SPICE)))
    yield ["fix"], large
    yield ["lint"], large


def calls(folder):
    """What is run to see what is called, the most frequent first."""
    some = [str(path) for path in sorted((folder / "corpus").glob("*.xml"))[:100]]
    yield ["fix"], release.SMALL
    for form in ("concise", "json", "full"):
        yield ["lint", "--format", form, *some], None


def count(folder, merger):
    """Writes the profile, by the program that puts profiles together."""
    program = release.build_counting(folder / "counts")
    for words, stdin in runs(folder):
        with open(stdin or os.devnull, "rb") as source:
            done = subprocess.run([program, *words], stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if done.returncode not in (0, 1):
            sys.exit(f"exit code {done.returncode}: {' '.join(words)[:200]} <{stdin}")
    subprocess.run([merger, "merge", "--sparse", "--output", PROFILE, folder / "counts"], check=True)


def order(folder):
    """Writes the list."""
    # With the names left in, which are the same with other flags.
    program = release.build("-Cstrip=none")
    # What rarely runs comes behind what does.
    called = lambda words, stdin: sorted(callgrind.symbols([program, *words], stdin), key=lambda name: name.endswith(".cold"))
    names = dict.fromkeys(name for words, stdin in calls(folder) for name in called(words, stdin))
    LIST.write_text(header() + "".join(f"{name}\n" for name in names))


def header():
    """The line that says which compiler the two are of."""
    return f"# By benches/profile.py, with {release.compiler()}.\n"


def main():
    if sys.argv[1:]:
        sys.exit(__doc__)
    merger = profdata()
    if not callgrind.is_there():
        sys.exit(2)
    with tempfile.TemporaryDirectory(prefix="gvtg-xml-profile-") as folder:
        os.environ["CARGO_TARGET_DIR"] = f"{folder}/target"
        inputs.write_inputs(Path(folder))
        count(Path(folder), merger)
        # The profile is used where the list is of this compiler.
        LIST.write_text(header())
        order(Path(folder))


if __name__ == "__main__":
    main()
