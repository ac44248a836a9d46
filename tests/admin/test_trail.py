"""The trail as staff read it."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from dsr import audit
from dsr.models import AuditEntry, State
from tests import cast

LIST = "admin:dsr_auditentry_changelist"


def test_entries_are_sentences(at_ben: Client, ben: User) -> None:
    case = cast.make_case(State.REVIEW)
    audit.append("advanced", actor=audit.SYSTEM, case=case, came_from="working", to="review", rows=12)
    audit.append("looked at person", actor=audit.staff(ben), case=case)
    audit.append("something new", actor=audit.SUBJECT, case=case, count=3)
    html = at_ben.get(reverse(LIST)).content.decode()
    for text in ("Collecting → In review", "rows 12", "looked at who asked", "ben", "something new", "count 3"):
        assert text in html
    assert case.spoken_reference in html


def test_filters(at_ben: Client, ben: User) -> None:
    case = cast.make_case(State.REVIEW)
    audit.append("looked at person", actor=audit.staff(ben), case=case, mark="ben-looked")
    audit.append("assigned", actor="staff:nobody", case=case, mark="someone-assigned")
    by_act = at_ben.get(reverse(LIST), {"did": "looked at person"}).content.decode()
    assert "ben-looked" in by_act
    assert "someone-assigned" not in by_act
    by_actor = at_ben.get(reverse(LIST), {"who": audit.staff(ben)}).content.decode()
    assert "ben-looked" in by_actor
    assert "someone-assigned" not in by_actor


def test_nobody_writes_or_removes_an_entry() -> None:
    root = cast.signed_in_staff_client(cast.staff("root", is_superuser=True))
    audit.append("assigned", actor=audit.SYSTEM)
    entry = AuditEntry.objects.get(act="assigned")
    path = reverse(LIST)
    root.post(path, {"action": "delete_selected", "_selected_action": entry.pk, "post": "yes"})
    for door in ("add/", f"{entry.pk}/change/", f"{entry.pk}/delete/"):
        assert root.post(path + door, {"act": "x"}).status_code == 404
    assert AuditEntry.objects.filter(pk=entry.pk, act="assigned").exists()


def test_checking_the_chain(at_ben: Client) -> None:
    case = cast.make_case(State.REVIEW)
    verify = reverse("admin:dsr_auditentry_verify")
    assert at_ben.get(verify).status_code == 405
    assert "The chain is whole" in at_ben.post(verify, follow=True).content.decode()
    assert "Chain checked" in at_ben.get(reverse("admin:dsr_case_change", args=[case.pk])).content.decode()
    AuditEntry.objects.filter(seq=1).update(act="nothing happened")
    assert "Entry 1 was changed" in at_ben.post(verify, follow=True).content.decode()
    assert "The chain has" in at_ben.get(reverse("admin:dsr_case_change", args=[case.pk])).content.decode()


def test_it_takes_a_permission(at_eve: Client) -> None:
    audit.append("assigned", actor=audit.SYSTEM)
    assert at_eve.get(reverse(LIST)).status_code == 403
    assert at_eve.post(reverse("admin:dsr_auditentry_verify")).status_code == 404


def test_facts_are_inert(at_ben: Client) -> None:
    audit.append("<b>x</b>", actor="staff:<i>", system="<script>alert(1)</script>")
    html = at_ben.get(reverse(LIST)).content.decode()
    assert "<script>alert" not in html
    assert "<b>x" not in html
    assert "staff:<i>" not in html


@pytest.mark.parametrize("count", [2, 60])
def test_the_list_takes_a_fixed_number_of_queries(
    at_ben: Client, ben: User, count: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        case = cast.make_case(State.REVIEW, email=f"{number}@example.org")
        audit.append("looked at person", actor=audit.staff(ben), case=case)
    with django_assert_max_num_queries(16):
        at_ben.get(reverse(LIST))
