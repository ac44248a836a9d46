"""Five sample companies: policy files, systems files, and systems full of invented people to try the portal on.

The same folder and the same day always give the same content. Nothing here asks the connectors: what
`expected` returns comes from the generator itself, so that an export can be held against it.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import chain
from pathlib import Path

from dsr.samples import lumees, lumio, lumyxai, lunos, lyumen
from dsr.samples.people import FIRST_OTHER, NAMED, SamplePerson
from dsr.samples.tables import Record, Sample, write

__all__ = [
    "NAMES",
    "SamplePerson",
    "build",
    "environment",
    "expected",
    "heavy",
    "lyumen",
    "person",
    "policy_path",
    "sample",
    "systems_path",
]

_SAMPLES: Mapping[str, Sample] = {
    module.SAMPLE.name: module.SAMPLE for module in (lumees, lyumen, lumyxai, lumio, lunos)
}

NAMES = tuple(_SAMPLES)


def sample(name: str) -> Sample:
    """The tables of a sample and how its rows are made. Raises KeyError."""
    return _SAMPLES[name]


def policy_path(name: str) -> Path:
    """Where the sample's policy file is."""
    return Path(__file__).parent / sample(name).name / "policy.toml"


def systems_path(name: str) -> Path:
    """Where the sample's systems file is."""
    return Path(__file__).parent / sample(name).name / "systems.toml"


def build(
    name: str, folder: Path, *, others: int = 2000, heavy_rows: int = 100_000, today: date | None = None
) -> dict[str, str]:
    """Write the sample's systems as SQLite files into `folder`; returns the environment its systems file needs.

    Every date in them lies in the past of `today`, and within what the policy allows to be kept on that day.
    """
    chosen = sample(name)
    day = today or date.today()
    folder.mkdir(parents=True, exist_ok=True)
    write(chosen, folder, chain(_everybody(chosen, day, others, heavy_rows), chosen.strays(day)))
    return environment(name, folder)


def environment(name: str, folder: Path) -> dict[str, str]:
    """What the systems file reads from the environment, for systems already built in `folder`."""
    chosen = sample(name)
    addresses = {env: f"sqlite:///{folder.resolve() / system}.sqlite3" for system, env in chosen.databases.items()}
    return {**addresses, **chosen.environment}


def person(name: str, which: int = 0) -> SamplePerson:
    """One of the two named people: 0 is Ada, who asks; 1 is Eve, who must see nothing of Ada's."""
    if which not in range(len(NAMED)):
        raise IndexError(f"there are {len(NAMED)} named people, not one with number {which}")
    return sample(name).known(which)


def heavy(name: str) -> SamplePerson:
    """The person with `heavy_rows` usage rows."""
    return sample(name).known(len(NAMED))


def expected(
    name: str, which: int | SamplePerson = 0, *, heavy_rows: int = 100_000, today: date | None = None
) -> dict[tuple[str, str], list[Record]]:
    """Every row of one person by (system, collection), in key order, with all columns and plain Python values.

    Columns that are never disclosed are in here too, so that a test can look for what must not get out. Times are
    UTC without a zone. Collections without a row of this person have an empty list.
    """
    chosen = sample(name)
    whose = which if isinstance(which, SamplePerson) else person(name, which)
    mapped = {table.name: table for table in chosen.tables if table.collection}
    found: dict[str, list[Record]] = {table: [] for table in mapped}
    for table, record in chosen.rows(whose, today or date.today(), heavy_rows):
        if table in found:
            found[table].append(record)
    return {(kept.system, kept.collection): sorted(found[kept.name], key=kept.key_of) for kept in mapped.values()}


def _everybody(chosen: Sample, today: date, others: int, heavy_rows: int) -> Iterator[tuple[str, Record]]:
    for number in range(FIRST_OTHER + others):
        yield from chosen.rows(chosen.known(number), today, heavy_rows)
