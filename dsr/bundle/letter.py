"""letter.pdf: the ten things that must accompany an answer, under plain headings, signed by a person.

GDPR Art. 15(1) and (2), as RULES lists them: purposes, categories, recipients, retention, rights, authority, source,
automated decisions, safeguards for transfers, the copy itself.
"""

from collections.abc import Sequence
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from dsr.bundle import press, shown
from dsr.bundle.contents import Contents, Recipient, Source

# A letter has short lists; a policy that names more is cut with a sentence that says where the rest is.
_MOST_ITEMS = 40


def missing(contents: Contents) -> list[str]:
    """The slots that are empty, in words. Any of them holds the release."""
    empty = {
        _("purposes"): not contents.purposes or not all(p.title and p.basis for p in contents.purposes),
        _("categories of data"): not contents.categories,
        _("how long each kind is kept"): not contents.categories or not all(c.retention for c in contents.categories),
        _("your rights"): not contents.rights,
        _("the supervisory authority"): contents.authority is None or not contents.authority.name,
        _("automated decisions"): not contents.automated and not contents.no_automated,
        _("who signs"): not contents.signer,
        _("the address of the organisation"): not (contents.address or contents.email),
    }
    unsafe = [r.name for r in contents.recipients if r.is_abroad and not r.safeguard]
    lacking = [slot for slot, is_empty in empty.items() if is_empty]
    if not (contents.recipients or contents.no_recipients) or not all(r.name and r.what for r in contents.recipients):
        lacking.append(_("recipients by name, and what for"))
    return lacking + [_("the safeguard for the transfer to %(name)s") % {"name": name} for name in unsafe]


def html(contents: Contents, sources: Sequence[Source]) -> str:
    """The letter before it is printed, in the person's language."""
    with translation.override(contents.language):
        return render_to_string("bundle/letter.html", _context(contents, sources))


def render(contents: Contents, sources: Sequence[Source]) -> bytes:
    """The letter as a tagged PDF (PDF/UA-1). Raises press.LetterFailed."""
    return press.render(html(contents, sources), render_to_string("bundle/letter.css"))


def _context(contents: Contents, sources: Sequence[Source]) -> dict[str, Any]:
    rows = sum(source.rows for source in sources)
    return {
        "contents": contents,
        "is_partial": contents.is_partial,
        "person": shown.plain(contents.person),
        "addressed_to": [shown.plain(line) for line in contents.addressed_to],
        "is_rtl": translation.get_language_bidi(),
        "asked_on": shown.day(contents.asked_on),
        "made_on": shown.day(contents.made_on),
        "rows": rows,
        "records": shown.records(rows),
        "since": shown.day(contents.since) if contents.since else "",
        "until": shown.day(contents.until) if contents.until else "",
        "complain_until": _last_day(contents),
        "purposes": contents.purposes[:_MOST_ITEMS],
        "categories": contents.categories[:_MOST_ITEMS],
        "recipients": contents.recipients[:_MOST_ITEMS],
        "rights": contents.rights[:_MOST_ITEMS],
        "automated": contents.automated[:_MOST_ITEMS],
        "transfers": _abroad(contents)[:_MOST_ITEMS],
        "sources": [c for c in contents.categories if c.source][:_MOST_ITEMS],
        "withheld": contents.withheld[:_MOST_ITEMS],
        "gaps": contents.gaps[:_MOST_ITEMS],
        "is_cut": any(
            len(items) > _MOST_ITEMS
            for items in (contents.purposes, contents.categories, contents.recipients, contents.automated)
        ),
    }


def _last_day(contents: Contents) -> str:
    until = contents.authority.until if contents.authority else None
    return shown.day(until) if until else ""


def _abroad(contents: Contents) -> list[Recipient]:
    return [recipient for recipient in contents.recipients if recipient.is_abroad]
