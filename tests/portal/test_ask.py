"""Asking, page by page."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from dsr import keys, policy
from dsr.models import AuditEntry, Case, Job, Mail, State
from dsr.portal import answers, limits
from tests.portal.browsing import ADA, answer, browser, file, file_by_receipt, last_code, state, text, title, to_check

pytestmark = pytest.mark.django_db


def begun(client: Client):
    return client.get("/en/ask/?right=access")


def test_a_request_is_sent_in_four_pages() -> None:
    done, case = file(browser(), name="Ada Marsh", country="IE", since="2026-01-01", categories=["usage"])
    assert title(done) == "We have your request"
    assert case.spoken_reference in text(done)
    assert case.state == State.RECEIVED
    assert case.details == {
        "email": ADA, "name": "Ada Marsh", "country": "IE", "since": "2026-01-01", "until": "",
        "categories": ["usage"], "format": "jsonl", "receipts": [], "message": "",
    }  # fmt: skip
    assert len(last_code()) == 6


def test_nothing_is_stored_before_it_is_sent() -> None:
    page = to_check(browser(), name="Ada Marsh")
    assert title(page) == "Check your answers"
    assert ADA in text(page)
    assert [model.objects.count() for model in (Case, Mail, Job, AuditEntry, User)] == [0, 0, 0, 0, 0]


def test_the_form_shows_none_of_its_answers_to_others() -> None:
    page = answer(browser(), answer(browser(), begun(browser()), "whose", relation="self"), "address", email=ADA)
    assert ADA not in text(page)
    assert ADA.encode() not in answers.base64.urlsafe_b64decode(state(page))


@pytest.mark.parametrize(
    ("step", "fields", "field_id", "sentence"),
    [
        ("whose", {}, "id_relation_0", "choose the one that fits best"),
        ("whose", {"relation": "king"}, "id_relation_0", "choose the one that fits best"),
        ("address", {"email": ""}, "id_email", "Enter your e-mail address."),
        ("address", {"email": "ada@"}, "id_email", "such as name@example.com"),
        ("address", {"email": "ada@example.com\r\nBcc: eve@example.com"}, "id_email", "such as name@example.com"),
        ("details", {"format": "xml"}, "id_format_0", "Select a valid choice"),
        ("details", {"format": "csv", "since": "soon"}, "id_since", "2026-03-27"),
        ("details", {"format": "csv", "since": "2999-01-01"}, "id_since", "in the future"),
        ("details", {"format": "csv", "since": "2026-02-02", "until": "2026-02-01"}, "id_until", "before the first"),
        ("details", {"format": "csv", "categories": ["secrets"]}, "id_categories_0", "kinds of data listed"),
        ("details", {"format": "csv", "name": "Ada\x0bMarsh"}, "id_name", "on one line"),
        ("details", {"format": "csv", "country": "XX"}, "id_country", "Select a valid choice"),
    ],
)
def test_a_wrong_answer_is_told_with_a_link_to_its_field(step: str, fields: dict, field_id: str, sentence: str) -> None:
    client = browser()
    page = begun(client)
    for before, given in (("whose", {"relation": "self"}), ("address", {"email": ADA})):
        if before == step:
            break
        page = answer(client, page, before, **given)
    page = answer(client, page, step, **fields)
    assert title(page).startswith("Error:")
    assert f'href="#{field_id}"' in text(page)
    assert f'id="{field_id}"' in text(page)
    assert sentence in text(page)


def test_answers_survive_going_back() -> None:
    client = browser()
    page = answer(client, begun(client), "whose", relation="self")
    page = answer(client, page, "address", email=ADA)
    page = answer(client, page, "details", "back", format="csv", name="Ada Marsh")
    assert 'value="ada@example.com"' in text(page)
    page = answer(client, page, "address", email=ADA)
    assert 'value="Ada Marsh"' in text(page)
    assert 'value="csv"' in text(page)


def test_pages_of_the_form_stay_in_the_browser_for_its_back_button() -> None:
    page = to_check(browser())
    assert "no-store" not in page["Cache-Control"]
    assert "private" in page["Cache-Control"]


def test_changing_one_answer_leads_back_to_the_check() -> None:
    client = browser()
    page = answer(client, to_check(client), "check", "address")
    assert 'id="id_email"' in text(page)
    page = answer(client, page, "address", email="ada@elsewhere.example")
    assert title(page) == "Check your answers"
    assert "ada@elsewhere.example" in text(page)


def test_becoming_somebody_else_asks_what_that_needs() -> None:
    client = browser()
    page = answer(client, to_check(client), "check", "whose")
    page = answer(client, page, "whose", relation="child")
    assert 'id="id_message"' in text(page)


def test_sending_twice_is_sending_once() -> None:
    client = browser()
    check = to_check(client)
    first = answer(client, check, "check", "send")
    second = answer(client, check, "check", "send")
    assert text(first) == text(second)
    assert Case.objects.count() == 1
    assert Mail.objects.count() == 1


def test_a_page_cannot_be_skipped() -> None:
    client = browser()
    page = answer(client, begun(client), "check", "send")
    assert title(page) == "Whose data is this about?"
    page = answer(client, answer(client, begun(client), "whose", relation="self"), "message", message="x")
    assert 'id="id_email"' in text(page)
    assert not Case.objects.exists()


@pytest.mark.parametrize("sealed", ["", "x", "A" * 100, "é", "A" * 100_000])
def test_a_form_that_is_not_ours_begins_again(sealed: str) -> None:
    response = browser().post("/en/ask/", {"state": sealed, "step": "check", "go": "send"})
    assert response.status_code == 400
    assert title(response) == "Please begin again"


def test_a_changed_form_does_not_open() -> None:
    client = browser()
    sealed = state(to_check(client))
    changed = ("A" if sealed[40] != "A" else "B").join((sealed[:40], sealed[41:]))
    assert client.post("/en/ask/", {"state": changed, "step": "check", "go": "send"}).status_code == 400
    assert not Case.objects.exists()


def test_a_token_of_another_kind_does_not_open_as_a_form() -> None:
    foreign = answers.base64.urlsafe_b64encode(keys.seal_field(b"[]", b"portal.opened")).decode()
    assert browser().post("/en/ask/", {"state": foreign}).status_code == 400


def test_after_two_hours_the_person_is_forgotten_and_the_rest_kept() -> None:
    client = browser()
    page = to_check(client, name="Ada Marsh", categories=["usage"])
    with time_machine.travel(timezone.now() + timezone.timedelta(hours=2, minutes=1)):
        page = answer(client, page, "check", "send")
        assert "more than two hours" in text(page)
        assert not Case.objects.exists()
        page = answer(client, page, "whose", relation="self")
        assert ADA not in text(page)
        page = answer(client, page, "address", email="cleo@example.com")
        assert "Ada Marsh" not in text(page)
        assert 'value="usage" id="id_categories_6" checked' in text(page) or "checked" in text(page)


@pytest.mark.parametrize("right", ["deletion", "opt-out", "nonsense", ""])
def test_a_right_without_a_journey_leads_to_the_start(right: str) -> None:
    response = browser().get(f"/en/ask/?right={right}")
    assert response.status_code == 302
    assert response["Location"] == "/en/#ask"


def test_asking_for_a_child_goes_to_a_person() -> None:
    done, case = file(browser(), relation="child")
    assert case.relation == "child"
    assert case.details["message"] == "My daughter Mia, born 2015."
    assert "A person looks into it" in text(done)


def test_the_answer_is_the_same_for_known_and_unknown_addresses(lumio: policy.Policy) -> None:
    """enum: same bytes, status, rows and jobs before the code is typed."""
    seen = []
    for email in ("ada@example.com", "eve@example.com"):
        done, case = file(browser(), email)
        page = text(done).replace(email, "").replace(case.pk, "").replace(case.spoken_reference, "")
        jobs = list(Job.objects.filter(case=case).values_list("kind", "system"))
        seen.append((done.status_code, page, jobs, dict(done.headers) | {"Content-Length": ""}))
    assert seen[0] == seen[1]


def test_an_address_is_mailed_a_few_times_and_no_more() -> None:
    """bomb: the form is no way to send mail to others."""
    client, sent = browser(), 0
    for _ in range(6):
        response = answer(client, to_check(client, "victim@example.com"), "check", "send")
        sent += response.status_code == 200
    assert response.status_code == 429
    assert "Please wait a little" in text(response)
    assert Mail.objects.count() == sent == 3
    assert Case.objects.count() == sent


@pytest.fixture
def three_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a test need not file sixty."""
    assert limits.LIMITS["file"].endswith(",60/h/ip")
    monkeypatch.setitem(limits.LIMITS, "file", "5/h/key,10/d/key,3/h/ip")


def filed(name: str, client: Client | None = None, **headers: str) -> int:
    client = client or browser()
    page = to_check(client, f"{name}@example.com")
    form = {"state": state(page), "step": "check", "go": "send"}
    return client.post("/en/ask/", form, headers=headers).status_code


@pytest.mark.usefixtures("three_an_hour")
def test_a_network_may_file_only_so_much() -> None:
    assert [filed(f"p{n}") for n in range(4)] == [200, 200, 200, 429]


@pytest.mark.usefixtures("three_an_hour")
def test_forwarded_addresses_are_not_believed() -> None:
    statuses = [filed(f"p{n}", **{"x-forwarded-for": f"203.0.113.{n}"}) for n in range(4)]
    assert statuses == [200, 200, 200, 429]


@pytest.mark.usefixtures("three_an_hour")
def test_neighbours_of_one_ipv6_network_count_as_one() -> None:
    near = [filed(f"p{n}", browser(REMOTE_ADDR=f"2001:db8::{n + 1:x}")) for n in range(4)]
    assert near == [200, 200, 200, 429]
    assert filed("q", browser(REMOTE_ADDR="2001:db8:0:1::1")) == 200


def test_who_files_in_somebodys_name_does_not_keep_them_from_filing() -> None:
    stranger = [filed("ada", browser(REMOTE_ADDR="192.0.2.7")) for _ in range(6)]
    assert stranger[-1] == 429
    assert filed("ada") == 200


@pytest.mark.django_db(transaction=True)
def test_one_form_sent_many_times_at_once_is_one_request_and_one_code() -> None:
    form = {"state": state(to_check(browser())), "step": "check", "go": "send"}

    def send(_: int) -> int:
        try:
            return browser().post("/en/ask/", form).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(16))) == {200}
    assert (Case.objects.count(), Mail.objects.count()) == (1, 1)


def test_by_receipts_without_address_or_cookie(company) -> None:
    company("lyumen")
    client = browser()
    done, claim = file_by_receipt(client, "rcpt_0123456789abcdef", "rcpt_0123456789abcdef")
    case = Case.objects.get()
    assert case.details["receipts"] == ["rcpt_0123456789abcdef"]
    assert case.state == State.VERIFIED
    assert len(claim.replace("-", "")) == 26
    assert "no-store" in done["Cache-Control"]
    assert not client.cookies
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    "receipts", ["", "   \n ", "short", "x" * 300, "with space inside", "\n".join(f"receipt-{n:04}" for n in range(51))]
)
def test_what_is_no_receipt_is_told(company, receipts: str) -> None:
    company("lyumen")
    client = browser()
    page = answer(client, client.get("/en/ask/?right=access"), "receipts", receipts=receipts)
    assert title(page).startswith("Error:")


def test_markup_stays_text() -> None:
    """xss: what a person typed is shown as it was typed."""
    page = to_check(browser(), name="<script>alert(1)</script>")
    assert "<script>alert" not in text(page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text(page)


def test_each_form_is_its_own() -> None:
    """The first page is drawn once and kept; what is sealed in it is new each time."""
    first, second = (answers.opened(state(begun(browser()))) for _ in range(2))
    assert first.nonce != second.nonce
    assert first.claim != second.claim
    assert "@sealed" not in text(begun(browser()))


def test_a_later_page_drawn_for_one_person_shows_the_next_nothing_of_it() -> None:
    client = browser()
    to_check(client, name="Ada Marsh", country="IE", since="2026-01-01", categories=["usage"])
    pages = []
    for email in (ADA, "eve@example.com"):
        page = answer(browser(), answer(browser(), begun(browser()), "whose", relation="self"), "address", email=email)
        assert answers.opened(state(page)).values["email"] == email
        pages.append(page.content.decode().replace(state(page), ""))
    assert pages[0] == pages[1]
    assert [word for word in (ADA, "Ada Marsh", "2026-01-01") if word in pages[0]] == []


@pytest.fixture
def two_ways(lumio: policy.Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A company that finds people by address or by receipt."""
    identity = lumio.identity.model_copy(update={"ways": ("code", "receipt")})
    monkeypatch.setattr(policy._state, "policy", lumio.model_copy(update={"identity": identity}))


def by_receipt(client: Client, page):
    page = answer(client, answer(client, page, "way", way="receipt"), "receipts", receipts="rcpt_of_somebody_else")
    return answer(client, page, "details", format="csv")


def by_address(client: Client, page):
    page = answer(client, answer(client, page, "way", way="code"), "address", email="victim@example.com")
    return page if title(page) == "Check your answers" else answer(client, page, "details", format="csv")


@pytest.mark.usefixtures("two_ways")
def test_a_receipt_proves_nothing_about_an_address_typed_in_the_same_form() -> None:
    client = browser()
    page = by_receipt(client, answer(client, begun(client), "whose", relation="self"))
    done = answer(client, by_address(client, answer(client, page, "check", "way")), "check", "send")
    case = Case.objects.get()
    assert (case.state, case.details["receipts"], case.claim_index) == (State.RECEIVED, [], None)
    assert "/en/o/" not in text(done)
    assert not Job.objects.exclude(kind="mail").exists()


@pytest.mark.usefixtures("two_ways")
def test_an_earlier_page_of_a_form_opens_nothing_that_the_form_filed_for_an_address() -> None:
    client = browser()
    earlier = answer(client, begun(client), "whose", relation="self")
    answer(client, by_address(client, earlier), "check", "send")
    done = answer(client, by_receipt(client, earlier), "check", "send")
    assert Case.objects.get().details["email"] == "victim@example.com"
    assert "/en/o/" not in text(done)


@pytest.mark.usefixtures("two_ways")
def test_either_way_leads_to_a_request() -> None:
    client = browser()
    page = answer(client, by_receipt(client, answer(client, begun(client), "whose", relation="self")), "check", "send")
    assert "/en/o/" in text(page)
    assert Case.objects.get().state == State.VERIFIED


def test_who_never_types_a_code_is_told_what_happens_then() -> None:
    done, _ = file(browser())
    assert "within 7 days, we close the request and forget the address" in text(done)
