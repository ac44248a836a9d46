"""Signing people in by a code that is mailed to them.

allauth's own login by code makes a code only for an address that has a user, counts wrong codes in the session and
keeps the code there in the clear. Here every address gets the same treatment, so nothing tells whether it is known;
wrong codes are counted in a row; and a user is made only when the right code was typed. The rest is allauth's:
the adapter, the rate limits, the record of how and when somebody signed in.

Call `confirm` outside a transaction: a rollback would take the count of wrong codes back.
"""

import time
import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.stagekit import clear_login
from allauth.core.internal import ratelimit
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.adapter import AccountAdapter
from accounts.models import SignInCode, User, plain_address, random_id

MINUTES = 30
MAX_TRIES = 5
PURGED_AT_ONCE = 10_000
# allauth's public consume() takes its rates from a setting, and without an entry there it limits nothing.
# The key is an address as seen from one network, so that a stranger who asks or guesses in somebody's name does not
# lock them out. "anywhere" is what one address gets from all networks together, and at five tries a code it bounds
# the guesses too.
LIMITS = {
    "ask": "3/10m/key,5/h/key,8/d/key,100/h/ip",
    "anywhere": "10/h/key,20/d/key",
    "guess": "20/h/key,100/h/ip",
}
SESSION_KEY = "accounts.code"


class NotSignedIn(Exception):
    """The code did not sign anybody in."""


class WrongCode(NotSignedIn):
    """The code is not the one that was mailed."""

    def __init__(self, tries_left: int) -> None:
        super().__init__(f"{tries_left} tries left")
        self.tries_left = tries_left


class CodeExpired(NotSignedIn):
    """There is no code to compare with: none was asked for here, it was used, or its time is up."""


class TooManyTries(NotSignedIn):
    """Too many wrong codes were typed, in this session or for this address. A new code has to be asked for."""


class AccountClosed(NotSignedIn):
    """The code was right, but staff closed this account."""


class TooManyCodes(Exception):
    """More codes were asked for than are sent to one address, or from one network, in such a time."""


@dataclass(frozen=True)
class Waiting:
    """What a session remembers of the code it asked for."""

    id: str
    email: str


def start(request: HttpRequest, email: str) -> None:
    """Mails a code to this address, valid for MINUTES in this session; a code asked for before stops working.

    Raises ValidationError for what is no address, and TooManyCodes.
    """
    email = plain_address(email)
    validate_email(email)
    if not (_allowed(request, "ask", _from_here(request, email)) and _allowed(request, "anywhere", email)):
        raise TooManyCodes
    adapter = _adapter()
    code = adapter.generate_login_code()
    _forget(request)
    _remember(request, email, code)
    adapter.deliver_code(email, code, MINUTES)


def waiting_for(request: HttpRequest) -> str:
    """The address whose code this session waits for, or an empty string."""
    waiting = _waiting(request)
    return waiting.email if waiting else ""


def confirm(request: HttpRequest, code: str) -> User:
    """Signs in the owner of the address, making the user if there is none, and rotates the session.

    Raises WrongCode, TooManyTries, CodeExpired and AccountClosed.
    """
    waiting = _waiting(request)
    if waiting is None:
        raise CodeExpired
    if not _allowed(request, "guess", _from_here(request, waiting.email)):
        raise TooManyTries
    _compare(waiting, code)
    del request.session[SESSION_KEY]
    user = _user_of(waiting.email)
    if not user.is_active:
        raise AccountClosed
    _sign_in(request, user)
    return user


def recently_confirmed(request: HttpRequest, *, minutes: int) -> bool:
    """Whether the person signed in here typed a right code within the last minutes."""
    times = [float(r["at"]) for r in get_authentication_records(request, request.user) if r["method"] == "code"]  # type: ignore[arg-type]
    return bool(times) and time.time() - max(times) < minutes * 60


def _adapter() -> AccountAdapter:
    adapter = get_adapter()
    if not isinstance(adapter, AccountAdapter):
        raise TypeError("ACCOUNT_ADAPTER must name a subclass of accounts.adapter.AccountAdapter")
    return adapter


def _from_here(request: HttpRequest, email: str) -> str:
    return f"{email} {ratelimit.get_ip(request)}"


def _allowed(request: HttpRequest, action: str, key: str) -> bool:
    # limit_get: a GET must not get round a limit.
    usage = ratelimit.consume(request, app="accounts", action=action, config=LIMITS, key=key, limit_get=True)
    return usage is not None


def _digest(pk: str, email: str, code: str) -> str:
    return salted_hmac("accounts.codes", f"{pk}|{email}|{code}", algorithm="sha256").hexdigest()


def _remember(request: HttpRequest, email: str, code: str) -> None:
    pk = random_id()
    expires_at = timezone.now() + timedelta(minutes=MINUTES)
    SignInCode.objects.create(id=pk, digest=_digest(pk, email, code), expires_at=expires_at)
    request.session[SESSION_KEY] = {"id": pk, "email": email}


def forget_expired() -> int:
    """Deletes the codes whose time is up; to be called now and then. How many.

    What somebody has in hand at this moment is left for the next time.
    """
    with transaction.atomic():
        expired = SignInCode.objects.filter(expires_at__lt=timezone.now()).order_by("expires_at")
        found = list(expired.select_for_update(skip_locked=True).values_list("pk", flat=True)[:PURGED_AT_ONCE])
        deleted, _ = SignInCode.objects.filter(pk__in=found).delete()
    return deleted


def _forget(request: HttpRequest) -> None:
    """Ends the code this session asked for before."""
    waiting = _waiting(request)
    if waiting:
        SignInCode.objects.filter(pk=waiting.id).delete()


def _waiting(request: HttpRequest) -> Waiting | None:
    kept = request.session.get(SESSION_KEY)
    return Waiting(kept["id"], kept["email"]) if kept else None


def _compare(waiting: Waiting, code: str) -> None:
    """Counts the try first, in one UPDATE, so that parallel guesses are each counted; then compares."""
    codes = SignInCode.objects.filter(pk=waiting.id, expires_at__gt=timezone.now())
    counted = codes.filter(tries__lt=MAX_TRIES).update(tries=F("tries") + 1)
    kept = codes.first()
    if kept is None:
        raise CodeExpired
    if not counted:
        raise TooManyTries
    if not constant_time_compare(kept.digest, _digest(waiting.id, waiting.email, _digits(code))):
        if kept.tries >= MAX_TRIES:
            raise TooManyTries
        raise WrongCode(MAX_TRIES - kept.tries)
    # Of two requests with the right code, the one that deletes the row signs in.
    deleted, _ = codes.delete()
    if not deleted:
        raise CodeExpired


def _digits(code: str) -> str:
    """The digits of what was typed: spaces and dashes do not count, and each script's digits do."""
    return "".join(str(unicodedata.digit(char)) for char in code[:64] if char.isdigit())


def _user_of(email: str) -> User:
    # No allauth EmailAddress: for an address that has one its staff pages ask the database fewer questions, which
    # would tell who was here before. Staff, who have a password to reset, get theirs from the command.
    with transaction.atomic():
        user, created = User.objects.get_or_create(email=email)
        if created:
            user.set_unusable_password()
            user.save(update_fields=["password"])
    return user


def _sign_in(request: HttpRequest, user: User) -> None:
    if request.user.pk != user.pk:
        # Half of somebody's sign-in (a password typed, the second factor still due) must not become part of this one.
        clear_login(request)
    get_adapter().login(request, user)
    record_authentication(request, user, method="code")
