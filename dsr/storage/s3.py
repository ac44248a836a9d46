"""A bucket as django-storages knows it, with flat memory, failures told apart, and nothing left of what failed.

What is written may be endless, cannot be read twice and comes from the caller's own thread: it goes up block by block,
in that thread. What is read comes down as it is read, and goes on where a connection broke. An upload that a killed
worker left is listed like a file, and deleted like one.
"""

import io
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ResponseStreamingError,
    SSLError,
)
from botocore.exceptions import ConnectionError as NotConnected
from botocore.exceptions import IncompleteReadError as CutShort
from django.core.files.base import File
from django.utils.translation import gettext as _
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

from dsr.storage import StorageRefused, StorageUnreachable

log = logging.getLogger(__name__)

BLOCK = 8 << 20
# S3 takes no more parts of one upload: 84 GB in blocks of this size.
MOST_BLOCKS = 10_000
RESUMES = 3
CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    tcp_keepalive=True,
    retries={"mode": "standard", "total_max_attempts": 4},
    # Stores other than Amazon's do not all know the newer checksums; what is stored proves itself when it is opened.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
PASSING = frozenset(
    {"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "RequestTimeoutException", "Throttling"}
    | {"ThrottlingException", "TooManyRequests", "RequestLimitExceeded", "BandwidthLimitExceeded"}
    | {"OperationAborted", "NoSuchUpload"}
)
MISSING = frozenset({"NoSuchKey", "404", "NotFound"})


class Bucket(S3Storage):  # type: ignore[misc]  # django-storages is not typed
    """One bucket. Objects are as private as the bucket makes them; no address of one is ever handed out."""

    client_config: Any
    content_type = "application/octet-stream"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.client_config = self.client_config.merge(CONFIG)
        self._making = threading.Lock()
        self._made: Any = None

    def get_default_settings(self) -> dict[str, Any]:
        """As django-storages has them, but for what would show or change objects."""
        fixed = {"querystring_auth": False, "gzip": False, "default_acl": None, "custom_domain": None}
        found: dict[str, Any] = super().get_default_settings()
        return found | fixed | {"file_overwrite": True, "object_parameters": {}, "use_threads": True}

    @property
    def connection(self) -> Any:
        """One for all threads: its client may be shared, and each would cost memory of its own."""
        with self._making:
            if self._made is None:
                self._made = self._create_session().resource(
                    "s3",
                    region_name=self.region_name,
                    endpoint_url=self.endpoint_url,
                    config=self.client_config,
                    verify=self.verify,
                )
        return self._made

    @property
    def client(self) -> Any:
        """What speaks to the store."""
        return self.connection.meta.client

    def url(self, name: str | None, *args: Any, **more: Any) -> str:
        """Nothing that is stored here has an address."""
        raise NotImplementedError("Parts and archives are served by the portal alone.")

    def exists(self, name: str) -> bool:
        """Whether there is an object of this name, finished."""
        with told_apart():
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        """In bytes. Raises FileNotFoundError."""
        with told_apart():
            return int(super().size(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Folders and files of a folder, unfinished uploads among them; of a folder that is not there, none."""
        with told_apart():
            folders, files = super().listdir(path)
            prefix = f"{self._key(path)}/"
            for key, _upload in self._unfinished(prefix):
                name, slash, _rest = key.removeprefix(prefix).partition("/")
                found = folders if slash else files
                if name not in found:
                    found.append(name)
        return folders, files

    def delete(self, name: str) -> None:
        """Remove the object, and whatever of it is on its way up. Nothing happens when there is none."""
        key = self._key(name)
        with told_apart():
            for found, upload in self._unfinished(key):
                if found == key:
                    self.client.abort_multipart_upload(Bucket=self.bucket_name, Key=key, UploadId=upload)
            self.client.delete_object(Bucket=self.bucket_name, Key=key)

    def _open(self, name: str, mode: str = "rb") -> File:  # type: ignore[type-arg]  # a File takes none when it runs
        if mode != "rb":
            raise ValueError("What is stored in a bucket can be opened for reading only.")
        return File(io.BufferedReader(_Coming(self, self._key(name)), 1 << 18), name=name)

    def _save(self, name: str, content: Any) -> str:
        key = self._key(name)
        if content.seekable():
            content.seek(0)
        with told_apart():
            block = _block(content)
            if len(block) < BLOCK:
                self.client.put_object(Bucket=self.bucket_name, Key=key, Body=block, ContentType=self.content_type)
            else:
                self._upload(key, block, content)
        return name

    def _upload(self, key: str, block: bytes, content: Any) -> None:
        place = {"Bucket": self.bucket_name, "Key": key}
        place["UploadId"] = self.client.create_multipart_upload(**place, ContentType=self.content_type)["UploadId"]
        sent: list[dict[str, Any]] = []
        try:
            while block:
                number = len(sent) + 1
                if number > MOST_BLOCKS:
                    raise StorageRefused(
                        _("An archive is larger than a bucket takes in one upload, which is %(size)d GB.")
                        % {"size": BLOCK * MOST_BLOCKS // 10**9},
                        _("Keep this request’s files in a folder (DSR_STORAGE empty), or answer it in pieces."),
                    )
                answer = self.client.upload_part(**place, PartNumber=number, Body=block)
                sent.append({"PartNumber": number, "ETag": answer["ETag"]})
                block = _block(content)
            self.client.complete_multipart_upload(**place, MultipartUpload={"Parts": sent})
        except BaseException:
            self._abort(place)
            raise

    def _abort(self, place: dict[str, str]) -> None:
        try:
            self.client.abort_multipart_upload(**place)
        except (BotoCoreError, ClientError) as error:
            # The failure that led here is the one to tell. What is left is found by listdir, and goes with the case.
            log.warning("an unfinished upload was left in the bucket: %s", type(error).__name__)

    def _unfinished(self, prefix: str) -> Iterator[tuple[str, str]]:
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket_name, Prefix=prefix)
        for page in pages:
            for upload in page.get("Uploads", ()):
                yield upload["Key"], upload["UploadId"]

    def _key(self, name: str) -> str:
        return str(self._normalize_name(clean_name(name)))


class _Coming(io.RawIOBase):
    """An object as it comes down. A broken connection is taken up where it broke."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        super().__init__()
        self._bucket, self._key = bucket, key
        self._at = 0
        self._body: Any = None
        with told_apart():
            answer = self._ask()
        self._body, self._size, self._etag = answer["Body"], int(answer["ContentLength"]), answer["ETag"]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._size:
            return 0
        chunk = self._read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._drop()
        super().close()

    def _read(self, size: int) -> bytes:
        for left in reversed(range(RESUMES + 1)):
            try:
                with told_apart():
                    if self._body is None:
                        self._body = self._ask(Range=f"bytes={self._at}-", IfMatch=self._etag)["Body"]
                    return bytes(self._body.read(size))
            except StorageUnreachable:
                self._drop()
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    def _ask(self, **more: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._bucket.client.get_object(Bucket=self._bucket.bucket_name, Key=self._key, **more)
        return answer

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None


@contextmanager
def told_apart() -> Iterator[None]:
    """Turn the SDK's errors into those that pass and those that stay. Neither repeats the name of an object."""
    try:
        yield
    except ClientError as error:
        raise _told(error) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StorageRefused(
            _("There are no credentials for the bucket."), _("Set DSR_S3_KEY_ID and DSR_S3_SECRET, or give a role.")
        ) from error
    except SSLError as error:
        raise StorageRefused(
            _("The bucket’s endpoint cannot prove who it is."),
            _("Look at its certificate, and at AWS_CA_BUNDLE where it is signed by your own authority."),
        ) from error
    except (NotConnected, HTTPClientError, CutShort, ResponseStreamingError, CredentialRetrievalError) as error:
        raise StorageUnreachable(
            _("The bucket cannot be reached: %(kind)s.") % {"kind": type(error).__name__},
            _("Look at the network and at the store itself. It is tried again."),
        ) from error
    except BotoCoreError as error:
        raise StorageRefused(
            _("The bucket cannot be used as DSR_STORAGE says: %(kind)s.") % {"kind": type(error).__name__},
            _("Look at its endpoint, region and addressing."),
        ) from error


def _told(error: ClientError) -> Exception:
    code = re.sub(r"[^A-Za-z0-9]", "", str(error.response.get("Error", {}).get("Code", "")))[:40] or "unknown"
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in MISSING:
        return FileNotFoundError("There is no such object in the bucket.")
    if code in PASSING or status == 429 or (status >= 500 and code != "NotImplemented"):
        return StorageUnreachable(
            _("The bucket does not answer as it should: %(code)s.") % {"code": code},
            _("The store is busy or ill. It is tried again."),
        )
    hints = {
        "NoSuchBucket": _("Make the bucket, or correct its name in DSR_STORAGE."),
        "InvalidAccessKeyId": _("Look at DSR_S3_KEY_ID and DSR_S3_SECRET."),
        "SignatureDoesNotMatch": _("Look at DSR_S3_KEY_ID and DSR_S3_SECRET."),
        "RequestTimeTooSkewed": _("Set this machine’s clock."),
    }
    rights = _("Look at what the key may do: docs/deployment.md lists the rights that are needed.")
    return StorageRefused(_("The bucket refused this: %(code)s.") % {"code": code}, hints.get(code, rights))


def _block(content: Any) -> bytes:
    """The next bytes: as many as a block has, less only at the end."""
    pieces: list[bytes] = []
    wanted = BLOCK
    while wanted and (piece := content.read(wanted)):
        pieces.append(piece)
        wanted -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
