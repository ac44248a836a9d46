"""The trail: append to it, and verify it. A keyed hash chain in the database, with checkpoints outside it.

An entry's MAC covers the entry and the MAC before it, under a key that is not in the database: whoever can only write
the database can neither edit, remove nor reorder entries unnoticed. Cutting off the end is found by the checkpoints,
which the clock writes once a minute to a file beside the database.

Whoever appends holds the end of the chain until the transaction is over, and every other act of the portal waits for
that. So entries are gathered and written as the transaction's last statements (see `recorded`): the end is held for a
moment, and, being the last lock that anybody takes, it can be part of no deadlock.
"""

import hmac
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import DataError, transaction
from django.utils import timezone

from dsr import keys
from dsr.models import AuditEntry, AuditHead, Case

SUBJECT, SYSTEM = "subject", "system"


def staff(user: AbstractBaseUser) -> str:
    """How a member of staff is named in the trail: by id."""
    return f"staff:{user.pk}"


# What acts of this transaction told so far; None outside of `recorded`.
_told: ContextVar[list[AuditEntry] | None] = ContextVar("told", default=None)


@contextmanager
def recorded() -> Iterator[None]:
    """A transaction that writes its entries in the trail at its end. One within another is written with the outer one.

    Works as a decorator too. What fails within takes its entries with it.
    """
    entries = _told.get()
    is_outermost = entries is None
    if entries is None:
        entries = []
        _told.set(entries)
    before = len(entries)
    try:
        with transaction.atomic():
            yield
            if is_outermost and entries:
                _write(entries)
    except BaseException:
        del entries[before:]
        raise
    finally:
        if is_outermost:
            _told.set(None)


@recorded()
def append(act: str, *, actor: str, case: Case | str | None = None, **facts: Any) -> None:
    """Add one entry. Belongs in the `recorded` transaction of the act it tells of. Facts: ids, counts, digests only."""
    entries = _told.get()
    if entries is None:
        raise RuntimeError("append is recorded, so there are entries.")
    case_id = case.pk if isinstance(case, Case) else case or ""
    entries.append(AuditEntry(at=timezone.now(), actor=actor, act=act, case_id=case_id, facts=facts))


def _write(entries: list[AuditEntry]) -> None:
    """Behind the end of the chain, which is held until the transaction is over."""
    head, _ = AuditHead.objects.select_for_update().get_or_create(pk=1)
    for entry in entries:
        entry.seq = head.seq + 1
        entry.mac = _mac(entry, head.mac)
        head.seq, head.mac = entry.seq, entry.mac
    AuditEntry.objects.bulk_create(entries)
    head.save(force_update=True)


def verify() -> list[str]:
    """Walk the whole chain; what is wrong with it, in sentences. Empty when nothing is.

    Acts that go on meanwhile are no problem: the chain ends somewhere between where it ended before and after the walk.
    """
    checkpoints, problems = _checkpoints()
    before = _head()
    seq, mac = 0, ""
    try:
        for entry in AuditEntry.objects.order_by("seq").iterator(chunk_size=2000):
            if entry.seq != seq + 1:
                problems.append(f"Entries {seq + 1} to {entry.seq - 1} are missing.")
            elif not _is_ours(entry, mac):
                problems.append(f"Entry {entry.seq} was changed, or does not belong behind entry {seq}.")
            if checkpoints.get(entry.seq, entry.mac) != entry.mac:
                problems.append(f"Entry {entry.seq} is not the one that the checkpoint of that time names.")
            seq, mac = entry.seq, entry.mac
    except (ValueError, DataError):
        problems.append(f"What stands behind entry {seq} cannot even be read: it was changed.")
    after = _head()
    ends = {head.seq: head.mac for head in (before, after)}
    if not before.seq <= seq <= after.seq or ends.get(seq, mac) != mac:
        problems.append(f"The chain should end with entry {after.seq}, but ends with {seq}.")
    last = max(checkpoints, default=0)
    if last > seq:
        problems.append(f"A checkpoint names entry {last}, but the trail ends with {seq}: its end was cut off.")
    return problems


def _head() -> AuditHead:
    return AuditHead.objects.filter(pk=1).first() or AuditHead()


def write_checkpoint() -> None:
    """Note the end of the chain outside the database. Called by the clock each minute."""
    head = _head()
    if head.seq <= max(_checkpoints()[0], default=0):
        return
    line = {"at": timezone.now().isoformat(), "seq": head.seq, "mac": head.mac}
    line["seal"] = keys.mac("audit", orjson.dumps(line)).hex()
    path = checkpoint_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())


def checkpoint_path() -> Path:
    """The file of checkpoints."""
    return Path(settings.DATA) / "audit" / "checkpoints.jsonl"


def _checkpoints() -> tuple[dict[int, str], list[str]]:
    """{seq: mac} of the checkpoints, and sentences about those that were tampered with."""
    found: dict[int, str] = {}
    problems: list[str] = []
    path = checkpoint_path()
    for number, text in enumerate(path.read_text(errors="replace").splitlines() if path.exists() else [], start=1):
        try:
            line = json.loads(text)
            seal = line.pop("seal")
            is_ours = hmac.compare_digest(seal, keys.mac("audit", orjson.dumps(line)).hex())
        except (ValueError, KeyError, AttributeError, TypeError):
            is_ours = False
        if is_ours:
            found[line["seq"]] = line["mac"]
        else:
            problems.append(f"Checkpoint {number} in {path.name} was changed.")
    return found, problems


def _is_ours(entry: AuditEntry, before: str) -> bool:
    """Whether its MAC fits. We write nothing that has no MAC: values of other types were put there by somebody."""
    try:
        return entry.mac == _mac(entry, before)
    except (AttributeError, TypeError, ValueError):
        return False


def _mac(entry: AuditEntry, before: str) -> str:
    told = [before, entry.seq, entry.at.isoformat(), entry.actor, entry.act, entry.case_id, entry.facts]
    return keys.mac("audit", orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hex()
