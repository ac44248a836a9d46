"""The mail providers that django-anymail reaches, and what each wants to know. A new one is one entry here.

Whether a receiver opens a mail or follows its link is nobody's business: where a provider can be told not to watch,
each mail tells it so; for the others docs/mail.md says where to turn it off.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Seconds to connect, and between two bytes.
TIMEOUT = (10, 30)


@dataclass(frozen=True)
class Provider:
    """One provider: anymail's module, what its settings begin with, and which of them hold what DSR_MAIL gives."""

    module: str
    prefix: str
    keys: Mapping[str, str]  # "key", and "secret" where there are two: the name of anymail's setting
    options: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    regions: Mapping[str, str] = field(default_factory=dict)  # the address of the API, by region
    can_be_told_not_to_watch: bool = True
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def backend(self) -> str:
        """As Django's EMAIL_BACKEND wants it."""
        return f"anymail.backends.{self.module}.EmailBackend"

    @property
    def allowed(self) -> tuple[str, ...]:
        """What may stand behind the question mark."""
        return (*self.options, *(("region",) if self.regions else ()), "api")

    @property
    def needs(self) -> tuple[str, ...]:
        """What must be given."""
        return (*self.keys, *self.required)

    def settings(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Anymail's settings for what was given."""
        named = {**self.keys, **self.options, "api": "API_URL"}
        found: dict[str, Any] = {f"{self.prefix}_{named[name]}": given[name] for name in named if given.get(name)}
        if given.get("region") and "api" not in given:
            found[f"{self.prefix}_API_URL"] = self.regions[given["region"]]
        found["REQUESTS_TIMEOUT"] = TIMEOUT
        if self.can_be_told_not_to_watch:
            found["SEND_DEFAULTS"] = {"track_opens": False, "track_clicks": False}
        return found

    def example(self, name: str) -> str:
        """How DSR_MAIL looks."""
        key = ":".join(["KEY", "SECRET"][: len(self.keys)])
        more = "&".join(f"{option}=…" for option in self.required)
        return f"{name}://{key}@{'?' if more else ''}{more}"


PROVIDERS: dict[str, Provider] = {
    "brevo": Provider("brevo", "BREVO", {"key": "API_KEY"}, can_be_told_not_to_watch=False),
    "mailersend": Provider("mailersend", "MAILERSEND", {"key": "API_TOKEN"}),
    "mailgun": Provider(
        "mailgun", "MAILGUN", {"key": "API_KEY"}, {"domain": "SENDER_DOMAIN"},
        regions={"us": "https://api.mailgun.net/v3", "eu": "https://api.eu.mailgun.net/v3"},
    ),
    "mailjet": Provider("mailjet", "MAILJET", {"key": "API_KEY", "secret": "SECRET_KEY"}),
    "mailtrap": Provider("mailtrap", "MAILTRAP", {"key": "API_TOKEN"}, can_be_told_not_to_watch=False),
    "mandrill": Provider("mandrill", "MANDRILL", {"key": "API_KEY"}),
    "postal": Provider("postal", "POSTAL", {"key": "API_KEY"}, required=("api",), can_be_told_not_to_watch=False),
    # Postmark makes a Message-ID of its own unless it is told to keep ours.
    "postmark": Provider(
        "postmark", "POSTMARK", {"key": "SERVER_TOKEN"}, {"stream": "MESSAGE_STREAM"}, headers={"X-PM-KeepID": "true"}
    ),
    "resend": Provider("resend", "RESEND", {"key": "API_KEY"}, can_be_told_not_to_watch=False),
    "scaleway": Provider(
        "scaleway", "SCALEWAY", {"key": "SECRET_KEY"}, {"project": "PROJECT_ID"}, ("project",),
        can_be_told_not_to_watch=False,
    ),
    "sendgrid": Provider(
        "sendgrid", "SENDGRID", {"key": "API_KEY"},
        regions={"global": "https://api.sendgrid.com/v3/", "eu": "https://api.eu.sendgrid.com/v3/"},
    ),
    "sparkpost": Provider(
        "sparkpost", "SPARKPOST", {"key": "API_KEY"}, {"subaccount": "SUBACCOUNT"},
        regions={"us": "https://api.sparkpost.com/api/v1/", "eu": "https://api.eu.sparkpost.com/api/v1/"},
    ),
}  # fmt: skip
