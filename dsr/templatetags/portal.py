"""Dates and texts for people, and the shapes that stand for states."""

import textwrap
from datetime import date, datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext

from dsr import lifecycle
from dsr.policy import Text, countries

register = template.Library()
MAIL_WIDTH = 72

# One shape a state; the word beside it says the same. Drawn in the colour of the text.
SHAPES = {
    "done": '<circle cx="12" cy="12" r="9"/><path d="m8 12.5 3 3 5-6.5"/>',
    "now": '<circle cx="12" cy="12" r="9"/><circle class="f" cx="12" cy="12" r="4.5"/>',
    "todo": '<circle cx="12" cy="12" r="9"/>',
    "paused": '<circle cx="12" cy="12" r="9"/><path d="M9.5 8.5v7M14.5 8.5v7"/>',
    "care": '<path d="M12 4 2.8 20h18.4zM12 10v5M12 17v1"/>',
    "lock": '<path d="M5 11h14v9H5zM8 11V8a4 4 0 0 1 8 0v3"/>',
    "bin": '<path d="M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13"/>',
    "arrow": '<path d="M4 12h15M13 6l6 6-6 6"/>',
    "mark": '<circle class="f" cx="12" cy="12" r="5"/><path d="M12 1.5v3M12 19.5v3M1.5 12h3M19.5 12h3M4.6 4.6l2.1 2.1'
    'M17.3 17.3l2.1 2.1M4.6 19.4l2.1-2.1M17.3 6.7l2.1-2.1"/>',
}

FRAME = '<svg class="i {}" viewBox="0 0 24 24" aria-hidden="true">%s</svg>'


@register.simple_tag
def shape(name: str, colour: str = "") -> SafeString:
    """The inline drawing of this name, hidden from screen readers."""
    return format_html(FRAME % SHAPES[name], colour)


@register.filter
def words(text: Text | str) -> str:
    """A text of the policy in the language of the page."""
    return text.text(get_language() or "en") if isinstance(text, Text) else text


@register.filter
def country(code: str) -> str:
    """A country's name in the reader's language."""
    return countries.name(code, get_language() or "en")


@register.filter
def sentence(text: Text | str) -> str:
    """The words, ended by one full stop."""
    return words(text).rstrip(".") + "."


@register.filter
def day(value: date | datetime | None) -> str:
    """Thursday, 5 November 2026."""
    return _written(value, pgettext("date with its day of the week", "l, j F Y"))


@register.filter
def plain_day(value: date | datetime | None) -> str:
    """5 November 2026."""
    return _written(value, pgettext("date", "j F Y"))


@register.filter
def moment(value: datetime | None) -> str:
    """5 November 2026, 11:25, in the controller's time zone."""
    return _written(value, pgettext("date and time", "j F Y, H:i"))


def _written(value: date | datetime | None, style: str) -> str:
    if value is None:
        return ""
    local = timezone.localtime(value, lifecycle.zone()) if isinstance(value, datetime) else value
    return date_format(local, style)


@register.filter
def parsed(value: str) -> date:
    """The date in an ISO text, as mails carry it."""
    return date.fromisoformat(value)


@register.filter
def folded(text: str) -> str:
    """A mail's text in lines of at most 72 characters; addresses and what is indented stay whole."""
    return "\n".join(line for paragraph in text.split("\n") for line in _fold(paragraph))


def _fold(paragraph: str) -> list[str]:
    if len(paragraph) <= MAIL_WIDTH or paragraph.startswith(" "):
        return [paragraph]
    return textwrap.wrap(paragraph, MAIL_WIDTH, break_long_words=False, break_on_hyphens=False)
