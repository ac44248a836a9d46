"""Lumees' sample systems: accounts, payments, the API gateway, the chat and the web server's log."""

from datetime import date, datetime, timedelta

from dsr.samples import moments, payments, pictures, texts
from dsr.samples.lumees.tables import ACCOUNT, CHAT, GATEWAY, WEB
from dsr.samples.people import SamplePerson, known_as, token
from dsr.samples.tables import Rows, Sample, row

NAME = "lumees"
DATABASES = {
    "account": "LUMEES_ACCOUNT_URL",
    "billing": "LUMEES_BILLING_URL",
    "gateway": "LUMEES_GATEWAY_URL",
    "chat": "LUMEES_CHAT_URL",
    "web": "LUMEES_WEB_URL",
}
_MODELS = ("lumees-small", "lumees-large", "lumees-code", "lumees-embed")
_PATHS = ("/", "/chat", "/fiyatlar", '/docs?lang=tr&q="api"', "/account/billing")


def known(number: int) -> SamplePerson:
    """A person as Lumees' systems know them. The user id is a number in the database."""
    name, email = known_as(number)
    identifiers = {
        "email": frozenset({email}),
        "user_id": frozenset({str(_user(number))}),
        "payment_customer": frozenset({payments.customer_id(NAME, number)}),
        "api_key": frozenset(_key(number, count) for count in (1, 2)),
    }
    return SamplePerson(number, name, email, str(_user(number)), identifiers=identifiers)


def rows(person: SamplePerson, today: date, heavy_rows: int) -> Rows:
    """Everything that Lumees holds about one person."""
    yield from payments.rows(NAME, person, today)
    if person.is_gone:
        return
    yield from _account(person, today)
    yield from _requests(person, today, heavy_rows)
    yield from _prompts(person, today)
    yield from _chats(person, today)
    yield from _visits(person, today)


def strays(today: date) -> Rows:
    """Rows of nobody's collection: an unmapped list, an error without a key, a visitor who was not signed in."""
    noon = moments.midnight(today) - timedelta(days=2, hours=12)
    yield row("legacy_newsletter", email="ada@example.com", signed_up_on=date(2024, 5, 1))
    yield row(
        "error_logs",
        id=moments.row_id(noon, 0),
        key_id=None,
        level="fatal",
        message="restart after ada@example.com reported it",
        details=None,
        at=noon,
    )
    yield row(
        "access_log",
        id=moments.row_id(noon, 0),
        user_id=None,
        ip="203.0.113.9",
        browser=None,
        path="/?mail=ada@example.com",
        status=200,
        at=noon,
    )


def opted_in(person: SamplePerson) -> bool:
    """Whether this person's consent to keep API inputs and outputs is alive. Ada's is, Eve's is not."""
    return person.number % 7 == 0 and not person.is_leaving


def _account(person: SamplePerson, today: date) -> Rows:
    rng = person.rng("lumees/account")
    joined = moments.midnight(today) - timedelta(days=800 + person.number % 300, hours=9)
    yield row(
        "users",
        id=_user(person.number),
        email=person.email,
        name=person.name,
        password_hash="argon2-sample-" + token("lumees/password", person.number, 40),
        payment_customer=payments.customer_id(NAME, person.number),
        is_active=not person.is_leaving,
        joined_on=joined.date(),
        created_at=joined,
        deleted_at=person.deleted_at(today),
    )
    for count in (1, 2):
        key = token(f"lumees/key/{person.number}", count, 40)
        yield row(
            "api_keys",
            id=_key(person.number, count),
            user_id=_user(person.number),
            label=texts.HOSTILE[count] if person.is_named else texts.pick(rng, ("laptop", "sunucu", None)),
            prefix="lum-" + key[:6],
            key_hash=token("lumees/hash", key, 64),
            created_at=joined + timedelta(days=count),
            last_used_at=moments.midnight(today) - timedelta(hours=1 + rng.randrange(400)) if count == 1 else None,
        )
    yield from _consents(person, joined)


def _consents(person: SamplePerson, joined: datetime) -> Rows:
    """Diagnostics and improvement, each given, given and taken back, or never given."""
    for purpose, granted in (("diagnostics", opted_in(person)), ("improvement", person.number % 3 == 0)):
        taken_back = not granted and person.number % 5 == 1
        yield row(
            "consents",
            user_id=_user(person.number),
            purpose=purpose,
            granted=granted,
            wording="1",
            granted_at=joined + timedelta(days=3) if granted or taken_back else None,
            withdrawn_at=joined + timedelta(days=90) if taken_back else None,
        )


def _requests(person: SamplePerson, today: date, heavy_rows: int) -> Rows:
    rng = person.rng("lumees/requests")
    count = heavy_rows if person.is_heavy else person.amount(rng, 430, 14)
    keys = [_key(person.number, count) for count in (1, 2)]
    for moment in moments.spread(rng, count, 30, today):
        number = moments.row_id(moment, person.number)
        status = texts.pick(rng, (200, 200, 200, 200, 200, 200, 429, 500))
        key = texts.pick(rng, keys)
        yield row(
            "api_requests",
            id=number,
            key_id=key,
            model=texts.pick(rng, _MODELS),
            input_size=int(rng.random() * 9000),
            output_size=int(rng.random() * 4000) if status == 200 else 0,
            latency_ms=round(rng.random() * 4000, 2),
            status=status,
            at=moment,
        )
        if status == 500 and not person.is_heavy:
            yield row(
                "error_logs",
                id=number,
                key_id=key,
                level="error",
                message=texts.pick(rng, texts.HOSTILE if person.is_named else texts.SENTENCES),
                details={"stage": "decode", "retries": [1, 2], "cause": None},
                at=moment,
            )


def _prompts(person: SamplePerson, today: date) -> Rows:
    """What was sent and answered, kept for people with a live consent only."""
    if not opted_in(person):
        return
    rng = person.rng("lumees/prompts")
    written = texts.written(rng, person.amount(rng, 80, 4), named=person.is_named)
    for moment, asked in zip(moments.spread(rng, len(written), 30, today), written, strict=True):
        number = moments.row_id(moment, person.number)
        yield row(
            "prompts",
            id=number,
            user_id=_user(person.number),
            model=texts.pick(rng, _MODELS),
            input=asked,
            output=texts.pick(rng, texts.ANSWERS),
            at=moment,
        )
        if person.is_named and number % 9 == 0:
            for position, (media_type, content) in enumerate(
                (("image/png", pictures.picture(rng)), ("application/octet-stream", pictures.noise(rng, 2000))), start=1
            ):
                yield row(
                    "prompt_files",
                    prompt_id=number,
                    position=position,
                    file_name=texts.pick(rng, texts.FILE_NAMES),
                    media_type=media_type,
                    content=content,
                )


def _chats(person: SamplePerson, today: date) -> Rows:
    rng = person.rng("lumees/chats")
    written = texts.written(rng, 70, named=person.is_named)
    for started in moments.spread(rng, person.amount(rng, 25, 2), 400, today):
        conversation = f"chat_{moments.row_id(started, person.number)}"
        yield row(
            "conversations",
            id=conversation,
            user_id=_user(person.number),
            title=texts.pick(rng, texts.HOSTILE if person.is_named else texts.SENTENCES),
            model=texts.pick(rng, _MODELS),
            started_at=started,
        )
        for position in range(1, 7):
            is_theirs = position % 2 == 1
            asked = written.pop() if is_theirs and written else texts.pick(rng, texts.SENTENCES)
            yield row(
                "messages",
                conversation_id=conversation,
                position=position,
                role="user" if is_theirs else "assistant",
                content=asked if is_theirs else texts.pick(rng, texts.ANSWERS),
                rating=None if is_theirs else rng.choice((None, 1, 5)),
                at=started + timedelta(milliseconds=position),
            )


def _visits(person: SamplePerson, today: date) -> Rows:
    rng = person.rng("lumees/visits")
    for moment in moments.spread(rng, person.amount(rng, 120, 3), 30, today):
        number = moments.row_id(moment, person.number)
        yield row(
            "access_log",
            id=number,
            user_id=_user(person.number),
            ip=f"198.51.100.{number % 254 + 1}" if number % 5 else "2001:db8::" + f"{number % 9999:x}",
            browser=texts.pick(rng, texts.AGENTS),
            path=texts.pick(rng, _PATHS),
            status=texts.pick(rng, (200, 200, 304, 404)),
            at=moment,
        )


def _user(number: int) -> int:
    return 100_000 + number * 37


def _key(number: int, count: int) -> str:
    return "key_" + token(f"lumees/key-id/{number}", count, 12)


SAMPLE = Sample(NAME, DATABASES, (*ACCOUNT, *payments.tables(), *GATEWAY, *CHAT, *WEB), known, rows, strays, {})
