"""What every page knows: who runs this portal, and how it may be reached."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from dsr import policy
from dsr.policy.colour import text_on
from dsr.policy.model import Organisation, Policy

FILE_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
SHEET = """:root:not([data-theme=dark]) {{ --accent: {light}; --on: {on_light} }}
@media screen and (prefers-color-scheme: dark) {{ :root:not([data-theme]) {{ --accent: {dark}; --on: {on_dark} }} }}
"""


@dataclass(frozen=True)
class Site:
    """The facts of the policy that stand on every page."""

    organisation: Organisation
    zone: str
    contact: str
    contact_name: str
    security_email: str
    by_code: bool
    by_receipt: bool
    sheet: str
    sheet_version: str
    is_sample: bool
    has_outbox: bool


def site(request: HttpRequest | None = None) -> dict[str, Any]:
    """Context processor. Without a policy (a command, a broken start) pages still render, with nothing in them."""
    try:
        return {"site": _site(policy.current(), bool(settings.DSR_DEMO), has_outbox())}
    except (policy.NotConfigured, policy.PolicyError):
        return {"site": None}


def has_outbox() -> bool:
    """Whether mails are written to files and shown: in sample mode only, since they hold codes."""
    return bool(settings.DSR_DEMO) and settings.EMAIL_BACKEND == FILE_BACKEND


@lru_cache(maxsize=4)
def _made(current: "Held", is_sample: bool, has_outbox: bool) -> Site:
    organisation = current.policy.organisation
    sheet = SHEET.format(
        light=organisation.accent,
        on_light=text_on(organisation.accent),
        dark=organisation.dark_accent,
        on_dark=text_on(organisation.dark_accent),
    )
    return Site(
        organisation=organisation,
        zone=organisation.timezone.split("/")[-1].replace("_", " "),
        contact=organisation.dpo.email if organisation.dpo else organisation.email,
        contact_name=organisation.dpo.name if organisation.dpo else "",
        security_email=current.policy.security.email,
        by_code="code" in current.policy.identity.ways,
        by_receipt="receipt" in current.policy.identity.ways,
        sheet=sheet,
        sheet_version=hashlib.sha256(sheet.encode()).hexdigest()[:12],
        is_sample=is_sample,
        has_outbox=has_outbox,
    )


class Held:
    """Wraps a policy so that it is compared by identity: hashing all of its texts on each page would be slow."""

    def __init__(self, held: Policy) -> None:
        self.policy = held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and other.policy is self.policy

    def __hash__(self) -> int:
        return id(self.policy)


def _site(current: Policy, is_sample: bool, has_outbox: bool) -> Site:
    return _made(Held(current), is_sample, has_outbox)
