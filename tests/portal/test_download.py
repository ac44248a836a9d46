"""Fetching the archive: in whole, in parts, by its owner."""

import hashlib
import secrets

import pytest
import time_machine
from django.core.files.storage import storages
from django.test import Client
from django.utils import timezone

from dsr import audit
from dsr.bundle import sealed
from dsr.models import Case, Delivery, State
from dsr.portal import download
from tests.portal.browsing import browser, text, verified

pytestmark = pytest.mark.django_db
CONTENT = secrets.token_bytes(1 << 20) + b"the end of the archive"


def delivered(case: Case, **changes) -> Delivery:
    """The case is answered and its archive waits, encrypted."""
    now = timezone.now()
    delivery = Delivery(
        case=case,
        name=f"bundles/{case.pk}.zip",
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        rows=1234,
        sealed_at=now,
        expires_on=now.date() + timezone.timedelta(days=60),
    )
    secret = changes.pop("secret", {})
    for name, value in changes.items():
        setattr(delivery, name, value)
    delivery.secret = secret
    sealed.save(storages["bundles"], delivery.name, iter([CONTENT]), delivery.context)
    delivery.save(force_insert=True)
    Case.objects.filter(pk=case.pk).update(state=State.COMPLETED, closed_at=now, outcome="complete")
    return delivery


@pytest.fixture
def ada() -> Client:
    return browser()


@pytest.fixture
def delivery(ada: Client) -> Delivery:
    return delivered(verified(ada))


def fetch(client: Client, delivery: Delivery, **headers: str):
    return client.get(f"/en/r/{delivery.case_id}/download/", headers=headers)


def body(response) -> bytes:
    return b"".join(response.streaming_content)


def test_the_whole_file(ada: Client, delivery: Delivery) -> None:
    response = fetch(ada, delivery)
    assert response.status_code == 200
    assert body(response) == CONTENT
    assert response["Content-Length"] == str(len(CONTENT))
    assert response["Content-Disposition"] == f'attachment; filename="lumio-data-{delivery.case.reference}.zip"'
    assert response["Cache-Control"] == "no-store"
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=1000-", 1000, len(CONTENT)),
        ("bytes=-22", len(CONTENT) - 22, len(CONTENT)),
        (f"bytes=-{10**15}", 0, len(CONTENT)),
        (f"bytes=1048570-{10**15}", 1048570, len(CONTENT)),
    ],
)
def test_a_part_of_it(ada: Client, delivery: Delivery, asked: str, first: int, end: int) -> None:
    response = fetch(ada, delivery, range=asked)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{end - 1}/{len(CONTENT)}"
    assert body(response) == CONTENT[first:end]


@pytest.mark.parametrize("asked", [f"bytes={len(CONTENT)}-", "bytes=-0", f"bytes={10**17}-{10**17 + 5}"])
def test_a_part_behind_its_end(ada: Client, delivery: Delivery, asked: str) -> None:
    response = fetch(ada, delivery, range=asked)
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "bytes=-", "lines=1-2", "bytes=9-2", "bytes=a-b", "bytes=1" + "0" * 40 + "-"]
)
def test_what_is_no_single_range_gets_the_whole(ada: Client, delivery: Delivery, asked: str) -> None:
    response = fetch(ada, delivery, range=asked)
    assert response.status_code == 200
    assert body(response) == CONTENT


def test_going_on_is_for_the_same_file_only(ada: Client, delivery: Delivery) -> None:
    tag = fetch(ada, delivery)["ETag"]
    assert fetch(ada, delivery, range="bytes=10-", **{"if-range": tag}).status_code == 206
    assert fetch(ada, delivery, range="bytes=10-", **{"if-range": '"another"'}).status_code == 200


def test_head_tells_and_sends_nothing(ada: Client, delivery: Delivery) -> None:
    response = ada.head(f"/en/r/{delivery.case_id}/download/")
    assert response.status_code == 200
    assert response["Content-Length"] == str(len(CONTENT))
    assert response["Accept-Ranges"] == "bytes"
    assert not delivery.downloads.exists()
    delivery.refresh_from_db()
    assert delivery.first_seen_at is None


def test_each_download_is_told_to_the_person_and_the_trail(ada: Client, delivery: Delivery) -> None:
    body(fetch(ada, delivery))
    body(fetch(ada, delivery, range="bytes=0-9"))
    assert list(delivery.downloads.values_list("first_byte", "sent_bytes", "is_whole")) == [
        (0, len(CONTENT), True),
        (0, 10, False),
    ]
    assert audit.AuditEntry.objects.filter(act="downloaded", case_id=delivery.case_id).count() == 2
    assert "to the end" in text(ada.get(f"/en/r/{delivery.case_id}/"))


def test_fetching_uses_nothing_up(ada: Client, delivery: Delivery) -> None:
    for _ in range(3):
        assert body(fetch(ada, delivery)) == CONTENT


def test_fetching_begins_the_days_until_it_goes(ada: Client, delivery: Delivery) -> None:
    body(fetch(ada, delivery))
    delivery.refresh_from_db()
    assert delivery.first_seen_at is not None
    assert delivery.expires_on < timezone.now().date() + timezone.timedelta(days=16)


def test_an_older_code_has_to_be_renewed(ada: Client, delivery: Delivery) -> None:
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=31)):
        response = fetch(ada, delivery)
        assert response.status_code == 303
        page = text(ada.get(f"/en/r/{delivery.case_id}/"))
        assert "Send me a code" in page
        assert f"/en/r/{delivery.case_id}/download/" not in page
    assert not delivery.downloads.exists()


def test_nobody_else_gets_it(delivery: Delivery) -> None:
    eve = browser()
    verified(eve, "eve@example.com")
    assert fetch(eve, delivery).status_code == 404
    assert fetch(browser(), delivery).status_code == 303
    assert not delivery.downloads.exists()


def test_closed_is_closed(ada: Client, delivery: Delivery) -> None:
    assert "Close the download?" in text(ada.get(f"/en/r/{delivery.case_id}/close/"))
    delivery.refresh_from_db()
    assert delivery.is_available
    ada.post(f"/en/r/{delivery.case_id}/close/")
    assert fetch(ada, delivery).status_code == 303
    page = text(ada.get(f"/en/r/{delivery.case_id}/"))
    assert "The download was closed on" in page
    assert ada.post(f"/en/r/{delivery.case_id}/close/").status_code == 409


def test_expired_is_told(ada: Client) -> None:
    delivery = delivered(verified(ada), removed_at=timezone.now(), removed_why="expired")
    page = text(ada.get(f"/en/r/{delivery.case_id}/"))
    assert "Its time was up" in page
    assert "/download/" not in page
    assert fetch(ada, delivery).status_code == 303


def test_a_passphrase_is_shown_to_a_fresh_code_only(ada: Client) -> None:
    delivery = delivered(verified(ada), is_attached=True, secret={"passphrase": "abcde-fghij"})
    address = f"/en/r/{delivery.case_id}/"
    page = text(ada.get(address))
    assert "abcde-fghij" in page
    assert "Some unzip programs cannot open it" in page
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=31)):
        assert "abcde-fghij" not in text(ada.get(address))
    assert "abcde-fghij" not in text(browser().get(address))


@pytest.mark.parametrize("short", ['"; rm', "Ünïçode\r\nX: y", "..\\..", ""])
def test_the_file_name_is_safe_whatever_the_company_is_called(
    ada: Client, delivery: Delivery, monkeypatch, short: str
) -> None:
    """header: nothing but letters, digits and dashes."""
    held = download.policy.current()
    organisation = held.organisation.model_copy(update={"short": short})
    monkeypatch.setattr(download.policy, "current", lambda: held.model_copy(update={"organisation": organisation}))
    found = download.opened.Opened(delivery.case, {}, is_fresh=True, by_claim=False)
    assert all(char.isascii() and (char.isalnum() or char in "-.") for char in download._file_name(found))
