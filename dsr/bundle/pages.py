"""Tables as pages that open in any browser, without internet: 200 rows a page, at most 25 pages a collection."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import islice
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import orjson
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from isal import isal_zlib

from dsr.bundle import shown
from dsr.bundle.contents import Contents
from dsr.bundle.summary import Summary

ROWS = 200
MOST_PAGES = 25
_MOST_CHARACTERS = 300
_MOST_COLUMNS = 40
_MOST_LINKS = 20

# The content of every page in an archive: this policy, and no script to begin with.
CSP = "default-src 'none'; style-src 'self' file:; base-uri 'none'; form-action 'none'"


def skipped(summary: Summary) -> int:
    """How many rows stand in the data file alone, before the first that the pages show."""
    most = ROWS * MOST_PAGES
    return summary.rows - most if summary.is_in_time_order and summary.first and summary.rows > most else 0


def paginate(contents: Contents, summary: Summary, rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, bytes]]:
    """Pages of a collection as (path, HTML), from rows that begin behind skipped().

    The newest row comes first where rows have times in order; otherwise they keep the order of the data file.
    """
    newest_first = summary.is_in_time_order and bool(summary.first)
    count = min(summary.rows, ROWS * MOST_PAGES)
    total = -(-count // ROWS)
    waiting: list[bytes] = []
    for number, group in enumerate(_groups(islice(rows, count), count, summary, backwards=newest_first), 1):
        place = total + 1 - number if newest_first else number
        page = _page(contents, summary, group, place, total)
        if newest_first:
            # Made oldest first, handed out newest first; compressed, 25 of them are small.
            waiting.append(isal_zlib.compress(page))
        else:
            yield path(summary, place), page
    for place, page in enumerate(reversed(waiting), 1):
        yield path(summary, place), isal_zlib.decompress(page)


def path(summary: Summary, place: int) -> str:
    """Where a page is in the archive."""
    return f"pages/{summary.source.system}/{summary.source.collection}-{place:04d}.html"


def _groups(rows: Iterable[Mapping[str, Any]], count: int, summary: Summary, *, backwards: bool) -> Iterator[list[Any]]:
    """Rows with their long texts cut, a page at a time. Backwards, the page that is not full is the oldest one."""
    names = summary.table.names[:_MOST_COLUMNS]
    size = (count % ROWS or ROWS) if backwards else ROWS
    group: list[Any] = []
    for row in rows:
        group.append(
            [_links(row, summary) if name and name == summary.files_column else _short(row.get(name)) for name in names]
        )
        if len(group) == size:
            yield group[::-1] if backwards else group
            group, size = [], ROWS
    if group:
        yield group[::-1] if backwards else group


def _links(row: Mapping[str, Any], summary: Summary) -> tuple[str, ...]:
    return tuple((row.get(summary.files_column) or ())[:_MOST_LINKS])


def _short(value: Any) -> Any:
    """The value, or the beginning of its text: a page of long prompts must not be held whole."""
    if isinstance(value, dict | list):
        value = orjson.dumps(value).decode()
    return value[: _MOST_CHARACTERS + 1] if isinstance(value, str) else value


def _body(group: list[Any]) -> SafeString:
    """The rows of a page. Written here and not in the template, which would take seconds; every value is escaped."""
    cells: dict[Any, str] = {}

    def cell(value: Any) -> str:
        if value.__class__ is not str:
            return _cell(value)
        if value not in cells:
            cells[value] = _cell(value)
        return cells[value]

    rows = ("".join(["<tr>", *map(cell, row), "</tr>\n"]) for row in group)
    return mark_safe("".join(rows))  # noqa: S308  # nosec B308, B703  (made of cells, see _cell)


def _cell(value: Any) -> str:
    """One value in HTML. What a person or a system wrote goes through escape()."""
    if isinstance(value, bool):
        return f'<td dir="auto">{escape(_("yes") if value else _("no"))}</td>'
    if isinstance(value, int | float):
        return f'<td class="num">{value}</td>'
    if isinstance(value, tuple):
        links = [f'<a href="{escape(f"../../{quote(path)}")}">{escape(path.rpartition("/")[2])}</a> ' for path in value]
        return f'<td dir="auto">{"".join(links)}</td>'
    if value is None:
        return '<td dir="auto"></td>'
    if len(value) <= _MOST_CHARACTERS:
        return f'<td dir="auto">{escape(shown.plain(value))}</td>'
    cut = escape(shown.plain(value[:_MOST_CHARACTERS] + "…"))
    return f'<td dir="auto">{cut} <span class="dim">{escape(_("(see data file)"))}</span></td>'


def _page(contents: Contents, summary: Summary, group: list[Any], place: int, total: int) -> bytes:
    names = summary.table.names[:_MOST_COLUMNS]
    with translation.override(contents.language):
        context = {
            "contents": contents,
            "person": shown.plain(contents.person),
            "is_rtl": translation.get_language_bidi(),
            "csp": CSP,
            "index": "../../index.html",
            "source": summary.source,
            "names": [shown.plain(name) for name in names],
            "more_columns": len(summary.table.names) - len(names),
            "body": _body(group),
            "place": place,
            "total": total,
            "older": PurePosixPath(path(summary, place + 1)).name if place < total else "",
            "newer": PurePosixPath(path(summary, place - 1)).name if place > 1 else "",
            "newest_first": summary.is_in_time_order and bool(summary.first),
            "shown": shown.number(min(summary.rows, ROWS * MOST_PAGES)),
            "records": shown.records(summary.rows),
            "is_all": summary.rows <= ROWS * MOST_PAGES,
            "data": f"../../{summary.path}",
            "data_name": summary.path,
        }
        return render_to_string("bundle/page.html", context).encode()
