"""A support desk as companies rent them: contacts, tickets, their messages, and attached files."""

from datetime import date, timedelta

from dsr.samples import moments, pictures, texts
from dsr.samples.people import SamplePerson, token
from dsr.samples.tables import Rows, Table, row


def tables(system: str = "support") -> tuple[Table, ...]:
    """The four tables, in the system of this name."""
    return (
        Table(system, "contacts", _CONTACTS, ("id",), "contacts", ("email",)),
        Table(system, "tickets", _TICKETS, ("id",), "tickets", ("contact_id",)),
        Table(system, "ticket_messages", _MESSAGES, ("ticket_id", "position"), "messages"),
        Table(system, "attachments", _ATTACHMENTS, ("ticket_id", "position"), "attachments"),
    )


def contact_id(sample: str, number: int) -> str:
    """The support desk's name for this person."""
    return "con_" + token(f"{sample}/contact", number, 10)


def rows(sample: str, person: SamplePerson, today: date, *, named: int = 12) -> Rows:
    """Everything about one person in the support desk."""
    rng = person.rng(f"{sample}/desk")
    contact = contact_id(sample, person.number)
    written = texts.written(rng, 5 * named, named=person.is_named)
    yield row(
        "contacts",
        id=contact,
        email=_as_typed(person),
        name=person.name,
        is_blocked=False,
        created_at=moments.midnight(today) - timedelta(days=400 + person.number % 90),
    )
    for opened in moments.spread(rng, person.amount(rng, named, 1), 350, today):
        ticket = moments.row_id(opened, person.number)
        yield row(
            "tickets",
            id=ticket,
            contact_id=contact,
            subject=texts.pick(rng, texts.HOSTILE if person.is_named else texts.SENTENCES),
            status=texts.pick(rng, ("open", "waiting", "solved")),
            satisfaction=rng.choice((None, 1, 5)),
            tags=rng.sample(["billing", "login", "رمز", "bug, urgent", "=tag"], 2),
            opened_at=opened,
        )
        for position in range(1, 6):
            yield row(
                "ticket_messages",
                ticket_id=ticket,
                position=position,
                author="customer" if position % 2 else "agent",
                body=written.pop() if written and position % 2 else texts.pick(rng, texts.ANSWERS),
                internal_note="Asked the team; see the runbook." if position == 4 else None,
                sent_at=opened + timedelta(minutes=7 * position),
            )
        if person.is_named and rng.random() < 0.5:
            yield from _attachments(rng.getrandbits(32), person, ticket)


def _attachments(seed: int, person: SamplePerson, ticket: int) -> Rows:
    rng = person.rng(f"attachments/{seed}")
    for position, (media_type, content) in enumerate(
        (
            ("image/png", pictures.picture(rng)),
            ("application/octet-stream", pictures.noise(rng, 3000)),
            ("text/plain", "\r\n".join(texts.HOSTILE[:6]).encode()),
        ),
        start=1,
    ):
        yield row(
            "attachments",
            ticket_id=ticket,
            position=position,
            file_name=texts.pick(rng, texts.FILE_NAMES),
            media_type=media_type,
            size=len(content),
            content=content,
        )


def _as_typed(person: SamplePerson) -> str:
    """The address as this person typed it into a mail program; the named ones did not mind about capitals."""
    return person.email.title() if person.is_named else person.email


_CONTACTS = {
    "id": "VARCHAR(40)",
    "email": "VARCHAR(200)",
    "name": "VARCHAR(200)",
    "is_blocked": "BOOLEAN",
    "created_at": "DATETIME",
}
_TICKETS = {
    "id": "INTEGER",
    "contact_id": "VARCHAR(40)",
    "subject": "TEXT",
    "status": "VARCHAR(20)",
    "satisfaction": "SMALLINT",
    "tags": "JSON",
    "opened_at": "DATETIME",
}
_MESSAGES = {
    "ticket_id": "INTEGER",
    "position": "SMALLINT",
    "author": "VARCHAR(20)",
    "body": "TEXT",
    "internal_note": "TEXT",
    "sent_at": "DATETIME",
}
_ATTACHMENTS = {
    "ticket_id": "INTEGER",
    "position": "SMALLINT",
    "file_name": "TEXT",
    "media_type": "VARCHAR(100)",
    "size": "INTEGER",
    "content": "BLOB",
}
