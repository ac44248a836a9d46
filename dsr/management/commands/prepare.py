"""`manage.py prepare`: the database as this version needs it. Run once before the processes start, at each upgrade."""

from typing import Any

from django.core.management.base import BaseCommand

from dsr.management.preparing import prepare_database


class Command(BaseCommand):
    """Safe to run again; makes the key file at the very first time."""

    help = "Brings the database up to date, and makes the keys at the first start."

    def handle(self, *args: Any, **options: Any) -> None:
        prepare_database(options["verbosity"])
