"""A small right policy and a small right systems file, for tests that break them one place at a time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dsr import policy
from dsr.policy import Policy, PolicyError, Systems

POLICY = """
version = 2026-01-01
published = { value = 2025-12-15, assumed = true }
rules = ["gdpr"]
automated_decisions = "none"
never = ["We never sell data."]

[organisation]
name = "Example GmbH"
short = "Example"
about = { en = "makes things", de = "macht Dinge" }
country = { value = "DE", assumed = true }
timezone = "Europe/Berlin"
email = "privacy@example.com"
accent = "#0b5f58"

[rights.access]
offered = true
within = "30 days"

[rights.correction]
offered = true

[[purpose]]
id = "run"
title = "Running it"
legal_basis = "contract"
sentence = "To run it."

[[category]]
id = "usage"
title = "Usage"
sentence = "What you did."
purposes = ["run"]
legal_basis = "contract"
retention = "30 days"
erase = true

[[recipient]]
id = "host"
name = "Host AG"
role = "processor"
what = "Keeps the servers."
country = "AT"
categories = ["usage"]

[[promise]]
id = "example.respond-30"
words = "We answer within 30 days."
shown = ["deadline"]
right = "access"
within = "30 days"
"""

SYSTEMS = """
[[system]]
name = "app"
title = "App"
kind = "sql"
url_env = "APP_URL"

[[system.collection]]
name = "accounts"
table = "users"
title = "Accounts"
category = "usage"
find = [{ column = "email", identifier = "email" }]
teaches = [{ column = "id", identifier = "user_id" }]

[[system.collection]]
name = "chats"
table = "chats"
title = "Chats"
category = "usage"
find = [{ column = "user_id", identifier = "user_id" }]

[[system.collection]]
name = "messages"
table = "messages"
title = "Messages"
category = "usage"
find = [{ column = "chat_id", collection = "chats", key = "id" }]
"""


def _edited(words: str, edits: dict[str, str]) -> str:
    for old, new in edits.items():
        assert words.count(old) >= 1, f"{old!r} is not in the file"
        words = words.replace(old, new, 1)
    return words


@pytest.fixture
def policy_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes the small policy with edits, and returns its path."""

    def write(edits: dict[str, str] | None = None, name: str = "policy.toml") -> Path:
        (tmp_path / name).write_text(_edited(POLICY, edits or {}))
        return tmp_path / name

    return write


@pytest.fixture
def systems_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes the small systems file with edits, and returns its path."""

    def write(edits: dict[str, str] | None = None) -> Path:
        (tmp_path / "systems.toml").write_text(_edited(SYSTEMS, edits or {}))
        return tmp_path / "systems.toml"

    return write


@pytest.fixture
def load(policy_file: Callable[..., Path]) -> Callable[..., Policy]:
    """The small policy with edits, loaded."""
    return lambda edits=None: policy.load(policy_file(edits))


@pytest.fixture
def load_systems(load: Callable[..., Policy], systems_file: Callable[..., Path]) -> Callable[..., Systems]:
    """The small systems file with edits, loaded."""
    return lambda edits=None: policy.load_systems(systems_file(edits), load())


@pytest.fixture
def problems() -> Callable[..., dict[str, str]]:
    """What loading says is wrong: place to found."""

    def refused(load: Callable[..., object], edits: dict[str, str]) -> dict[str, str]:
        with pytest.raises(PolicyError) as caught:
            load(edits)
        return {problem.place: problem.found for problem in caught.value.problems}

    return refused
