"""`manage.py keys rotate`: new keys for what is sealed from now on."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from dsr import audit, keys


class Command(BaseCommand):
    """Work on the key file."""

    help = "Rotates the keys of fields and bundles. What older keys sealed still opens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=["rotate"])

    def handle(self, *args: Any, **options: Any) -> None:
        keys.rotate()
        audit.append("rotated keys", actor=audit.SYSTEM)
        self.stdout.write(
            f"New keys are in {settings.DSR_KEYS}. Back the file up now, and restart web, worker and clock: "
            "until then they seal with the keys they read at their start."
        )
