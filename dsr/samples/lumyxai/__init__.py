"""LumyxAI's sample systems: what NabzClan passed on, the app, the gateway's log, payments."""

from datetime import date, timedelta
from decimal import Decimal

from dsr.samples import moments, payments, pictures, texts
from dsr.samples.lumyxai.tables import APP, GATEWAY, NABZCLAN
from dsr.samples.people import SamplePerson, known_as, token
from dsr.samples.tables import Rows, Sample, row

NAME = "lumyxai"
DATABASES = {
    "nabzclan": "LUMYXAI_NABZCLAN_URL",
    "app": "LUMYXAI_APP_URL",
    "gateway": "LUMYXAI_GATEWAY_URL",
    "billing": "LUMYXAI_BILLING_URL",
}
MILLIONTH = Decimal("0.000001")
_MODELS = ("lumyx-fast", "lumyx-pro", "lumyx-vision", "gpt-5-mini")
_PLACES = ("Berlin, DE", "İzmir, TR", "São Paulo, BR", "東京, JP", "Pune, IN", None)
_REASONS = ("bought", "used", "used", "used", "gift of the week 🎁", "=refund+1")


def known(number: int) -> SamplePerson:
    """A person as LumyxAI's systems know them."""
    name, email = known_as(number)
    account = "acc_" + token("lumyxai/account", number, 10)
    identifiers = {
        "email": frozenset({email}),
        "account_id": frozenset({account}),
        "nabzclan_id": frozenset({_member(number)}),
        "stripe_customer": frozenset({payments.customer_id(NAME, number)}),
    }
    return SamplePerson(number, name, email, account, identifiers=identifiers)


def rows(person: SamplePerson, today: date, heavy_rows: int) -> Rows:
    """Everything that LumyxAI holds about one person."""
    yield from payments.rows(NAME, person, today, named=70)
    if person.is_gone:
        return
    yield from _account(person, today)
    yield from _credits(person, today)
    yield from _requests(person, today, heavy_rows)


def strays(today: date) -> Rows:
    """Rows of nobody we serve: an unmapped list, and a NabzClan member who carries Ada's address, but is not Ada."""
    yield row("legacy_newsletter", id=1, email="ada@example.com", signed_up_on=date(2024, 5, 1))
    yield row(
        "members",
        id="nc-stale",
        username="not_ada",
        email="ada@example.com",
        is_vip=True,
        vip_until=None,
        avatar=None,
        avatar_name=None,
        avatar_type=None,
        refresh_token=None,
        linked_at=moments.midnight(today) - timedelta(days=1500),
    )


def _account(person: SamplePerson, today: date) -> Rows:
    rng = person.rng("lumyxai/account")
    joined = moments.midnight(today) - timedelta(days=700 + person.number % 200, hours=3)
    username = person.name.split()[0].lower() + str(person.number)
    has_avatar = person.number % 4 == 0 or person.is_named
    yield row(
        "members",
        id=_member(person.number),
        username=username,
        email=person.email,
        is_vip=person.number % 5 == 0,
        vip_until=today + timedelta(days=100) if person.number % 5 == 0 else None,
        avatar=pictures.picture(rng) if has_avatar else None,
        avatar_name=f"{username}.png" if has_avatar else None,
        avatar_type="image/png" if has_avatar else None,
        refresh_token=token("lumyxai/refresh", person.number, 40),
        linked_at=joined,
    )
    yield row(
        "accounts",
        id=person.user_id,
        nabzclan_id=_member(person.number),
        username=username,
        email=person.email,
        stripe_customer=payments.customer_id(NAME, person.number),
        credits=Decimal(rng.randrange(50_000_000)) * MILLIONTH,
        is_active=not person.is_leaving,
        created_at=joined,
        deleted_at=person.deleted_at(today),
    )
    for count in (1, 2):
        key = token(f"lumyxai/key/{person.number}", count, 40)
        yield row(
            "api_keys",
            id=_key(person.number, count),
            account_id=person.user_id,
            label=texts.HOSTILE[7 + count] if person.is_named else None,
            prefix="lx-" + key[:6],
            key_hash=token("lumyxai/hash", key, 64),
            created_at=joined + timedelta(days=count),
            last_used_at=moments.midnight(today) - timedelta(hours=2) if count == 1 else None,
        )
        yield row(
            "devices",
            account_id=person.user_id,
            position=count,
            type=("phone", "desktop")[count - 1],
            system=texts.pick(rng, ("Android 16", "Windows 11", "Debian 12")),
            browser=texts.pick(rng, texts.AGENTS),
            ip=f"192.0.2.{rng.randrange(1, 255)}",
            place=texts.pick(rng, _PLACES),
            last_seen_at=moments.midnight(today) - timedelta(hours=1 + rng.randrange(300)),
        )


def _credits(person: SamplePerson, today: date) -> Rows:
    rng = person.rng("lumyxai/credits")
    dates = moments.spread(rng, person.amount(rng, 260, 5), 600, today)
    notes = texts.written(rng, 40, named=person.is_named)
    for entry, moment in enumerate(dates, start=1):
        yield row(
            "credit_ledger",
            account_id=person.user_id,
            entry=entry,
            change=Decimal(rng.randrange(-9_000_000, 20_000_000)) * MILLIONTH,
            reason=notes.pop() if person.is_named and notes else texts.pick(rng, _REASONS),
            on_day=moment.date(),
            at=moment,
        )


def _requests(person: SamplePerson, today: date, heavy_rows: int) -> Rows:
    rng = person.rng("lumyxai/requests")
    count = heavy_rows if person.is_heavy else person.amount(rng, 590, 16)
    keys = [_key(person.number, count) for count in (1, 2)]
    for moment in moments.spread(rng, count, 30, today):
        number = moments.row_id(moment, person.number)
        yield row(
            "request_log",
            id=number,
            account_id=person.user_id,
            key_id=texts.pick(rng, keys),
            model=texts.pick(rng, _MODELS),
            input_tokens=int(rng.random() * 9000),
            output_tokens=int(rng.random() * 3000),
            cost=Decimal(int(rng.random() * 90_000)) * MILLIONTH,
            status=texts.pick(rng, (200, 200, 200, 200, 429)),
            ip=f"192.0.2.{number % 254 + 1}",
            place=texts.pick(rng, _PLACES),
            user_agent=texts.pick(rng, texts.AGENTS),
            extra={"stream": True, "tags": ["a,b", "=c"]} if number % 6 == 0 else None,
            at=moment,
        )


def _member(number: int) -> str:
    return f"nc-{500_000 + number * 13}"


def _key(number: int, count: int) -> str:
    return "key_" + token(f"lumyxai/key-id/{number}", count, 12)


SAMPLE = Sample(NAME, DATABASES, (*NABZCLAN, *APP, *GATEWAY, *payments.tables()), known, rows, strays, {})
