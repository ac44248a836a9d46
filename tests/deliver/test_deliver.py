import io
import json
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.utils import timezone
from pypdf import PdfReader
from stream_unzip import IncorrectAESPasswordError, stream_unzip

from accounts.models import User
from dsr import deliver, intake, policy, samples, tasks
from dsr.bundle import archive, sealed
from dsr.lifecycle import NotAllowed
from dsr.models import AuditEntry, Case, Delivery, Download, Job, JobState, Mail, Note, Outcome, State
from tests.conftest import HEAVY_ROWS
from tests.test_gather import down, expected, fetched, opened  # noqa: F401  (down is a fixture)

pytestmark = pytest.mark.django_db


def staff(name: str) -> User:
    return User.objects.create_user(f"{name}@staff.example", name=name.title(), is_staff=True)


@pytest.fixture
def cleo() -> User:
    return staff("cleo")


@pytest.fixture
def reviewed(lumio, work) -> Case:
    """Ada's request, gathered and waiting for agreement."""
    case = opened("lumio")
    work()
    return fetched(case)


@pytest.fixture
def answered(reviewed: Case, cleo: User, work) -> Case:
    """Ada's request, sealed."""
    deliver.approve(reviewed, cleo)
    work()
    return fetched(reviewed)


def change_policy(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    monkeypatch.setattr(policy._state, "policy", policy.current().model_copy(update=changes))


def review_by(monkeypatch: pytest.MonkeyPatch, review: str) -> None:
    entries = dict(policy.current().right_entries)
    entries["access"] = entries["access"].model_copy(update={"review": review})
    change_policy(monkeypatch, right_entries=entries)
    policy.current().__dict__.pop("rights", None)


def names(case: Case) -> list[str]:
    """What is in storage."""
    folder = Path(storages["bundles"].location)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def archive_bytes(case: Case) -> bytes:
    return b"".join(deliver.serve(case))


@pytest.mark.parametrize("name", samples.NAMES)
def test_each_companys_archive_verifies_and_holds_every_row_of_the_person(
    company, work, name: str, tmp_path: Path
) -> None:
    company(name)
    case = opened(name)
    work()
    for member in ("cleo", "dora")[: deliver.approvals_needed(case)]:
        deliver.approve(case, staff(member))
    work()
    case = fetched(case)
    assert (case.state, case.outcome) == (State.COMPLETED, Outcome.COMPLETE), list(
        case.jobs.values_list("kind", "problem")
    )
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(archive_bytes(case))
    password = case.delivery.secret.get("passphrase")
    assert archive.verify(bundle, password) == []
    folder = archive.extract(bundle, tmp_path / "opened", password)
    package = json.loads((folder / "datapackage.json").read_text())
    rows = {
        tuple(r["path"].removesuffix(".jsonl").split("/")[1:]): r["rows"]
        for r in package["resources"]
        if r["path"].startswith("data/")
    }
    assert rows == dict(expected(name))
    letter = PdfReader(folder / "letter.pdf")
    assert len(letter.pages) <= 2
    assert "Cleo" in letter.pages[-1].extract_text()


def test_the_archive_in_storage_is_encrypted_and_nothing_else_is_left(answered: Case) -> None:
    assert names(answered) == [answered.delivery.name]
    with storages["bundles"].open(answered.delivery.name) as file:
        sealed = file.read()
    assert b"PK\x03\x04" not in sealed
    assert b"ada@example.com" not in sealed
    assert zipfile.is_zipfile(io.BytesIO(archive_bytes(answered)))


def test_nothing_of_eve_is_in_adas_archive(answered: Case) -> None:
    eve = samples.person("lumio", 1)
    with zipfile.ZipFile(io.BytesIO(archive_bytes(answered))) as bundle:
        text = b"".join(bundle.read(name) for name in bundle.namelist())
    theirs = {
        str(row[column])
        for rows in samples.expected("lumio", 1, heavy_rows=HEAVY_ROWS).values()
        for row in rows
        for column in ("id", "user_id", "email", "stripe_customer")
        if len(str(row.get(column, ""))) > 6
    }
    assert eve.email in theirs
    assert [value for value in theirs if value.encode() in text] == []


def test_the_person_is_told_by_a_mail_without_data_and_one_link(answered: Case, mailoutbox) -> None:
    ready = mailoutbox[-1]
    assert answered.reference in ready.subject.replace(" ", "")
    assert "access" not in ready.subject.lower()
    assert "copy" not in ready.subject.lower()
    assert ready.body.count("http") == 1
    assert f"/r/{answered.pk}/" in ready.body
    assert ready.attachments == []
    assert Mail.objects.get(message="ready").content == {}


def test_two_people_must_agree_where_the_policy_says_so(reviewed: Case, cleo: User, monkeypatch, work) -> None:
    review_by(monkeypatch, "two")
    deliver.approve(reviewed, cleo)
    assert fetched(reviewed).state == State.REVIEW
    with pytest.raises(NotAllowed, match="agreed already"):
        deliver.approve(reviewed, cleo)
    deliver.approve(reviewed, staff("dora"))
    assert fetched(reviewed).state == State.EXECUTING


def test_where_the_policy_asks_for_nobody_it_is_released_at_once(lumio, work, monkeypatch) -> None:
    review_by(monkeypatch, "none")
    case = opened("lumio")
    work()
    assert fetched(case).state == State.COMPLETED


@pytest.mark.django_db(transaction=True)
def test_fifty_approvals_at_once_release_once(reviewed: Case, cleo: User) -> None:
    def agree(_: int) -> bool:
        try:
            deliver.approve(Case.objects.get(pk=reviewed.pk), cleo)
        except NotAllowed:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(agree, range(50))) == 1
    assert Job.objects.filter(kind="seal").count() == 1
    assert AuditEntry.objects.filter(act="approved").count() == 1


def test_an_empty_slot_of_the_letter_holds_the_release(reviewed: Case, cleo: User, monkeypatch) -> None:
    organisation = policy.current().organisation.model_copy(update={"authority": None, "country": ""})
    change_policy(monkeypatch, organisation=organisation)
    assert deliver.letter_missing(reviewed) == ["the supervisory authority"]
    with pytest.raises(NotAllowed, match="the supervisory authority"):
        deliver.approve(reviewed, cleo)
    assert not reviewed.approvals.exists()


def test_without_an_authority_in_the_file_the_countrys_own_is_named(reviewed: Case, monkeypatch) -> None:
    organisation = policy.current().organisation.model_copy(update={"authority": None, "country": "TR"})
    change_policy(monkeypatch, organisation=organisation)
    assert deliver.letter_missing(reviewed) == []


def test_a_young_address_holds_the_release_until_somebody_checked(reviewed: Case, cleo: User) -> None:
    Case.objects.filter(pk=reviewed.pk).update(channel_is_young=True)
    with pytest.raises(NotAllowed, match="only days before"):
        deliver.approve(reviewed, cleo)
    deliver.clear_channel(reviewed, cleo, "rang the number in the contract")
    deliver.approve(reviewed, cleo)
    assert fetched(reviewed).state == State.EXECUTING


@pytest.mark.django_db(transaction=True)
def test_sent_back_everything_is_gathered_again_and_older_agreement_does_not_count(
    reviewed: Case, cleo: User, work, monkeypatch
) -> None:
    review_by(monkeypatch, "two")
    deliver.approve(reviewed, cleo)
    before = set(reviewed.parts.values_list("name", flat=True))
    deliver.send_back(reviewed, cleo, "the billing rows look wrong")
    work()
    case = fetched(reviewed)
    assert (case.state, case.round) == (State.REVIEW, 2)
    assert sum(case.parts.values_list("rows", flat=True)) == sum(expected("lumio").values())
    assert not before & set(case.parts.values_list("name", flat=True))
    assert all(name.removesuffix(".files") not in before for name in names(case))
    deliver.approve(case, cleo)
    assert fetched(case).state == State.REVIEW


def test_an_archive_under_way_when_it_is_sent_back_is_never_delivered(
    reviewed: Case, cleo: User, work, monkeypatch
) -> None:
    deliver.approve(reviewed, cleo)
    late = Job.objects.get(kind="seal")
    save, interrupted = sealed.save, []

    def sent_back_meanwhile(storage: Any, name: str, *args: Any) -> Any:
        saved = save(storage, name, *args)
        if not interrupted:
            interrupted.append(name)
            deliver.send_back(fetched(reviewed), cleo, "A row of somebody else.")
            work()
            deliver.approve(fetched(reviewed), cleo)
        return saved

    monkeypatch.setattr(sealed, "save", sent_back_meanwhile)
    tasks.run_job(late.pk)
    assert not Delivery.objects.exists()
    assert interrupted[0] not in names(reviewed)
    work()
    assert fetched(reviewed).state == State.COMPLETED
    assert names(reviewed) == [reviewed.delivery.name]
    assert list(reviewed.jobs.filter(kind="seal").values_list("key", "state")) == [("2", JobState.DONE)]


def test_a_system_left_out_is_said_in_archive_and_letter(lumio, work, down, cleo: User, settings) -> None:  # noqa: F811
    settings.MAX_ATTEMPTS = 1
    case = opened("lumio")
    down.add("billing")
    work()
    job = Job.objects.get(kind="gather", system="billing")
    assert job.state == JobState.FAILED
    deliver.leave_out(job, cleo, "their server is gone until January")
    deliver.approve(fetched(case), cleo)
    work()
    case = fetched(case)
    assert case.outcome == Outcome.PARTIAL
    with zipfile.ZipFile(io.BytesIO(archive_bytes(case))) as bundle:
        assert "could not read this system" in bundle.read("index.html").decode()
        assert not [name for name in bundle.namelist() if "billing" in name]


def test_a_failed_system_can_be_tried_again_by_a_person(lumio, work, down, cleo: User, settings) -> None:  # noqa: F811
    settings.MAX_ATTEMPTS = 1
    case = opened("lumio")
    down.add("billing")
    work()
    down.clear()
    deliver.try_again(Job.objects.get(kind="gather", system="billing"), cleo)
    work()
    assert fetched(case).state == State.REVIEW
    with pytest.raises(NotAllowed):
        deliver.try_again(Job.objects.get(kind="gather", system="billing"), cleo)


def test_a_job_that_is_done_meanwhile_is_not_begun_again(answered: Case, cleo: User) -> None:
    done = Job.objects.get(kind="seal")
    done.state = JobState.FAILED  # as it was when the page was opened
    with pytest.raises(NotAllowed):
        deliver.try_again(done, cleo)
    assert Job.objects.get(pk=done.pk).state == JobState.DONE


def test_nothing_found_is_said_in_a_bundle_of_its_own(lumio, work, cleo: User) -> None:
    asked = intake.Asked(right="access", nonce="n", email="nobody@example.com")
    case = intake.verify(intake.open_case(asked), User.objects.create(email="nobody@example.com"))
    work()
    deliver.approve(fetched(case), cleo)
    work()
    case = fetched(case)
    assert case.outcome == Outcome.NOTHING_FOUND
    with zipfile.ZipFile(io.BytesIO(archive_bytes(case))) as bundle:
        assert not [name for name in bundle.namelist() if name.startswith("data/")]


def test_a_refusal_is_told_with_its_reasons_and_everything_gathered_goes(
    reviewed: Case, cleo: User, work, mailoutbox
) -> None:
    deliver.refuse(reviewed, cleo, "You asked for the same last week.")
    work()
    assert fetched(reviewed).state == State.REFUSED
    assert names(reviewed) == []
    assert "You asked for the same last week." in mailoutbox[-1].body
    assert Note.objects.get().body["text"] == "You asked for the same last week."
    with pytest.raises(NotAllowed):
        deliver.approve(fetched(reviewed), cleo)


def test_a_request_by_hand_is_answered_in_words(lumio, work, cleo: User) -> None:
    case = opened("lumio", relation="child")
    work()
    with pytest.raises(NotAllowed, match="by hand"):
        deliver.approve(fetched(case), cleo)
    deliver.answered_by_hand(fetched(case), cleo, "We rang you.")
    assert (fetched(case).state, fetched(case).outcome) == (State.COMPLETED, Outcome.BY_HAND)


# ---- serving ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("start", "end"), [(0, None), (0, 1), (1, None), (70_000, 200_000), (5, 6), (0, 10**12)])
def test_any_stretch_of_the_archive_can_be_had(answered: Case, start: int, end: int | None) -> None:
    whole = archive_bytes(answered)
    assert len(whole) == answered.delivery.size
    assert b"".join(deliver.serve(answered, start, end)) == whole[start:end]


def test_each_download_is_told_truly(answered: Case) -> None:
    archive_bytes(answered)
    broken = deliver.serve(answered)
    next(broken)
    broken.close()
    whole, part = Download.objects.all()
    assert (whole.is_whole, whole.sent_bytes) == (True, answered.delivery.size)
    assert (part.is_whole, part.sent_bytes < answered.delivery.size) == (False, True)
    assert AuditEntry.objects.filter(act="downloaded", case_id=answered.pk).count() == 2


def test_the_days_count_from_the_first_look(answered: Case) -> None:
    unseen = answered.delivery.expires_on
    deliver.seen(answered)
    seen = Delivery.objects.get(pk=answered.pk)
    assert (
        unseen - seen.expires_on
    ).days == policy.current().delivery.unseen_days - policy.current().delivery.expires_days
    deliver.seen(answered)
    assert Delivery.objects.get(pk=answered.pk).first_seen_at == seen.first_seen_at


def test_it_goes_when_its_time_is_up_and_not_a_day_earlier(answered: Case, work) -> None:
    deliver.seen(answered)
    days = policy.current().delivery.expires_days
    assert deliver.expire(timezone.now() + timedelta(days=days)) == 0
    assert deliver.expire(timezone.now() + timedelta(days=days + 1)) == 1
    work()
    assert names(answered) == []
    gone = Delivery.objects.get(pk=answered.pk)
    assert (gone.name, gone.removed_why, gone.is_available) == ("", "expired", False)
    with pytest.raises(NotAllowed, match="no longer here"):
        deliver.serve(answered)


@pytest.mark.parametrize("close", [lambda case: deliver.remove(case, "revoked"), intake.dispute])
def test_the_person_can_close_it(answered: Case, work, close: Callable[[Case], None]) -> None:
    close(answered)
    with pytest.raises(NotAllowed):
        deliver.serve(fetched(answered))
    work()
    assert names(answered) == []


def test_a_bundle_that_travels_by_mail_is_locked_and_its_passphrase_is_not_in_the_mail(
    company, work, cleo, mailoutbox
) -> None:
    company("lunos")
    assert policy.current().delivery.deliver == "attachment"
    case = opened("lunos")
    work()
    deliver.approve(case, cleo)
    work()
    case = fetched(case)
    passphrase = case.delivery.secret["passphrase"]
    mail = mailoutbox[-1]
    (name, content, media_type) = mail.attachments[0]
    assert (name, media_type) == (f"request-{case.reference}.zip", "application/zip")
    assert passphrase not in mail.body + str(mail.alternatives)
    assert "cannot open" in mail.body
    listed = [
        member for member, _, chunks in stream_unzip([content], password=passphrase.encode()) if list(chunks) or True
    ]
    assert b"datapackage.json" in listed
    with pytest.raises(IncorrectAESPasswordError):
        [list(chunks) for _, _, chunks in stream_unzip([content], password=b"guess")]


# ---- what may go wrong -----------------------------------------------------------------------------------------


def seal_job(case: Case) -> Job:
    return Job.objects.get(kind="seal", case=case)


def test_a_part_that_was_tampered_with_stops_the_build_and_leaves_nothing(reviewed: Case, cleo: User, work) -> None:
    part = reviewed.parts.filter(collection="usage").get()
    path = Path(storages["bundles"].path(part.name))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(bytes(content))
    deliver.approve(reviewed, cleo)
    work()
    assert fetched(reviewed).state == State.EXECUTING
    assert seal_job(reviewed).problem
    assert not [name for name in names(reviewed) if name.startswith("bundles/")]
    assert not Delivery.objects.exists()


def test_a_full_disk_leaves_no_archive_and_is_tried_again(reviewed: Case, cleo: User, work, monkeypatch) -> None:
    backend = type(storages["bundles"])
    real = backend._save

    def full(self: Any, name: str, content: Any) -> str:
        if name.startswith("bundles/"):
            with open(
                self.path(name) if Path(self.path(name)).parent.mkdir(exist_ok=True) is None else "", "wb"
            ) as file:
                file.write(next(content.chunks()))
            raise OSError(28, "No space left on device")
        return real(self, name, content)

    monkeypatch.setattr(backend, "_save", full)
    deliver.approve(reviewed, cleo)
    work()
    assert seal_job(reviewed).state == JobState.WAITING
    assert not [name for name in names(reviewed) if name.startswith("bundles/")]
    monkeypatch.setattr(backend, "_save", real)
    Job.objects.filter(kind="seal").update(due_at=timezone.now())
    work()
    assert fetched(reviewed).state == State.COMPLETED
