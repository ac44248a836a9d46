"""The database as this version needs it, made before any process starts."""

import sys
import time

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection

from dsr import locks

LONGEST_WAIT_SECONDS = 60


def prepare_database(verbosity: int = 0) -> None:
    """Bring tables and shared cache up to date. Where several machines start at once, one does it and the others wait.

    Raises CommandError when the database does not answer.
    """
    _wait()
    with locks.in_one_process("prepare"):
        call_command("migrate", verbosity=verbosity, interactive=False)
        call_command("createcachetable", verbosity=verbosity)


def _wait() -> None:
    """After a power cut a database server may be up later than we are."""
    ends_at = time.monotonic() + (LONGEST_WAIT_SECONDS if connection.vendor == "postgresql" else 0)
    said = ""
    while True:
        try:
            connection.ensure_connection()
            return
        except OperationalError as error:
            reason = str(error).strip().partition("\n")[0]
            told = f"The database does not answer: {reason}. Start it, or look at DSR_DATABASE."
            if time.monotonic() > ends_at:
                raise CommandError(told) from error
            if reason != said:
                print(f"{told} Waiting.", file=sys.stderr)
                said = reason
        time.sleep(1)
