"""System checks: what is wrong with the policy and systems files, and what in them is assumed or missing."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.utils.translation import gettext as _

from dsr import policy


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
