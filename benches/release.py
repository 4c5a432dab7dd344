"""The release binary."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = "x86_64-unknown-linux-musl"
# The domain of the small fix.
SMALL = ROOT / "fixtures" / "win10-virt-manager.xml"


def build():
    """Builds it, and returns its path."""
    built = subprocess.run([ROOT / "packaging" / "build"], check=True, stdout=subprocess.PIPE, text=True)
    return built.stdout.strip()


def rustc(*words):
    """What the compiler says of itself."""
    return subprocess.run(["rustc", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def compiler():
    """The compiler's version."""
    return rustc("--version")
