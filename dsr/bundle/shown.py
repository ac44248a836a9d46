"""Numbers, sizes, days and periods as a person reads them, in the language that is active."""

from collections.abc import Mapping
from datetime import date

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from dsr.bundle import mask

# Marks that turn the order of letters about would make "gnp.exe" of another name; control characters are not seen.
_HIDDEN = {code: f"[U+{code:04X}]" for code in [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF]} | {
    code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n\r"
}


def plain(text: str) -> str:
    """Text from a person or a system with what would mislead the eye made visible."""
    return text.translate(_HIDDEN)


def number(value: int) -> str:
    """12,406."""
    return number_format(value, decimal_pos=0, use_l10n=True, force_grouping=True)


def size(value: int) -> str:
    """38 MB, in powers of ten as file managers show them."""
    if value < 1000:
        return ngettext("%(count)s byte", "%(count)s bytes", value) % {"count": number(value)}
    for unit in (_("kB"), _("MB"), _("GB"), _("TB")):
        value_in_unit = value / 1000
        if value_in_unit < 999.5:
            digits = 1 if value_in_unit < 9.95 else 0
            return f"{number_format(round(value_in_unit, digits), decimal_pos=digits, use_l10n=True)} {unit}"
        value = int(value_in_unit)
    return _("very large")


def day(value: date) -> str:
    """5 November 2026."""
    return date_format(value, pgettext("date", "j F Y"))


def long_day(value: date) -> str:
    """Thursday, 5 November 2026."""
    return date_format(value, pgettext("date with its day of the week", "l, j F Y"))


def month(value: date) -> str:
    """November 2026."""
    return date_format(value, pgettext("month", "F Y"))


def iso_day(moment: str) -> date | None:
    """The UTC day of a time as parts write it; None when it is no time."""
    try:
        return date.fromisoformat(moment[:10])
    except ValueError:
        return None


def period(first: str, last: str) -> str:
    """12 November 2025 to 26 October 2026; one day once; nothing when there are no times."""
    start, end = iso_day(first), iso_day(last)
    if start is None or end is None:
        return ""
    if start == end:
        return day(start)
    return _("%(start)s to %(end)s") % {"start": day(start), "end": day(end)}


def records(count: int) -> str:
    """12,406 records."""
    return ngettext("%(count)s record", "%(count)s records", count) % {"count": number(count)}


def masked_kinds(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """Each kind of masked secret in words, with how often, most frequent first."""
    words = {
        mask.API_KEY: _("API keys"),
        mask.TOKEN: _("Access tokens"),
        mask.PRIVATE_KEY: _("Private keys"),
        mask.PASSWORD: _("Passwords"),
        mask.PASSWORD_HASH: _("Scrambled passwords"),
        mask.SECRET: _("Other secrets"),
    }
    found = sorted(counts.items(), key=lambda pair: -pair[1])
    return [(words.get(kind, _("Other secrets")), number(count)) for kind, count in found if count]
