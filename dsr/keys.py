"""Where encryption, index and signing keys come from: one file, apart from the database and its backups.

Streams and fields are sealed with Tink (AES256_GCM_HKDF_1MB, AES256_GCM); their keysets rotate. Index and audit
keys are 256-bit HMAC-SHA256 keys. Whatever is sealed is bound to a context, so that a file or a field moved to
another case does not open.
"""

import hashlib
import hmac
import io
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

import tink
from tink import aead, secret_key_access, streaming_aead

aead.register()
streaming_aead.register()

MAC_PURPOSES = ("index", "audit", "tombstone", "django")


class KeysMissing(Exception):
    """Data exists but the keys that open it do not."""


class DoesNotOpen(Exception):
    """Sealed data was changed, cut short, moved to another place, or sealed with a key that is gone."""


class _Keys:
    """The opened keys of this process."""

    def __init__(self, path: Path, raw: dict[str, Any]) -> None:
        self.path = path
        self.raw = raw
        self.fields = _handle(raw["fields"]).primitive(aead.Aead)
        self.streams = _handle(raw["bundles"]).primitive(streaming_aead.StreamingAead)
        self.macs = {purpose: bytes.fromhex(raw[purpose]) for purpose in MAC_PURPOSES}


_keys: _Keys | None = None


def configure(path: Path, data_exists: Callable[[], bool] = lambda: False) -> None:
    """Open the key file, or make it at first start.

    Raises KeysMissing when there is data already: making new keys then would lock it away unnoticed.
    """
    global _keys  # noqa: PLW0603  (one key file a process)
    if not path.exists():
        # Looked at again: while this process looked for data, another may have made keys, and then data.
        if data_exists() and not path.exists():
            raise KeysMissing(
                f"The key file {path} is missing, but there is data that only its keys can open. "
                "Put the file back from its backup, or point DSR_KEYS at it. See docs/keys-and-backup.md."
            )
        _create(path)
    _keys = _Keys(path, json.loads(path.read_text()))


def rotate() -> None:
    """Add a fresh primary key for fields and bundles; what older keys sealed still opens."""
    keys = _get()
    raw = dict(keys.raw)
    raw["fields"] = _rotated(raw["fields"], aead.aead_key_templates.AES256_GCM)
    raw["bundles"] = _rotated(raw["bundles"], streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB)
    os.replace(_written(keys.path, raw), keys.path)
    configure(keys.path)


def seal_field(value: bytes, context: bytes) -> bytes:
    """Encrypt a small value, bound to its context."""
    return cast(bytes, _get().fields.encrypt(value, context))


def open_field(sealed: bytes, context: bytes) -> bytes:
    """Decrypt what seal_field made. Raises DoesNotOpen."""
    try:
        return cast(bytes, _get().fields.decrypt(bytes(sealed), context))
    except tink.TinkError as error:
        raise DoesNotOpen("A sealed field does not open: it was changed, moved, or its key is gone.") from error


def index(kind: str, value: str) -> str:
    """A keyed hash by which a value can be looked up without being stored (a blind index), 64 hex digits."""
    return mac("index", f"{kind}\0{value}".encode()).hex()


def mac(purpose: str, data: bytes) -> bytes:
    """HMAC-SHA256 under the key of this purpose."""
    return hmac.new(_get().macs[purpose], data, hashlib.sha256).digest()


def encrypting_stream(target: BinaryIO, context: bytes) -> BinaryIO:
    """A writer that encrypts into target in segments of 1 MB; closing it closes target."""
    raw = _get().streams.new_encrypting_stream(target, context)
    return cast(BinaryIO, io.BufferedWriter(raw, 1 << 20))


def decrypting_stream(source: BinaryIO, context: bytes) -> BinaryIO:
    """A reader over what encrypting_stream wrote; a changed or cut stream raises DoesNotOpen while it is read.

    What the source itself raises comes through: a disk or a bucket that cannot be read is no sign of a changed file.
    """
    watched = _Source(source)
    opened = _get().streams.new_decrypting_stream(cast(BinaryIO, watched), context)
    return cast(BinaryIO, io.BufferedReader(_Opened(opened, watched), 1 << 20))


class _Source:
    """What Tink reads from. Tink makes its own error of whatever happens here, so it is kept."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.close = source.close
        self.error: Exception | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            return self._source.read(size)
        except Exception as error:
            self.error = error
            raise


class _Opened(io.RawIOBase):
    """Turns Tink's errors into ours."""

    def __init__(self, raw: Any, source: _Source) -> None:
        self._raw, self._source = raw, source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            chunk = self._raw.read(len(buffer))
        except tink.TinkError as error:
            if self._source.error is not None:
                raise self._source.error from None
            raise DoesNotOpen("A sealed file does not open: it was changed, cut short, or moved.") from error
        if not chunk:
            return 0
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


def _get() -> _Keys:
    if _keys is None:
        raise KeysMissing("keys.configure() was not called.")
    return _keys


def _handle(keyset: dict[str, Any]) -> tink.KeysetHandle:
    return tink.json_proto_keyset_format.parse(json.dumps(keyset), secret_key_access.TOKEN)


def _serialized(handle: tink.KeysetHandle) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads(tink.json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN)))


def _rotated(keyset: dict[str, Any], template: Any) -> dict[str, Any]:
    handle = _handle(keyset)
    fresh = tink.new_keyset_handle(template)
    added = _serialized(fresh)
    return {"primaryKeyId": added["primaryKeyId"], "key": _serialized(handle)["key"] + added["key"]}


def _create(path: Path) -> None:
    raw: dict[str, Any] = {
        "about": "Keys of the portal. Back this file up apart from the database. Without it the data does not open.",
        "fields": _serialized(tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)),
        "bundles": _serialized(tink.new_keyset_handle(streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB)),
    }
    raw |= {purpose: secrets.token_hex(32) for purpose in MAC_PURPOSES}
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = _written(path, raw)
    try:
        # Two processes may start at once: link() lets the first one win, the second reads the first one's keys.
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        made.unlink()


def _written(path: Path, raw: dict[str, Any]) -> Path:
    made = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(raw, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    return made
