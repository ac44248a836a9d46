"""What is installed: pinned with digests, named without the host it came from, and all that pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")


def asked_for(groups: tuple[str, ...]) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + [w for g in groups for w in project["dependency-groups"][g]]
    return {re.split(r"[\[<>=~! ]", name)[0].lower() for name in wanted}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_pins_everything_by_digest(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert "index-url" not in text
    for entry in re.split(r"\n(?=\S)", text):
        if entry.strip() and not entry.startswith("#"):
            assert re.match(r"[a-z0-9._\[\],-]+==\S+", entry), entry
            assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize(("lock", "groups"), [(LOCKS[0], ()), (LOCKS[1], ("test", "lint"))])
def test_a_lock_holds_all_that_is_asked_for(lock: str, groups: tuple[str, ...]) -> None:
    locked = {
        line.partition("==")[0].partition("[")[0] for line in (ROOT / lock).read_text().splitlines() if "==" in line
    }
    assert asked_for(groups) - locked == set()
