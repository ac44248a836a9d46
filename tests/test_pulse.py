"""Signs of life as a health check reads them."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dsr import pulse

ROOT = Path(__file__).parent.parent
NAME = f"worker@{socket.gethostname()}"


def test_who_beats_is_well(tmp_path: Path) -> None:
    pulse.beat(tmp_path / "run", NAME)
    assert pulse.trouble(tmp_path / "run", "worker") == ""
    assert [path.name for path in (tmp_path / "run").iterdir()] == [NAME]


def test_who_never_did_or_no_longer_does_is_not(tmp_path: Path) -> None:
    assert pulse.trouble(tmp_path, "worker") == "worker gave no sign of life yet"
    (tmp_path / NAME).write_text(json.dumps({"at": time.time() - 100, "lacking": []}))
    assert pulse.trouble(tmp_path, "worker") == "worker is silent for 100 seconds"


def test_who_lives_and_lacks_something_is_not(tmp_path: Path) -> None:
    pulse.beat(tmp_path, NAME, ["database"])
    assert pulse.trouble(tmp_path, "worker") == "worker lacks: database"


def look(*arguments: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "dsr.pulse", *arguments], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | environment, check=False,
    )  # fmt: skip
    assert "django" not in done.stderr, "it runs every few seconds: it must stay light"
    return done.returncode, done.stderr.strip().splitlines()[-1]


def test_as_a_command(tmp_path: Path) -> None:
    assert look("worker", DSR_RUN=str(tmp_path)) == (1, "worker gave no sign of life yet")
    pulse.beat(tmp_path, NAME)
    assert look("worker", DSR_RUN=str(tmp_path)) == (0, "well")
    pulse.beat(tmp_path, f"clock@{socket.gethostname()}")
    assert look("clock", DSR_RUN=str(tmp_path)) == (1, "sweep gave no sign of life yet")
    pulse.beat(tmp_path, f"sweep@{socket.gethostname()}")
    assert look("clock", DSR_RUN=str(tmp_path)) == (0, "well")
    assert look("web", DSR_BIND="127.0.0.1:1") == (1, "web does not answer: URLError")


@pytest.mark.parametrize("arguments", [(), ("beat",), ("web", "worker")])
def test_a_wrong_word_is_told(arguments: tuple[str, ...]) -> None:
    assert look(*arguments) == (2, "python -m dsr.pulse web|worker|clock")
