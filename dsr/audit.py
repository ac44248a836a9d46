"""The trail: append to it, and verify it. A keyed hash chain in the database, with checkpoints outside it.

An entry's MAC covers the entry and the MAC before it, under a key that is not in the database: whoever can only write
the database can neither edit, remove nor reorder entries unnoticed. Cutting off the end is found by the checkpoints,
which the clock writes once a minute to a file beside the database.
"""

import hmac
import json
import os
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from dsr import keys
from dsr.models import AuditEntry, AuditHead, Case

SUBJECT, SYSTEM = "subject", "system"


def staff(user: AbstractBaseUser) -> str:
    """How a member of staff is named in the trail: by id."""
    return f"staff:{user.pk}"


@transaction.atomic
def append(act: str, *, actor: str, case: Case | str | None = None, **facts: Any) -> AuditEntry:
    """Add one entry. Belongs in the transaction of the act it tells of. Facts are ids, counts and digests only."""
    head, _ = AuditHead.objects.select_for_update().get_or_create(pk=1)
    case_id = case.pk if isinstance(case, Case) else case or ""
    entry = AuditEntry(seq=head.seq + 1, at=timezone.now(), actor=actor, act=act, case_id=case_id, facts=facts)
    entry.mac = _mac(entry, head.mac)
    entry.save(force_insert=True)
    head.seq, head.mac = entry.seq, entry.mac
    head.save()
    return entry


def verify() -> list[str]:
    """Walk the whole chain; what is wrong with it, in sentences. Empty when nothing is."""
    checkpoints, problems = _checkpoints()
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
    except ValueError:
        problems.append(f"What stands behind entry {seq} cannot even be read: it was changed.")
    head = AuditHead.objects.filter(pk=1).first() or AuditHead()
    if (head.seq, head.mac) != (seq, mac):
        problems.append(f"The chain should end with entry {head.seq}, but ends with {seq}.")
    last = max(checkpoints, default=0)
    if last > seq:
        problems.append(f"A checkpoint names entry {last}, but the trail ends with {seq}: its end was cut off.")
    return problems


def write_checkpoint() -> None:
    """Note the end of the chain outside the database. Called by the clock each minute."""
    head = AuditHead.objects.filter(pk=1).first()
    if head is None or head.seq <= max(_checkpoints()[0], default=0):
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
