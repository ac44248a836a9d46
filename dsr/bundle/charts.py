"""Charts as plain SVG geometry for a template, each with the table that says the same."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dsr.bundle import shown
from dsr.bundle.summary import Summary
from dsr.bundle.tally import MOST_DAYS

_MOST_BARS = 36
_MOST_MODELS = 12
_LEFT, _RIGHT, _BASE, _TALLEST = 8, 394, 170, 140
_ROW = 46


@dataclass
class Bar:
    """A rectangle. Numbers are text: a template would write them with the comma of some languages."""

    x: str
    y: str
    width: str
    height: str


@dataclass
class Label:
    """A text in the drawing."""

    x: str
    y: str
    anchor: str
    text: str


@dataclass
class Chart:
    """One drawing and its table."""

    id: str
    caption: str
    label: str
    unit: str
    height: int = 196
    has_axis: bool = True
    bars: list[Bar] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    rows: list[tuple[str, str]] = field(default_factory=list)


def of(summaries: list[Summary], made_on: date) -> list[Chart]:
    """At most two charts over time and two by model, of the largest collections that have what it takes."""
    by_size = sorted((s for s in summaries if s.rows), key=lambda s: -s.rows)
    timed = [s for s in by_size if s.source.time and len(s.months) + len(s.days or ()) > 2][:2]
    modelled = [s for s in by_size if s.models][:2]
    charts = [_over_time(s, made_on) for s in timed] + [_by_model(s) for s in modelled]
    for number, chart in enumerate(charts, 1):
        chart.id = f"chart-{number}"
    return charts


def _over_time(summary: Summary, made_on: date) -> Chart:
    start, end = shown.iso_day(summary.first), shown.iso_day(summary.last)
    assert start is not None
    assert end is not None
    title = summary.source.title
    # A clock that was wrong at the source must not stretch the chart into the future.
    end = max(min(end, made_on), start)
    if summary.days is not None and (end - start).days < MOST_DAYS:
        days = [start + timedelta(n) for n in range((end - start).days + 1)]
        counts = [summary.days[d.isoformat()] for d in days]
        every = max(1, -(-len(days) // 12))
        marks = [str(d.day) if n % every == 0 else "" for n, d in enumerate(days)]
        caption = _("%(title)s by day, from %(start)s (UTC)") % {"title": title, "start": shown.day(start)}
        chart = Chart("", caption, _("Day"), _("Records"))
        chart.rows = [(shown.day(d), shown.number(c)) for d, c in zip(days, counts, strict=True)]
    else:
        months = _months(start, end)
        counts = [summary.months[m.isoformat()[:7]] for m in months]
        marks = _month_marks(months)
        caption = _("%(title)s by month, from %(start)s") % {"title": title, "start": shown.month(months[0])}
        chart = Chart("", caption, _("Month"), _("Records"))
        chart.rows = [(shown.month(m), shown.number(c)) for m, c in zip(months, counts, strict=True)]
    _draw_columns(chart, counts, marks)
    return chart


def _months(start: date, end: date) -> list[date]:
    """The first of each month from start to end, the last three years of them."""
    last = end.year * 12 + end.month - 1
    first = max(start.year * 12 + start.month - 1, last - _MOST_BARS + 1)
    return [date(n // 12, n % 12 + 1, 1) for n in range(first, last + 1)]


def _month_marks(months: list[date]) -> list[str]:
    if len(months) <= 14:
        return [date_format(m, "M")[:1].upper() for m in months]
    return [str(m.year) if m.month == 1 else "" for m in months]


def _draw_columns(chart: Chart, counts: list[int], marks: list[str]) -> None:
    most = max(counts, default=0) or 1
    step = (_RIGHT - _LEFT) / len(counts)
    width = min(step * 0.7, 40)
    for place, (count, mark) in enumerate(zip(counts, marks, strict=True)):
        middle = _LEFT + step * (place + 0.5)
        height = _TALLEST * count / most
        if count:
            height = max(height, 1)
            chart.bars.append(Bar(_f(middle - width / 2), _f(_BASE - height), _f(width), _f(height)))
        if mark:
            chart.labels.append(Label(_f(middle), "188", "middle", mark))
        if count == most and not any(label.y != "188" for label in chart.labels):
            anchor = "start" if place < len(counts) / 4 else "end" if place > len(counts) * 3 / 4 else "middle"
            edge = {"start": middle - width / 2, "end": middle + width / 2, "middle": middle}[anchor]
            chart.labels.append(Label(_f(edge), _f(_BASE - height - 8), anchor, shown.number(count)))


def _by_model(summary: Summary) -> Chart:
    top = summary.models.most_common(_MOST_MODELS)
    rest = Counter(summary.models).total() - sum(count for _name, count in top) + summary.other_models
    rows = [(shown.plain(name[:48]), count) for name, count in top] + ([(_("other models"), rest)] if rest else [])
    chart = Chart("", _("%(title)s by model") % {"title": summary.source.title}, _("Model"), _("Records"))
    chart.has_axis = False
    chart.height = _ROW * len(rows) + 8
    most = max(count for _name, count in rows)
    for place, (name, count) in enumerate(rows):
        top_of = _ROW * place
        chart.labels.append(Label("0", str(top_of + 16), "start", name))
        chart.labels.append(Label("398", str(top_of + 16), "end", shown.number(count)))
        chart.bars.append(Bar("0", str(top_of + 23), _f(max(398 * count / most, 1)), "13"))
    chart.rows = [(name, shown.number(count)) for name, count in rows]
    return chart


def _f(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
