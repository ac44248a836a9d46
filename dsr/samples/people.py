"""The people of the sample systems. All invented; the named ones say so in their names."""

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from dsr.samples import moments

NAMED = (("Ada Marsh (sample)", "ada@example.com"), ("Eve Stone (sample)", "eve@example.com"))
HEAVY = ("Max Load (sample)", "max@example.com")

# People whom a careless search would take for Ada: wildcards, prefixes, suffixes, look-alike letters, her name.
NEAR = (
    ("Ada Marsh (sample, somebody else)", "ada.marsh@example.org"),
    ("Adan Near (sample)", "adan@example.com"),
    ("Xada Near (sample)", "xada@example.com"),
    ("Suffix Near (sample)", "ada@example.com.example.net"),
    ("Underscore Near (sample)", "ad_@example.com"),
    ("Percent Near (sample)", "ada%@example.com"),
    ("Cyrillic Near (sample)", "\u0430da@example.com"),
    ("Plus Near (sample)", "ada+other@example.com"),
)

FIRST_OTHER = len(NAMED) + 1 + len(NEAR)

_GIVEN = (
    "Ines",
    "Tomasz",
    "Ayşe",
    "Jürgen",
    "Zoë",
    "李",
    "محمد",
    "अनिता",
    "Ольга",
    "Νίκος",
    "Chloé",
    "Bjørn",
    "Mia",
    "Kwame",
)
_FAMILY = ("Sample", "Örnek", "Muster", "样本", "عينة", "नमूना", "Пример", "Próbka", "Exempel", "O'Sample", "d'Exemple")


@dataclass(frozen=True)
class SamplePerson:
    """One invented person as one policy's systems know them."""

    number: int
    name: str
    email: str
    user_id: str
    receipts: tuple[str, ...] = ()
    identifiers: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def is_named(self) -> bool:
        return self.number < len(NAMED)

    @property
    def is_heavy(self) -> bool:
        return self.number == len(NAMED)

    @property
    def is_leaving(self) -> bool:
        """Deleted the account within the last 30 days, so that the rows may still be there."""
        return self.number >= FIRST_OTHER and self.number % 50 == 20

    @property
    def is_gone(self) -> bool:
        """Deleted the account longer ago: only what the law has us keep may be left."""
        return self.number >= FIRST_OTHER and self.number % 50 == 21

    def deleted_at(self, today: date) -> datetime | None:
        """When this person deleted the account, for those whose rows may still be there."""
        return moments.midnight(today) - timedelta(days=3 + self.number % 20, hours=7) if self.is_leaving else None

    def rng(self, salt: str) -> random.Random:
        """A source of chance for this person alone: nobody else's rows change theirs."""
        return random.Random(f"{salt}/{self.number}")  # nosec B311: sample data

    def amount(self, rng: random.Random, named: int, other: int) -> int:
        """How many rows of something this person has: `named` exactly, or up to `other`."""
        return named if self.is_named else rng.randint(0, other)


def known_as(number: int) -> tuple[str, str]:
    """Name and e-mail address of the person with this number."""
    if number < len(NAMED):
        return NAMED[number]
    if number == len(NAMED):
        return HEAVY
    if number < FIRST_OTHER:
        return NEAR[number - len(NAMED) - 1]
    given, family = _GIVEN[number % len(_GIVEN)], _FAMILY[number % len(_FAMILY)]
    return f"{given} {family} {number}", f"person{number}@example.net"


def token(salt: str, number: int | str, length: int = 14) -> str:
    """Letters and digits that look random and are always the same for the same input."""
    return hashlib.sha256(f"{salt}/{number}".encode()).hexdigest()[:length]
