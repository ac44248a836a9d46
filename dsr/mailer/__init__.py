"""How mail leaves: into a folder, to an SMTP server, or by a provider's API. Read from DSR_MAIL."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from dsr.environment import WrongSetting
from dsr.mailer.providers import PROVIDERS, Provider

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Way:
    """The way that mail takes, as Django's settings name it."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    is_tls_from_start: bool = False
    is_starttls: bool = False
    anymail: dict[str, Any] = field(default_factory=dict, repr=False)
    headers: dict[str, str] = field(default_factory=dict)


def configured(address: str) -> Way:
    """The way that an address names. Raises WrongSetting, which never repeats the address: it holds a password."""
    if address == "outbox":
        return Way("django.core.mail.backends.filebased.EmailBackend")
    try:
        parts = urlsplit(address)
        port = parts.port
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise _not_understood() from None
    if parts.scheme in ("smtp", "smtps"):
        return _smtp(parts, port, options)
    if parts.scheme in PROVIDERS:
        return _provider(parts, options, PROVIDERS[parts.scheme])
    raise _not_understood()


def _not_understood() -> WrongSetting:
    return WrongSetting(
        "DSR_MAIL is not understood. Allowed are: outbox, or smtp://user:password@host:587?tls=1, "
        f"or a provider such as postmark://TOKEN@ (docs/mail.md): {', '.join(sorted(PROVIDERS))}."
    )


def _smtp(parts: SplitResult, port: int | None, options: dict[str, str]) -> Way:
    if not parts.hostname:
        raise _not_understood()
    if parts.path.strip("/") or options.keys() - {"tls"} or options.get("tls", "0") not in ("0", "1"):
        raise WrongSetting("DSR_MAIL has more than is understood after the host. Allowed is ?tls=1 for STARTTLS.")
    is_tls = parts.scheme == "smtps"
    is_starttls = options.get("tls") == "1"
    if is_tls and is_starttls:
        raise WrongSetting("DSR_MAIL begins with smtps, which is TLS from the start, and asks for tls=1. Take one.")
    return Way(
        "django.core.mail.backends.smtp.EmailBackend",
        host=parts.hostname,
        port=port or (465 if is_tls else 587),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        is_tls_from_start=is_tls,
        is_starttls=is_starttls,
    )


def _provider(parts: SplitResult, options: dict[str, str], provider: Provider) -> Way:
    name = parts.scheme
    if parts.hostname or parts.path.strip("/"):
        raise WrongSetting(
            f"DSR_MAIL has more than is understood for {name}. What it needs besides its key stands behind a question "
            f"mark: {name}://KEY@?{'&'.join(f'{option}=…' for option in provider.allowed) or 'api=…'}."
        )
    if unknown := sorted(options.keys() - set(provider.allowed)):
        raise WrongSetting(f"DSR_MAIL has {unknown[0]!r} for {name}. Allowed are: {', '.join(provider.allowed)}.")
    given = {"key": unquote(parts.username or ""), "secret": unquote(parts.password or ""), **options}
    if missing := [need for need in provider.needs if not given.get(need)]:
        raise WrongSetting(f"DSR_MAIL lacks the {missing[0]} of {name}. It looks like {provider.example(name)}.")
    if given["secret"] and "secret" not in provider.keys:
        raise WrongSetting(f"DSR_MAIL has a colon in the key of {name}. Write %3A for a colon that belongs to it.")
    if "api" in options and not _is_safe(options["api"]):
        raise WrongSetting("DSR_MAIL has an api that is no https address. Keys and mails must not travel in the open.")
    if options.get("region") and provider.regions and options["region"] not in provider.regions:
        raise WrongSetting(f"DSR_MAIL has a region {name} does not know here. Allowed: {', '.join(provider.regions)}.")
    return Way(provider.backend, anymail=provider.settings(given), headers=provider.headers)


def _is_safe(api: str) -> bool:
    found = urlsplit(api)
    return bool(found.hostname) and (found.scheme == "https" or (found.scheme == "http" and found.hostname in LOOPBACK))
