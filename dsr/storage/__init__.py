"""Where parts and archives rest, sealed as they are: files in the data folder, or a bucket that speaks S3."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from dsr.environment import WrongSetting

EXAMPLE = "s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-central-1&addressing=path"
ADDRESSING = ("auto", "path", "virtual")
# What S3 itself allows for new buckets, and for folders of our own.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)


class StorageUnreachable(OSError):
    """A passing failure of the storage: the same call may work later. Holds no value of a person."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.detail, self.hint = detail, hint


class StorageRefused(Exception):
    """A permanent failure of the storage: nothing changes until someone does. `hint` says what."""

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.detail, self.hint = detail, hint


def configured(address: str, folder: Path, key_id: str = "", secret: str = "") -> dict[str, Any]:
    """The entry of STORAGES for an address as DSR_STORAGE holds it; "" stands for files in the folder.

    Raises WrongSetting. Without key and secret, the SDK looks where it always does: its own variables, a role.
    """
    if not address:
        modes = {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": folder, **modes},
        }
    if bool(key_id) != bool(secret):
        raise WrongSetting("Only one of DSR_S3_KEY_ID and DSR_S3_SECRET is set. Set both, or neither.")
    options = _options(address)
    if key_id:
        options |= {"access_key": key_id, "secret_key": secret, "security_token": None}
    _require_sdk()
    return {"BACKEND": "dsr.storage.s3.Bucket", "OPTIONS": options}


def _options(address: str) -> dict[str, Any]:
    try:
        parts = urlsplit(address)
        given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise WrongSetting(f"DSR_STORAGE is not understood. Allowed is nothing, or {EXAMPLE}.") from None
    if "@" in parts.netloc:
        raise WrongSetting("DSR_STORAGE holds credentials. They belong into DSR_S3_KEY_ID and DSR_S3_SECRET.")
    if parts.scheme != "s3" or not _BUCKET.fullmatch(parts.netloc):
        raise WrongSetting(f"DSR_STORAGE is {address!r}. Allowed is nothing, or {EXAMPLE}.")
    prefix = parts.path.strip("/")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise WrongSetting(
            f"DSR_STORAGE has the prefix {prefix!r}. Allowed are names of folders, such as portal/bundles."
        )
    if unknown := sorted(given.keys() - {"endpoint", "region", "addressing"}):
        raise WrongSetting(f"DSR_STORAGE has {unknown[0]!r}. Allowed are: endpoint, region, addressing.")
    style = given.get("addressing", "auto")
    if style not in ADDRESSING:
        raise WrongSetting(f"DSR_STORAGE has addressing {style!r}. Allowed are: {', '.join(ADDRESSING)}.")
    return {
        "bucket_name": parts.netloc,
        "location": prefix,
        "endpoint_url": _endpoint(given["endpoint"]) if "endpoint" in given else None,
        "region_name": given.get("region") or None,
        "addressing_style": style,
    }


def _endpoint(text: str) -> str:
    found = urlsplit(text)
    if found.scheme not in ("http", "https") or not found.hostname or found.username or found.query:
        raise WrongSetting("DSR_STORAGE has an endpoint that is no address. Allowed is, say, https://s3.example.com.")
    return text


def _require_sdk() -> None:
    try:
        import boto3  # noqa: F401
        import storages  # noqa: F401
    except ImportError:
        raise WrongSetting(
            "DSR_STORAGE names a bucket, but the packages for S3 are not installed. "
            "Install requirements.lock, which holds them, or django-storages[s3]."
        ) from None
