"""What an archive and its letter say, as plain values: texts are in the person's language already."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from dsr.bundle.table import ColumnLike


@dataclass(frozen=True)
class PartRef:
    """A part in storage, and what it must turn out to be. `is_even`: every row has just the declared columns."""

    name: str
    context: bytes
    rows: int
    sha256: str
    bytes: int = 0
    is_even: bool = False


@dataclass(frozen=True, kw_only=True)
class Source:
    """One collection of one system. `system` and `collection` are names from the systems file: [a-z][a-z0-9_-]*.

    `time` and `model` name the columns that charts are drawn from. `missing` says what one may expect and not find.
    """

    system: str
    system_title: str
    collection: str
    title: str
    sentence: str = ""
    category_title: str = ""
    category_sentence: str = ""
    columns: Sequence[ColumnLike] = ()
    parts: Sequence[PartRef] = ()
    time: str = ""
    model: str = ""
    missing: str = ""

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


@dataclass(frozen=True)
class Purpose:
    """What data is used for, and the legal basis in words."""

    title: str
    sentence: str
    basis: str


@dataclass(frozen=True)
class Category:
    """A kind of data held; `source` is empty where it came from the person."""

    title: str
    sentence: str
    retention: str
    source: str = ""


@dataclass(frozen=True)
class Recipient:
    """Who received data. `country` in words; `is_abroad` when it is outside the controller's area of law."""

    name: str
    what: str
    country: str = ""
    safeguard: str = ""
    is_abroad: bool = False
    retention: str = ""
    url: str = ""


@dataclass(frozen=True)
class Right:
    """What the person can do next."""

    title: str
    sentence: str


@dataclass(frozen=True)
class Authority:
    """Where to complain, and the last day for it where the law sets one."""

    name: str
    address: str = ""
    url: str = ""
    until: date | None = None


@dataclass(frozen=True)
class Automated:
    """A decision made without a person."""

    title: str
    sentence: str
    contest: str


@dataclass(frozen=True)
class Withheld:
    """Something that is described instead of shown, or left out, and why."""

    what: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Everything index.html and letter.pdf need beside the data itself.

    `person` is a name or an address, empty for somebody known by a receipt alone. `addressed_to` are the lines the
    letter is addressed with. `gaps` are systems that could not be reached. `since`, `until` and `left_out`
    (categories) are the person's own choices. `no_automated` and `no_recipients` mean that the policy says there are
    none; an empty list alone is a slot of the letter that nobody filled.
    """

    organisation: str
    organisation_short: str
    address: str
    email: str
    website: str = ""
    dpo: str = ""
    accent: str = ""
    accent_dark: str = ""
    person: str = ""
    addressed_to: Sequence[str] = ()
    reference: str
    asked_on: date
    made_on: date
    language: str = "en"
    sample: str = ""
    how_to_ask: str = ""
    signer: str
    signer_role: str = ""
    authority: Authority | None = None
    purposes: Sequence[Purpose] = ()
    categories: Sequence[Category] = ()
    recipients: Sequence[Recipient] = ()
    rights: Sequence[Right] = ()
    automated: Sequence[Automated] = ()
    no_automated: bool = False
    no_recipients: bool = False
    withheld: Sequence[Withheld] = ()
    gaps: Sequence[Withheld] = ()
    missing: Sequence[Withheld] = ()
    since: date | None = None
    until: date | None = None
    left_out: Sequence[str] = field(default=())

    @property
    def is_partial(self) -> bool:
        """Whether something was not looked at: by the person's choice, or because a system could not be read."""
        return bool(self.gaps or self.since or self.until or self.left_out)
