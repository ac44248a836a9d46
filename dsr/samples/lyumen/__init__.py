"""Lyumen's sample system: one request log. Nobody in it has a name or an address; a privacy receipt finds rows."""

import hashlib
import hmac
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from dsr.samples import moments, texts
from dsr.samples.people import SamplePerson, known_as, token
from dsr.samples.tables import Record, Rows, Sample, Table, row

NAME = "lyumen"
DATABASES = {"gateway": "LYUMEN_GATEWAY_URL"}
RECEIPT_KEY = "sample-receipt-key-of-no-real-gateway"
_MODELS = ("llama-4-70b", "qwen-3-32b", "mistral-small", "deepseek-v4")
_UPSTREAMS = ("Example Cloud", "Sample Inference", "Muster KI")
_COUNTRIES = ("TR", "DE", "IN", "BR", "US", "JP", "EG", "XX", "T1")  # XX and T1: Cloudflare's unknown and Tor
_MOST = 365 * 3

TABLES = (
    Table(
        "gateway",
        "request_log",
        {
            "id": "INTEGER",
            "receipt_hash": "CHAR(64)",
            "model": "VARCHAR(40)",
            "upstream": "VARCHAR(40)",
            "prompt": "TEXT",
            "completion": "TEXT",
            "settings": "JSON",
            "prompt_tokens": "INTEGER",
            "completion_tokens": "INTEGER",
            "user_agent": "TEXT",
            "country": "CHAR(2)",
            "at": "DATETIME",
        },
        ("id",),
        "requests",
        ("receipt_hash",),
    ),
    Table(
        "gateway",
        "upstream_calls",
        {
            "request_id": "INTEGER",
            "attempt": "SMALLINT",
            "upstream": "VARCHAR(40)",
            "status": "SMALLINT",
            "seconds": "DECIMAL(8,3)",
            "is_final": "BOOLEAN",
        },
        ("request_id", "attempt"),
        "upstream-calls",
    ),
    Table(
        "gateway",
        "opt_outs",
        {"receipt_hash": "CHAR(64)", "purpose": "VARCHAR(20)", "since": "DATE"},
        ("receipt_hash", "purpose"),
        "opt-outs",
    ),
    Table("gateway", "scratch_eval_2024", {"id": "INTEGER", "prompt": "TEXT"}, ("id",)),
)


def known(number: int) -> SamplePerson:
    """A person as Lyumen knows them: by nothing but receipts. The name is only the sample's."""
    name, _ = known_as(number)
    receipts = tuple(_receipt(number, count) for count in range(1, 13 if number < 2 else 2))
    return SamplePerson(number, name, "", "", receipts, {"receipt": frozenset(receipts)})


def receipt_hash(receipt: str) -> str:
    """What the log keeps of a receipt."""
    return hmac.new(RECEIPT_KEY.encode(), receipt.encode(), hashlib.sha256).hexdigest()


def rows(person: SamplePerson, today: date, heavy_rows: int) -> Rows:
    """Every logged request whose receipt this person holds."""
    rng = person.rng("lyumen/log")
    count = heavy_rows if person.is_heavy else person.amount(rng, 460, 25)
    # A client may send its receipt back, and then its requests share it; Ada's and Eve's did, mostly with the first.
    hashes = [receipt_hash(receipt) for receipt in person.receipts]
    hashes += [hashes[0]] * len(hashes)
    written = texts.written(rng, count, named=person.is_named)
    for moment, prompt in zip(moments.spread(rng, count, _MOST, today), written, strict=True):
        number = moments.row_id(moment, person.number)
        upstream = texts.pick(rng, _UPSTREAMS)
        yield "request_log", _logged(number, texts.pick(rng, hashes), upstream, prompt, rng.random()) | {"at": moment}
        yield from _calls(number, upstream, rng.random() < 0.12)
    if person.number % 8 == 1:
        yield row("opt_outs", receipt_hash=hashes[0], purpose="training", since=today - timedelta(days=50))


def strays(today: date) -> Rows:
    """Rows that no receipt finds: from before receipts, of a lost receipt, and one that quotes Ada's."""
    noon = moments.midnight(today) - timedelta(days=2, hours=12)
    quoted = f"Please look up {_receipt(0, 1)} for me"
    lost = receipt_hash("rcpt_lost")
    prompts: tuple[tuple[str | None, str], ...] = ((None, "from before receipts"), (lost, "lost"), (lost, quoted))
    for count, (digest, prompt) in enumerate(prompts):
        moment = noon + timedelta(minutes=count)
        yield "request_log", _logged(moments.row_id(moment, 0), digest, "Muster KI", prompt, 0.5) | {"at": moment}
    yield row("scratch_eval_2024", id=1, prompt=quoted)


def _logged(number: int, digest: str | None, upstream: str, prompt: str, chance: float) -> Record:
    place = int(chance * 1_000_000)
    settings: dict[str, Any] = {"temperature": place % 20 / 10, "stop": ["\n\n", "=END"], "seed": None}
    return {
        "id": number,
        "receipt_hash": digest,
        "model": _MODELS[place % len(_MODELS)],
        "upstream": upstream,
        "prompt": prompt,
        "completion": texts.ANSWERS[place % len(texts.ANSWERS)] if place % 50 else None,
        "settings": settings if place % 3 else None,
        "prompt_tokens": len(prompt) // 4,
        "completion_tokens": place % 700,
        "user_agent": texts.AGENTS[place % len(texts.AGENTS)] if place % 9 else None,
        "country": _COUNTRIES[place % len(_COUNTRIES)],
    }


def _calls(number: int, upstream: str, retried: bool) -> Rows:
    if retried:
        yield row(
            "upstream_calls",
            request_id=number,
            attempt=1,
            upstream=upstream,
            status=503,
            seconds=Decimal("0.250"),
            is_final=False,
        )
    yield row(
        "upstream_calls",
        request_id=number,
        attempt=1 + retried,
        upstream=upstream,
        status=200,
        seconds=Decimal("1.125"),
        is_final=True,
    )


def _receipt(number: int, count: int) -> str:
    return "rcpt_" + token(f"lyumen/receipt/{number}", count, 32)


SAMPLE = Sample(NAME, DATABASES, TABLES, known, rows, strays, {"LYUMEN_RECEIPT_KEY": RECEIPT_KEY})
