"""The page of one request: what it shows, what only on demand, and what each look leaves in the trail."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from dsr import audit
from dsr.models import AuditEntry, Case, JobState, Note, Relation, State
from tests import cast

EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{ request.user }}{% load static %}",
    "\u202egnp.exe",
    "</textarea><svg onload=alert(1)>",
]


def page(client: Client, case: Case) -> str:
    return client.get(reverse("admin:dsr_case_change", args=[case.pk])).content.decode()


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("seq").values_list("act", flat=True))


def test_the_page_hides_who_asked(at_ben: Client) -> None:
    case = cast.make_case(State.REVIEW, email="ada@people.example", name="Ada Kaya", message="my secret", country="TR")
    cast.make_note(case, Note.Kind.FROM_PERSON, "my other secret")
    before = acts()
    html = page(at_ben, case)
    assert case.spoken_reference in html
    for value in ("ada@people.example", "Ada", "Kaya", "my secret", "my other secret"):
        assert value not in html
    assert acts() == before


def test_showing_the_person_is_a_post_and_recorded(at_ben: Client, ben: User) -> None:
    case = cast.make_case(State.REVIEW, name="Ada Kaya", message="my secret")
    cast.make_note(case, Note.Kind.FROM_PERSON, "my other secret")
    html = at_ben.post(reverse("admin:dsr_case_person", args=[case.pk])).content.decode()
    for value in ("ada@example.org", "Ada Kaya", "my secret", "my other secret"):
        assert value in html
    entry = AuditEntry.objects.latest("seq")
    assert (entry.act, entry.actor, entry.case_id) == ("looked at person", audit.staff(ben), case.pk)
    assert entry.facts == {}


@pytest.mark.parametrize("method", ["get", "head"])
def test_reading_an_address_shows_and_records_nothing(at_ben: Client, method: str) -> None:
    case = cast.make_case(State.REVIEW, name="Ada Kaya")
    cast.make_part(case, [{"id": 1, "name": "Ada Kaya"}])
    before = acts()
    for path in (
        reverse("admin:dsr_case_person", args=[case.pk]),
        reverse("admin:dsr_case_look", args=[case.pk, "app", "account"]),
        reverse("admin:dsr_case_find"),
    ):
        answer = getattr(at_ben, method)(path)
        assert answer.status_code == 302
        assert b"Kaya" not in answer.content
    assert acts() == before


def test_a_look_at_rows_is_recorded_with_counts_only(at_ben: Client, ben: User) -> None:
    case = cast.make_case(State.REVIEW)
    cast.make_part(case, [{"id": n, "text": f"row number {n}."} for n in range(25)])
    html = at_ben.post(reverse("admin:dsr_case_look", args=[case.pk, "app", "account"])).content.decode()
    assert "row number 19." in html
    assert "row number 20." not in html
    assert "The first 20 of 25 rows" in html
    entry = AuditEntry.objects.latest("seq")
    assert (entry.act, entry.actor) == ("previewed", audit.staff(ben))
    assert entry.facts == {"system": "app", "collection": "account", "rows": 20}


def test_rows_of_another_case_are_not_there(at_ben: Client) -> None:
    mine, other = cast.make_case(State.REVIEW), cast.make_case(State.REVIEW, email="b@example.org")
    cast.make_part(other, [{"id": 1}])
    before = acts()
    assert at_ben.post(reverse("admin:dsr_case_look", args=[mine.pk, "app", "account"])).status_code == 404
    assert acts() == before


@pytest.mark.parametrize("may", [(), ("view_case",), ("view_case", "change_case"), ("see_person",)])
def test_looks_need_their_permission(may: tuple[str, ...]) -> None:
    case = cast.make_case(State.REVIEW, name="Ada Kaya")
    cast.make_part(case, [{"id": 1, "name": "Kaya"}])
    client = cast.signed_in_staff_client(cast.staff("dan", *may))
    before = acts()
    for path in (
        reverse("admin:dsr_case_person", args=[case.pk]),
        reverse("admin:dsr_case_look", args=[case.pk, "app", "account"]),
    ):
        answer = client.post(path)
        assert answer.status_code == 404
        assert b"Kaya" not in answer.content
    assert acts() == before


def test_eve_finds_no_request_under_any_address(at_eve: Client) -> None:
    case = cast.make_case(State.REVIEW)
    path = reverse("admin:dsr_case_change", args=[case.pk])
    assert at_eve.get(path).status_code == 404
    assert at_eve.get(reverse("admin:dsr_case_change", args=["0" * 32])).status_code == 404
    assert at_eve.get(reverse("admin:dsr_case_changelist")).status_code == 403
    assert at_eve.post(reverse("admin:dsr_case_find"), {"wanted": case.reference}).status_code == 404


def test_search_by_reference(at_ben: Client) -> None:
    case = cast.make_case(State.REVIEW)
    answer = at_ben.post(reverse("admin:dsr_case_find"), {"wanted": f" {case.spoken_reference} "})
    assert answer["Location"] == reverse("admin:dsr_case_change", args=[case.pk])
    assert b"No request was found" in at_ben.post(reverse("admin:dsr_case_find"), {"wanted": "x"}).content


def test_search_by_address_is_exact_and_recorded(at_ben: Client) -> None:
    first, second = cast.make_case(State.REVIEW), cast.make_case(State.COMPLETED, right="export")
    other = cast.make_case(State.REVIEW, email="adam@example.org")
    html = at_ben.post(reverse("admin:dsr_case_find"), {"wanted": "ADA@example.org"}).content.decode()
    assert first.spoken_reference in html
    assert second.spoken_reference in html
    assert other.spoken_reference not in html
    assert "ada@example.org" not in html.lower()
    entry = AuditEntry.objects.latest("seq")
    assert (entry.act, entry.facts) == ("searched by address", {"found": 2})
    assert b"No request was found" in at_ben.post(reverse("admin:dsr_case_find"), {"wanted": "da@example.org"}).content


def test_search_by_address_needs_the_right_to_see_people() -> None:
    cast.make_case(State.REVIEW)
    client = cast.signed_in_staff_client(cast.staff("dan", "view_case"))
    before = acts()
    assert client.post(reverse("admin:dsr_case_find"), {"wanted": "ada@example.org"}).status_code == 404
    assert acts() == before


@pytest.mark.parametrize("evil", EVIL)
def test_what_a_person_typed_is_inert(at_ben: Client, ben: User, evil: str) -> None:
    case = cast.make_case(State.REVIEW, name=evil, message=evil, relation=Relation.CHILD)
    cast.make_note(case, Note.Kind.FROM_PERSON, evil)
    html = at_ben.post(reverse("admin:dsr_case_person", args=[case.pk])).content.decode()
    assert_inert(html, evil)


@pytest.mark.parametrize("evil", EVIL)
def test_what_a_system_holds_is_inert(at_ben: Client, evil: str) -> None:
    case = cast.make_case(State.REVIEW)
    cast.make_part(case, [{evil: "column", "text": evil, "nested": {evil: [evil]}}])
    html = at_ben.post(reverse("admin:dsr_case_look", args=[case.pk, "app", "account"])).content.decode()
    assert_inert(html, evil)


@pytest.mark.parametrize("evil", EVIL)
def test_what_a_system_says_is_inert(at_ben: Client, evil: str) -> None:
    case = cast.make_case(State.WORKING)
    cast.make_job(case, problem=evil, hint=evil)
    assert_inert(page(at_ben, case), evil)
    assert_inert(at_ben.get(reverse("admin:dsr_job_changelist")).content.decode(), evil)


def assert_inert(html: str, evil: str) -> None:
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "<svg onload" not in html
    assert 'href="javascript' not in html
    for at in range(len(html)):
        if html.startswith("\u202e", at):
            # Every override is inside a <bdi>, which ends what it did.
            assert html.rfind("<bdi", 0, at) > html.rfind("</bdi>", 0, at)


def test_long_values_are_cut_and_said_to_be(at_ben: Client) -> None:
    case = cast.make_case(State.REVIEW)
    cast.make_part(case, [{"prompt": "x" * 5000}])
    html = at_ben.post(reverse("admin:dsr_case_look", args=[case.pk, "app", "account"])).content.decode()
    assert "x" * 301 not in html
    assert "cut here, whole in the archive" in html


def test_what_was_found_and_masked(at_ben: Client) -> None:
    case = cast.make_case(State.REVIEW, assignee=None)
    cast.make_part(case, [{"id": n} for n in range(3)])
    cast.make_part(case, [{"id": n} for n in range(2)])
    html = page(at_ben, case)
    assert "4 API key" in html
    assert '<td class="num">5' in html


def test_what_failed_and_what_helps(at_ben: Client) -> None:
    case = cast.make_case(State.WORKING)
    cast.make_job(case)
    cast.make_job(case, JobState.LEFT_OUT, system="logs")
    html = page(at_ben, case)
    assert "The table invoices has no column user_id." in html
    assert "Change the systems file, then try again." in html
    assert "Answer without it" in html
    assert "Left out" in html


def test_every_state_has_a_page(at_cleo: Client) -> None:
    for state in State:
        for relation in ("self", "agent"):
            case = cast.make_case(state, relation=relation, email=f"{state}-{relation}@example.org")
            assert at_cleo.get(reverse("admin:dsr_case_change", args=[case.pk])).status_code == 200


def test_why_this_date(at_ben: Client) -> None:
    case = cast.make_case(State.REVIEW)
    html = page(at_ben, case)
    for clock in case.clocks.all():
        assert clock.title in html
        assert clock.steps


def test_a_page_takes_no_more_queries_for_more_work(
    at_ben: Client, ben: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    case = cast.make_case(State.WORKING, assignee=ben)
    for number in range(12):
        cast.make_job(case, system=f"s{number}")
        cast.make_note(case, Note.Kind.STAFF, "hm", ben)
        cast.make_part(case, [{"id": 1}], collection=f"c{number}")
        audit.append("assigned", actor=audit.staff(ben), case=case, to=ben.pk)
    with django_assert_max_num_queries(30):
        page(at_ben, case)


def test_no_form_edits_a_case(at_cleo: Client) -> None:
    case = cast.make_case(State.REVIEW)
    data: dict[str, Any] = {"state": "completed", "reference": "11111111"}
    assert at_cleo.post(reverse("admin:dsr_case_change", args=[case.pk]), data).status_code == 405
    case.refresh_from_db()
    assert case.state == State.REVIEW
