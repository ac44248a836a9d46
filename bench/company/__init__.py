"""A company whose people have up to ten million rows, on a PostgreSQL of its own: policy, systems, data.

The shape of the data is one that others measured with too: 24 invoices a person, N requests, N/10 messages of 30 to 70
words, and 20,000 other people with 2,000,000 requests in all, everybody's rows lying among everybody's in time.
"""

from dataclasses import dataclass
from pathlib import Path

POLICY = Path(__file__).with_name("policy.toml")
SYSTEMS = Path(__file__).with_name("systems.toml")
INVOICES = 24
LARGE_PEOPLE = 10
SMALLEST_FOR_MEMORY = 10_000


@dataclass(frozen=True)
class Person:
    """One person of the company, and how many requests they sent; about so many, for one of the others."""

    id: int
    email: str
    requests: int


@dataclass(frozen=True)
class Scale:
    """The whole size, or that divided by `share`."""

    share: int

    @property
    def large(self) -> list[Person]:
        """Ten people with a million requests each."""
        size = 1_000_000 // self.share
        return [_person(number, size) for number in range(LARGE_PEOPLE)]

    @property
    def named(self) -> list[Person]:
        """Everybody whose requests were counted out: the large ones, those below, and one ten times as large."""
        large = self.large
        sizes = {1_000_000 // self.share // part for part in (10, 100, 1_000)} | {SMALLEST_FOR_MEMORY}
        sizes.add(10_000_000 // self.share)
        return large + [_person(len(large) + number, size) for number, size in enumerate(sorted(sizes))]

    @property
    def others(self) -> list[Person]:
        """Twenty thousand people with a hundred requests each, more or less."""
        first, count = len(self.named), 20_000 // self.share
        return [Person(first + number + 1, f"other-{number}@people.example", 100) for number in range(count)]

    def of_size(self, requests: int) -> Person:
        """The first one with so many requests."""
        return next(person for person in self.named if person.requests == requests)


def _person(number: int, requests: int) -> Person:
    return Person(number + 1, f"person-{number}-of-{requests}@people.example", requests)
