"""Lumio's sample systems: the app, payments, the support desk, the mail log and the page log."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from dsr.samples import desk, moments, payments, pictures, texts
from dsr.samples.lumio.tables import APP, LOGS, MAIL
from dsr.samples.people import SamplePerson, known_as, token
from dsr.samples.tables import Record, Rows, Sample, row

NAME = "lumio"
MILLIONTH = Decimal("0.000001")
DATABASES = {
    "app": "LUMIO_APP_URL",
    "billing": "LUMIO_BILLING_URL",
    "support": "LUMIO_SUPPORT_URL",
    "mail": "LUMIO_MAIL_URL",
    "logs": "LUMIO_LOGS_URL",
}
_FEATURES = ("canvas", "prompt editor", "publish", "preview", "themes", "analytics", "domains", "import, export")
_PAGES = (
    "/dashboard",
    "/products",
    '/products/new?from="template"',
    "/settings/billing",
    "/docs/erste-schritte",
    "/価格",
)
_MODELS = ("gpt-5-mini", "claude-haiku-4-5", "gpt-5", "claude-sonnet-4-5")


def known(number: int) -> SamplePerson:
    """A person as Lumio's systems know them."""
    name, email = known_as(number)
    user_id = "usr_" + token("lumio/user", number, 10)
    identifiers = {
        "email": frozenset({email}),
        "user_id": frozenset({user_id}),
        "stripe_customer": frozenset({payments.customer_id(NAME, number)}),
        "support_contact": frozenset({desk.contact_id(NAME, number)}),
        "visitor": frozenset(_visitor(number, count) for count in (1, 2)),
    }
    return SamplePerson(number, name, email, user_id, identifiers=identifiers)


def rows(person: SamplePerson, today: date, heavy_rows: int) -> Rows:
    """Everything that Lumio holds about one person."""
    yield from payments.rows(NAME, person, today)
    if person.is_gone:
        return
    yield from _account(person, today)
    yield from _usage(person, today, heavy_rows)
    yield from _products(person, today)
    yield from _mails(person, today)
    yield from _pages(person, today)
    yield from desk.rows(NAME, person, today)


def strays(today: date) -> Rows:
    """Rows of nobody's collection: an unmapped list, the migrations, a visitor who never signed up."""
    for count, email in enumerate(("ada@example.com", "reader@example.net"), start=1):
        yield row("legacy_newsletter", id=count, email=email, signed_up_on=date(2024, 5, count))
    yield row("schema_migrations", version="20250101000000")
    noon = moments.midnight(today) - timedelta(days=2, hours=12)
    yield "page_views", _page_view(0, "vis_nobody", noon, "/?q=ada@example.com", None)


def _account(person: SamplePerson, today: date) -> Rows:
    rng = person.rng("lumio/account")
    joined = moments.midnight(today) - timedelta(days=900 + person.number % 400, hours=5)
    yield row(
        "users",
        id=person.user_id,
        email=person.email,
        name=person.name,
        password_hash="argon2-sample-" + token("lumio/password", person.number, 40),
        stripe_customer=payments.customer_id(NAME, person.number),
        plan=texts.pick(rng, ("free", "studio", "team")),
        is_active=not person.is_leaving,
        fraud_score=round(rng.random(), 4),
        created_at=joined,
        last_seen_at=moments.midnight(today) - timedelta(hours=1 + rng.randrange(500)),
        deleted_at=person.deleted_at(today),
    )
    yield row(
        "profiles",
        user_id=person.user_id,
        bio=texts.HOSTILE[person.number] if person.is_named else None,
        company=texts.pick(rng, ("Sample & Söhne", "样本公司", None, "<b>Bold</b> Ltd")),
        website="https://example.com/?a=1&b=2",
        born_on=date(1980 + person.number % 25, 1 + person.number % 12, 1 + person.number % 28),
        settings={"theme": "dark", "languages": ["en", "tr"], "nested": {"deep": [1, 2.5, None, True]}},
        avatar=pictures.picture(rng) if person.number % 3 < 2 else None,
        avatar_type="image/png" if person.number % 3 < 2 else None,
    )
    for count in (1, 2):
        yield row(
            "devices",
            id=_device(person, count),
            user_id=person.user_id,
            visitor_id=_visitor(person.number, count),
            type=("phone", "laptop")[count - 1],
            system=texts.pick(rng, ("iOS 19", "Debian 12", "Windows 11", "macOS 16")),
            browser=texts.pick(rng, ("Firefox 140", "Safari 19", "Chrome 141")),
            first_seen_at=joined + timedelta(days=count),
        )
    for category in ("analytics", "preference"):
        allowed = rng.random() < 0.5
        changed = joined + timedelta(days=rng.randrange(200))
        yield row("cookie_choices", user_id=person.user_id, category=category, allowed=allowed, changed_at=changed)
    yield row(
        "mail_choices", user_id=person.user_id, topic="product-updates", opted_in=_updates(person), changed_at=joined
    )


def _usage(person: SamplePerson, today: date, heavy_rows: int) -> Rows:
    rng = person.rng("lumio/usage")
    count = heavy_rows if person.is_heavy else person.amount(rng, 420, 14)
    for moment in moments.spread(rng, count, 30 if not person.is_named else 300, today):
        yield row(
            "feature_events",
            id=moments.row_id(moment, person.number),
            user_id=person.user_id,
            feature=texts.pick(rng, _FEATURES),
            seconds=round(rng.random() * 900, 3),
            details={"clicks": int(rng.random() * 40)} if rng.random() < 0.2 else None,
            at=moment,
        )


def _products(person: SamplePerson, today: date) -> Rows:
    rng = person.rng("lumio/products")
    words = texts.written(rng, 90, named=person.is_named)
    for count in range(1, person.amount(rng, 2, 1) + 1):
        product = f"prd_{token(f'lumio/product/{person.number}', count, 10)}"
        days = (90, 30)[count - 1]  # the customer's own setting; 90 is the default
        yield row(
            "products",
            id=product,
            owner_id=person.user_id,
            title=texts.pick(rng, ("Recipe friend", "Hukuk yardımcısı", "词典", "=Sum of all fears")),
            session_days=days,
            is_live=bool(count % 2),
            created_at=moments.midnight(today) - timedelta(days=500),
        )
        for started in moments.spread(rng, person.amount(rng, 15, 2), days, today):
            session = f"ses_{moments.row_id(started, person.number)}"
            yield row(
                "product_sessions",
                id=session,
                product_id=product,
                end_user=f"visitor-{rng.randrange(9)}@example.org",
                model=texts.pick(rng, _MODELS),
                cost=Decimal(rng.randrange(100_000)) * MILLIONTH,
                started_at=started,
            )
            for position in range(1, 7):
                asked = words.pop() if position % 2 and words else texts.pick(rng, texts.SENTENCES)
                yield row(
                    "session_messages",
                    session_id=session,
                    position=position,
                    role="user" if position % 2 else "assistant",
                    content=asked if position % 2 else texts.pick(rng, texts.ANSWERS),
                    at=started + timedelta(milliseconds=position),
                )


def _mails(person: SamplePerson, today: date) -> Rows:
    rng = person.rng("lumio/mail")
    subjects = ["Your receipt", "Reset your password", "Your trial ends soon"]
    if _updates(person):
        subjects.append("What is new in Lumio")
    for moment in moments.spread(rng, person.amount(rng, 40, 3), 45, today):
        subject = texts.pick(rng, subjects)
        yield row(
            "mails",
            message_id=f"<{moments.row_id(moment, person.number)}@mail.example.com>",
            recipient=person.email,
            subject=subject,
            stream="updates" if subject == "What is new in Lumio" else "transactional",
            status=texts.pick(rng, ("delivered", "delivered", "opened", "bounced")),
            reset_token=token("lumio/reset", str(moment), 40) if subject == "Reset your password" else None,
            sent_at=moment,
        )


def _pages(person: SamplePerson, today: date) -> Rows:
    rng = person.rng("lumio/pages")
    for moment in moments.spread(rng, person.amount(rng, 120, 4), 30, today):
        visitor = _visitor(person.number, 1 + int(rng.random() * 2))
        path = texts.pick(rng, _PAGES)
        yield "page_views", _page_view(person.number, visitor, moment, path, texts.pick(rng, texts.AGENTS))


def _page_view(person: int, visitor: str, moment: datetime, path: str, agent: str | None) -> Record:
    number = moments.row_id(moment, person)
    return {
        "id": number,
        "visitor_id": visitor,
        "ip": f"203.0.113.{number % 254 + 1}",
        "browser": agent,
        "path": path,
        "seconds": number % 300,
        "referrer": "https://search.example.net/?q=no-code&x=<y>" if number % 3 == 0 else None,
        "at": moment,
    }


def _updates(person: SamplePerson) -> bool:
    """Whether this person asked for product updates; those who did not, get none."""
    return person.number % 4 == 0


def _visitor(number: int, count: int) -> str:
    return "vis_" + token(f"lumio/visitor/{number}", count, 12)


def _device(person: SamplePerson, count: int) -> str:
    return "dev_" + token(f"lumio/device/{person.number}", count, 12)


SAMPLE = Sample(NAME, DATABASES, (*APP, *payments.tables(), *desk.tables(), *MAIL, *LOGS), known, rows, strays, {})
