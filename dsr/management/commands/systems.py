"""`manage.py systems`: can each system be read, what of it is mapped, and what did nobody map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsr import connectors, policy
from dsr.connectors import Connector, SystemRefused, SystemUnreachable, Unmapped
from dsr.policy.systems import Collection, System


class Command(BaseCommand):
    """Asks every system, one after the other. Fails when one is not healthy."""

    help = "Shows for each system whether it can be read, what is mapped, and what nobody mapped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--system", default="", help="only the system of this name")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            known = policy.systems()
        except policy.NotConfigured as missing:
            raise CommandError(str(missing)) from missing
        chosen = [system for system in known.systems if options["system"] in ("", system.name)]
        if not chosen:
            names = ", ".join(system.name for system in known.systems)
            raise CommandError(_("There is no system of that name. There are: %(names)s.") % {"names": names})
        ill = [system.name for system in chosen if not self._show(system)]
        if not options["system"]:
            self._show_uncovered(known.categories())
        if ill:
            raise CommandError(_("Not healthy: %(names)s.") % {"names": ", ".join(ill)})

    def _show(self, system: System) -> bool:
        """Print one system; True when it is healthy."""
        self._line(f"{system.name}: {system.title} ({system.kind})")
        try:
            with connectors.open(system) as connector:
                health = connector.check()
                self._line(f"  {_('healthy') if health.ok else _('NOT HEALTHY')}: {health.detail}")
                if health.hint:
                    self._line(f"  {_('what to do')}: {health.hint}")
                self._lines(f"  {_('NOTE')}: {note}" for note in health.notes)
                self._lines(_coverage(connector, with_rows=health.ok))
                if health.ok:
                    self._lines(_left_over(connector.unmapped()))
                return health.ok
        except (SystemRefused, SystemUnreachable) as error:
            self._line(f"  {_('NOT HEALTHY')}: {error.detail}")
            self._line(f"  {_('what to do')}: {error.hint}")
            return False

    def _show_uncovered(self, covered: frozenset[str]) -> None:
        empty = [category for category in policy.current().categories if category.id not in covered]
        if empty:
            self._line(_("Categories of the policy that no collection holds:"))
        for category in empty:
            self._line(f"  {category.id}: {category.title}")

    def _lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._line(line)

    def _line(self, line: str) -> None:
        # Names of tables and columns come from the system: none of them may steer the terminal.
        self.stdout.write("".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line))


def _coverage(connector: Connector, *, with_rows: bool) -> Iterator[str]:
    width = max((len(collection.name) for collection in connector.system.collections), default=0)
    for collection in connector.system.collections:
        facts = [collection.category, *(_facts(connector, collection) if with_rows else ())]
        yield f"  {collection.name:{width}}  {', '.join(facts)}"


def _facts(connector: Connector, collection: Collection) -> Iterator[str]:
    if not connector.columns(collection.name):
        yield _("this database has no such table")
        return
    size = connector.rows(collection.name)
    if size is not None and size.is_estimate:
        yield ngettext(
            "about %(rows)d row by the database's estimate", "about %(rows)d rows by the database's estimate", size.rows
        ) % {"rows": size.rows}
    elif size is not None:
        yield ngettext("%(rows)d row", "%(rows)d rows", size.rows) % {"rows": size.rows}
    withheld = connector.withheld(collection.name)
    if withheld:
        yield _("never given out: %(columns)s") % {"columns": " ".join(withheld)}
    if not connector.resumable(collection.name):
        yield _("no key")


def _left_over(unmapped: list[Unmapped]) -> Iterator[str]:
    personal = [found for found in unmapped if found.kind == "personal"]
    for found in unmapped:
        if found.kind == "table":
            yield f"  {_('NOT MAPPED')}: {found.table}. {found.reason}"
            columns = [each.column for each in personal if each.table == found.table]
            if columns:
                yield "    " + _("Looks personal: %(columns)s") % {"columns": ", ".join(columns)}
    silent = [f"{found.table}.{found.column}" for found in unmapped if found.kind == "undescribed"]
    if silent:
        yield "  " + _("Given out without a description: %(columns)s") % {"columns": ", ".join(silent)}
