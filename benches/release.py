"""The release binary."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = "x86_64-unknown-linux-musl"


def build():
    """Builds it, and says where it is."""
    subprocess.run(["cargo", "build", "--release", "--target", TARGET], cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
    return str(Path(target) / TARGET / "release" / "gvtg-xml")


def compiler():
    """The compiler's version."""
    return subprocess.run(["rustc", "--version"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
