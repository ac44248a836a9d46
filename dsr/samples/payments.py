"""The mirror of a payment provider that most companies keep: customers, invoices, payments. No card numbers."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from dsr.samples import moments, texts
from dsr.samples.people import SamplePerson, token
from dsr.samples.tables import Rows, Table, row

CENT = Decimal("0.01")
MOST_MONTHS = 82  # below seven years, with the month that has begun


def tables(system: str = "billing") -> tuple[Table, ...]:
    """The three tables, in the system of this name."""
    return (
        Table(system, "customers", _CUSTOMERS, ("id",), "customers"),
        Table(system, "invoices", _INVOICES, ("id",), "invoices", ("customer",)),
        Table(system, "payments", _PAYMENTS, ("id",), "payments", ("customer",)),
    )


def customer_id(sample: str, number: int) -> str:
    """The payment provider's name for this person."""
    return "cus_" + token(f"{sample}/customer", number)


def rows(sample: str, person: SamplePerson, today: date, *, named: int = 60) -> Rows:
    """Everything about one person: the customer, and an invoice with its payment for each month."""
    rng = person.rng(f"{sample}/payments")
    customer = customer_id(sample, person.number)
    months = moments.months_back(today, min(MOST_MONTHS, person.amount(rng, named, 9) + _long_ago(person)))
    since = months[0] if months else today - timedelta(days=40)
    yield row(
        "customers",
        id=customer,
        email=person.email,
        name=person.name,
        phone="+1 202 555 01" + f"{person.number % 100:02}" if person.number % 3 else None,
        address={
            "line1": "1 Sample Street",
            "city": texts.pick(rng, ("Köln", "İzmir", "São Paulo", "Pune")),
            "state": None,
        },
        balance=Decimal(rng.randrange(-5000, 5000)) * CENT,
        delinquent=person.number % 17 == 3,
        created=_on(since),
    )
    for count, month in enumerate(months, start=1):
        invoice = f"in_{token(f'{sample}/invoice/{customer}', count)}"
        amount = Decimal(rng.choice((900, 2900, 2900, 12345))) * CENT
        yield row(
            "invoices",
            id=invoice,
            customer=customer,
            number=f"S-{person.number:05}-{count:04}",
            status="paid" if count % 19 else "void",
            currency="usd",
            amount=amount,
            tax=(amount * Decimal("0.19")).quantize(CENT) if person.number % 2 else None,
            paid=bool(count % 19),
            period_start=month,
            period_end=_month_after(month),
            lines=[{"plan": "studio", "seats": 1 + count % 3, "note": texts.pick(rng, texts.SENTENCES)}],
            created=_on(month),
        )
        if count % 19:
            yield row(
                "payments",
                id=f"py_{token(f'{sample}/payment/{customer}', count)}",
                customer=customer,
                invoice=invoice,
                amount=amount,
                currency="usd",
                card_brand=texts.pick(rng, ("visa", "mastercard", "amex")),
                card_last4=f"{rng.randrange(10_000):04}",
                failure=None if count % 7 else "insufficient_funds, paid at the second try",
                created=_on(month) + timedelta(seconds=rng.randrange(86_400)),
            )


def _long_ago(person: SamplePerson) -> int:
    """Some people have been paying for nearly seven years; the oldest records show the limit is kept."""
    return MOST_MONTHS if person.number % 40 == 12 else 0


def _on(day: date) -> datetime:
    return moments.midnight(day) + timedelta(hours=6)


def _month_after(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


_CUSTOMERS = {
    "id": "VARCHAR(40)",
    "email": "VARCHAR(200)",
    "name": "VARCHAR(200)",
    "phone": "VARCHAR(40)",
    "address": "JSON",
    "balance": "DECIMAL(12,2)",
    "delinquent": "BOOLEAN",
    "created": "DATETIME",
}
_INVOICES = {
    "id": "VARCHAR(40)",
    "customer": "VARCHAR(40)",
    "number": "VARCHAR(40)",
    "status": "VARCHAR(20)",
    "currency": "CHAR(3)",
    "amount": "DECIMAL(12,2)",
    "tax": "DECIMAL(12,2)",
    "paid": "BOOLEAN",
    "period_start": "DATE",
    "period_end": "DATE",
    "lines": "JSON",
    "created": "DATETIME",
}
_PAYMENTS = {
    "id": "VARCHAR(40)",
    "customer": "VARCHAR(40)",
    "invoice": "VARCHAR(40)",
    "amount": "DECIMAL(12,2)",
    "currency": "CHAR(3)",
    "card_brand": "VARCHAR(20)",
    "card_last4": "CHAR(4)",
    "failure": "TEXT",
    "created": "DATETIME",
}
