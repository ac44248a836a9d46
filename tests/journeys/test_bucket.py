"""Real processes whose parts and archives rest in a bucket: killed in the middle of an upload, and out of its reach."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.company import SAMPLE, Company, NothingCame
from tests.journeys.test_processes import (
    Rows,
    assert_ended_once,
    carry_to_its_end,
    running,
    start_again,
    state,
    truth,  # noqa: F401  (a fixture)
)
from tests.servers import S3
from tests.storage.test_s3 import opened
from tests.wire import Wire, wired

pytestmark = [pytest.mark.processes, pytest.mark.enable_socket]

BUCKET, PREFIX = "company", "portal/"


class InABucket(Company):
    """The company, its storage at the other end of a wire."""

    def __init__(self, folder: Path, server: S3, wire: Wire) -> None:
        super().__init__(folder)
        self.s3 = server.client()
        self.s3.create_bucket(Bucket=BUCKET)
        self.wire = wire

    @property
    def environment(self) -> dict[str, str]:
        address = f"s3://{BUCKET}/{PREFIX}?endpoint=http://127.0.0.1:{self.wire.port}&region=us-east-1&addressing=path"
        key = self.folder / "secret"
        key.write_text("secret\n")
        return super().environment | {
            "DSR_STORAGE": address, "DSR_S3_KEY_ID": "portal", "DSR_S3_SECRET_FILE": str(key)
        }  # fmt: skip

    def stored(self) -> set[str]:
        """The names of all objects, and of uploads that nobody finished."""
        objects = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())
        uploads = self.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ())
        return {each["Key"].removeprefix(PREFIX) for each in [*objects, *uploads]}


@pytest.fixture(scope="module")
def founded(s3_server: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InABucket]:
    assert s3_server.port is not None
    with wired(s3_server.port) as wire:
        company = InABucket(tmp_path_factory.mktemp("company"), s3_server, wire)
        company.found()
        yield company
        company.close()


@pytest.fixture
def company(founded: InABucket) -> InABucket:
    return founded


def held_back(company: InABucket) -> None:
    """Wait until something waits to be let through to the bucket."""
    deadline = time.monotonic() + 30
    before = -1
    while time.monotonic() < deadline:
        assert company.wire.hold_after is not None
        if company.wire.sent >= company.wire.hold_after and company.wire.sent == before:
            return
        before = company.wire.sent
        time.sleep(0.3)
    raise NothingCame("an upload")


def test_out_of_reach_then_killed_in_the_middle_of_an_upload(
    company: InABucket,
    truth: Rows,  # noqa: F811
    tmp_path: Path,
) -> None:
    company.wire.cut()
    company.start()
    case = company.counter("ask", sample=SAMPLE)
    problem = (
        "SELECT count(*) FROM dsr_job WHERE case_id = ? AND state = 'waiting' AND problem LIKE 'The bucket cannot %'"
    )
    company.wait(lambda d: d.execute(problem, (case,)).fetchone()[0] > 0, "a job that waits for the bucket")
    company.wire.join()
    company.wait(state(case, "review"), "review")
    company.wire.hold_after = company.wire.sent + 60_000
    company.counter("approve", case=case)
    company.wait(running("seal", case), "sealing")
    held_back(company)
    company.kill()
    company.wire.hold_after = None
    start_again(company)
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)


def test_an_upload_in_blocks_that_was_killed_is_removed_by_its_name(company: InABucket) -> None:
    uploading = company.run("-m", "tests.storage.memory", "4000")
    try:
        deadline = time.monotonic() + 60
        while not company.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        uploading.send_signal(signal.SIGKILL)
        assert uploading.wait() == -signal.SIGKILL
    (left,) = company.stored() & {"warm", "large"}
    opened(BUCKET, company.wire.port).delete(left)
    assert left not in company.stored()
