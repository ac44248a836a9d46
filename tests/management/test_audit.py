"""`manage.py audit verify`."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from dsr import audit
from dsr.models import AuditEntry


def verify() -> str:
    out = io.StringIO()
    call_command("audit", "verify", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_a_whole_trail() -> None:
    audit.append("assigned", actor=audit.SYSTEM)
    audit.append("assigned", actor=audit.SYSTEM)
    assert "none yet" in verify()
    audit.write_checkpoint()
    told = verify()
    assert "Entries: 2" in told
    assert "Last checkpoint: entry 2, " in told
    assert "The trail is whole." in told


@pytest.mark.django_db
def test_a_changed_entry_ends_in_failure(capsys: pytest.CaptureFixture[str]) -> None:
    audit.append("assigned", actor=audit.SYSTEM)
    AuditEntry.objects.update(act="x")
    with pytest.raises(CommandError, match="not whole: 1 problem"):
        call_command("audit", "verify")
    assert "Entry 1 was changed" in capsys.readouterr().out


@pytest.mark.django_db
def test_a_checkpoint_that_is_no_checkpoint(data_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audit.append("assigned", actor=audit.SYSTEM)
    audit.checkpoint_path().parent.mkdir(parents=True)
    audit.checkpoint_path().write_text("nonsense\n")
    with pytest.raises(CommandError):
        call_command("audit", "verify")
    assert "unreadable" in capsys.readouterr().out
