"""`manage.py serve`: web, worker and clock, started together and kept alive."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from dsr.management.preparing import prepare_database
from dsr.management.supervisor import Supervisor, children


class Command(BaseCommand):
    """Prepare the database, then run all processes of one machine until Ctrl-C or TERM."""

    help = "Runs web, worker and clock together. One machine needs nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", help="address and port of the web server")
        parser.add_argument("--web-workers", type=int, default=2)
        parser.add_argument("--work-processes", type=int, default=2)

    def handle(self, *args: Any, **options: Any) -> None:
        prepare(verbosity=options["verbosity"])
        Supervisor(children(options["bind"], options["web_workers"], options["work_processes"])).run()


def prepare(verbosity: int = 0) -> None:
    """Bring database, shared cache and static files up to date."""
    prepare_database(verbosity)
    if not settings.DEBUG:
        call_command("collectstatic", verbosity=verbosity, interactive=False)
