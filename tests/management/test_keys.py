from pathlib import Path

import pytest
from django.core.management import call_command

from dsr import keys
from dsr.models import AuditEntry

pytestmark = pytest.mark.django_db


def test_rotating_makes_new_keys_keeps_the_old_and_is_in_the_trail(tmp_path: Path, settings, capsys) -> None:
    before = keys._keys
    settings.DSR_KEYS = tmp_path / "keys.json"
    try:
        keys.configure(settings.DSR_KEYS)
        sealed = keys.seal_field(b"old", b"place")
        written = settings.DSR_KEYS.read_text()
        call_command("keys", "rotate")
        assert settings.DSR_KEYS.read_text() != written
        assert keys.open_field(sealed, b"place") == b"old"
    finally:
        keys._keys = before
    assert AuditEntry.objects.get().act == "rotated keys"
    assert "restart web, worker and clock" in capsys.readouterr().out
