"""`manage.py prepare`: the database as this version needs it. Run once before the processes start, at each upgrade."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Safe to run again; makes the key file at the very first time."""

    help = "Brings the database up to date, and makes the keys at the first start."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=options["verbosity"], interactive=False)
        call_command("createcachetable", verbosity=options["verbosity"])
