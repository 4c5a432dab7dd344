#!/usr/bin/env python3
"""Counts the release binary's instructions and fails if a case takes 5 % more than recorded.

The counts are in benches/instructions.txt. Needs python3 and valgrind. `--record` writes new counts
and the compiler that they were measured with: commit them together with the change that caused
them, and explain it in the commit message.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import callgrind
import inputs
import release

RECORD = release.ROOT / "benches" / "instructions.txt"
# The highest accepted ratio of measured to recorded instructions.
MAX_RATIO = 1.05


def cases(folder):
    """Yields each case's name, command-line arguments and stdin (a path or None)."""
    paths = sorted(str(path) for path in (folder / "corpus").glob("*.xml"))
    yield "fix of a 6 KB domain", ["fix"], release.SMALL
    for form in ("concise", "full", "json"):
        yield f"lint of 580 files, {form}", ["lint", "--format", form, *paths], None
    yield "lint of 10,000 findings in one line, full", ["lint", "--format", "full", "--only", "spice-leftover"], folder / "line-True.xml"
    yield "lint of 10 MB", ["lint"], folder / "big.xml"
    yield "fix of 10 MB", ["fix"], folder / "big-fixable.xml"
    for name in ("250,000 elements", "90,000 graphics", "20,000 vGPUs without uuid", "13,000 unknown properties", "misplaced command lines"):
        yield f"lint of {name}", ["lint", "--format", "concise"], folder / "hostile" / f"{name}.xml"
        yield f"fix of {name}", ["fix"], folder / "hostile" / f"{name}.xml"


def recorded():
    """Returns the recorded compiler version and the recorded counts by case."""
    compiler, *lines = RECORD.read_text().splitlines()
    return compiler, {name: int(count.replace(",", "")) for name, _, count in (line.rpartition("  ") for line in lines)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="count this one's instead of building")
    parser.add_argument("--record", action="store_true", help="write the counts down instead of comparing them")
    options = parser.parse_args()
    if not callgrind.is_available():
        sys.exit(2)
    binary = options.binary or release.build()
    with tempfile.TemporaryDirectory(prefix="gvtg-xml-bench-") as name:
        inputs.write_inputs(Path(name))
        counts = {case: callgrind.instructions([binary, *arguments], stdin) for case, arguments, stdin in cases(Path(name))}
    if options.record:
        lines = [release.compiler(), *(f"{case:40}  {count:>13,}" for case, count in counts.items())]
        RECORD.write_text("\n".join(lines) + "\n")
        return
    compiler, recorded_counts = recorded()
    recorded_counts = {case.strip(): count for case, count in recorded_counts.items()}
    exceeded = 0
    for case, count in counts.items():
        ratio = count / recorded_counts[case] if case in recorded_counts else float("inf")
        exceeded += ratio > MAX_RATIO
        print(f"{'!! ' if ratio > MAX_RATIO else '   '}{case:40}{count:>14,}{recorded_counts.get(case, 0):>14,}{ratio:>8.3f}")
    if compiler != release.compiler():
        print(f"recorded with {compiler}; this is {release.compiler()}")
    if exceeded:
        print(f"{exceeded} take more than {MAX_RATIO} times what is recorded; if that is worth it: benches/instructions.py --record")
    elif any(count < recorded_counts[case] * (2 - MAX_RATIO) for case, count in counts.items()):
        print("some take less than recorded: benches/instructions.py --record keeps it that way")
    sys.exit(1 if exceeded else 0)


if __name__ == "__main__":
    main()
