"""Builds the release binary for the benchmarks."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = "x86_64-unknown-linux-musl"
# The domain for the benchmarks of a small fix.
SMALL = ROOT / "fixtures" / "win10-virt-manager.xml"


def build():
    """Builds the release binary and returns its path."""
    built = subprocess.run([ROOT / "packaging" / "build"], check=True, stdout=subprocess.PIPE, text=True)
    return built.stdout.strip()


def rustc(*words):
    """Runs rustc and returns its stdout."""
    return subprocess.run(["rustc", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def compiler():
    """Returns the compiler's version."""
    return rustc("--version")
