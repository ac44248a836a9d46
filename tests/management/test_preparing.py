"""Before the processes start: the database is waited for, and made once, whoever else makes it too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import servers

ROOT = Path(__file__).parents[2]
PREPARE = "import django; django.setup(); from dsr.management.preparing import prepare_database; prepare_database()"

pytestmark = [pytest.mark.processes, pytest.mark.enable_socket]


def preparing(folder: Path, database: str) -> subprocess.Popen[str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("DSR_", "POLICY", "DJANGO_"))}
    ours |= {"DJANGO_SETTINGS_MODULE": "dsr.settings", "POLICY": "lumio", "DSR_DATA": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-c", PREPARE], cwd=ROOT, env=ours | {"DSR_DATABASE": database}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_two_machines_that_start_before_their_database_make_it_once(tmp_path: Path) -> None:
    with servers.running(servers.Postgres()) as server:
        # The keys are there from an earlier start: without them nobody could tell whether they are needed.
        done = preparing(tmp_path, str(tmp_path / "first.sqlite3"))
        assert done.communicate(timeout=60)[0] == ""
        server.stop()
        url = server.url("postgres", driver="postgresql")
        both = [preparing(tmp_path, url) for _ in range(2)]
        for one in both:
            assert one.stdout is not None
            assert "The database does not answer" in one.stdout.readline()
        server.start()
        told = [one.communicate(timeout=60)[0] for one in both]
        assert [one.returncode for one in both] == [0, 0], told
        with server.connect() as connection:
            applied = "SELECT count(*), count(DISTINCT (app, name)) FROM django_migrations"
            row = connection.execute(applied).fetchone()
            assert row is not None
            assert row[0] == row[1] > 20
            connection.execute("SELECT count(*) FROM shared_cache")


def test_a_path_that_cannot_be_is_told_at_once(tmp_path: Path) -> None:
    process = preparing(tmp_path, "/proc/nowhere/portal.sqlite3")
    told = process.communicate(timeout=60)[0]
    assert process.returncode != 0
    assert "The database does not answer: unable to open database file." in told
