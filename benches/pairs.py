#!/usr/bin/env python3
"""Measures the release binary against the bars that benches/README.md names. Needs python3, xmllint and valgrind.

Whole processes are timed, the two of a pair in turns, so that a busy machine slows both alike; a row's figure is the median of the
rounds' ratios. Each round runs new copies of both programs: where a copy's pages happen to lie makes it up to 8 % faster or slower.
Beside a ratio of times stands the ratio of instructions, which callgrind counts. Peak memory is what the kernel says about the finished process (wait4); for a process smaller than this script, whose
memory the kernel counts in, it is read while the process waits for a full pipe to take its last words.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import callgrind
import release
from inputs import MIB, write_inputs

# Measuring ------------------------------------------------------------------------------------------------------------------------

def run(command, stdin=None, pipe=False, processor=False):
    """Seconds (of the clock, or of the processor), peak bytes and exit code of one process, its output thrown away."""
    source = None
    if stdin and pipe:
        source = subprocess.Popen(["cat", str(stdin)], stdout=subprocess.PIPE)
        read = source.stdout.fileno()
    else:
        read = os.open(str(stdin) if stdin else os.devnull, os.O_RDONLY)
    null = os.open(os.devnull, os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, read, 0), (os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
    begin = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    seconds = usage.ru_utime + usage.ru_stime if processor else time.perf_counter() - begin
    os.close(null)
    if source:
        source.stdout.close()
        source.wait()
    else:
        os.close(read)
    return seconds, usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status)


def small_peak(command, stdin):
    """Peak bytes of a process that says something on stderr last."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, bytes(4096))
    except BlockingIOError:
        os.set_blocking(write, True)
    with open(stdin, "rb") as file:
        child = subprocess.Popen(command, stdin=file, stdout=subprocess.DEVNULL, stderr=write)
    os.close(write)
    time.sleep(0.3)
    status = Path(f"/proc/{child.pid}/status").read_text()
    with os.fdopen(read, "rb") as rest:
        rest.read()
    child.wait()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def copied(command, folder, name):
    """The command with a new copy of its program."""
    copy = folder / name
    copy.unlink(missing_ok=True)
    shutil.copy(command[0], copy)
    return [str(copy), *command[1:]]


class Table:
    def __init__(self, only, folder):
        self.only, self.folder, self.over = only, folder, 0
        self.counts = callgrind.is_there()
        print(f"{'':3}{'case':46}{'figure':>12}{'bar':>12}   {'time':>10}{'peak':>10}   instructions")

    def wants(self, name):
        return self.only is None or self.only in name

    def row(self, name, figure, bar, unit, seconds, peak, instructions=""):
        over = figure > bar
        self.over += over
        scale = f"{seconds * 1e3:.2f} ms"
        print(f"{'!! ' if over else '   '}{name:46}{figure:>9.3g}{unit:>3}{bar:>9.3g}{unit:>3}   {scale:>10}{peak / MIB:>7.1f} MB   {instructions}", flush=True)

    def pair(self, name, own, other, bar, rounds, stdin=None, other_stdin=None, times_input=None, most=None, pipe=False):
        """Time against another program's, and peak memory against the input or a number of bytes."""
        if not self.wants(name):
            return
        ratios, times, peaks = [], [], []
        for _ in range(rounds):
            mine = run(copied(own, self.folder, "own"), stdin, pipe)
            theirs = run(copied(other, self.folder, "other"), other_stdin)
            if mine[2] not in (0, 1):
                sys.exit(f"{name}: exit code {mine[2]}")
            ratios.append(mine[0] / theirs[0])
            times.append(mine[0])
            peaks.append(mine[1])
        peak, seconds = max(peaks), statistics.median(times)
        if bar:
            instructions = ""
            if self.counts:
                mine, theirs = callgrind.instructions(own, stdin), callgrind.instructions(other, other_stdin)
                instructions = f"{mine:,} ({mine / theirs:.2f} x)"
            self.row(name, statistics.median(ratios), bar, "x", seconds, peak, instructions)
        if times_input:
            self.row(f"{name}: memory / input", peak / os.path.getsize(stdin), times_input, "x", seconds, peak)
        if most:
            peak = small_peak(own, stdin)
            self.row(f"{name}: memory", peak / MIB, most / MIB, "MB", seconds, peak)

    def each(self, name, command, with_findings, without, bar, count, rounds):
        """Microseconds a diagnostic: what a file with findings costs more than the same without."""
        if not self.wants(name):
            return
        costs, times, peaks = [], [], []
        for _ in range(rounds):
            mine, base = run(command, with_findings, processor=True), run(command, without, processor=True)
            costs.append((mine[0] - base[0]) / count * 1e6)
            times.append(mine[0])
            peaks.append(mine[1])
        self.row(name, statistics.median(costs), bar, "µs", statistics.median(times), max(peaks))

    def within(self, name, command, bar, rounds, stdin):
        """Milliseconds of the processor, the shortest of a few: what the machine does meanwhile is not the program's."""
        if not self.wants(name):
            return
        runs = [run(command, stdin, processor=True) for _ in range(rounds)]
        if any(code not in (0, 1, 2) for _, _, code in runs):
            sys.exit(f"{name}: exit code {runs[0][2]}")
        best = min(seconds for seconds, _, _ in runs)
        self.row(name, best * 1e3, bar, "ms", best, max(peak for _, peak, _ in runs))

    def growth(self, name, command, rounds, few, many):
        """How many times as long four times as much takes, each the shortest of a few."""
        if not self.wants(name):
            return
        best = lambda file: min(run(command, file, processor=True) for _ in range(rounds))
        small, large = best(few), best(many)
        self.row(name, large[0] / small[0], 8, "x", large[0], large[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="measure this one instead of building")
    parser.add_argument("--corpus", help="a folder of domain XML files instead of the generated ones")
    parser.add_argument("--only", help="only rows with this in their name")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of the quick rows; the slow ones take a fourth")
    options = parser.parse_args()
    binary = options.binary or release.build()
    xmllint = shutil.which("xmllint") or sys.exit("xmllint is missing (Debian: libxml2-utils)")
    true = shutil.which("true")
    quick, slow = options.rounds * 10, max(3, options.rounds // 4)
    os.environ.pop("DISPLAY", None)
    with tempfile.TemporaryDirectory(prefix="gvtg-xml-bench-") as name:
        # In a process of its own: a big parent's memory would be counted as each child's.
        if (child := os.fork()) == 0:
            write_inputs(Path(name))
            os._exit(0)
        os.waitpid(child, 0)
        files = {path.stem: path for path in Path(name).glob("*.xml")}
        corpus, levels = Path(name) / "corpus", files["levels"]
        odd = {path.stem: path for path in sorted((Path(name) / "hostile").glob("*.xml"))}
        few = sorted((Path(name) / "growing-1").glob("*.xml"))
        copies = Path(name) / "copies"
        copies.mkdir()
        table = Table(options.only, copies)
        small = [xmllint, "--noout", "-"]
        table.pair("small fix / xmllint", [binary, "fix"], small, 0.45, quick, release.SMALL, release.SMALL, most=3.2 * MIB)
        many = sorted(str(path) for path in Path(options.corpus or corpus).glob("*.xml"))
        for form, bar in (("concise", 0.95), ("full", 2.4)):
            lint = [binary, "lint", "--format", form, *many]
            table.pair(f"lint of {len(many)} files, {form} / xmllint", lint, [xmllint, "--noout", *many], bar, options.rounds)
        for kind, bar in (("lint", 0.7), ("fix", 1.5)):
            for file in ("big", "big-declared") if kind == "lint" else ("big-fixable", "big-fixable-declared"):
                lint = [xmllint, "--huge", "--noout", str(files[file])]
                table.pair(f"{kind} {file} / xmllint", [binary, kind], lint, bar, slow, stdin=files[file], times_input=7)
                table.pair(f"{kind} {file}, piped", [binary, kind], [true], None, 3, stdin=files[file], times_input=7, pipe=True)
        for kind in ("lint", "fix"):
            table.pair(f"{kind} big-undeclared", [binary, kind], [true], None, 3, stdin=files["big-undeclared"], times_input=7, pipe=True)
        for layout in ("many", "line"):
            for form, bar in (("full", 20), ("concise", 10), ("json", 20)):
                command = [binary, "lint", "--format", form, "--only", "spice-leftover"]
                table.each(f"a diagnostic, {layout}, {form}", command, files[f"{layout}-True"], files[f"{layout}-False"], bar, 10_000, slow)
        for name, file in odd.items():
            for kind in (["lint", "--format", "concise"], ["fix"]):
                table.within(f"{kind[0]}: {name}", [binary, *kind], 100, 3, file)
        for form in ("set", "override"):
            for name in (name for name in odd if "-set" in name or "overr" in name or "propert" in name):
                version = "7.0.0" if form == "set" else "8.0.0"
                for kind in (["lint", "--format", "concise"], ["fix"]):
                    table.within(f"{kind[0]} for libvirt {version}: {name}", [binary, *kind, "--libvirt", version], 100, 3, odd[name])
        for file in few:
            for kind in (["lint", "--format", "json"], ["fix"], ["fix", "--libvirt", "7.0.0"], ["fix", "--libvirt", "8.2.0"]):
                title = " ".join(kind).replace("--", "").replace("format ", "")
                table.growth(f"{title}: {file.stem}, 4 times as many", [binary, *kind], 3, file, file.parent.parent / "growing-4" / file.name)
        table.within("lint: a million levels", [binary, "lint"], 1000, 3, levels)
        table.within("fix: a million levels", [binary, "fix"], 1000, 3, levels)
    print(f"{table.over} over their bar" if table.over else "all within their bars")
    sys.exit(1 if table.over else 0)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
