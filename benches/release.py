"""The release binary."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = "x86_64-unknown-linux-musl"
# The domain that a small fix mends.
SMALL = ROOT / "fixtures" / "win10-virt-manager.xml"


def build(*flags):
    """Builds it, and says where it is. Flags are more for the compiler."""
    built = subprocess.run([ROOT / "packaging" / "build", *flags], check=True, stdout=subprocess.PIPE, text=True)
    return built.stdout.strip()


def build_counting(folder):
    """Builds one that writes down in a folder how often each part of it runs."""
    flags = f'target.{TARGET}.rustflags = ["-Cprofile-generate={folder}"]'
    subprocess.run(["cargo", "build", "--locked", "--release", "--target", TARGET, "--config", flags], cwd=ROOT, check=True)
    return str(Path(os.environ["CARGO_TARGET_DIR"]) / TARGET / "release" / "gvtg-xml")


def rustc(*words):
    """What the compiler says of itself."""
    return subprocess.run(["rustc", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def compiler():
    """The compiler's version."""
    return rustc("--version")
