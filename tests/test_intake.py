import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone

from accounts.models import User
from dsr import intake, lifecycle
from dsr.intake import Asked, NotAllowed
from dsr.models import AuditEntry, Case, Job, Mail, State

pytestmark = pytest.mark.django_db


def asked(email: str = "ada@example.com", **changes: Any) -> Asked:
    return replace(Asked(right="access", nonce=os.urandom(8).hex(), email=email), **changes)


def user(email: str = "ada@example.com") -> User:
    return User.objects.get_or_create(email=email)[0]


def verified(**changes: Any) -> Case:
    case = intake.open_case(asked(**changes))
    return intake.verify(case, user(case.details["email"]))


def test_a_request_waits_for_its_code_and_nothing_is_looked_up_before(lumio) -> None:
    case = intake.open_case(asked())
    assert case.state == State.RECEIVED
    assert case.clocks.count() == 3
    assert not Job.objects.exists()
    assert len(case.spoken_reference.replace(" ", "")) == 8


def test_known_and_unknown_addresses_leave_the_same_traces(lumio) -> None:
    user("ada@example.com")
    known, unknown = intake.open_case(asked("ada@example.com")), intake.open_case(asked("nobody@example.com"))
    assert {f.name for f in Case._meta.fields if getattr(known, f.attname) != getattr(unknown, f.attname)} == {
        "id", "reference", "details_sealed", "who_index", "form_index", "received_at", "state_at",
    }  # fmt: skip


def test_what_a_person_typed_rests_encrypted(lumio) -> None:
    case = intake.open_case(asked("ada@example.com", name="Ada Marsh", message="my words"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM dsr_case")
        row = repr(cursor.fetchall())
    for value in ("ada@example.com", "Ada Marsh", "my words"):
        assert value not in row
    assert Case.objects.get(pk=case.pk).details["name"] == "Ada Marsh"


def test_a_sealed_value_moved_to_another_case_does_not_open(lumio) -> None:
    ada, eve = intake.open_case(asked()), intake.open_case(asked("eve@example.com"))
    Case.objects.filter(pk=eve.pk).update(details_sealed=ada.details_sealed)
    with pytest.raises(intake.keys.DoesNotOpen):
        _ = Case.objects.get(pk=eve.pk).details


def test_the_right_code_begins_the_work(lumio) -> None:
    case = verified()
    assert case.state == State.VERIFIED
    assert set(Job.objects.values_list("kind", flat=True)) == {"identify", "mail"}
    assert Mail.objects.get().message == "received"


def test_a_code_for_another_address_verifies_nothing(lumio) -> None:
    case = intake.open_case(asked("ada@example.com"))
    with pytest.raises(NotAllowed):
        intake.verify(case, user("eve@example.com"))
    case.refresh_from_db()
    assert (case.state, case.user, Job.objects.count()) == (State.RECEIVED, None, 0)


def test_the_same_form_sent_twice_is_one_request(lumio) -> None:
    form = asked()
    assert intake.open_case(form) == intake.open_case(form)
    assert Case.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_fifty_submissions_of_one_form_are_one_request(lumio) -> None:
    form = asked()

    def submit(_: int) -> str:
        try:
            return intake.open_case(form).pk
        finally:
            close_old_connections()
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(submit, range(50)))) == 1
    assert AuditEntry.objects.filter(act="received").count() == 1


def test_an_identical_request_joins_the_first_one(lumio) -> None:
    first = verified()
    second = intake.open_case(asked())
    assert intake.verify(second, user()) == first
    second.refresh_from_db()
    assert (second.state, second.joined_to) == (State.JOINED, first)
    assert Job.objects.filter(kind="identify").count() == 1


def test_joined_requests_keep_the_first_receipt_date_whichever_was_verified_first(lumio) -> None:
    earlier = intake.open_case(asked())
    Case.objects.filter(pk=earlier.pk).update(
        received_at=earlier.received_at - timedelta(days=6), received_on=earlier.received_on - timedelta(days=6)
    )
    earlier.refresh_from_db()
    later = verified()
    was_due = later.due_on
    survivor = intake.verify(earlier, user())
    survivor.refresh_from_db()
    assert survivor == later
    assert survivor.received_on == earlier.received_on
    assert survivor.due_on < was_due


@pytest.mark.parametrize(
    "other", [{"categories": ("usage",)}, {"right": "export"}, {"email": "eve@example.com"}, {"format": "csv"}]
)
def test_a_different_request_is_not_joined(lumio, other: dict[str, Any]) -> None:
    first = verified()
    second = verified(**other)
    assert second != first
    assert second.state == State.VERIFIED


def test_after_the_answer_the_same_may_be_asked_again(lumio) -> None:
    first = verified()
    for state in (State.WORKING, State.REVIEW, State.REFUSED):
        lifecycle.advance(first, state, by="system")
    assert verified().state == State.VERIFIED


def test_receipts_prove_possession_and_the_claim_code_owns_the_case(company) -> None:
    company("lyumen")
    code = intake.new_claim_code()
    case = intake.open_case(asked("", receipts=("r-1", "r-2"), claim=code))
    assert case.state == State.VERIFIED
    assert not Mail.objects.exists()
    assert intake.claim(code) == case
    assert intake.claim(code.lower().replace("-", " ")) == case
    assert intake.claim(intake.new_claim_code()) is None
    assert intake.claim("") is None
    assert intake.claim(case.reference) is None


def test_claim_codes_do_not_repeat_and_hold_130_bits() -> None:
    codes = {intake.new_claim_code() for _ in range(200)}
    assert len(codes) == 200
    assert {len(code.replace("-", "")) for code in codes} == {26}


@pytest.mark.parametrize("stop", [intake.withdraw, intake.dispute])
def test_the_person_can_stop_it(lumio, stop) -> None:
    case = verified()
    stop(case)
    case.refresh_from_db()
    assert case.state == State.WITHDRAWN
    assert set(Job.objects.exclude(kind="mail").values_list("kind", flat=True)) == {"remove"}
    assert Mail.objects.filter(message="withdrawn").count() == 1
    with pytest.raises(NotAllowed):
        stop(case)


def test_what_nobody_proved_is_closed_after_a_week_and_the_address_forgotten(lumio) -> None:
    stale, fresh, proved = intake.open_case(asked()), intake.open_case(asked()), verified(email="eve@example.com")
    Case.objects.filter(pk__in=[stale.pk, proved.pk]).update(received_at=timezone.now() - timedelta(days=8))
    assert intake.lapse_unverified(timezone.now()) == 1
    stale.refresh_from_db()
    assert (stale.state, stale.details) == (State.LAPSED, {})
    assert Case.objects.get(pk=fresh.pk).details["email"] == "ada@example.com"


@pytest.mark.parametrize("relation", ["child", "agent", "mentioned"])
def test_who_asks_for_somebody_else_is_looked_at_by_staff_before_anything_is_gathered(lumio, relation: str) -> None:
    case = verified(relation=relation)
    assert case.state == State.REVIEW
    assert set(Job.objects.values_list("kind", flat=True)) == {"mail"}


@pytest.mark.parametrize("who", [{"email": "ada@example.com", "receipts": ("rcpt_1",)}, {}])
def test_a_request_is_about_an_address_or_about_receipts(lumio, who: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="never both"):
        intake.open_case(intake.Asked(right="access", nonce="n", **who))
    assert not Case.objects.exists()
