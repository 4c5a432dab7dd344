#!/usr/bin/env python3
"""Measures the release binary against the limits in benches/README.md. Needs python3, xmllint and
valgrind.

Times whole processes. The two programs of a pair run alternately, so that load on the machine slows
both alike; a row's figure is the median of the rounds' ratios. Each round runs new copies of both
programs, because the physical pages of a copy make it up to 8 % faster or slower. Next to a ratio
of times is the ratio of instructions as counted by callgrind. Peak memory is the kernel's figure
for the finished process (wait4). For a process smaller than this script, that figure would include
the script's own memory, so it is read from /proc while the process is blocked on writing its last
line to a full pipe.
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


def run(command, stdin=None, pipe=False, processor=False):
    """Runs a process, discards its output, and returns its seconds (wall clock or CPU), peak memory
    in bytes and exit code.
    """
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
    """Returns the peak memory, in bytes, of a process whose last action is to write to stderr."""
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
    """Copies a command's program and returns the command with the copy."""
    copy = folder / name
    copy.unlink(missing_ok=True)
    shutil.copy(command[0], copy)
    return [str(copy), *command[1:]]


class Table:
    def __init__(self, only, folder):
        self.name_filter, self.folder, self.over_bar = only, folder, 0
        self.counts_instructions = callgrind.is_available()
        print(f"{'':3}{'case':46}{'figure':>12}{'bar':>12}   {'time':>10}{'peak':>10}   instructions")

    def wants(self, name):
        return self.name_filter is None or self.name_filter in name

    def row(self, name, figure, bar, unit, seconds, peak, instructions=""):
        over = figure > bar
        self.over_bar += over
        scale = f"{seconds * 1e3:.2f} ms"
        print(f"{'!! ' if over else '   '}{name:46}{figure:>9.3g}{unit:>3}{bar:>9.3g}{unit:>3}   {scale:>10}{peak / MIB:>7.1f} MB   {instructions}", flush=True)

    def pair(self, name, command, other_command, bar, rounds, stdin=None, other_stdin=None, times_input=None, max_bytes=None, pipe=False):
        """Compares time with another program's, and peak memory with the input's size or with a
        number of bytes.
        """
        if not self.wants(name):
            return
        ratios, times, peaks = [], [], []
        for _ in range(rounds):
            result = run(copied(command, self.folder, "own"), stdin, pipe)
            other_result = run(copied(other_command, self.folder, "other"), other_stdin)
            if result[2] not in (0, 1):
                sys.exit(f"{name}: exit code {result[2]}")
            ratios.append(result[0] / other_result[0])
            times.append(result[0])
            peaks.append(result[1])
        peak, seconds = max(peaks), statistics.median(times)
        if bar:
            instructions = ""
            if self.counts_instructions:
                count = callgrind.instructions(command, stdin)
                other_count = callgrind.instructions(other_command, other_stdin)
                instructions = f"{count:,} ({count / other_count:.2f} x)"
            self.row(name, statistics.median(ratios), bar, "x", seconds, peak, instructions)
        if times_input:
            self.row(f"{name}: memory / input", peak / os.path.getsize(stdin), times_input, "x", seconds, peak)
        if max_bytes:
            peak = small_peak(command, stdin)
            self.row(f"{name}: memory", peak / MIB, max_bytes / MIB, "MB", seconds, peak)

    def each(self, name, command, with_findings, without, bar, count, rounds):
        """Measures the CPU time per diagnostic, in microseconds: the extra cost of a file with
        findings over one without.
        """
        if not self.wants(name):
            return
        costs, times, peaks = [], [], []
        for _ in range(rounds):
            result, baseline = run(command, with_findings, processor=True), run(command, without, processor=True)
            costs.append((result[0] - baseline[0]) / count * 1e6)
            times.append(result[0])
            peaks.append(result[1])
        self.row(name, statistics.median(costs), bar, "µs", statistics.median(times), max(peaks))

    def within(self, name, command, bar, rounds, stdin):
        """Measures the CPU time in milliseconds; the shortest of a few runs is the least disturbed
        by other processes.
        """
        if not self.wants(name):
            return
        runs = [run(command, stdin, processor=True) for _ in range(rounds)]
        if any(code not in (0, 1, 2) for _, _, code in runs):
            sys.exit(f"{name}: exit code {runs[0][2]}")
        best = min(seconds for seconds, _, _ in runs)
        self.row(name, best * 1e3, bar, "ms", best, max(peak for _, peak, _ in runs))

    def growth(self, name, command, rounds, small_input, large_input):
        """Measures how many times longer an input with four times as many items takes, each the
        shortest of a few runs.
        """
        if not self.wants(name):
            return
        best = lambda file: min(run(command, file, processor=True) for _ in range(rounds))
        small_result, large_result = best(small_input), best(large_input)
        self.row(name, large_result[0] / small_result[0], 8, "x", large_result[0], large_result[1])


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
        # In another process, because this script's memory is counted as part of each child's.
        if (child := os.fork()) == 0:
            write_inputs(Path(name))
            os._exit(0)
        os.waitpid(child, 0)
        files = {path.stem: path for path in Path(name).glob("*.xml")}
        corpus, levels = Path(name) / "corpus", files["levels"]
        hostile = {path.stem: path for path in sorted((Path(name) / "hostile").glob("*.xml"))}
        growing = sorted((Path(name) / "growing-1").glob("*.xml"))
        copies = Path(name) / "copies"
        copies.mkdir()
        table = Table(options.only, copies)
        xmllint_stdin = [xmllint, "--noout", "-"]
        table.pair("small fix / xmllint", [binary, "fix"], xmllint_stdin, 0.45, quick, release.SMALL, release.SMALL, max_bytes=3.2 * MIB)
        paths = sorted(str(path) for path in Path(options.corpus or corpus).glob("*.xml"))
        for form, bar in (("concise", 0.95), ("full", 2.4)):
            lint = [binary, "lint", "--format", form, *paths]
            table.pair(f"lint of {len(paths)} files, {form} / xmllint", lint, [xmllint, "--noout", *paths], bar, options.rounds)
        for kind, bar in (("lint", 0.7), ("fix", 1.5)):
            for file in ("big", "big-declared") if kind == "lint" else ("big-fixable", "big-fixable-declared"):
                lint = [xmllint, "--huge", "--noout", str(files[file])]
                table.pair(f"{kind} {file} / xmllint", [binary, kind], lint, bar, slow, stdin=files[file], times_input=10)
                table.pair(f"{kind} {file}, piped", [binary, kind], [true], None, 3, stdin=files[file], times_input=10, pipe=True)
        for kind in ("lint", "fix"):
            table.pair(f"{kind} big-undeclared", [binary, kind], [true], None, 3, stdin=files["big-undeclared"], times_input=13, pipe=True)
        for layout in ("many", "line"):
            for form, bar in (("full", 20), ("concise", 10), ("json", 20)):
                command = [binary, "lint", "--format", form, "--only", "spice-leftover"]
                table.each(f"a diagnostic, {layout}, {form}", command, files[f"{layout}-True"], files[f"{layout}-False"], bar, 10_000, slow)
        for name, file in hostile.items():
            for kind in (["lint", "--format", "concise"], ["fix"]):
                table.within(f"{kind[0]}: {name}", [binary, *kind], 100, 3, file)
        for form in ("set", "override"):
            for name in (name for name in hostile if "-set" in name or "overr" in name or "propert" in name):
                version = "7.0.0" if form == "set" else "8.0.0"
                for kind in (["lint", "--format", "concise"], ["fix"]):
                    table.within(f"{kind[0]} for libvirt {version}: {name}", [binary, *kind, "--libvirt", version], 100, 3, hostile[name])
        for file in growing:
            for kind in (["lint", "--format", "json"], ["fix"], ["fix", "--libvirt", "7.0.0"], ["fix", "--libvirt", "8.2.0"]):
                title = " ".join(kind).replace("--", "").replace("format ", "")
                table.growth(f"{title}: {file.stem}, 4 times as many", [binary, *kind], 3, file, file.parent.parent / "growing-4" / file.name)
        table.within("lint: a million levels", [binary, "lint"], 1000, 3, levels)
        table.within("fix: a million levels", [binary, "fix"], 1000, 3, levels)
    print(f"{table.over_bar} over their bar" if table.over_bar else "all within their bars")
    sys.exit(1 if table.over_bar else 0)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
