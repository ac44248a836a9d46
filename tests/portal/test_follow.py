"""Coming back: codes, claim codes, and what strangers learn."""

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import User
from dsr import intake, lifecycle
from dsr.models import Case, Mail, State
from tests.cast import signed_in_staff_client
from tests.portal.browsing import ADA, ORIGIN, browser, file, file_by_receipt, last_code, text, title, verified

pytestmark = pytest.mark.django_db
NOWHERE = "0123456789abcdef" * 2
EVE = "eve@example.com"


def status(case: Case) -> str:
    return f"/en/r/{case.pk}/"


def send_code(client: Client, case_id: str):
    return client.post(f"/en/r/{case_id}/code/", {"send": "1"})


def test_the_code_confirms_and_work_begins() -> None:
    client = browser()
    case = verified(client)
    assert case.state == State.VERIFIED
    assert case.user.email == ADA
    page = client.get(status(case))
    assert title(page) == "We are collecting your data"
    assert case.spoken_reference in text(page)


def test_an_identical_request_is_joined_to_the_first() -> None:
    client = browser()
    first = verified(client)
    _, second = file(client)
    response = client.post(f"{status(second)}code/", {"code": last_code()})
    assert response["Location"] == status(first)
    assert client.get(status(second))["Location"] == status(first)


def test_a_link_alone_shows_nothing() -> None:
    case = verified(browser(), name="Ada Marsh")
    page = text(browser().get(status(case)))
    assert not [told for told in (ADA, "Ada Marsh", case.spoken_reference, "copy of my data") if told in page]


def test_a_stranger_cannot_tell_a_request_from_none() -> None:
    """enum, idor: the same bytes for a request that exists and one that does not, all the way to the wrong code."""
    case = verified(browser())
    seen = []
    for case_id in (case.pk, NOWHERE):
        client = browser()
        steps = [
            client.get(f"/en/r/{case_id}/"),
            client.get(f"/en/r/{case_id}/code/"),
            send_code(client, case_id),
            client.get(f"/en/r/{case_id}/code/"),
            client.post(f"/en/r/{case_id}/code/", {"code": "999999999"}),
            client.get("/en/follow/"),
            client.post(f"/en/r/{case_id}/withdraw/"),
            client.get(f"/en/r/{case_id}/download/"),
            client.get(f"/en/r/{case_id}/answer-due.ics"),
            *(client.post(f"/en/r/{case_id}/code/", {"code": "999999999"}) for _ in range(5)),
            *(send_code(client, case_id) for _ in range(4)),
        ]
        seen.append(
            [(step.status_code, text(step).replace(case_id, ""), step.get("Location", "").replace(case_id, ""))
             for step in steps]
        )  # fmt: skip
        assert client.cookies.keys() == {"session"}
    assert seen[0] == seen[1]
    assert 429 in [step[0] for step in seen[0]]


def test_a_request_that_was_closed_while_its_code_was_typed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    really_verify = intake.verify

    def too_late(case: Case, user: User) -> Case:
        lifecycle.advance(Case.objects.get(pk=case.pk), State.LAPSED, by="system")
        return really_verify(case, user)

    monkeypatch.setattr(intake, "verify", too_late)
    client = browser()
    _, case = file(client)
    landed = client.post(f"/en/r/{case.pk}/code/", {"code": last_code()}, follow=True)
    assert landed.status_code == 200
    assert case.spoken_reference in text(landed)
    assert Case.objects.get(pk=case.pk).state == State.LAPSED


def test_the_address_a_code_went_to_is_not_shown_to_who_asked_for_it() -> None:
    case = verified(browser())
    stranger = browser()
    send_code(stranger, case.pk)
    for page in ("/en/follow/", f"{status(case)}code/", status(case)):
        assert ADA not in text(stranger.get(page))


def test_a_guess_at_the_address_of_a_request_is_not_confirmed() -> None:
    _, case = file(browser())
    shown = []
    for guess in (ADA, EVE):
        client = browser()
        client.post("/en/follow/", {"email": guess})
        send_code(client, case.pk)
        shown.append(text(client.get("/en/follow/")))
    assert shown[0] == shown[1]
    assert ADA not in shown[0]


def test_from_another_browser_a_new_code_opens_it() -> None:
    case = verified(browser())
    other = browser()
    send_code(other, case.pk)
    response = other.post(f"{status(case)}code/", {"code": last_code()})
    assert response["Location"] == status(case)
    assert case.spoken_reference in text(other.get(status(case)))


def test_another_ones_code_opens_nothing() -> None:
    """fixation, idor: a code for eve's own address, typed at ada's request."""
    case = verified(browser())
    eve = browser()
    eve.post("/en/follow/", {"email": EVE})
    assert eve.post(f"{status(case)}code/", {"code": last_code(EVE)}).status_code == 404
    case.refresh_from_db()
    assert case.user.email == ADA


def test_somebody_else_signed_in_finds_nothing() -> None:
    """idor: every page of another's request is the page of a request that does not exist, and changes nothing."""
    case = verified(browser())
    eve = browser()
    verified(eve, EVE)
    for page in ("", "download/", "withdraw/", "dispute/", "close/", "note/", "answer-due.ics"):
        there, not_there = eve.get(f"{status(case)}{page}"), eve.get(f"/en/r/{NOWHERE}/{page}")
        assert there.status_code == not_there.status_code == 404
        assert text(there) == text(not_there)
    for act in ("withdraw", "dispute", "close", "note"):
        assert eve.post(f"{status(case)}{act}/", {"words": "mine"}).status_code == 404
    case.refresh_from_db()
    assert case.state == State.VERIFIED
    assert not case.notes.exists()


def test_a_staff_password_opens_no_request(django_user_model) -> None:
    """Whoever may edit users could give one the address of another person."""
    case = verified(browser())
    user = django_user_model.objects.get(email=ADA)
    user.is_staff = True
    user.save()
    page = signed_in_staff_client(user).get(status(case))
    assert title(page) == "Open a request"


def test_the_session_does_not_last_for_ever() -> None:
    client = browser()
    case = verified(client)
    with time_machine.travel(timezone.now() + timezone.timedelta(hours=12, minutes=1)):
        assert title(client.get(status(case))) == "Open a request"


def test_five_wrong_codes_end_the_attempt() -> None:
    """guess: the right code does not help any more."""
    client = browser()
    _, case = file(client)
    for _ in range(5):
        page = client.post(f"{status(case)}code/", {"code": "nothing"})
        assert title(page).startswith("Error:")
    page = client.post(f"{status(case)}code/", {"code": last_code()})
    assert "Too many wrong codes" in text(page)
    case.refresh_from_db()
    assert case.state == State.RECEIVED


def test_a_code_works_in_its_own_browser_only() -> None:
    _, case = file(browser())
    page = browser().post(f"{status(case)}code/", {"code": last_code()})
    assert "sent to another browser" in text(page)


def test_get_and_head_change_nothing() -> None:
    """scanner: opening each address of a request, signed in or not, leaves it as it was."""
    client = browser()
    case = verified(client)
    before = Case.objects.values().get(pk=case.pk)
    mails = Mail.objects.count()
    for visitor in (client, browser()):
        for page in ("", "code/", "download/", "withdraw/", "dispute/", "close/", "note/", "answer-due.ics"):
            visitor.get(f"{status(case)}{page}")
            visitor.head(f"{status(case)}{page}")
        visitor.get("/en/follow/")
        visitor.get("/en/leave/")
    assert Case.objects.values().get(pk=case.pk) == before
    assert Mail.objects.count() == mails


def test_ones_requests_are_listed_after_a_code() -> None:
    case = verified(browser())
    later = browser()
    later.post("/en/follow/", {"email": ADA.upper()})
    assert ADA in text(later.get("/en/follow/"))
    later.post("/en/follow/", {"code": last_code()})
    assert case.spoken_reference in text(later.get("/en/follow/"))
    later.post("/en/leave/")
    assert case.spoken_reference not in text(later.get("/en/follow/"))


def test_a_request_in_ones_name_waits_for_a_yes() -> None:
    """spoof: eve files in ada's name; ada sees it and decides."""
    _, case = file(browser())
    ada = browser()
    ada.post("/en/follow/", {"email": ADA})
    ada.post("/en/follow/", {"code": last_code()})
    assert "Yes, I asked for this" in text(ada.get(status(case)))
    case.refresh_from_db()
    assert case.state == State.RECEIVED
    ada.post(f"{status(case)}code/", {"yes": "1"})
    case.refresh_from_db()
    assert case.state == State.VERIFIED


def test_yes_needs_a_proven_address() -> None:
    client = browser()
    _, case = file(client)
    client.post(f"{status(case)}code/", {"yes": "1"})
    case.refresh_from_db()
    assert case.state == State.RECEIVED


def test_the_request_opens_whatever_the_account_is_called() -> None:
    client = browser()
    case = verified(client, "Ada@Example.COM")
    assert case.spoken_reference in text(client.get(status(case)))


class TestClaim:
    """Policies without accounts."""

    @pytest.fixture(autouse=True)
    def at_lyumen(self, company) -> None:
        company("lyumen")

    def opened(self, client: Client, claim: str) -> str:
        response = client.post("/en/claim/", {"claim": claim})
        assert response.status_code == 303
        return response["Location"]

    def test_the_code_opens_an_address_without_a_cookie(self) -> None:
        _, claim = file_by_receipt(browser(), "rcpt_0123456789abcdef")
        client = browser()
        page = client.get(self.opened(client, f" {claim.lower().replace('-', ' ')} "))
        assert Case.objects.get().spoken_reference in text(page)
        assert not client.cookies

    def test_the_address_is_good_for_half_an_hour(self) -> None:
        _, claim = file_by_receipt(browser(), "rcpt_0123456789abcdef")
        address = self.opened(browser(), claim)
        with time_machine.travel(timezone.now() + timezone.timedelta(minutes=31)):
            for page in ("", "download/", "withdraw/"):
                assert browser().get(address + page)["Location"] == "/en/claim/?again=1"

    def test_a_changed_address_opens_nothing(self) -> None:
        _, claim = file_by_receipt(browser(), "rcpt_0123456789abcdef")
        address = self.opened(browser(), claim)
        token = address.split("/")[-2]
        changed = token[:30] + ("A" if token[30] != "A" else "B") + token[31:]
        assert browser().get(address.replace(token, changed)).status_code == 404

    def test_a_wrong_code_gets_one_neutral_answer(self) -> None:
        file_by_receipt(browser(), "rcpt_0123456789abcdef")
        wrong = ("", "x", "0" * 26, "é" * 26, "0" * 5000, "12345678")
        pages = {text(browser().post("/en/claim/", {"claim": code})) for code in wrong}
        assert len(pages) == 1
        assert "opens no request" in pages.pop()

    def test_guessing_is_slowed_down(self) -> None:
        codes = [browser().post("/en/claim/", {"claim": f"{n:026}"}).status_code for n in range(11)]
        assert codes[-1] == 429

    def test_the_id_alone_opens_nothing(self) -> None:
        file_by_receipt(browser(), "rcpt_0123456789abcdef")
        case = Case.objects.get()
        client = browser()
        assert case.spoken_reference not in text(client.get(status(case)))

    def test_following_leads_to_the_claim_code(self) -> None:
        assert browser().get("/en/follow/")["Location"] == "/en/claim/"

    def test_no_page_sets_a_cookie(self) -> None:
        client = browser()
        _, claim = file_by_receipt(client, "rcpt_0123456789abcdef")
        address = self.opened(client, claim)
        pages = ["/", "/en/", "/en/policy/", "/en/accessibility/", "/en/ask/?right=access", "/en/claim/",
                 "/en/follow/", "/en/nothing/", "/accent.css", "/robots.txt", "/.well-known/security.txt",
                 "/health", "/ready"]  # fmt: skip
        pages += [address + page for page in ("", "download/", "withdraw/", "close/", "note/", "answer-due.ics")]
        pages += [f"/en/r/{Case.objects.get().pk}/", f"/en/r/{NOWHERE}/"]
        for page in pages:
            response = client.get(page)
            assert "Set-Cookie" not in response.headers
            assert not response.cookies, page
        client.post(f"{address}note/", {"words": "Please add the answers."})
        client.post(f"{address}withdraw/")
        assert not client.cookies
        assert Case.objects.get().state == State.WITHDRAWN

    def test_codes_are_not_sent_where_the_policy_has_none(self) -> None:
        """A stranger's button sets no cookie either: this company mails no codes."""
        file_by_receipt(browser(), "rcpt_0123456789abcdef")
        client = browser()
        assert send_code(client, Case.objects.get().pk).status_code == 404
        assert not client.cookies


def test_the_origin_of_the_tests_is_the_configured_one(settings) -> None:
    assert settings.DSR_ORIGIN == ORIGIN
