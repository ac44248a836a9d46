"""The system check: what is wrong, what is assumed, what would hold an answer."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.core.management import CommandError, call_command

from dsr import policy, samples
from dsr.checks import policy_and_systems

UNMAPPED = """
[[category]]
id = "nowhere"
title = "Nowhere"
sentence = "s"
purposes = ["account"]
legal_basis = "contract"
retention = "30 days"
erase = true
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has read nothing yet."""
    monkeypatch.setattr(policy, "_state", policy._State())


def edited(tmp_path: Path, old: str, new: str) -> Path:
    words = samples.policy_path("lumio").read_text()
    assert old in words
    (tmp_path / "policy.toml").write_text(words.replace(old, new))
    return tmp_path / "policy.toml"


def messages() -> list[checks.CheckMessage]:
    return policy_and_systems(None)


def test_no_policy_is_an_error_with_a_way_out() -> None:
    (error,) = messages()
    assert (error.id, error.is_serious()) == ("dsr.E002", True)
    assert "DSR_POLICY" in str(error.hint)


def test_each_problem_is_an_error(tmp_path: Path) -> None:
    wrong = edited(tmp_path, 'country = "US"\nsubdivision', 'country = "USA"\nshrot = 1\nsubdivision')
    with pytest.raises(policy.PolicyError):
        policy.configure(wrong, samples.systems_path("lumio"))
    assert [(error.id, error.is_serious()) for error in messages()] == [("dsr.E001", True)] * 2
    assert "organisation.country" in messages()[0].msg
    assert messages()[0].hint == "did you mean 'US'?"


def test_what_is_assumed_is_a_warning_and_only_told_for_a_sample(settings: Any) -> None:
    policy.configure(samples.policy_path("lumio"), samples.systems_path("lumio"))
    settings.DSR_DEMO = True
    assert [(found.id, found.level) for found in messages()] == [("dsr.W001", checks.INFO)]
    settings.DSR_DEMO = False
    assert [(found.id, found.level) for found in messages()] == [("dsr.W001", checks.WARNING)]
    assert "published" in messages()[0].msg
    assert messages()[0].hint


def test_an_empty_slot_and_an_unmapped_category_are_warnings(tmp_path: Path) -> None:
    wanting = edited(tmp_path, "safeguard =", "#")
    wanting.write_text(wanting.read_text() + UNMAPPED)
    policy.configure(wanting, samples.systems_path("lumio"))
    found = {message.id: message.msg for message in messages()}
    assert "safeguards" in found["dsr.W002"]
    assert "nowhere" in found["dsr.W003"]


def test_check_says_what_is_assumed() -> None:
    out = StringIO()
    paths = {"policy": str(samples.policy_path("lumio")), "systems": str(samples.systems_path("lumio"))}
    call_command("policy", "check", stdout=out, **paths)
    assert "Lumio, Inc." in out.getvalue()
    assert "  published\n" in out.getvalue()


def test_check_fails_with_every_problem(tmp_path: Path) -> None:
    wrong = edited(tmp_path, 'timezone = "America/Los_Angeles"', 'timezone = "Nowhere"\nshrot = 1')
    with pytest.raises(CommandError, match="2 problems"):
        call_command("policy", "check", policy=str(wrong), systems=str(samples.systems_path("lumio")))


def test_schema_prints_json(tmp_path: Path) -> None:
    for options in ([], ["--systems"]):
        out = StringIO()
        call_command("policy", "schema", *options, stdout=out)
        assert out.getvalue().startswith("{")
