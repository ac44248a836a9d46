"""Fifty at once: approvals, submissions, codes, downloads, workers. Each has one effect, and nobody waits for ever.

Runs on SQLite, and on PostgreSQL with DSR_TEST_DATABASE=postgresql, where no transaction waits for another by itself.
"""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import RequestFactory

from accounts import codes
from accounts.models import SignInCode, User
from dsr import audit, deliver, gather, intake, jobs, lifecycle, locks
from dsr.lifecycle import NotAllowed
from dsr.models import Approval, AuditEntry, AuditHead, Case, Delivery, Download, Job, JobState, Mail, State
from dsr.portal import limits
from tests import cast
from tests.deliver import test_deliver
from tests.deliver.test_deliver import review_by, staff
from tests.portal.browsing import answer, browser, last_code, title, to_check
from tests.test_gather import opened

pytestmark = pytest.mark.django_db(transaction=True)

reviewed, answered, cleo = test_deliver.reviewed, test_deliver.answered, test_deliver.cleo  # fixtures

MANY = 50
# SQLite lets one write at a time: the fifty queue up, and more of them tell no more.
FEW = 50 if connection.vendor == "postgresql" else 12


@pytest.fixture(autouse=True)
def _fresh(lumio: Any, work: Any) -> None:
    cache.clear()
    del work


def at_once(count: int, act: Callable[[int], Any]) -> list[Any]:
    """Let so many threads do it at the same moment. What each returned, or the exception it raised."""
    start = threading.Barrier(count)
    found: list[Any] = [None] * count

    def run(number: int) -> None:
        try:
            connection.ensure_connection()
            start.wait()
            found[number] = act(number)
        except Exception as error:
            found[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def kinds(found: list[Any]) -> Counter[str]:
    """How many came to what: the names of types."""
    return Counter(type(one).__name__ for one in found)


def entries(act: str, case: Case, **facts: Any) -> int:
    return sum(
        all(entry.facts.get(name) == value for name, value in facts.items())
        for entry in AuditEntry.objects.filter(act=act, case_id=case.pk)
    )


def test_fifty_entries_make_one_chain() -> None:
    AuditEntry.objects.all().delete()
    AuditHead.objects.all().delete()
    assert kinds(at_once(MANY, lambda number: audit.append("looked", actor="staff:1", rows=number))) == {
        "NoneType": MANY
    }
    assert sorted(entry.facts["rows"] for entry in AuditEntry.objects.all()) == list(range(MANY))
    assert audit.verify() == []


def test_the_trail_is_whole_whenever_it_is_looked_at() -> None:
    found = at_once(
        8, lambda number: audit.verify() if number < 2 else [audit.append("a", actor="staff:1") for _ in range(20)]
    )
    assert found[:2] == [[], []]


def test_two_people_agree_and_everybody_clicks_often(reviewed: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    review_by(monkeypatch, "two")
    people = [staff(name) for name in ("dora", "fay")]
    found = at_once(FEW, lambda number: deliver.approve(reviewed, people[number % 2]))
    assert kinds(found) == {"NoneType": 2, "NotAllowed": FEW - 2}, found
    assert Approval.objects.filter(case=reviewed).count() == 2
    assert Job.objects.filter(case=reviewed, kind="seal").count() == 1
    assert [entries("approved", reviewed), entries("advanced", reviewed, to="approved")] == [2, 1]


def test_one_person_is_never_two(reviewed: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    review_by(monkeypatch, "two")
    dora = staff("dora")
    found = at_once(FEW, lambda number: deliver.approve(reviewed, dora))
    assert kinds(found) == {"NoneType": 1, "NotAllowed": FEW - 1}, found
    assert Case.objects.get(pk=reviewed.pk).state == State.REVIEW


def test_the_same_form_sent_fifty_times_opens_one_request_with_one_code() -> None:
    client = browser()
    page = to_check(client, "race@example.com")
    found = at_once(FEW, lambda number: answer(browser(), page, "check", "send"))
    assert Counter(title(one) for one in found) == {"We have your request": FEW}
    assert Case.objects.count() == 1
    assert Mail.objects.filter(message="code").count() == 1
    assert Job.objects.filter(kind="mail").count() == 1
    assert SignInCode.objects.count() == 1


def test_the_same_address_asked_for_often_gets_no_more_codes_than_are_allowed() -> None:
    pages = [to_check(browser(), "flood@example.com") for _ in range(FEW)]
    found = at_once(FEW, lambda number: answer(browser(), pages[number], "check", "send"))
    answered_well = sum(one.status_code == 200 for one in found)
    assert {one.status_code for one in found} == {200, 429}
    assert answered_well <= 3
    assert Case.objects.count() == Mail.objects.filter(message="code").count() == answered_well


def test_two_identical_requests_verified_at_once_become_one() -> None:
    user = cast.person("twin@example.com")
    for _ in range(5):
        asked = [intake.Asked(right="access", nonce=f"{_}-{n}", email=user.email, since=None) for n in range(6)]
        cases = [intake.open_case(one) for one in asked]
        found = at_once(6, lambda number, cases=cases: intake.verify(cases[number], user))
        assert kinds(found) == {"Case": 6}, found
        assert len({one.pk for one in found}) == 1
    states = Counter(Case.objects.values_list("state", flat=True))
    assert states == {"joined": 29, "verified": 1}
    assert Job.objects.filter(kind="identify").count() == 1


def test_fifty_guesses_count_as_fifty() -> None:
    client = browser()
    answer(client, to_check(client, "guess@example.com"), "check", "send")
    kept = SignInCode.objects.get()
    waiting = codes.Waiting(kept.pk, "guess@example.com")
    wrong = "000000" if last_code("guess@example.com") != "000000" else "111111"
    found = at_once(MANY, lambda number: codes._compare(waiting, wrong))
    assert kinds(found).keys() <= {"WrongCode", "TooManyTries"}
    assert kinds(found)["WrongCode"] < codes.MAX_TRIES
    assert SignInCode.objects.get().tries == codes.MAX_TRIES


def test_the_right_code_signs_one_of_fifty_in() -> None:
    client = browser()
    answer(client, to_check(client, "guess@example.com"), "check", "send")
    waiting = codes.Waiting(SignInCode.objects.get().pk, "guess@example.com")
    code = last_code("guess@example.com")
    found = at_once(MANY, lambda number: codes._compare(waiting, code))
    assert kinds(found)["NoneType"] == 1


def test_a_limit_lets_no_more_through_because_they_come_together() -> None:
    requests = [RequestFactory().post("/", REMOTE_ADDR="192.0.2.7") for _ in range(MANY)]
    found = at_once(MANY, lambda number: limits.consume(requests[number], "file", key="limit@example.com"))
    passed = kinds(found)["NoneType"]
    assert 1 <= passed <= 5
    assert kinds(found) == {"NoneType": passed, "TooOften": MANY - passed}, found


def test_one_of_fifty_adds_to_the_cache() -> None:
    assert sorted(at_once(MANY, lambda number: cache.add("once", number, 60))) == [False] * (MANY - 1) + [True]


def test_a_promise_made_fifty_times_is_one_job_that_one_worker_takes(reviewed: Case) -> None:
    promised = at_once(FEW, lambda number: jobs.enqueue("remove", case=reviewed, key="race"))
    assert {one.pk for one in promised} == {Job.objects.get(kind="remove", key="race").pk}
    claimed = at_once(FEW, lambda number: jobs.claim(promised[0].pk))
    assert kinds(claimed) == {"Job": 1, "NoneType": FEW - 1}


def test_the_last_two_systems_read_at_once_bring_the_case_to_review_once(work: Any) -> None:
    case = opened("lumio")
    gather.identify(jobs.claim(Job.objects.get(case=case, kind="identify").pk))
    case.refresh_from_db()
    held = [jobs.claim(job.pk) for job in case.jobs.filter(kind="gather")]
    known = gather._digest(gather._identifiers(case))
    for job in held:
        jobs.hold(job, checkpoint={"known": known})
    found = at_once(len(held), lambda number: gather._finish(held[number], case, gather._identifiers(case)))
    assert kinds(found) == {"NoneType": len(held)}, found
    assert Case.objects.get(pk=case.pk).state == State.REVIEW
    assert entries("advanced", case, to="review") == 1


def test_many_downloads_begin_the_days_once_and_one_removal_removes(answered: Case) -> None:
    def fetch(number: int) -> int:
        chunks = list(deliver.serve(answered))
        deliver.seen(answered)
        return len(chunks)

    assert set(kinds(at_once(FEW, fetch))) == {"int"}
    assert Download.objects.filter(is_whole=True).count() == FEW
    assert entries("downloaded", answered) == FEW
    assert Delivery.objects.get(case=answered).first_seen_at is not None
    found = at_once(FEW, lambda number: deliver.remove(answered, "revoked"))
    assert kinds(found) == {"NoneType": 1, "NotAllowed": FEW - 1}
    assert entries("removed", answered) == 1


def test_acts_on_one_request_that_want_different_things_never_hang(reviewed: Case) -> None:
    """Withdrawing, sending back, trying again, looking: each takes other rows first, and none waits in a ring."""
    cleo_, job = staff("gus"), cast.make_job(reviewed, JobState.FAILED, kind="remove", key="ring")
    acts: list[Callable[[], Any]] = [
        lambda: deliver.try_again(job, cleo_),
        lambda: deliver.send_back(reviewed, cleo_, "look again"),
        lambda: deliver.approve(reviewed, cleo_),
        lambda: audit.append("looked", actor="staff:1", case=reviewed),
        lambda: intake.withdraw(Case.objects.get(pk=reviewed.pk)),
        lambda: jobs.enqueue("remove", case=reviewed, key="ring2"),
    ]
    found = at_once(FEW, lambda number: acts[number % len(acts)]())
    bad = [one for one in found if isinstance(one, Exception) and not isinstance(one, (NotAllowed, jobs.LeaseLost))]
    assert bad == []
    assert audit.verify() == []


def test_one_user_is_made_of_one_address() -> None:
    found = at_once(MANY, lambda number: codes._user_of("new@example.com"))
    assert kinds(found) == {"User": MANY}, found
    assert User.objects.filter(email="new@example.com").count() == 1


def test_a_name_is_held_until_the_transaction_ends() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's transactions are alone from their beginning")
    inside: list[int] = []
    most: list[int] = []

    def enter(number: int) -> None:
        with transaction.atomic():
            locks.alone("test", "name")
            inside.append(number)
            most.append(len(inside))
            lifecycle.zone()
            inside.remove(number)

    at_once(20, enter)
    assert set(most) == {1}
    with pytest.raises(RuntimeError):
        locks.alone("test", "name")
