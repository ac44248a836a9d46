"""index.html: who, when, how much; what is in here, how it was used, what is not in here and why."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsr.bundle import charts, pages, shown
from dsr.bundle.contents import Contents, Withheld
from dsr.bundle.summary import Summary

# The page stays under 200 KB whatever the policy and the systems say.
_MOST_ROWS = 150
_MOST_ITEMS = 100
_GLOSSARY_CHARACTERS = 40_000
_LONGEST = 500


@dataclass
class Row:
    """One collection in the list."""

    title: str
    sentences: Sequence[str]
    system: str
    period: str
    records: str
    data: str
    page: str
    files: str


def render(contents: Contents, summaries: list[Summary], *, is_csv: bool) -> bytes:
    """The page, in the person's language."""
    with translation.override(contents.language):
        return render_to_string("bundle/index.html", _context(contents, summaries, is_csv=is_csv)).encode()


def _context(contents: Contents, summaries: list[Summary], *, is_csv: bool) -> dict[str, Any]:
    total = sum(summary.rows for summary in summaries)
    categories = {s.source.category_title or s.source.title for s in summaries if s.rows}
    return {
        "contents": contents,
        "is_partial": contents.is_partial,
        "person": shown.plain(contents.person),
        "is_rtl": translation.get_language_bidi(),
        "csp": pages.CSP,
        "is_csv": is_csv,
        "day": shown.long_day(contents.made_on),
        "short_day": shown.day(contents.made_on),
        "total_rows": total,
        "records": shown.records(total),
        "size": shown.size(sum(summary.bytes for summary in summaries)),
        "category_count": len(categories),
        "category_number": shown.number(len(categories)),
        "rows": list(_rows(summaries[:_MOST_ROWS])),
        "rows_left": max(0, len(summaries) - _MOST_ROWS),
        "charts": charts.of(summaries, contents.made_on),
        "gaps": _cut(contents.gaps),
        "absent": _cut(list(absent(contents, summaries))),
        "glossary": list(_glossary(summaries)),
    }


def _rows(summaries: list[Summary]) -> Iterator[Row]:
    several = len({summary.source.system for summary in summaries}) > 1
    named: set[str] = set()
    for summary in summaries:
        source = summary.source
        # The category's sentence stands at its first collection only.
        sentences = [source.sentence] if source.sentence else []
        if source.category_title not in named and source.category_sentence != source.sentence:
            sentences.insert(0, source.category_sentence)
        named.add(source.category_title)
        yield Row(
            title=_short(source.title),
            sentences=[_short(sentence) for sentence in sentences if sentence],
            system=_short(source.system_title) if several else "",
            period=shown.period(summary.first, summary.last),
            records=shown.records(summary.rows),
            data=summary.path,
            page=pages.path(summary, 1) if summary.rows else "",
            files=_files(summary),
        )


def _files(summary: Summary) -> str:
    if not summary.files:
        return ""
    return ngettext("%(count)s file", "%(count)s files", summary.files) % {"count": shown.number(summary.files)}


def absent(contents: Contents, summaries: Sequence[Summary]) -> Iterator[Withheld]:
    """Everything one may look for and not find, with the reason."""
    masked: Counter[str] = Counter()
    for summary in summaries:
        masked.update(summary.masked)
    for kind, count in shown.masked_kinds(masked):
        what = _("%(kind)s in your data: %(count)s") % {"kind": kind, "count": count}
        yield Withheld(what, _("Covered with “[masked: …]”: in other hands they would put your accounts at risk."))
    yield from contents.gaps
    yield from contents.withheld
    yield from contents.missing
    for summary in summaries:
        if summary.source.missing:
            yield Withheld(summary.source.title, summary.source.missing)
        if summary.left_out:
            what = _("%(title)s: %(records)s") % {
                "title": summary.source.title,
                "records": shown.records(summary.left_out),
            }
            yield Withheld(what, _("Left out after review, to protect other people."))
    yield from _chosen(contents)


def _chosen(contents: Contents) -> Iterator[Withheld]:
    because = _("You asked for a part of your data. You can ask for the rest at any time.")
    if contents.since:
        yield Withheld(_("What is older than %(day)s") % {"day": shown.day(contents.since)}, because)
    if contents.until:
        yield Withheld(_("What is newer than %(day)s") % {"day": shown.day(contents.until)}, because)
    for category in contents.left_out:
        yield Withheld(category, because)


def _glossary(summaries: Sequence[Summary]) -> Iterator[Withheld]:
    """Each described column once; the same name with another meaning is listed with its collection."""
    left = _GLOSSARY_CHARACTERS
    meanings: dict[str, str] = {}
    for summary in summaries:
        for column in summary.source.columns:
            name, meaning = shown.plain(column.name), _short(column.description)
            if not meaning or meanings.get(name) == meaning:
                continue
            left -= len(name) + len(meaning)
            if left < 0:
                return
            shown_name = f"{name} ({_short(summary.source.title)})" if name in meanings else name
            meanings.setdefault(name, meaning)
            yield Withheld(shown_name, meaning)


def _cut(items: Sequence[Withheld]) -> list[Withheld]:
    kept = [Withheld(_short(item.what), _short(item.why)) for item in items[:_MOST_ITEMS]]
    if len(items) > _MOST_ITEMS:
        kept.append(Withheld(_("And more"), _("The letter’s sender can tell you of the rest.")))
    return kept


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
