"""How many instructions a process takes: a figure that does not depend on what else the machine does."""

import bisect
import re
import shutil
import subprocess
import sys
import tempfile

VALGRIND = shutil.which("valgrind")


def is_there():
    """Whether there is valgrind; where there is none, that is said out loud."""
    if not VALGRIND:
        print("!! valgrind is missing (Debian: valgrind): NO INSTRUCTIONS ARE COUNTED", file=sys.stderr)
    return VALGRIND is not None


def run(command, stdin, *options):
    """What valgrind says while it runs a command. Its environment is empty, as programs read it at their start."""
    with tempfile.NamedTemporaryFile("r") as log, open(stdin or "/dev/null", "rb") as source:
        line = [VALGRIND, "--tool=callgrind", f"--log-file={log.name}", *options, *command]
        subprocess.run(line, stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={})
        return log.read()


def instructions(command, stdin=None):
    """The instructions of a command."""
    said = run(command, stdin, "--callgrind-out-file=/dev/null")
    counted = re.search(r"Collected : (\d+)", said)
    return int(counted[1]) if counted else sys.exit(f"valgrind failed: {' '.join(map(str, command))[:200]}\n{said}")


def profile(command, stdin, *options):
    """callgrind's profile of a command."""
    with tempfile.NamedTemporaryFile("r") as out:
        run(command, stdin, f"--callgrind-out-file={out.name}", *options)
        return out.read()


def addresses(command, stdin=None):
    """The addresses that a command runs code at."""
    lines = profile(command, stdin, "--dump-instr=yes", "--compress-pos=no").splitlines()
    return {int(line.split()[0], 16) for line in lines if line.startswith("0x")}


def pages(command, stdin=None):
    """The pages of 4 KB from which a command runs code: what the kernel maps for it, whatever it counts."""
    return len({address >> 12 for address in addresses(command, stdin)})


def symbols(command, stdin=None):
    """The linker's names of what a command runs: of functions, and of the parts that the compiler has put aside as rarely run."""
    listed = subprocess.run(["nm", "--numeric-sort", "--defined-only", command[0]], check=True, capture_output=True, text=True).stdout
    named = [(int(address, 16), name) for address, kind, name in map(str.split, listed.splitlines()) if kind in "tTwW"]
    starts = sorted({start for start, _ in named})
    last = lambda address: bisect.bisect_right(starts, address) - 1
    ran = {starts[last(address)] for address in addresses(command, stdin) if last(address) >= 0}
    return sorted(name for start, name in named if start in ran)
