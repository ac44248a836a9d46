"""System checks: what is wrong or assumed in the policy and systems files, and settings that do not go together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.utils.translation import gettext as _

from dsr import mailer, policy

# Kinds of file systems that lie on another machine, as Linux names them (FUSE's without their first word).
NETWORK = ("nfs", "cifs", "smb", "ceph", "gluster", "9p", "afs", "lustre", "sshfs", "s3fs", "gcsfuse", "beegfs")


@checks.register
def policy_and_systems(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[checks.CheckMessage]:
    """dsr.E001 each problem of the files; dsr.E002 no files; then the warnings about what the files say."""
    try:
        current, systems = policy.current(), policy.systems()
    except policy.PolicyError as error:
        return [checks.Error(str(problem), hint=problem.hint or None, id="dsr.E001") for problem in error.problems]
    except policy.NotConfigured:
        hint = _("Set DSR_POLICY and DSR_SYSTEMS to the paths of the two files, or POLICY=lumio to try a sample.")
        return [checks.Error(_("No policy is configured."), hint=hint, id="dsr.E002")]
    return [*_assumed(current), *_slots(current), *_unmapped(current, systems)]


def _assumed(current: policy.Policy) -> list[checks.CheckMessage]:
    """dsr.W001: what the published policy leaves out. A sample's assumptions are known, and only told."""
    if not current.assumed:
        return []
    level = checks.INFO if settings.DSR_DEMO else checks.WARNING
    said = _("The policy file assumes what the published policy does not say: %(places)s.")
    hint = _("Put each into the published policy, or have it confirmed, and take away “assumed = true”.")
    places = ", ".join(current.assumed)
    return [checks.CheckMessage(level, said % {"places": places}, hint=hint, id="dsr.W001")]


def _slots(current: policy.Policy) -> list[checks.CheckMessage]:
    """dsr.W002: slots of an access letter that nothing fills, so that no access answer can be released."""
    hints = {
        "recipients": _("Name who receives data, one [[recipient]] for each."),
        "rights": _("Offer at least one of correction, deletion, restriction and objection."),
        "authority": _("Give [organisation.authority], or the country."),
        "safeguards": _("Write a safeguard for: %(names)s.")
        % {"names": ", ".join(recipient.id for recipient in current.unsafeguarded())},
    }
    said = _("Access answers are held: the policy leaves “%(slot)s” empty.")
    return [
        checks.Warning(said % {"slot": slot}, hint=hints.get(slot), id="dsr.W002") for slot in current.slots_missing()
    ]


def _unmapped(current: policy.Policy, systems: policy.Systems) -> list[checks.CheckMessage]:
    """dsr.W003: kinds of data that the policy lists and no system is said to hold: an answer would lack them."""
    missing = [category.id for category in current.categories if category.id not in systems.categories()]
    said = _("The policy lists data that no collection of the systems file holds: %(categories)s.")
    hint = _("Map a [[system.collection]] to each, or take the category out of the policy.")
    return [checks.Warning(said % {"categories": ", ".join(missing)}, hint=hint, id="dsr.W003")] if missing else []


@checks.register
def deployment(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[checks.CheckMessage]:
    """dsr.W004 to W009: settings that each are right, and together most likely not what was meant."""
    return [
        *_network_folder(Path(settings.DATA)),
        *_proxy(),
        *_several_machines(),
        *_open_bucket(),
        *_open_mail(),
        *_unsent_mail(),
    ]


def _warning(number: int, said: str, hint: str) -> list[checks.CheckMessage]:
    return [checks.Warning(said, hint=hint, id=f"dsr.W{number:03}")]


def _network_folder(folder: Path, mounts: Path = Path("/proc/mounts")) -> list[checks.CheckMessage]:
    """dsr.W004: SQLite and the broker's folder lock files, which network storage does unreliably or not at all."""
    is_sqlite = "sqlite3" in settings.DATABASES["default"]["ENGINE"]
    if not (is_sqlite or settings.CELERY_BROKER_URL.startswith("filesystem:")) or not mounts.exists():
        return []
    kinds = {Path(words[1]): words[2] for line in mounts.read_text().splitlines() if len(words := line.split()) > 2}
    kind = next((kinds[place] for place in (folder, *folder.parents) if place in kinds), "")
    if not kind.removeprefix("fuse.").startswith(NETWORK):
        return []
    return _warning(
        4,
        _("The data folder is on network storage (%(kind)s), where files cannot be locked safely.") % {"kind": kind},
        _("Use PostgreSQL (DSR_DATABASE) and Redis (DSR_BROKER_URL), or a disk of this machine."),
    )


def _proxy() -> list[checks.CheckMessage]:
    """dsr.W005: the portal speaks no TLS itself, so an https origin has a proxy in front, which is not believed."""
    if not settings.IS_HTTPS or settings.TRUSTED_PROXIES:
        return []
    return _warning(
        5,
        _("DSR_ORIGIN is https, so a proxy is in front, but DSR_TRUSTED_PROXIES is 0: every page leads to itself."),
        _("Set DSR_TRUSTED_PROXIES to how many proxies there are, usually 1. docs/proxies.md says how to set them up."),
    )


def _several_machines() -> list[checks.CheckMessage]:
    """dsr.W006: a broker elsewhere means workers elsewhere, and those cannot share a SQLite file."""
    host = urlsplit(settings.CELERY_BROKER_URL).hostname
    is_sqlite = "sqlite3" in settings.DATABASES["default"]["ENGINE"]
    if not is_sqlite or not settings.CELERY_BROKER_URL.startswith(("redis:", "rediss:")) or host in mailer.LOOPBACK:
        return []
    return _warning(
        6,
        _("The broker is on another machine, and the database is a SQLite file of this one."),
        _("Workers on several machines need PostgreSQL: set DSR_DATABASE."),
    )


def _open_bucket() -> list[checks.CheckMessage]:
    """dsr.W007: what is stored is sealed, but signatures and the names of requests would travel in the open."""
    endpoint = urlsplit(settings.STORAGES["bundles"].get("OPTIONS", {}).get("endpoint_url") or "")
    if endpoint.scheme != "http" or endpoint.hostname in mailer.LOOPBACK:
        return []
    return _warning(
        7, _("The bucket is reached over http, on another machine."), _("Give DSR_STORAGE an endpoint with https://.")
    )


def _open_mail() -> list[checks.CheckMessage]:
    """dsr.W008: the password for sending mail would travel in the open."""
    is_open = not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL)
    if not settings.EMAIL_HOST_PASSWORD or not is_open or settings.EMAIL_HOST in mailer.LOOPBACK:
        return []
    return _warning(
        8,
        _("DSR_MAIL sends a password to another machine without encryption."),
        _("Add ?tls=1 for STARTTLS, usually on port 587, or write smtps:// for port 465."),
    )


def _unsent_mail() -> list[checks.CheckMessage]:
    """dsr.W009: a portal that people reach, and whose codes they never get."""
    if settings.DSR_DEMO or not settings.IS_HTTPS or not settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
        return []
    return _warning(
        9,
        _("Mails are written into a folder and sent to nobody."),
        _("Set DSR_MAIL to a mail server or a provider: docs/mail.md."),
    )
