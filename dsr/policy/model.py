"""The policy as objects: what is held, why, for how long, who receives it, which rights exist and how fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from dsr.policy import colour
from dsr.policy.countries import EEA
from dsr.policy.days import Calendar, UnknownCalendar
from dsr.policy.text import Period, Text
from dsr.policy.values import (
    Country,
    DarkAccent,
    Email,
    Id,
    Language,
    LightAccent,
    Line,
    OptionalEmail,
    OptionalLine,
    OptionalWeb,
    PromiseId,
    Table,
    TimeZone,
    Web,
    Wording,
    Words,
    wrong,
)

RightName = Literal["access", "export", "correction", "deletion", "restriction", "objection", "opt-out", "withdrawal"]
RuleName = Literal["gdpr", "uk-gdpr", "ccpa", "kvkk", "lgpd", "pipeda"]
LegalBasis = Literal["contract", "consent", "legal-obligation", "legitimate-interests", "vital", "public-task"]
Shown = Literal["right", "deadline", "retention", "consent", "recipients", "setting", "notice", "attested"]
RIGHTS: tuple[RightName, ...] = get_args(RightName)
RULES: tuple[RuleName, ...] = get_args(RuleName)

Day = date  # VersionNote has a field named date

_WORDING: Mapping[RightName, tuple[str, str]] = {
    "access": ("See your data", "A copy of what we hold about you, with an explanation."),
    "export": ("Take your data elsewhere", "Your data in a form that other programs can read."),
    "correction": ("Correct your data", "What is wrong or incomplete is put right."),
    "deletion": ("Delete your data", "What we need not keep by law is erased."),
    "restriction": ("Restrict the use of your data", "Your data is kept but not used."),
    "objection": ("Object to a use of your data", "A use that you object to stops."),
    "opt-out": ("Opt out", "No sale, no sharing, no training and no marketing with your data. Takes effect at once."),
    "withdrawal": ("Withdraw consent", "What you once agreed to ends, as easily as it began."),
}


class DPO(Table):
    """Who to write to about data protection."""

    email: Email
    name: OptionalLine = ""


class Authority(Table):
    """A supervisory authority to complain to."""

    name: Line
    url: Web
    address: OptionalLine = ""
    country: Country = ""


class Organisation(Table):
    """Who the controller is."""

    name: Line
    short: Line
    about: Words
    country: Country
    subdivision: OptionalLine = ""
    timezone: TimeZone
    address: OptionalLine = ""
    email: Email
    website: OptionalWeb = ""
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("en",)
    accent: LightAccent = "#0b5f58"
    accent_dark: DarkAccent = ""
    signer: OptionalLine = ""
    dpo: DPO | None = None
    authority: Authority | None = None

    @model_validator(mode="after")
    def _has_a_calendar(self) -> Organisation:
        """Deadlines that move off holidays need to know them."""
        try:
            Calendar(self.country, self.subdivision)
        except UnknownCalendar as error:
            allowed = "a country and subdivision (ISO 3166-2, without the country) whose public holidays are known"
            raise wrong(str(error).rstrip("."), allowed, "leave subdivision out where it has none of its own") from None
        return self

    @property
    def dark_accent(self) -> str:
        """The accent for a dark page: the one given, or one made from the light accent."""
        return self.accent_dark or colour.lightened(self.accent)


class RightEntry(Table):
    """What the file says of one right."""

    offered: bool
    within: Period | None = None
    review: Literal["none", "one", "two"] = "one"
    title: Text = Text()
    sentence: Text = Text()


@dataclass(frozen=True)
class Right:
    """One right as this controller offers it; `review` is how many people look before an answer leaves."""

    name: RightName
    offered: bool
    within: Period | None
    review: Literal["none", "one", "two"]
    title: Text
    sentence: Text


class Identity(Table):
    """How a person shows who they are."""

    ways: Annotated[tuple[Literal["code", "receipt"], ...], Field(min_length=1)] = ("code",)
    stand_in: bool = False
    stand_in_for: OptionalLine = ""
    cookies: bool = True
    young_channel_days: Annotated[int, Field(ge=0, le=365)] = 14

    @model_validator(mode="after")
    def _names_what_it_stands_in_for(self) -> Identity:
        if self.stand_in and not self.stand_in_for:
            raise wrong("stand_in without stand_in_for", "stand_in_for with the name of the provider")
        return self

    @model_validator(mode="after")
    def _codes_need_a_session(self) -> Identity:
        if not self.cookies and "code" in self.ways:
            raise wrong(
                'the way "code" with cookies = false', 'ways = ["receipt"], or cookies = true: a code needs a session'
            )
        return self


class Delivery(Table):
    """How an answer leaves, and how long it stays."""

    deliver: Literal["download", "attachment"] = "download"
    expires_days: Annotated[int, Field(ge=1, le=365)] = 14
    attachment_limit_mb: Annotated[int, Field(ge=1, le=25)] = 5
    unseen_days: Annotated[int, Field(ge=1, le=365)] = 60


class Purpose(Table):
    """What data is used for. `wording_version` changes when the words that were consented to change."""

    id: Id
    title: Words
    legal_basis: LegalBasis
    sentence: Words
    wording_version: Wording = ""
    optional: bool = False


class Category(Table):
    """One kind of data: what it is to the person, why it is held, how long, and what an erasure does to it."""

    id: Id
    title: Words
    sentence: Words
    purposes: Annotated[tuple[str, ...], Field(min_length=1)]
    legal_basis: LegalBasis
    retention: Words
    keep_for: Period | None = None
    erase: bool
    kept_under: Text = Text()
    kept_for: Period | None = None
    source: Text = Text()
    special: bool = False

    @model_validator(mode="before")
    @classmethod
    def _period_in_retention(cls, found: Any) -> Any:
        """A retention that is a plain period ("30 days") gives keep_for too."""
        if not isinstance(found, dict) or "keep_for" in found or not isinstance(found.get("retention"), str):
            return found
        try:
            return {**found, "keep_for": Period.parse(found["retention"])}
        except ValueError:
            return found

    @model_validator(mode="after")
    def _says_why_it_is_kept(self) -> Category:
        if not self.erase and not self.kept_under:
            raise wrong("erase = false without kept_under", "kept_under with the law that says it must be kept")
        return self


class Recipient(Table):
    """Who receives data, under which safeguard (GDPR Art. 15(1)(c) and 15(2))."""

    id: Id
    name: Line
    role: Literal["processor", "controller", "joint"]
    what: Words
    country: Country
    safeguard: Text = Text()
    retention: Text = Text()
    policy_url: OptionalWeb = ""
    agreement: date | None = None
    categories: tuple[str, ...] = ()


class AutomatedDecision(Table):
    """A decision made without a person, and how to contest it (GDPR Art. 22)."""

    title: Words
    sentence: Words
    how_to_contest: Words


class Cookies(Table):
    """What each kind of cookie is for; an empty text says that there are none of that kind."""

    essential: Text = Text()
    analytics: Text = Text()
    preference: Text = Text()


class Children(Table):
    """From which age the service may be used, and how fast a child's data goes once known."""

    age: Annotated[int, Field(ge=1, le=21)]
    within: Period
    sentence: Words


class Security(Table):
    """Where vulnerabilities are reported, and how fast they are answered."""

    email: OptionalEmail = ""
    within: Period | None = None


class Changes(Table):
    """How changes of the policy are announced."""

    notice_days: Annotated[int, Field(ge=0, le=365)] = 0
    how: Literal["email", "posted"] = "posted"


class Promise(Table):
    """A sentence of the policy that binds, how it is shown to be true, and its deadline if it has one."""

    id: PromiseId
    words: Words
    shown: Annotated[tuple[Shown, ...], Field(min_length=1)]
    right: RightName | None = None
    within: Period | None = None
    starts: Literal["receipt", "account-deletion", "report"] = "receipt"


class VersionNote(Table):
    """What an older version of the policy changed."""

    date: Day
    sentence: Words


class Policy(Table):
    """One version of a company's policy. Built by `dsr.policy.load`, which also checks what refers to what."""

    version: date
    published: date
    rules: Annotated[tuple[RuleName, ...], Field(min_length=1)]
    organisation: Organisation
    right_entries: Annotated[dict[RightName, RightEntry], Field(min_length=1, alias="rights")]
    identity: Identity = Identity()
    delivery: Delivery = Delivery()
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1, alias="purpose")]
    categories: Annotated[tuple[Category, ...], Field(min_length=1, alias="category")]
    recipients: Annotated[tuple[Recipient, ...], Field(alias="recipient")] = ()
    no_automated_decisions: Annotated[Literal["none", ""], Field(alias="automated_decisions")] = ""
    automated_decisions: Annotated[tuple[AutomatedDecision, ...], Field(alias="automated_decision")] = ()
    cookies: Cookies = Cookies()
    children: Children | None = None
    security: Security = Security()
    changes: Changes = Changes()
    promises: Annotated[tuple[Promise, ...], Field(alias="promise")] = ()
    never: tuple[Words, ...] = ()
    version_notes: Annotated[tuple[VersionNote, ...], Field(alias="version_note")] = ()
    assumed: tuple[str, ...] = ()

    @cached_property
    def rights(self) -> Mapping[RightName, Right]:
        """Every right by name, in the usual order; one that the file leaves out is not offered."""
        absent = RightEntry(offered=False)
        return {name: _right(name, self.right_entries.get(name, absent)) for name in RIGHTS}

    @property
    def offered(self) -> tuple[Right, ...]:
        """The rights that the portal takes requests under."""
        return tuple(right for right in self.rights.values() if right.offered)

    def right(self, name: str) -> Right:
        """The right of this name. Raises KeyError."""
        return {str(known): right for known, right in self.rights.items()}[name]

    def purpose(self, id: str) -> Purpose:
        """The purpose with this id. Raises KeyError."""
        return {purpose.id: purpose for purpose in self.purposes}[id]

    def category(self, id: str) -> Category:
        """The category with this id. Raises KeyError."""
        return {category.id: category for category in self.categories}[id]

    def categories_of(self, purpose: str) -> tuple[Category, ...]:
        """The categories that serve this purpose."""
        return tuple(category for category in self.categories if purpose in category.purposes)

    def recipients_of(self, category: str) -> tuple[Recipient, ...]:
        """Who receives this category; a recipient that names no categories receives from all."""
        return tuple(found for found in self.recipients if not found.categories or category in found.categories)

    def slots_missing(self) -> list[str]:
        """Which of the slots of an access letter (GDPR Art. 15(1) and (2)) the file leaves empty.

        The copy itself comes from the systems, and a source that a category does not name is the person, so those two
        are always filled; purposes, categories, retention and automated decisions cannot be left out of a valid file.
        """
        filled = {
            "recipients": bool(self.recipients),
            "rights": any(self.rights[name].offered for name in ("correction", "deletion", "restriction", "objection")),
            "authority": bool(self.organisation.authority or self.organisation.country),
            "automated decisions": bool(self.automated_decisions or self.no_automated_decisions),
            "safeguards": not self.unsafeguarded(),
        }
        return [slot for slot, is_filled in filled.items() if not is_filled]

    def unsafeguarded(self) -> tuple[Recipient, ...]:
        """Recipients in another country, or in none that is known, for whom no safeguard is written down."""
        home = self.organisation.country
        near = EEA if home in EEA else frozenset({home} - {""})
        return tuple(found for found in self.recipients if found.country not in near and not found.safeguard)


def _right(name: RightName, entry: RightEntry) -> Right:
    title, sentence = _WORDING[name]
    return Right(
        name=name,
        offered=entry.offered,
        within=entry.within,
        review=entry.review,
        title=entry.title or Text(title),
        sentence=entry.sentence or Text(sentence),
    )
