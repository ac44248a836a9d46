"""Find the person in each system, then read one system a job into encrypted parts.

A part and the checkpoint behind it are one transaction, so a killed worker's successor goes on behind the last part.
Every row must carry the person's own key; one that does not stops the work.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.core.files.storage import storages
from django.db import transaction

from accounts.models import plain_address
from dsr import audit, connectors, jobs, keys, lifecycle, policy
from dsr.bundle import parts
from dsr.connectors import Block, Channel, Connector, Found, Identifiers, Record, Scope, SystemUnreachable
from dsr.models import Case, Job, JobState, Part, State
from dsr.models.part import part_context
from dsr.policy.systems import Collection

BLOCK_ROWS = 2_000
Item = Record | Block


class ForeignRow(jobs.NeedsPerson):
    """A system gave a row that does not carry this person's key. Nothing of it is kept."""


def identify(job: Job) -> None:
    """Ask every system what else the person is known by, then promise one gathering job a system.

    A system that cannot be reached holds up nobody else: its own job asks again (see `gather`).
    """
    case = case_of(job)
    found, unreachable = _find(case)
    with audit.recorded():
        case = lifecycle.lock(case)
        _remember(case, found, unreachable)
        lifecycle.advance(
            case, State.WORKING, by=audit.SYSTEM, identifiers=_counts(found.identifiers), unreachable=unreachable
        )
        enqueue(case)
        jobs.finish(job)


def enqueue(case: Case) -> None:
    """Promise the gathering of every system for the case's present round."""
    for system in policy.systems().systems:
        jobs.enqueue("gather", case=case, system=system.name, key=str(case.round))


def gather(job: Job) -> None:
    """Read the person's rows of one system into parts; the last system's job moves the case to review."""
    case = case_of(job)
    if job.system in case.findings.get("unreachable", []):
        _identify_late(case)
    system = policy.systems().system(job.system)
    identifiers = _identifiers(case)
    scope = scope_of(case)
    with connectors.open(system) as connector:
        wanted = [c for c in system.collections if scope.covers(c.category)]
        if "about" not in job.checkpoint:
            about = sum(connector.count(identifiers, c.name, scope) for c in wanted)
            jobs.hold(job, checkpoint={"about": about, "known": _digest(identifiers), "at": {}, "shape": {}})
        for collection in wanted:
            _Reading(job, case, connector, collection, identifiers, scope).run()
    _finish(job, case, identifiers)


def scope_of(case: Case) -> Scope:
    """What part of the data was asked for."""
    details = case.details
    return Scope(
        since=date.fromisoformat(details["since"]) if details.get("since") else None,
        until=date.fromisoformat(details["until"]) if details.get("until") else None,
        categories=frozenset(details["categories"]) if details.get("categories") else None,
    )


def forget_files(case: Case) -> None:
    """Delete a case's parts from storage, also those that a killed worker left unfinished; their counts stay."""
    for part in case.parts.exclude(name=""):
        parts.delete(storages["bundles"], part.name)
        Part.objects.filter(pk=part.pk).update(name="")
    for name in files_below(f"parts/{case.pk}"):
        storages["bundles"].delete(name)


def files_below(folder: str) -> Iterator[str]:
    """The name of every file below a folder of the storage."""
    try:
        folders, files = storages["bundles"].listdir(folder)
    except FileNotFoundError:
        return
    yield from [f"{folder}/{name}" for name in files]
    for name in folders:
        yield from files_below(f"{folder}/{name}")


def delete_files(names: Iterable[str]) -> None:
    """Delete parts by the names they have in storage."""
    for name in names:
        parts.delete(storages["bundles"], name)


class _Reading:
    """One collection, from the checkpoint to its end."""

    def __init__(
        self, job: Job, case: Case, connector: Connector, collection: Collection, identifiers: Identifiers, scope: Scope
    ) -> None:
        self.job, self.case, self.connector, self.collection = job, case, connector, collection
        self.identifiers, self.scope = identifiers, scope
        self.owners = connector.owners(identifiers, collection.name)

    def run(self) -> None:
        place = self.job.checkpoint["at"].get(self.collection.name, {"after": None, "number": 0, "done": False})
        if place["done"]:
            return
        if place["number"] and not self.connector.resumable(self.collection.name):
            # Without a key there is no "behind the last part": what was read is thrown away and read once more.
            self._start_over()
            place = {"after": None, "number": 0, "done": False}
        after = tuple(place["after"]) if place["after"] is not None else None
        number = place["number"]
        with closing(_Stream(self._items(after))) as stream:
            while stream.goes_on:
                number += 1
                self._write_part(number, stream)
        self._checkpoint(number, None, done=True)

    def _items(self, after: tuple[Any, ...] | None) -> Generator[Item, None, None]:
        """Every row, in blocks where the system can give them; not one of them somebody else's."""
        asked = (self.identifiers, self.collection.name, self.scope, after)
        blocks = self.connector.blocks(*asked, most=min(BLOCK_ROWS, settings.PART_ROWS))
        if blocks is None:
            for record in self.connector.export(*asked):
                self._refuse_foreign([record.owner])
                yield record
        else:
            for block in blocks:
                if len(block.owners) != block.rows:
                    raise ValueError("a block must say of each row whose it is")
                self._refuse_foreign(block.owners)
                yield block

    def _refuse_foreign(self, owners: Sequence[str]) -> None:
        if not self.owners.issuperset(owners):
            raise ForeignRow(
                f"{self.job.system}.{self.collection.name} gave a row that is not this person's. "
                "The work was stopped and nothing of the row was kept.",
                "Check how the systems file finds a person in this collection, then try again.",
            )

    def _write_part(self, number: int, stream: "_Stream") -> None:
        context = part_context(self.case.pk, self.job.system, self.collection.name, number)
        # The attempt is in the name: a worker that lost its lease cannot write over its successor's part.
        name = f"parts/{self.case.pk}/{self.job.system}/{self.collection.name}-{number:05d}-{self.job.lease[:12]}"
        storage = storages["bundles"]
        written = parts.write_part(
            stream.portion(settings.PART_ROWS), storage, name, context,
            columns=self.connector.columns(self.collection.name), model=self.collection.model,
        )  # fmt: skip
        try:
            with transaction.atomic():
                Part.objects.create(
                    case=self.case,
                    system=self.job.system,
                    collection=self.collection.name,
                    number=number,
                    rows=written.rows,
                    size=written.bytes,
                    sha256=written.sha256,
                    name=name,
                    first_at=datetime.fromisoformat(written.first) if written.first else None,
                    last_at=datetime.fromisoformat(written.last) if written.last else None,
                    info={"masked": dict(written.masked), "files": written.files, "even": written.is_even},
                )
                self._checkpoint(number, stream.last, done=False)
        except BaseException:
            parts.delete(storage, name)
            raise

    def _checkpoint(self, number: int, after: tuple[Any, ...] | None, *, done: bool) -> None:
        at = self.job.checkpoint["at"] | {
            self.collection.name: {"after": list(after) if after else None, "number": number, "done": done}
        }
        shape = self.job.checkpoint["shape"]
        if done:
            # What sealing must know of the collection, so that it needs no system any more.
            columns = [[c.name, c.type, c.description] for c in self.connector.columns(self.collection.name)]
            withheld = self.connector.withheld(self.collection.name)
            shape = shape | {self.collection.name: {"columns": columns, "withheld": withheld}}
        jobs.hold(self.job, checkpoint=self.job.checkpoint | {"at": at, "shape": shape})

    def _start_over(self) -> None:
        with transaction.atomic():
            stale = self.case.parts.filter(system=self.job.system, collection=self.collection.name)
            names = list(stale.values_list("name", flat=True))
            stale.delete()
            self._checkpoint(0, None, done=False)
        delete_files(names)


class _Stream:
    """Rows on their way into parts. The item that no longer fits into one begins the next."""

    def __init__(self, items: Generator[Item, None, None]) -> None:
        self._items = items
        self._next = next(items, None)
        self.last: tuple[Any, ...] = ()

    @property
    def goes_on(self) -> bool:
        """Whether there are rows that no part has yet."""
        return self._next is not None

    def portion(self, most: int) -> Iterator[Item]:
        """Items of so many rows together, at most; `last` is the key of the last row that was taken."""
        taken = 0
        while (item := self._next) is not None:
            rows, last = (item.rows, item.last) if isinstance(item, Block) else (1, item.key)
            if taken and taken + rows > most:
                return
            taken += rows
            self.last = last
            yield item
            self._next = next(self._items, None)

    def close(self) -> None:
        """Let the system go, also in the middle."""
        self._items.close()


def _find(case: Case) -> tuple[Found, list[str]]:
    """What is known of the person over all systems, and which systems could not be asked."""
    unreachable: list[str] = []
    start = _given(case)
    while True:
        with ExitStack() as stack:
            asked = [
                stack.enter_context(connectors.open(system))
                for system in policy.systems().systems
                if system.name not in unreachable
            ]
            try:
                return connectors.find_out(asked, start), unreachable
            except SystemUnreachable as error:
                unreachable.append(error.system)


def _given(case: Case) -> Identifiers:
    """What the person proved: a mailed code proves the address, a receipt itself."""
    details = case.details
    given = {"email": [plain_address(details["email"])] if details["email"] else [], "receipt": details["receipts"]}
    return {kind: frozenset(values) for kind, values in given.items() if values}


def _remember(case: Case, found: Found, unreachable: list[str]) -> None:
    case.findings = {
        "identifiers": {kind: sorted(values) for kind, values in found.identifiers.items()},
        "channels": [
            [channel.kind, channel.value, channel.known_since.isoformat() if channel.known_since else None]
            for channel in found.channels
        ],
        "unreachable": unreachable,
    }
    case.channel_is_young = _is_young(case, found.channels)
    case.save(update_fields=["findings_sealed", "channel_is_young"])


def _is_young(case: Case, channels: Iterable[Channel]) -> bool:
    """Whether the address that verified the person became known only days before: it does not verify alone."""
    address = plain_address(case.details["email"])
    oldest_allowed = case.received_on - timedelta(days=policy.current().identity.young_channel_days)
    known = [c.known_since for c in channels if c.kind == "email" and plain_address(c.value) == address]
    # A system that does not say since when vouches for nothing: the changed address may have been copied there.
    dated = [day for day in known if day is not None]
    return bool(dated) and all(day > oldest_allowed for day in dated)


def _identify_late(case: Case) -> None:
    """Ask again, now that a system may answer; systems read with less knowledge are read again by `_finish`."""
    found, unreachable = _find(case)
    with transaction.atomic():
        case_now = lifecycle.lock(case)
        _remember(case_now, found, unreachable)
        case.findings_sealed = case_now.findings_sealed


def _finish(job: Job, case: Case, identifiers: Identifiers) -> None:
    with audit.recorded():
        case = lifecycle.lock(case)
        jobs.finish(job)
        complete(case)


def complete(case: Case) -> None:
    """Move a locked case to review once every system of its round is read, with what is known by now."""
    if case.state != State.WORKING:
        return
    known = _digest(_identifiers(case))
    of_round = list(case.jobs.filter(kind="gather", key=str(case.round)))
    for stale in [j for j in of_round if j.state == JobState.DONE and j.checkpoint.get("known") != known]:
        read_again(case, stale)
        of_round.remove(stale)
        of_round.append(Job.objects.get(pk=stale.pk))
    if all(job.state in (JobState.DONE, JobState.LEFT_OUT) for job in of_round):
        rows = sum(case.parts.values_list("rows", flat=True))
        lifecycle.advance(case, State.REVIEW, by=audit.SYSTEM, rows=rows, systems=len(of_round))
        if policy.current().right(case.right).review == "none":
            jobs.enqueue("release", case=case, key=str(case.round))


def read_again(case: Case, job: Job) -> None:
    """Throw away what one system's job collected and promise it anew."""
    stale = case.parts.filter(system=job.system)
    names = list(stale.values_list("name", flat=True))
    stale.delete()
    transaction.on_commit(lambda: delete_files(names))
    Job.objects.filter(pk=job.pk).update(checkpoint={})
    jobs.again(job)


def case_of(job: Job) -> Case:
    """The case a job belongs to."""
    if job.case is None:
        raise ValueError(f"job {job.pk} has no case")
    return job.case


def _identifiers(case: Case) -> Identifiers:
    return {kind: frozenset(values) for kind, values in case.findings["identifiers"].items()}


def _digest(identifiers: Identifiers) -> str:
    """Tells whether two workers knew the same of a person, without holding it."""
    from_dict = {kind: sorted(values) for kind, values in sorted(identifiers.items())}
    return keys.mac("index", orjson.dumps(from_dict)).hex()[:16]


def _counts(identifiers: Identifiers) -> dict[str, int]:
    return {kind: len(values) for kind, values in identifiers.items()}
