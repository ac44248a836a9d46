"""A person's archive to test with: two systems, hostile texts, attachments."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.files.storage import Storage

from dsr.bundle import parts
from dsr.bundle.contents import (
    Authority,
    Automated,
    Category,
    Contents,
    PartRef,
    Purpose,
    Recipient,
    Right,
    Source,
    Withheld,
)  # fmt: skip
from dsr.connectors import Column, FileRef, Record

CONTENTS = Contents(
    organisation="Lumio, Inc.",
    organisation_short="Lumio",
    address="340 Pine Street, San Francisco",
    email="privacy@lumio.so",
    website="https://lumio.so",
    person="Ada Marsh",
    addressed_to=("Ada Marsh", "ada@example.com"),
    reference="4827 3916",
    asked_on=date(2026, 10, 20),
    made_on=date(2026, 10, 27),
    sample="Sample archive. The people, numbers and dates are invented.",
    how_to_ask="Ask at https://privacy.example.com or write to privacy@lumio.so.",
    signer="Ben Ortiz",
    signer_role="Privacy lead",
    authority=Authority("Data Protection Authority", "1 Authority Square", "https://authority.example"),
    purposes=(Purpose("Run the service", "Without it nothing works.", "contract"),),
    categories=(
        Category("Usage", "Which features you used, and when.", "30 days"),
        Category("Sign-in profile", "Name and address.", "while the account is active", "NabzClan"),
    ),
    recipients=(
        Recipient("Stripe", "payments", "United States", "standard contractual clauses", is_abroad=True),
        Recipient("Hetzner", "hosting", "Germany"),
    ),
    rights=(Right("Correct your data", "What is wrong is put right."), Right("Delete your data", "What may go, goes.")),
    automated=(Automated("Spam score", "A model rates sign-ups.", "Write to us and a person looks."),),
    withheld=(Withheld("Your password", "We hold it only in scrambled form."),),
)
COLUMNS = (
    Column("id", "integer", "Number of the row."),
    Column("ts", "datetime", "When it was made, in UTC."),
    Column("model", "string", "The AI model that answered."),
    Column("text", "string"),
    Column("cost", "number"),
    Column("extra", "object"),
)
HOSTILE = (
    "<script>alert(1)</script>", "=1+1", "\u202egnp.exe", "plain", "line\r\nbreak", "<img src=x onerror=alert(1)>",
    "javascript:alert(1)", "{{ 7|add:7 }}{% debug %}", '"quoted", and; more', "\x00\x1b[31m", "日本語 🙂 مرحبا", "",
)  # fmt: skip


def rows(count: int, start: datetime = datetime(2025, 11, 12, tzinfo=UTC), minutes: int = 1) -> Iterator[Record]:
    for n in range(count):
        at = start + timedelta(minutes=minutes * n)
        data = {
            "id": n, "ts": at.isoformat(), "model": f"model-{n % 3}", "text": HOSTILE[n % len(HOSTILE)],
            "cost": f"-{n}.50", "extra": {"n": n, "t": HOSTILE[n % len(HOSTILE)]} if n % 2 else None,
        }  # fmt: skip
        yield Record("ada", (n,), at, data)


def with_files(files: Sequence[tuple[str, bytes]]) -> Iterator[Record]:
    for n, (name, content) in enumerate(files):
        yield Record("ada", (n,), None, {"id": n, "name": name}, (FileRef(name, "image/png", content),))


def source(
    storage: Storage, records: Iterable[Record], system: str = "app", collection: str = "usage", part_rows: int = 10**6,
    **changes: Any,
) -> Source:  # fmt: skip
    refs = []
    waiting = list(records) if part_rows < 10**6 else None
    groups = [records] if waiting is None else [waiting[n : n + part_rows] for n in range(0, len(waiting), part_rows)]
    for number, group in enumerate(groups, 1):
        name, context = f"parts/{system}/{collection}-{number}", f"part:{system}:{collection}:{number}".encode()
        info = parts.write_part(
            group, storage, name, context, columns=changes.get("columns", COLUMNS), model=changes.get("model", "model")
        )
        refs.append(PartRef(name, context, info.rows, info.sha256, info.bytes))
    made = Source(
        system=system, system_title="The app", collection=collection, title="Usage of the platform",
        sentence="Which features you used, and when.", category_title="Usage", columns=COLUMNS, parts=refs,
        time="ts", model="model",
    )  # fmt: skip
    return replace(made, **changes)
