import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.utils import timezone

from accounts.models import User
from dsr import connectors, gather, intake, jobs, policy, samples, tasks
from dsr.bundle import parts
from dsr.connectors import Block, Record, SystemUnreachable
from dsr.connectors.sql import SqlConnector as Sql
from dsr.models import AuditEntry, Case, Job, JobState, Part, State
from dsr.policy.systems import System
from tests.conftest import HEAVY_ROWS

pytestmark = pytest.mark.django_db


def opened(name: str, which: int | samples.SamplePerson = 0, **changes: Any) -> Case:
    """A verified case of a sample person."""
    person = which if isinstance(which, samples.SamplePerson) else samples.person(name, which)
    asked = intake.Asked(
        right="access",
        nonce=os.urandom(8).hex(),
        email="" if person.receipts else person.email,
        receipts=tuple(person.receipts),
        claim=intake.new_claim_code() if person.receipts else "",
        **changes,
    )
    case = intake.open_case(asked)
    return case if person.receipts else intake.verify(case, User.objects.get_or_create(email=person.email)[0])


def fetched(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def rows_by_collection(case: Case) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for part in case.parts.all():
        found[part.system, part.collection] += part.rows
    return found


def stored_rows(case: Case) -> Iterator[dict[str, Any]]:
    for part in case.parts.all():
        yield from parts.read_part(storages["bundles"], part.name, part.context, rows=part.rows, sha256=part.sha256)


def expected(name: str, which: int | samples.SamplePerson = 0) -> Counter[tuple[str, str]]:
    truth = samples.expected(name, which, heavy_rows=HEAVY_ROWS)
    return Counter({place: len(rows) for place, rows in truth.items() if rows})


@pytest.mark.parametrize("name", samples.NAMES)
@pytest.mark.parametrize("which", [0, 1])
def test_everything_of_the_person_is_gathered_and_nothing_else(company, work, name: str, which: int) -> None:
    company(name)
    case = opened(name, which)
    work()
    case = fetched(case)
    assert case.state == State.REVIEW, [(j.kind, j.system, j.problem) for j in case.jobs.all()]
    assert rows_by_collection(case) == expected(name, which)


def test_parts_hold_so_many_rows_and_no_row_twice(company, work, settings) -> None:
    settings.PART_ROWS = 50
    company("lumio")
    person = samples.heavy("lumio")
    case = opened("lumio", person)
    work()
    usage = [part.rows for part in case.parts.filter(system="app", collection="usage")]
    assert usage[:-1] == [50] * (len(usage) - 1)
    assert rows_by_collection(case) == expected("lumio", person)
    keys = [str(row["k"]) for row in stored_rows(fetched(case)) if "feature" in row["d"]]
    assert len(keys) == len(set(keys)) == HEAVY_ROWS


def test_dates_and_categories_narrow_what_is_gathered(lumio, work) -> None:
    whole, narrow = opened("lumio"), None
    work()
    first = whole.parts.filter(collection="usage").order_by("number").first()
    assert first is not None
    day = first.first_at.date()
    narrow = opened("lumio", since=day, until=day, categories=("usage",))
    work()
    found = rows_by_collection(narrow)
    assert {policy.systems().system(s).collection(c).category for s, c in found} == {"usage"}
    assert 0 < found["app", "usage"] < rows_by_collection(whole)["app", "usage"]


def test_nothing_found_is_an_answer_to_its_owner(lumio, work) -> None:
    asked = intake.Asked(right="access", nonce="n", email="nobody@example.com")
    case = intake.verify(intake.open_case(asked), User.objects.create(email="nobody@example.com"))
    work()
    assert fetched(case).state == State.REVIEW
    assert not case.parts.exists()


def test_what_is_stored_is_encrypted_and_bound_to_its_place(lumio, work) -> None:
    case = opened("lumio")
    work()
    part = case.parts.filter(system="app", collection="account").get()
    with storages["bundles"].open(part.name) as file:
        assert b"ada@example.com" not in file.read()
    with pytest.raises(gather.keys.DoesNotOpen):
        list(parts.read_part(storages["bundles"], part.name, b"part:somebody-else:app:account:1"))


def test_no_secret_of_the_systems_reaches_the_parts(lumio, work) -> None:
    """The ground truth holds password hashes and keys; none of their values may be found in what was gathered."""
    case = opened("lumio")
    work()
    secret_values = [
        str(row[column])
        for (system, name), rows in samples.expected("lumio", heavy_rows=HEAVY_ROWS).items()
        for column in policy.systems().system(system).collection(name).secret
        for row in rows
        if row.get(column)
    ]
    assert secret_values
    text = repr(list(stored_rows(case)))
    assert [value for value in secret_values if value in text] == []


def test_a_row_of_another_person_stops_the_work(lumio, work, monkeypatch) -> None:
    honest = Sql.export

    def lying(self: Sql, identifiers, collection, scope, after=None) -> Iterator[Record]:
        yield from honest(self, identifiers, collection, scope, after)
        if collection == "invoices":
            yield Record("cus_somebody_else", (10**9,), None, {"amount_cents": 1})

    monkeypatch.setattr(Sql, "export", lying)
    case = opened("lumio")
    work()
    job = Job.objects.get(kind="gather", system="billing")
    assert job.state == JobState.FAILED
    assert "not this person's" in job.problem
    assert fetched(case).state == State.WORKING
    assert "cus_somebody_else" not in repr(list(stored_rows(case)))
    assert not case.parts.filter(collection="invoices").exists()


@pytest.mark.parametrize("owners", [["cus_somebody_else"], []])
def test_a_block_with_a_row_of_another_person_stops_the_work(lumio, work, monkeypatch, owners: list[str]) -> None:
    """Also one that does not say of each row whose it is."""

    def lying(self: Sql, identifiers, collection, scope, after=None, *, most: int) -> Iterator[Block] | None:
        if collection != "invoices":
            return None
        lines = b'{"t":null,"k":[1000000000]}\n{"amount_cents":1}\n'
        return iter([Block(rows=1, lines=lines, owners=owners, last=(10**9,), texts={})])

    monkeypatch.setattr(Sql, "blocks", lying)
    case = opened("lumio")
    work()
    job = Job.objects.get(kind="gather", system="billing")
    assert job.state != JobState.DONE
    assert "not this person's" in job.problem or "ValueError" in job.problem
    assert fetched(case).state == State.WORKING
    assert not case.parts.filter(collection="invoices").exists()


@pytest.fixture
def down(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of systems that do not answer."""
    names: set[str] = set()
    really_open = connectors.open

    def unanswered(*args: Any, **kwargs: Any) -> Any:
        raise SystemUnreachable("The server did not answer.", "Look at the network.")

    def opening(system: System) -> connectors.Connector:
        connector = really_open(system)
        if system.name in names:
            for call in ("identify", "count", "export", "owners"):
                setattr(connector, call, unanswered)
        return connector

    monkeypatch.setattr(connectors, "open", opening)
    return names


def due_now() -> None:
    Job.objects.filter(state=JobState.WAITING).update(due_at=timezone.now())


def test_a_system_that_is_down_holds_up_nobody_and_is_read_when_it_is_back(lumio, work, down) -> None:
    case = opened("lumio")
    down.add("billing")
    work()
    progress = {p.name: p for p in intake.progress(fetched(case))}
    assert fetched(case).state == State.WORKING
    assert progress["billing"].state == "trying"
    assert progress["billing"].next_try is not None
    assert "could not reach" in progress["billing"].sentence
    assert {p.state for name, p in progress.items() if name != "billing"} == {"done"}
    assert Job.objects.get(kind="gather", system="billing").problem == "The server did not answer."
    down.clear()
    due_now()
    work()
    assert fetched(case).state == State.REVIEW
    assert rows_by_collection(case) == expected("lumio")


def test_a_system_that_led_to_others_has_them_read_again_when_it_is_back(lumio, work, down) -> None:
    """The app teaches the Stripe customer: while it is down, billing is read with less than is known later."""
    case = opened("lumio")
    down.add("app")
    work()
    assert rows_by_collection(case)["billing", "invoices"] == 0
    down.clear()
    due_now()
    work()
    assert fetched(case).state == State.REVIEW
    assert rows_by_collection(case) == expected("lumio")


def test_a_worker_killed_between_parts_leaves_its_successor_the_rest(company, work, settings, monkeypatch) -> None:
    """The lease lapses after some parts; another worker goes on behind the last of them."""
    settings.PART_ROWS = 40
    company("lumio")
    person = samples.heavy("lumio")
    case = opened("lumio", person)
    written = 0
    real = parts.write_part

    class Killed(BaseException):
        pass

    def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal written
        written += 1
        if written % 3 == 0:
            raise Killed
        return real(*args, **kwargs)

    monkeypatch.setattr(parts, "write_part", dying)
    deaths = 0
    for _ in range(200):
        due = Job.objects.exclude(kind="mail").exclude(state=JobState.DONE).order_by("pk").first()
        if due is None:
            break
        Job.objects.filter(state=JobState.RUNNING).update(lease_until=timezone.now() - timedelta(seconds=1))
        try:
            tasks.run_job(due.pk)
        except Killed:
            deaths += 1
    assert deaths > 5
    assert fetched(case).state == State.REVIEW
    assert rows_by_collection(case) == expected("lumio", person)
    assert len(list(stored_rows(case))) == sum(expected("lumio", person).values())
    kept = {part.name for part in case.parts.all()}
    folder = Path(storages["bundles"].location)
    on_disk = {str(path.relative_to(folder)).removesuffix(".files") for path in folder.rglob("*") if path.is_file()}
    assert on_disk == kept


def test_a_worker_that_lost_its_lease_writes_no_part(lumio, monkeypatch) -> None:
    case = opened("lumio")
    tasks.run_job(Job.objects.get(kind="identify").pk)
    job = jobs.claim(Job.objects.get(kind="gather", system="billing").pk)
    Job.objects.filter(pk=job.pk).update(lease="somebody else's")
    with pytest.raises(jobs.LeaseLost):
        gather.gather(job)
    assert not Part.objects.filter(case=case).exists()
    assert not any(path.is_file() for path in Path(storages["bundles"].location).rglob("*"))


def test_the_trail_and_the_jobs_hold_no_value_of_the_person(lumio, work) -> None:
    case = opened("lumio")
    work()
    known = fetched(case).findings["identifiers"]
    told = repr(list(AuditEntry.objects.values())) + repr(list(Job.objects.values()))
    values = [value for kind, values in known.items() for value in values if len(value) > 3]
    assert values
    assert [value for value in values if value in told] == []


def test_an_address_known_only_since_yesterday_does_not_verify_alone(lumio, work) -> None:
    case = opened("lumio")
    work()
    assert fetched(case).channel_is_young is False
    young = [connectors.Channel("email", "Ada@Example.com", known_since=case.received_on)]
    old = connectors.Channel("email", "ada@example.com", known_since=case.received_on.replace(year=2020))
    assert gather._is_young(case, young) is True
    assert gather._is_young(case, [*young, old]) is False
    assert gather._is_young(case, []) is False
    undated = connectors.Channel("email", "ada@example.com", known_since=None)
    assert gather._is_young(case, [*young, undated]) is True
    assert gather._is_young(case, [old, undated]) is False
    assert gather._is_young(case, [undated]) is False
