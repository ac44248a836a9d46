"""From a clone to an opened archive: a fresh copy, a new environment, packages fetched anew, one export."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from bench.figures import Figure
from bench.stage import ROOT

TARGET_SECONDS = 180


def figures() -> list[Figure]:
    """Clone what is committed, install, and carry the sample person's export to its opened archive."""
    with tempfile.TemporaryDirectory(prefix="dsr-clone-") as folder:
        copy = Path(folder) / "copy"
        steps = {
            "clone": ["git", "clone", "--quiet", str(ROOT), str(copy)],
            "make install": ["make", "--no-print-directory", "install"],
            "demo --once": [".venv/bin/python", "manage.py", "demo", "--once"],
        }
        taken = {}
        for name, command in steps.items():
            begun = time.monotonic()
            _run(command, copy if copy.exists() else Path(folder))
            taken[name] = time.monotonic() - begun
    whole = sum(taken.values())
    beside = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in taken.items())
    return [
        Figure(
            "clone to opened archive (once)", f"{whole:.0f} s", beside, f"< {TARGET_SECONDS} s", whole < TARGET_SECONDS
        )
    ]


def _run(command: list[str], folder: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DSR_", "DJANGO_", "VIRTUAL_"))}
    # Nothing from an earlier install: a newcomer has no cache.
    environment = kept | {"POLICY": "lumio", "PIP_NO_CACHE_DIR": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
