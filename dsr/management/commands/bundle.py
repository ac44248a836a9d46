"""`manage.py bundle verify FILE`: is this archive whole, and nothing but what its manifest lists?"""

import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from dsr.bundle import opening


class Command(BaseCommand):
    help = (
        "Look after archives: verify FILE checks one against its manifest, extract FILE FOLDER unpacks a verified one."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own way to say it; an archive needs no portal)

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        verify = acts.add_parser("verify", help="exit with 1 and a list of what is wrong, or with 0")
        extract = acts.add_parser("extract", help="unpack a verified archive into a folder that does not exist yet")
        for act in (verify, extract):
            act.add_argument("file", type=Path)
            act.add_argument("--password", action="store_true", help="ask for the password of an encrypted archive")
        extract.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        if not file.is_file():
            raise CommandError(_("%(file)s is not a file.") % {"file": file})
        password = getpass.getpass(_("Password of the archive: ")) if options["password"] else None
        if options["act"] == "extract":
            self._extract(file, options["folder"], password)
        else:
            self._verify(file, password)

    def _verify(self, file: Path, password: str | None) -> None:
        if problems := opening.verify(file, password):
            raise CommandError("\n".join(problems), returncode=1)
        self.stdout.write(_("%(file)s is whole: every file is listed and unchanged.") % {"file": file})

    def _extract(self, file: Path, folder: Path, password: str | None) -> None:
        if folder.exists():
            raise CommandError(_("%(folder)s exists already.") % {"folder": folder})
        try:
            opening.extract(file, folder, password)
        except opening.NotVerified as error:
            raise CommandError(str(error), returncode=1) from error
        self.stdout.write(str(folder))
