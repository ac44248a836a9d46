"""What a job does when its bucket is away, or refuses: it waits, or a person is asked, and nothing of it is lost."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages

from accounts.models import User
from dsr import deliver, intake, samples, storage
from dsr.bundle import opening
from dsr.models import Case, Job, JobState, State
from tests.servers import S3
from tests.wire import Wire, wired

pytestmark = [pytest.mark.django_db, pytest.mark.enable_socket]


@pytest.fixture
def wire(s3_server: S3, settings: Any, data_folder: Any, request: pytest.FixtureRequest) -> Iterator[Wire]:
    """Parts and archives rest in a bucket behind this wire."""
    name = f"jobs-{abs(hash(request.node.name)) % 10**9}"
    s3_server.client().create_bucket(Bucket=name)
    assert s3_server.port is not None
    with wired(s3_server.port) as joined:
        address = f"s3://{name}/portal?endpoint=http://127.0.0.1:{joined.port}&region=us-east-1&addressing=path"
        entry = storage.configured(address, data_folder, key_id="portal", secret="secret")
        settings.STORAGES = settings.STORAGES | {"bundles": entry}
        yield joined


@pytest.fixture
def case(lumio: Any) -> Case:
    """The sample person asked, and is verified."""
    person = samples.person("lumio")
    opened = intake.open_case(intake.Asked(right="access", nonce="n", email=person.email))
    return intake.verify(opened, User.objects.create(email=person.email))


def due_now() -> None:
    Job.objects.filter(state=JobState.WAITING).update(due_at="2020-01-01T00:00Z")


def problems() -> set[tuple[str, str, str]]:
    return {(job.kind, job.state, job.problem) for job in Job.objects.exclude(problem="")}


def test_away_for_a_while_then_back(
    wire: Wire, case: Case, s3_server: S3, work: Callable[[], int], tmp_path: Path
) -> None:
    wire.cut()
    work()
    assert problems() == {
        ("gather", JobState.WAITING, "The bucket cannot be reached: EndpointConnectionError."),
    }
    wire.join()
    due_now()
    work()
    case.refresh_from_db()
    assert case.state == State.REVIEW
    # What killed workers left of their uploads goes with the parts.
    bucket, name = s3_server.client(), storages["bundles"].bucket_name
    for folder in ("parts", "bundles"):
        bucket.create_multipart_upload(Bucket=name, Key=f"portal/{folder}/{case.pk}/left-by-a-killed-worker")
    wire.cut()
    staff = [User.objects.create(email=f"{name}@staff.example", is_staff=True) for name in ("ben", "cleo")]
    for member in staff[: deliver.approvals_needed(case)]:
        deliver.approve(case, member)
    work()
    assert [state for kind, state, _problem in problems() if kind == "seal"] == [JobState.WAITING]
    wire.join()
    due_now()
    work()
    case.refresh_from_db()
    assert case.state == State.COMPLETED
    bundle = tmp_path / "bundle.zip"
    with bundle.open("wb") as file:
        file.writelines(deliver.serve(case))
    assert opening.verify(bundle) == []
    assert storages["bundles"].listdir("parts") == ([], [])
    assert bucket.list_multipart_uploads(Bucket=name).get("Uploads", []) == []


def test_a_bucket_that_refuses_is_told_to_staff_at_once(wire: Wire, case: Case, s3_server: S3, work: Any) -> None:
    s3_server.client().delete_bucket(Bucket=storages["bundles"].bucket_name)
    work()
    assert {told for told in problems() if told[0] == "gather"} == {
        ("gather", JobState.FAILED, "The bucket refused this: NoSuchBucket.")
    }
    assert "DSR_STORAGE" in Job.objects.filter(kind="gather").exclude(problem="")[0].hint
