"""Lunos' sample systems: the app, the gateway's logs, payments, the support desk."""

from datetime import date, timedelta
from decimal import Decimal

from dsr.samples import desk, moments, payments, texts
from dsr.samples.lunos.tables import APP, GATEWAY
from dsr.samples.people import SamplePerson, known_as, token
from dsr.samples.tables import Rows, Sample, row

NAME = "lunos"
DATABASES = {
    "app": "LUNOS_APP_URL",
    "gateway": "LUNOS_GATEWAY_URL",
    "billing": "LUNOS_BILLING_URL",
    "support": "LUNOS_SUPPORT_URL",
}
MILLIONTH = Decimal("0.000001")
_MODELS = (
    ("OpenAI", "gpt-5-mini"),
    ("Anthropic", "claude-haiku-4-5"),
    ("Google", "gemini-3-flash"),
    ("Mistral", "mistral-large"),
)
_COMPANIES = ("Sample & Söhne GmbH", "Örnek A.Ş.", "样本公司", '"Quoted, Inc."', "=Formula Ltd")
_TOPICS = ("newsletter", "product-news", "usage-summary")


def known(number: int) -> SamplePerson:
    """A person as Lunos' systems know them."""
    name, email = known_as(number)
    digits = token("lunos/account", number, 32)
    account = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    identifiers = {
        "email": frozenset({email}),
        "account_id": frozenset({account}),
        "stripe_customer": frozenset({payments.customer_id(NAME, number)}),
        "support_contact": frozenset({desk.contact_id(NAME, number)}),
    }
    return SamplePerson(number, name, email, account, identifiers=identifiers)


def rows(person: SamplePerson, today: date, heavy_rows: int) -> Rows:
    """Everything that Lunos holds about one person."""
    yield from payments.rows(NAME, person, today, named=48)
    if person.is_gone:
        return
    yield from _account(person, today)
    yield from _usage(person, today, heavy_rows)
    yield from _tokens(person, today)
    yield from _errors(person, today)
    yield from desk.rows(NAME, person, today, named=10)


def strays(today: date) -> Rows:
    """Rows of nobody's collection: an unmapped list, and an error before anybody had signed in."""
    noon = moments.midnight(today) - timedelta(days=2, hours=12)
    yield row("legacy_newsletter", id=1, email="ada@example.com", signed_up_on=date(2024, 5, 1))
    yield row(
        "error_logs",
        id=moments.row_id(noon, 0),
        account_id=None,
        code="bad-key",
        message="unknown key, perhaps of ada@example.com",
        details=None,
        at=noon,
    )


def _account(person: SamplePerson, today: date) -> Rows:
    rng = person.rng("lunos/account")
    joined = moments.midnight(today) - timedelta(days=750 + person.number % 250, hours=11)
    company = f"cmp_{person.number:05}" if person.is_named or person.number % 3 == 0 else None
    yield row(
        "accounts",
        id=person.user_id,
        email=person.email,
        name=person.name,
        company_id=company,
        stripe_customer=payments.customer_id(NAME, person.number),
        password_hash="argon2-sample-" + token("lunos/password", person.number, 40),
        recovery_codes=[token("lunos/recovery", f"{person.number}/{count}", 10) for count in range(3)],
        is_active=not person.is_leaving,
        created_at=joined,
        deleted_at=person.deleted_at(today),
    )
    if company:
        yield row(
            "companies",
            id=company,
            name=texts.pick(rng, _COMPANIES),
            tax_number=f"SAMPLE-{person.number:06}",
            address={"line1": "Musterstraße 1", "city": "Zürich", "lines": ["\u202eleft", None]},
            seats=1 + person.number % 40,
            founded_on=date(1990 + person.number % 30, 2, 28),
        )
    for topic in _TOPICS:
        changed = joined + timedelta(days=rng.randrange(300))
        wanted = rng.random() < 1 / 2
        yield row(
            "communication_preferences", account_id=person.user_id, topic=topic, wanted=wanted, changed_at=changed
        )
    for count in (1, 2):
        yield row(
            "devices",
            id="dev_" + token(f"lunos/device/{person.number}", count, 12),
            account_id=person.user_id,
            ip=f"203.0.113.{rng.randrange(1, 255)}" if count == 1 else f"2001:db8::{person.number:x}",
            system=texts.pick(rng, ("macOS 16", "Windows 11", "Debian 12")),
            browser=texts.pick(rng, texts.AGENTS),
            last_seen_at=moments.midnight(today) - timedelta(hours=1 + rng.randrange(300)),
        )


def _usage(person: SamplePerson, today: date, heavy_rows: int) -> Rows:
    rng = person.rng("lunos/usage")
    count = heavy_rows if person.is_heavy else person.amount(rng, 520, 14)
    for moment in moments.spread(rng, count, 365, today):
        number = moments.row_id(moment, person.number)
        provider, model = texts.pick(rng, _MODELS)
        yield row(
            "usage_logs",
            id=number,
            account_id=person.user_id,
            provider=provider,
            model=model,
            input_tokens=int(rng.random() * 9000),
            output_tokens=int(rng.random() * 3000),
            cost=Decimal(int(rng.random() * 90_000)) * MILLIONTH,
            latency_ms=round(rng.random() * 4000, 2),
            cached=number % 4 == 0,
            ip=f"203.0.113.{number % 254 + 1}",
            at=moment,
        )


def _tokens(person: SamplePerson, today: date) -> Rows:
    rng = person.rng("lunos/tokens")
    for back in range(person.amount(rng, 55, 2), 0, -1):
        for _, model in _MODELS[: 1 + rng.randrange(len(_MODELS))]:
            yield row(
                "token_consumption",
                account_id=person.user_id,
                day=today - timedelta(days=back),
                model=model,
                tokens=rng.randrange(5_000_000_000),  # beyond 32 bits
                cost=Decimal(rng.randrange(90_000_000)) * MILLIONTH,
            )


def _errors(person: SamplePerson, today: date) -> Rows:
    rng = person.rng("lunos/errors")
    messages = texts.written(rng, person.amount(rng, 72, 1), named=person.is_named)
    for moment, message in zip(moments.spread(rng, len(messages), 30, today), messages, strict=True):
        yield row(
            "error_logs",
            id=moments.row_id(moment, person.number),
            account_id=person.user_id,
            code=texts.pick(rng, ("timeout", "bad-request", "provider-down")),
            message=message,
            details={"provider": "Mistral", "attempts": [{"ms": 1200.5}, {"ms": None}]}
            if rng.random() < 1 / 2
            else None,
            at=moment,
        )


SAMPLE = Sample(NAME, DATABASES, (*APP, *GATEWAY, *payments.tables(), *desk.tables()), known, rows, strays, {})
