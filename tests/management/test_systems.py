"""`manage.py systems` on the sample company, and on systems that are not as they should be."""

from __future__ import annotations

import os
import sqlite3
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from dsr import policy


def said(*args: str) -> str:
    out = StringIO()
    call_command("systems", *args, stdout=out)
    return out.getvalue()


@override_settings(LANGUAGE_CODE="en")
def test_it_shows_health_coverage_and_what_nobody_mapped(lumio: policy.Policy) -> None:
    out = said()
    for system in policy.systems().systems:
        assert f"{system.name}: {system.title} (sql)" in out
        for collection in system.collections:
            assert f"  {collection.name} " in out
    assert "NOT HEALTHY" not in out
    assert "NOT MAPPED: legacy_newsletter." in out
    assert "Looks personal: email" in out
    assert "never given out: password_hash" in out


def test_one_system_alone(lumio: policy.Policy) -> None:
    out = said("--system", "billing")
    assert "billing:" in out
    assert "app:" not in out


def test_an_unknown_system_is_answered_with_the_known_ones(lumio: policy.Policy) -> None:
    with pytest.raises(CommandError, match="app, billing"):
        said("--system", "no-such")


def test_a_system_that_cannot_be_read_fails_it_and_the_others_are_shown(
    lumio: policy.Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LUMIO_APP_URL")
    out = StringIO()
    with pytest.raises(CommandError, match="Not healthy: app"):
        call_command("systems", stdout=out)
    assert "NOT HEALTHY: The environment variable LUMIO_APP_URL is not set." in out.getvalue()
    assert "billing:" in out.getvalue()


def test_a_table_name_does_not_steer_the_terminal(
    lumio: policy.Policy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "mail.sqlite3"
    source = Path(_mail_file())
    path.write_bytes(source.read_bytes())
    with sqlite3.connect(path) as database:
        database.execute('CREATE TABLE "\x1b[2Jcleared\u202e\n  healthy" (email TEXT)')
    database.close()
    monkeypatch.setenv("LUMIO_MAIL_URL", f"sqlite:///{path}")
    out = said("--system", "mail")
    assert "\\x1b[2Jcleared\\u202e\\n  healthy" in out
    assert "\x1b" not in out


def _mail_file() -> str:
    return os.environ["LUMIO_MAIL_URL"].removeprefix("sqlite:///")
