"""`manage.py audit verify`: whether the trail is whole."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dsr import audit
from dsr.models import AuditEntry

NONE_YET = "none yet; the clock writes one each minute"


class Command(BaseCommand):
    """Walks the chain of the trail and compares it with the checkpoints outside the database."""

    help = "Checks the trail: was an entry changed, removed, moved, or its end cut off?"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["verify"])

    def handle(self, *args: Any, **options: Any) -> None:
        problems = audit.verify()
        self.stdout.write(f"Entries: {AuditEntry.objects.count()}")
        self.stdout.write(f"Last checkpoint: {_last_checkpoint()}")
        for problem in problems:
            self.stdout.write(problem)
        if problems:
            raise CommandError(f"The trail is not whole: {len(problems)} problem{'s' if len(problems) > 1 else ''}.")
        self.stdout.write("The trail is whole.")


def _last_checkpoint() -> str:
    path = audit.checkpoint_path()
    lines = path.read_text().splitlines() if path.exists() else []
    try:
        line = json.loads(lines[-1]) if lines else None
        return f"entry {line['seq']}, {line['at']}" if line else NONE_YET
    except (ValueError, KeyError, TypeError):
        return f"unreadable, see below ({path.name})"
