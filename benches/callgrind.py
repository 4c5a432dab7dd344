"""How many instructions a process takes: a figure that does not depend on what else the machine does."""

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
