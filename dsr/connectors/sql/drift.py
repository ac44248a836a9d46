"""Whether a live database has moved on from what its preset knows: said, each difference in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.utils.translation import gettext as _

from dsr.connectors._names import may_name_somebody
from dsr.connectors.sql.mapping import ignored
from dsr.connectors.sql.tables import Tables
from dsr.policy.preset import Preset, preset


def differences(tables: Tables) -> Iterator[str]:
    """How the database differs from the one that the system's preset was made for. Nothing for a system without one."""
    if not tables.system.preset:
        return
    known = preset(tables.system.preset)
    live = tables.column_names
    found = [*_new(known, live, tables.system.ignore), *_missing(tables, known, live)]
    if found:
        yield _("The preset “%(name)s” was made for %(made_for)s, and this database is another version.") % {
            "name": known.name,
            "made_for": known.made_for,
        }
        yield from found


def _new(known: Preset, live: Mapping[str, Sequence[str]], aside: tuple[str, ...]) -> Iterator[str]:
    for table, names in live.items():
        if table not in known.columns:
            if not ignored(aside, table):
                yield _("Table “%(table)s” is new, and nothing of it is given out.") % {"table": table} + _told(names)
            continue
        added = [name for name in names if name not in known.columns[table]]
        if added:
            said = _("Table “%(table)s” has new columns, which are not given out: %(columns)s.")
            yield said % {"table": table, "columns": ", ".join(added)} + _told(added)


def _told(names: Sequence[str]) -> str:
    naming = [name for name in names if may_name_somebody(name)]
    if not naming:
        return ""
    return " " + _("By their names these may name a person: %(columns)s.") % {"columns": ", ".join(naming)}


def _missing(tables: Tables, known: Preset, live: Mapping[str, Sequence[str]]) -> Iterator[str]:
    gone = [table for table in known.columns if table not in live and not ignored(tuple(known.ignored), table)]
    if gone:
        said = _("These tables are missing, and what the preset reads in them is passed over: %(tables)s.")
        yield said % {"tables": ", ".join(gone)}
    for table, names in known.columns.items():
        lacking = [name for name in names if table in live and name not in live[table]]
        if lacking:
            said = _("Table “%(table)s” lacks these columns, which are passed over: %(columns)s.")
            yield said % {"table": table, "columns": ", ".join(lacking)}
