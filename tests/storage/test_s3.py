"""A bucket on a real S3 server: what is written, read and removed; failures told apart, and nothing left of them."""

import io
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.files.base import File

from dsr import keys, storage
from dsr.bundle import sealed
from dsr.storage import StorageRefused, StorageUnreachable, s3
from tests.servers import S3
from tests.wire import Wire, wired

pytestmark = pytest.mark.enable_socket

ROOT = Path(__file__).parents[2]
CONTEXT = b"bundle:1"
counter = itertools.count()


@pytest.fixture
def bucket_name(s3_server: S3) -> str:
    name = f"bucket-{next(counter)}"
    s3_server.client().create_bucket(Bucket=name)
    return name


@pytest.fixture
def wire(s3_server: S3) -> Iterator[Wire]:
    assert s3_server.port is not None
    with wired(s3_server.port) as joined:
        yield joined


def opened(name: str, port: int | None, *, key: str = "portal", secret: str = "portal-secret") -> s3.Bucket:
    """The bucket as DSR_STORAGE opens it, patient for a moment only."""
    address = f"s3://{name}/portal?endpoint=http://127.0.0.1:{port}&region=us-east-1&addressing=path"
    entry = storage.configured(address, Path("/nowhere"), key_id=key, secret=secret)
    assert entry["BACKEND"] == "dsr.storage.s3.Bucket"
    made = s3.Bucket(**entry["OPTIONS"])
    made.client_config = made.client_config.merge(s3.Config(connect_timeout=1, retries={"total_max_attempts": 1}))
    return made


@pytest.fixture
def bucket(s3_server: S3, bucket_name: str) -> s3.Bucket:
    return opened(bucket_name, s3_server.port)


def plain(megabytes: int) -> Iterator[bytes]:
    for number in range(megabytes * 4):
        yield number.to_bytes(4, "big") * (1 << 16)


def held(server: S3, name: str) -> list[str]:
    return [each["Key"] for each in server.client().list_objects_v2(Bucket=name).get("Contents", ())]


def unfinished(server: S3, name: str) -> list[str]:
    return [each["Key"] for each in server.client().list_multipart_uploads(Bucket=name).get("Uploads", ())]


@pytest.mark.parametrize("megabytes", [0, 1, 8, 20])
def test_what_is_saved_comes_back(bucket: s3.Bucket, s3_server: S3, bucket_name: str, megabytes: int) -> None:
    stored = sealed.save(bucket, "bundles/1/a.zip", plain(megabytes), CONTEXT)
    assert bucket.size("bundles/1/a.zip") == stored > megabytes << 20
    assert bucket.exists("bundles/1/a.zip")
    assert held(s3_server, bucket_name) == ["portal/bundles/1/a.zip"]
    assert unfinished(s3_server, bucket_name) == []
    assert b"".join(sealed.chunks(bucket, "bundles/1/a.zip", CONTEXT)) == b"".join(plain(megabytes))


def test_what_is_stored_is_sealed(bucket: s3.Bucket, s3_server: S3, bucket_name: str) -> None:
    sealed.save(bucket, "parts/1/a", iter([b"ada@example.com"]), CONTEXT)
    body = s3_server.client().get_object(Bucket=bucket_name, Key="portal/parts/1/a")["Body"].read()
    assert b"ada" not in body
    s3_server.client().put_object(Bucket=bucket_name, Key="portal/parts/1/a", Body=body[:-1] + b"x")
    with pytest.raises(keys.DoesNotOpen):
        list(sealed.chunks(bucket, "parts/1/a", CONTEXT))


def test_the_same_name_again_takes_its_place(bucket: s3.Bucket) -> None:
    for words in (b"first", b"second"):
        sealed.save(bucket, "bundles/1/a.zip", iter([words]), CONTEXT)
    assert b"".join(sealed.chunks(bucket, "bundles/1/a.zip", CONTEXT)) == b"second"


def test_what_is_not_there_is_missing_and_may_be_deleted(bucket: s3.Bucket) -> None:
    assert not bucket.exists("parts/1/a")
    for ask in (bucket.size, bucket.open):
        with pytest.raises(FileNotFoundError):
            ask("parts/1/a")
    bucket.delete("parts/1/a")
    assert bucket.listdir("parts/1") == ([], [])


def test_folders_are_listed_like_folders(bucket: s3.Bucket) -> None:
    for name in ("parts/1/app/usage-1", "parts/1/app/usage-2", "parts/1/mail", "parts/11/app/other"):
        sealed.save(bucket, name, iter([b"x"]), CONTEXT)
    assert bucket.listdir("parts/1") == (["app"], ["mail"])
    assert sorted(bucket.listdir("parts/1/app")[1]) == ["usage-1", "usage-2"]
    bucket.delete("parts/1/app/usage-1")
    assert bucket.listdir("parts/1/app") == ([], ["usage-2"])


def test_no_name_leads_out_of_the_prefix(bucket: s3.Bucket) -> None:
    with pytest.raises(SuspiciousOperation):
        bucket.open("../other/bundle.zip")


def test_nothing_that_is_stored_has_an_address(bucket: s3.Bucket) -> None:
    sealed.save(bucket, "bundles/1/a.zip", iter([b"x"]), CONTEXT)
    with pytest.raises(NotImplementedError):
        bucket.url("bundles/1/a.zip")


def test_memory_stays_flat_however_much_is_saved_and_read(s3_server: S3, bucket_name: str, tmp_path: Path) -> None:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "dsr.settings", "PYTHONPATH": str(ROOT), "POLICY": "lumio", "DSR_DATA": str(tmp_path),
        "DSR_STORAGE": f"s3://{bucket_name}?endpoint={s3_server.endpoint}&region=us-east-1&addressing=path",
        "DSR_S3_KEY_ID": "portal", "DSR_S3_SECRET": "secret",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.storage.memory", "200"], cwd=ROOT, env=environment, capture_output=True,
        text=True, check=True, timeout=120,
    )  # fmt: skip
    stored, read, writing, reading = map(int, done.stdout.split())
    assert stored > read == 200 << 20
    assert writing <= 24, "MB more than an upload of two blocks"
    assert reading <= 8, "MB more than what writing took"


def test_a_stream_that_fails_leaves_nothing(bucket: s3.Bucket, s3_server: S3, bucket_name: str) -> None:
    def failing(megabytes: int) -> Iterator[bytes]:
        yield from plain(megabytes)
        raise RuntimeError("the source went away")

    for megabytes in (1, 20):
        with pytest.raises(RuntimeError, match="went away"):
            sealed.save(bucket, "bundles/1/a.zip", failing(megabytes), CONTEXT)
        assert held(s3_server, bucket_name) == []
        assert unfinished(s3_server, bucket_name) == []


def test_an_upload_whose_source_fails_is_ended_by_itself(bucket: s3.Bucket, s3_server: S3, bucket_name: str) -> None:
    class Failing(io.RawIOBase):
        def __init__(self) -> None:
            self._left = 20 << 20

        def read(self, size: int = -1) -> bytes:
            if self._left <= 0:
                raise OSError("the source went away")
            self._left -= size
            return bytes(size)

    with pytest.raises(OSError, match="went away"):
        bucket.save("parts/1/a.files", File(Failing()))
    assert unfinished(s3_server, bucket_name) == []


def test_a_connection_cut_in_the_middle_of_an_upload_passes(wire: Wire, s3_server: S3, bucket_name: str) -> None:
    def cutting() -> Iterator[bytes]:
        yield from plain(20)
        wire.cut()
        yield from plain(20)

    through = opened(bucket_name, wire.port)
    with pytest.raises(StorageUnreachable) as raised:
        sealed.save(through, "bundles/1/a.zip", cutting(), CONTEXT)
    assert "cannot be reached" in raised.value.detail
    assert "bundles/1" not in str(raised.value)
    assert held(s3_server, bucket_name) == []
    # Nobody could say that it is over: the upload is still open, is listed, and goes like a file.
    assert unfinished(s3_server, bucket_name) == ["portal/bundles/1/a.zip"]
    wire.join()
    assert through.listdir("bundles/1") == ([], ["a.zip"])
    assert through.listdir("bundles") == (["1"], [])
    assert not through.exists("bundles/1/a.zip")
    through.delete("bundles/1/a.zip")
    assert unfinished(s3_server, bucket_name) == []
    assert through.listdir("bundles/1") == ([], [])


def test_deleting_one_name_leaves_the_uploads_of_longer_ones(
    bucket: s3.Bucket, s3_server: S3, bucket_name: str
) -> None:
    s3_server.client().create_multipart_upload(Bucket=bucket_name, Key="portal/parts/1/a.files")
    bucket.delete("parts/1/a")
    assert unfinished(s3_server, bucket_name) == ["portal/parts/1/a.files"]


def test_a_download_goes_on_where_its_connection_broke(wire: Wire, bucket_name: str) -> None:
    through = opened(bucket_name, wire.port)
    sealed.save(through, "bundles/1/a.zip", plain(20), CONTEXT)
    wire.received, wire.cut_after = 0, 15 << 20
    digest = [len(chunk) for chunk in sealed.chunks(through, "bundles/1/a.zip", CONTEXT)]
    assert wire.cut_after is None
    assert sum(digest) == 20 << 20
    # What was under way when it broke comes twice; from the beginning it would be 35 MB.
    assert 20 << 20 < wire.received < 30 << 20


def test_a_download_whose_server_stays_away_passes(wire: Wire, bucket_name: str) -> None:
    through = opened(bucket_name, wire.port)
    sealed.save(through, "bundles/1/a.zip", plain(20), CONTEXT)
    reading = sealed.chunks(through, "bundles/1/a.zip", CONTEXT)
    next(reading)
    wire.cut()
    with pytest.raises(StorageUnreachable):
        list(reading)


def test_an_object_replaced_while_it_is_read_is_not_mixed_with_the_new_one(wire: Wire, bucket_name: str) -> None:
    through = opened(bucket_name, wire.port)
    sealed.save(through, "bundles/1/a.zip", plain(20), CONTEXT)
    with through.open("bundles/1/a.zip") as stored:
        stored.read(1000)
        sealed.save(through, "bundles/1/a.zip", plain(20), CONTEXT)
        wire._throw_out()
        with pytest.raises(StorageRefused, match="PreconditionFailed"):
            stored.read()


def test_a_server_that_is_not_there_passes(bucket_name: str, wire: Wire) -> None:
    wire.cut()
    away = opened(bucket_name, wire.port)
    acts: list[Any] = [away.exists, away.size, away.delete, away.listdir, away.open]
    for act in acts:
        with pytest.raises(StorageUnreachable, match="cannot be reached"):
            act("bundles/1/a.zip")


def test_a_bucket_that_is_not_there_is_for_a_person(s3_server: S3) -> None:
    nowhere = opened("no-such-bucket", s3_server.port)
    for act in (nowhere.open, nowhere.delete, nowhere.listdir, lambda name: sealed.save(nowhere, name, plain(1), b"")):
        with pytest.raises(StorageRefused, match="NoSuchBucket") as raised:
            act("bundles/1/a.zip")
        assert "DSR_STORAGE" in raised.value.hint


def test_wrong_keys_and_lacking_rights_are_for_a_person(s3_server: S3, bucket_name: str) -> None:
    iam = s3_server.client("iam")
    iam.create_user(UserName="portal")
    made = iam.create_access_key(UserName="portal")["AccessKey"]
    key, secret = made["AccessKeyId"], made["SecretAccessKey"]
    s3_server.ask_for_rights()
    try:
        cases = [
            (opened(bucket_name, s3_server.port), "InvalidAccessKeyId", "DSR_S3_KEY_ID"),
            (opened(bucket_name, s3_server.port, key=key, secret="wrong"), "SignatureDoesNotMatch", "DSR_S3_SECRET"),
            (opened(bucket_name, s3_server.port, key=key, secret=secret), "AccessDenied", "rights"),
        ]
        for refused, code, hint in cases:
            with pytest.raises(StorageRefused, match=code) as raised:
                sealed.save(refused, "bundles/1/a.zip", plain(1), CONTEXT)
            assert hint in raised.value.hint
            assert secret not in str(raised.value) + raised.value.hint
    finally:
        s3_server.ask_for_rights(after="inf")


def test_without_any_credentials_it_says_which_to_set(
    bucket_name: str, s3_server: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", "/nowhere")
    with pytest.raises(StorageRefused) as raised:
        opened(bucket_name, s3_server.port, key="", secret="").exists("a")
    assert "DSR_S3_KEY_ID" in raised.value.hint


def test_one_client_serves_all_threads(bucket: s3.Bucket) -> None:
    sealed.save(bucket, "bundles/1/a.zip", plain(2), CONTEXT)
    seen: set[int] = set()
    read: list[int] = []

    def reading() -> None:
        seen.add(id(bucket.client))
        read.append(sum(len(chunk) for chunk in sealed.chunks(bucket, "bundles/1/a.zip", CONTEXT)))

    threads = [threading.Thread(target=reading) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read == [2 << 20] * 8
    assert len(seen) == 1
