"""Counts the instructions of a process, which do not depend on the load of the machine."""

import re
import shutil
import subprocess
import sys
import tempfile

VALGRIND = shutil.which("valgrind")


def is_available():
    """Whether valgrind is installed; prints a warning if it is not."""
    if not VALGRIND:
        print("!! valgrind is missing (Debian: valgrind): NO INSTRUCTIONS ARE COUNTED", file=sys.stderr)
    return VALGRIND is not None


def run(command, stdin, *options):
    """Runs a command under callgrind and returns valgrind's log.

    The environment is empty, because programs read it at startup.
    """
    with tempfile.NamedTemporaryFile("r") as log, open(stdin or "/dev/null", "rb") as source:
        line = [VALGRIND, "--tool=callgrind", f"--log-file={log.name}", *options, *command]
        subprocess.run(line, stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={})
        return log.read()


def instructions(command, stdin=None):
    """Returns the number of instructions that a command takes."""
    log_text = run(command, stdin, "--callgrind-out-file=/dev/null")
    match = re.search(r"Collected : (\d+)", log_text)
    return int(match[1]) if match else sys.exit(f"valgrind failed: {' '.join(map(str, command))[:200]}\n{log_text}")
