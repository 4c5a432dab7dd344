#!/usr/bin/env python3
"""Counts the instructions of the release binary, and fails where a case takes 5 % more than benches/instructions.txt says.

Needs python3 and valgrind. `--record` writes the counts down anew, with the compiler that they hold for: commit them with whatever
made them change, and say why in the commit's message.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import callgrind
import inputs
import release

RECORD = release.ROOT / "benches" / "instructions.txt"
# So much more than recorded is a step back.
MOST = 1.05


def cases(folder):
    """Each case: what it is called, the words behind the program's name, and its stdin."""
    many = sorted(str(path) for path in (folder / "corpus").glob("*.xml"))
    yield "fix of a 6 KB domain", ["fix"], release.SMALL
    for form in ("concise", "full", "json"):
        yield f"lint of 580 files, {form}", ["lint", "--format", form, *many], None
    yield "lint of 10,000 findings in one line, full", ["lint", "--format", "full", "--only", "spice-leftover"], folder / "line-True.xml"
    yield "lint of 10 MB", ["lint"], folder / "big.xml"
    yield "fix of 10 MB", ["fix"], folder / "big-fixable.xml"
    for name in ("250,000 elements", "90,000 graphics", "20,000 vGPUs without uuid", "13,000 unknown properties", "misplaced command lines"):
        yield f"lint of {name}", ["lint", "--format", "concise"], folder / "hostile" / f"{name}.xml"
        yield f"fix of {name}", ["fix"], folder / "hostile" / f"{name}.xml"


def recorded():
    """The compiler and the counts that were written down."""
    compiler, *lines = RECORD.read_text().splitlines()
    return compiler, {name: int(count.replace(",", "")) for name, _, count in (line.rpartition("  ") for line in lines)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="count this one's instead of building")
    parser.add_argument("--record", action="store_true", help="write the counts down instead of comparing them")
    options = parser.parse_args()
    if not callgrind.is_there():
        sys.exit(2)
    binary = options.binary or release.build()
    with tempfile.TemporaryDirectory(prefix="gvtg-xml-bench-") as name:
        inputs.write_inputs(Path(name))
        counts = {case: callgrind.instructions([binary, *words], stdin) for case, words, stdin in cases(Path(name))}
    if options.record:
        lines = [release.compiler(), *(f"{case:40}  {count:>13,}" for case, count in counts.items())]
        RECORD.write_text("\n".join(lines) + "\n")
        return
    compiler, known = recorded()
    known = {case.strip(): count for case, count in known.items()}
    over = 0
    for case, count in counts.items():
        ratio = count / known[case] if case in known else float("inf")
        over += ratio > MOST
        print(f"{'!! ' if ratio > MOST else '   '}{case:40}{count:>14,}{known.get(case, 0):>14,}{ratio:>8.3f}")
    if compiler != release.compiler():
        print(f"recorded with {compiler}; this is {release.compiler()}")
    if over:
        print(f"{over} take more than {MOST} times what is recorded; if that is worth it: benches/instructions.py --record")
    elif any(count < known[case] * (2 - MOST) for case, count in counts.items()):
        print("some take less than recorded: benches/instructions.py --record keeps it that way")
    sys.exit(1 if over else 0)


if __name__ == "__main__":
    main()
