"""How a kind of system is reached: the contract every connector keeps, and how one is opened.

A connector's kind is the name of its file here, or of its entry point in the group "dsr.connectors". Either leads to
a function `connect(system) -> Connector`. docs/writing-a-connector.md explains how to add one.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from dsr.policy.systems import System

ENTRY_POINTS = "dsr.connectors"
BUILT_IN = frozenset(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))

# What a person is known by can lead from system to system; it must come to rest soon, and stay one person's.
MOST_ROUNDS = 12
MOST_IDENTIFIERS = 2_000

Identifiers = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Scope:
    """What part of the data is asked for. Both days are included; days are UTC. None means everything."""

    since: date | None = None
    until: date | None = None
    categories: frozenset[str] | None = None

    def covers(self, category: str) -> bool:
        """Whether data of this category is asked for."""
        return self.categories is None or category in self.categories


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file that a row holds. Its name and media type come from the source: hostile."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """One row of one person.

    `owner` is the value really read where this row, or the row its path starts from, names its person. `key` orders
    the rows, is empty where they have no order, and comes back whole from JSON. `data` holds only what JSON can.
    """

    owner: str = field(repr=False)
    key: tuple[Any, ...]
    at: datetime | None
    data: dict[str, Any] = field(repr=False)
    files: tuple[FileRef, ...] = ()


class Texts(NamedTuple):
    """One column's values, a row each, in JSON; bare ones without the quotes around them. No raw line break."""

    is_bare: bool
    values: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows of one person, written as JSON already: what a system gives that can write rows by the thousand.

    `lines` holds two lines a row, its head {"t": ISO time or null, "k": key} and its data; in neither stands a raw line
    break. `owners` are per row, and as honest as a record's. `texts` has the columns that may hold text: secrets are
    looked for there and nowhere else. `unlike` names, per column, the JSON types found, where one of them may not be
    what is declared. `days` counts rows by day (2026-03-01), `models` by the collection's model.
    """

    rows: int
    lines: bytes = field(repr=False)
    owners: Sequence[str] = field(repr=False)
    last: tuple[Any, ...]
    texts: Mapping[str, Texts] = field(repr=False)
    unlike: Mapping[str, frozenset[str]] = field(default_factory=dict)
    first_at: str = ""
    last_at: str = ""
    is_in_time_order: bool = True
    days: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Channel:
    """A way to reach the person, and the day it became known; None when the system does not say."""

    kind: str
    value: str = field(repr=False)
    known_since: date | None = None


@dataclass(frozen=True)
class Found:
    """What a person is known by, and how to reach them."""

    identifiers: Identifiers = field(default_factory=dict, repr=False)
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True)
class Health:
    """Whether a system can be read as it is mapped; if not, why, and what staff can do.

    `notes` are sentences on what is there beyond that: where the system has moved on from what is known of it.
    """

    ok: bool
    detail: str
    hint: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Size:
    """How many rows of all people a collection holds, and whether that is only what the system estimates."""

    rows: int
    is_estimate: bool = False


@dataclass(frozen=True)
class Column:
    """One column as the person gets it. Types: string integer number boolean date datetime object array binary."""

    name: str
    type: str
    description: str = ""


@dataclass(frozen=True)
class Unmapped:
    """A table (column "") or column that nobody mapped. `kind` is "table", "personal" or "undescribed"."""

    table: str
    column: str
    reason: str
    kind: str = "table"


class SystemUnreachable(Exception):
    """A passing failure: the same call may work later. `hint` says what staff can do. Holds no value of a person."""

    def __init__(self, detail: str, hint: str = "", *, system: str = "") -> None:
        super().__init__(detail)
        self.detail, self.hint, self.system = detail, hint, system

    def __str__(self) -> str:
        return f"{self.system}: {self.detail}" if self.system else self.detail


class SystemRefused(Exception):
    """A permanent failure: nothing changes until someone does. `hint` says what. Holds no value of a person."""

    def __init__(self, detail: str, hint: str = "", *, system: str = "") -> None:
        super().__init__(detail)
        self.detail, self.hint, self.system = detail, hint, system

    def __str__(self) -> str:
        return f"{self.system}: {self.detail}" if self.system else self.detail


class Connector(ABC):
    """One system, reached. Any call may raise SystemUnreachable or SystemRefused; opening one raises neither."""

    capabilities: frozenset[str] = frozenset()

    def __init__(self, system: System) -> None:
        self.system = system

    @abstractmethod
    def check(self) -> Health:
        """Say whether every mapped collection can be read. Never raises for what it is there to find."""

    @abstractmethod
    def identify(self, identifiers: Identifiers) -> Found:
        """Tell what else this person is known by here, from rows that the given identifiers reach and no others."""

    @abstractmethod
    def owners(self, identifiers: Identifiers, collection: str) -> frozenset[str]:
        """The values one of which every record of this person must carry as its owner."""

    @abstractmethod
    def count(self, identifiers: Identifiers, collection: str, scope: Scope) -> int:
        """How many records `export` would give."""

    @abstractmethod
    def export(
        self, identifiers: Identifiers, collection: str, scope: Scope, after: tuple[Any, ...] | None = None
    ) -> Iterator[Record]:
        """The person's records in the order of their keys, those after the given key only. Loads nothing whole."""

    def blocks(
        self, identifiers: Identifiers, collection: str, scope: Scope, after: tuple[Any, ...] | None = None,
        *, most: int = 2_000,
    ) -> Iterator[Block] | None:  # fmt: skip
        """The same rows as `export`, in blocks of at most so many; None where this system has no faster way."""
        return None

    @abstractmethod
    def columns(self, collection: str) -> tuple[Column, ...]:
        """The columns of the records, in order, with their types and what they mean."""

    @abstractmethod
    def unmapped(self) -> list[Unmapped]:
        """Tables and columns that nobody mapped."""

    def resumable(self, collection: str) -> bool:
        """Whether `export` of this collection takes `after`. If not, a broken-off export starts over."""
        return True

    def withheld(self, collection: str) -> dict[str, str]:
        """Columns whose values are never given out, each with the reason in words for the person."""
        return {}

    def rows(self, collection: str) -> Size | None:
        """How many rows of all people the collection holds, where that is cheap to know or to estimate."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Let go of connections. May be called twice."""

    def __enter__(self) -> Connector:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def kinds() -> frozenset[str]:
    """The kinds of system that can be opened here."""
    return BUILT_IN | frozenset(point.name for point in entry_points(group=ENTRY_POINTS))


def open(system: System) -> Connector:
    """A connector for this system. Raises SystemRefused when nobody wrote one for its kind."""
    return _way_to(system)(system)


def _way_to(system: System) -> Callable[[System], Connector]:
    if system.kind in BUILT_IN:  # a package installed beside us cannot stand in for a built-in one
        connect: Callable[[System], Connector] = importlib.import_module(f"{__name__}.{system.kind}").connect
        return connect
    for point in entry_points(group=ENTRY_POINTS, name=system.kind):
        loaded: Callable[[System], Connector] = point.load()
        return loaded
    raise SystemRefused(
        _("No connector reads systems of kind “%(kind)s”.") % {"kind": system.kind},
        _("Known kinds: %(kinds)s. Others come as Python packages.") % {"kinds": ", ".join(sorted(kinds()))},
        system=system.name,
    )


def find_out(connectors: Iterable[Connector], identifiers: Identifiers) -> Found:
    """Ask every system in turn what else the person is known by, until none knows more.

    Raises SystemRefused, naming the system, when that does not come to rest: then a mapping teaches what is not one
    person's. A SystemUnreachable names its system too, so that a caller can go on without it and say so.
    """
    connectors = list(connectors)
    known: Identifiers = {kind: frozenset(values) for kind, values in identifiers.items() if values}
    channels: dict[tuple[str, str], Channel] = {}
    growing: Connector | None = None
    for _round in range(MOST_ROUNDS):
        growing = None
        for connector in connectors:
            found = _ask(connector, known)
            grown = _merged(known, found.identifiers)
            growing = connector if grown != known else growing
            known = grown
            _note_channels(channels, found.channels)
            if sum(map(len, known.values())) > MOST_IDENTIFIERS:
                raise _restless(connector, _("one person would have more than %(most)d identifiers"))
        if growing is None:
            return Found(known, tuple(channels.values()))
    raise _restless(growing, _("after %(rounds)d rounds there were still new identifiers"))


def _ask(connector: Connector, known: Identifiers) -> Found:
    try:
        return connector.identify(known)
    except (SystemUnreachable, SystemRefused) as error:
        error.system = error.system or connector.system.name
        raise


def _restless(connector: Connector | None, detail: str) -> SystemRefused:
    return SystemRefused(
        detail % {"most": MOST_IDENTIFIERS, "rounds": MOST_ROUNDS},
        _("Look at what its collections teach: a column that many people share must not be an identifier."),
        system=connector.system.name if connector else "",
    )


def _merged(known: Identifiers, learned: Identifiers) -> Identifiers:
    kinds_ = [*known, *(kind for kind in learned if kind not in known)]
    both = {kind: known.get(kind, frozenset()) | learned.get(kind, frozenset()) for kind in kinds_}
    return {kind: values for kind, values in both.items() if values}


def _note_channels(channels: dict[tuple[str, str], Channel], found: Iterable[Channel]) -> None:
    """Keep each channel once, with the earliest day on which it is known to have been there."""
    for channel in found:
        place = (channel.kind, channel.value)
        other = channels.get(place)
        days = [c.known_since for c in (channel, other) if c is not None and c.known_since is not None]
        channels[place] = Channel(*place, known_since=min(days, default=None))
