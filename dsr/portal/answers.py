"""What was answered so far, carried encrypted in the form itself. Nothing is stored before the request is sent."""

import base64
import binascii
import secrets
import time
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import orjson

from dsr import intake, keys, policy
from dsr.models import Relation

VALID_SECONDS = 2 * 3600
CONTEXT = b"portal.answers"
# What says who somebody is. It does not outlive the form: the next person at this screen may be another one.
OF_A_PERSON = frozenset({"email", "receipts", "name", "message"})
LONGEST = 64_000


class NotOurs(Exception):
    """The form holds no answers that we sealed: it was changed, cut short, or is from before a change of keys."""


@dataclass(frozen=True)
class Answers:
    """One form on its way. `nonce` makes sending it twice the same as sending it once."""

    right: str
    nonce: str
    claim: str
    begun_at: int
    values: dict[str, Any] = field(default_factory=dict)
    answered: tuple[str, ...] = ()
    is_changing: bool = False

    @property
    def is_stale(self) -> bool:
        """Whether the form was open for too long."""
        return not 0 <= time.time() - self.begun_at <= VALID_SECONDS

    @property
    def relation(self) -> str:
        return str(self.values.get("relation", Relation.SELF))

    @property
    def is_by_receipt(self) -> bool:
        """Whether receipts stand for the person here, and no address."""
        ways = policy.current().identity.ways
        if len(ways) > 1:
            return self.relation == Relation.SELF and self.values.get("way") == "receipt"
        return "receipt" in ways

    def keeping(self, step: str, values: dict[str, Any], *, is_answered: bool) -> "Answers":
        """With the answers of one page; a page that was left half-way counts as not answered."""
        plain = {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
        rest = tuple(known for known in self.answered if known != step)
        return replace(
            self, values=self.values | plain, answered=(*rest, step) if is_answered else rest, is_changing=False
        )

    def anew(self) -> "Answers":
        """A fresh form with what may be kept of this one."""
        kept = {name: value for name, value in self.values.items() if name not in OF_A_PERSON}
        return replace(begin(self.right), values=kept)

    def sealed(self) -> str:
        """For the hidden field."""
        plain = orjson.dumps(
            [self.right, self.nonce, self.claim, self.begun_at, self.values, self.answered, self.is_changing]
        )
        return base64.urlsafe_b64encode(keys.seal_field(plain, CONTEXT)).decode()

    def asked(self, language: str) -> intake.Asked:
        """What intake is told. Categories that the policy dropped meanwhile are left out."""
        known = {category.id for category in policy.current().categories}
        values = self.values
        # Who changed the way has answered both questions. Only the one on the path counts: receipts prove nothing
        # about an address.
        receipts = tuple(values.get("receipts", ())) if self.is_by_receipt else ()
        return intake.Asked(
            right=self.right,
            nonce=self.nonce,
            relation=self.relation,
            email="" if self.is_by_receipt else values.get("email", ""),
            name=values.get("name", ""),
            country=values.get("country", ""),
            language=language,
            since=_date(values.get("since")),
            until=_date(values.get("until")),
            categories=tuple(id for id in values.get("categories", ()) if id in known),
            format=values.get("format") or "jsonl",
            receipts=receipts,
            message=values.get("message", ""),
            claim=self.claim if receipts else "",
        )


def begin(right: str) -> Answers:
    """An empty form."""
    return Answers(right, secrets.token_urlsafe(24), intake.new_claim_code(), int(time.time()))


def opened(sealed: str) -> Answers:
    """The answers in a hidden field. Raises NotOurs."""
    if not sealed or len(sealed) > LONGEST:
        raise NotOurs
    try:
        plain = keys.open_field(base64.urlsafe_b64decode(sealed.encode()), CONTEXT)
    except (keys.DoesNotOpen, binascii.Error, ValueError) as error:
        raise NotOurs from error
    right, nonce, claim, begun_at, values, answered, is_changing = orjson.loads(plain)
    return Answers(right, nonce, claim, begun_at, values, tuple(answered), is_changing)


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
