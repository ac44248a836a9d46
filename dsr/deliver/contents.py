"""What the archive and the letter of a case say: from the policy, the systems file and what was gathered."""

from collections.abc import Iterator
from datetime import date

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from dsr import lifecycle, notify, policy
from dsr.bundle import contents as words
from dsr.bundle import letter
from dsr.bundle.contents import Contents, PartRef, Source, Withheld
from dsr.connectors import Column
from dsr.models import Case, Job, JobState, Part, Right
from dsr.policy import countries
from dsr.policy.authorities import authority_for, complaint_deadline
from dsr.policy.countries import EEA
from dsr.policy.model import Policy
from dsr.policy.systems import Collection, System


def of(case: Case) -> Contents:
    """Everything the archive's first page and the letter say beside the data."""
    with translation.override(case.language):
        return _of(case, policy.current())


def sources(case: Case) -> list[Source]:
    """The collections that were gathered, in the order of the systems file, each with its parts."""
    with translation.override(case.language):
        return [
            _source(case, system, collection, job)
            for system, job in _gathered(case)
            for collection in system.collections
            if collection.name in job.checkpoint.get("shape", {})
        ]


def letter_of(case: Case) -> bytes:
    """The letter as a PDF. Raises dsr.bundle.press.LetterFailed."""
    return letter.render(of(case), sources(case))


def missing(case: Case) -> list[str]:
    """The slots of the letter that are empty (RULES: an empty one holds the release)."""
    with translation.override(case.language):
        return letter.missing(of(case))


def _of(case: Case, held: Policy) -> Contents:
    organisation = held.organisation
    details = case.details
    language = case.language
    signer = notify.signer(case)
    return Contents(
        organisation=organisation.name,
        organisation_short=organisation.short,
        address=organisation.address,
        email=organisation.email,
        website=organisation.website,
        dpo=", ".join(filter(None, [organisation.dpo.name, organisation.dpo.email])) if organisation.dpo else "",
        accent=organisation.accent,
        accent_dark=organisation.dark_accent,
        person=details.get("name") or details.get("email", ""),
        addressed_to=[line for line in (details.get("name"), details.get("email")) if line],
        reference=case.spoken_reference,
        asked_on=case.received_on,
        made_on=timezone.localdate(timezone=lifecycle.zone()),
        language=language,
        sample=_("Sample: the policy is published, the people and the data are invented.") if settings.DSR_DEMO else "",
        how_to_ask=_("Ask on %(page)s, or write to %(address)s. It is free.")
        % {"page": settings.DSR_ORIGIN, "address": organisation.email},
        signer=signer,
        signer_role=_("for %(organisation)s") % {"organisation": organisation.short}
        if signer != organisation.name
        else "",
        authority=_authority(case, held),
        purposes=[
            words.Purpose(p.title.text(language), p.sentence.text(language), _basis(p.legal_basis))
            for p in held.purposes
        ],
        categories=[
            words.Category(
                c.title.text(language), c.sentence.text(language), c.retention.text(language), c.source.text(language)
            )
            for c in held.categories
        ],
        recipients=list(_recipients(held, language)),
        rights=[
            words.Right(right.title.text(language), right.sentence.text(language))
            for right in held.offered
            if right.name not in (Right.ACCESS, Right.EXPORT)
        ],
        automated=[
            words.Automated(d.title.text(language), d.sentence.text(language), d.how_to_contest.text(language))
            for d in held.automated_decisions
        ],
        no_automated=bool(held.no_automated_decisions),
        withheld=list(_withheld(case)),
        gaps=list(_gaps(case)),
        since=_day(details.get("since")),
        until=_day(details.get("until")),
        left_out=_left_out(held, details.get("categories", []), language),
    )


def _authority(case: Case, held: Policy) -> words.Authority | None:
    """The one of the person's country, else the controller's, with the last day to complain where a rule sets one."""
    organisation = held.organisation
    home = organisation.authority or authority_for(organisation.country)
    authority = authority_for(case.details.get("country", ""), home)
    if authority is None:
        return None
    today = timezone.localdate(timezone=lifecycle.zone())
    last_days = [complaint_deadline(rule, requested_on=case.received_on, answered_on=today) for rule in held.rules]
    return words.Authority(
        authority.name, authority.address, authority.url, min((day for day in last_days if day), default=None)
    )


def _recipients(held: Policy, language: str) -> Iterator[words.Recipient]:
    home = held.organisation.country
    near = EEA if home in EEA else frozenset({home} - {""})
    for recipient in held.recipients:
        yield words.Recipient(
            name=recipient.name,
            what=recipient.what.text(language),
            country=countries.name(recipient.country, language),
            safeguard=recipient.safeguard.text(language),
            is_abroad=recipient.country not in near,
            retention=recipient.retention.text(language),
            url=recipient.policy_url,
        )


def _gathered(case: Case) -> Iterator[tuple[System, Job]]:
    of_round = {job.system: job for job in case.jobs.filter(kind="gather", key=str(case.round))}
    for system in policy.systems().systems:
        if system.name in of_round:
            yield system, of_round[system.name]


def _source(case: Case, system: System, collection: Collection, job: Job) -> Source:
    language = case.language
    category = policy.current().category(collection.category)
    shape = job.checkpoint["shape"][collection.name]
    return Source(
        system=system.name,
        system_title=system.title.text(language),
        collection=collection.name,
        title=collection.title.text(language),
        sentence=collection.sentence.text(language),
        category_title=category.title.text(language),
        category_sentence=category.sentence.text(language),
        columns=[Column(*column) for column in shape["columns"]],
        parts=[_ref(part) for part in case.parts.filter(system=system.name, collection=collection.name)],
        time=collection.time,
        model=collection.model,
        missing=collection.missing.text(language),
    )


def _ref(part: Part) -> PartRef:
    return PartRef(part.name, part.context, part.rows, part.sha256, part.size, part.info.get("even", False))


def _withheld(case: Case) -> Iterator[Withheld]:
    """Columns that are described instead of shown, once for each reason and collection that holds rows."""
    language = case.language
    with_rows = set(case.parts.values_list("system", "collection"))
    for system, job in _gathered(case):
        for name, shape in job.checkpoint.get("shape", {}).items():
            if (system.name, name) in with_rows:
                collection = system.collection(name)
                for column, why in shape["withheld"].items():
                    described = collection.columns.get(column)
                    what = described.text(language).rstrip(".") if described else column
                    yield Withheld(f"{collection.title.text(language)}: {what}", why)


def _gaps(case: Case) -> Iterator[Withheld]:
    """Systems that the answer comes without: said, never silent."""
    for system, job in _gathered(case):
        if job.state == JobState.LEFT_OUT:
            yield Withheld(
                system.title.text(case.language),
                _("we could not read this system in time. Write to us, and we send it later."),
            )


def _left_out(held: Policy, chosen: list[str], language: str) -> list[str]:
    return [c.title.text(language) for c in held.categories if chosen and c.id not in chosen]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _basis(basis: str) -> str:
    return {
        "contract": _("to carry out our contract with you"),
        "consent": _("your consent"),
        "legal-obligation": _("a duty that the law puts on us"),
        "legitimate-interests": _("a legitimate interest of ours"),
        "vital": _("to protect somebody’s life"),
        "public-task": _("a task in the public interest"),
    }[basis]
