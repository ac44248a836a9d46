"""Supervisory authorities, and the last day to turn to one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from dsr.policy.days import Calendar
from dsr.policy.model import Authority
from dsr.policy.rules import RULES

__all__ = ["AUTHORITIES", "Authority", "authority_for", "complaint_deadline"]

PLACE = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{1,3}))?")


def authority_for(country: str, lead: Authority | None = None) -> Authority | None:
    """The authority of a country ("DE") or its subdivision ("DE-BE", "US-CA"), else the controller's own.

    A subdivision without an authority of its own falls back to its country's.
    """
    found = PLACE.fullmatch(country.strip().upper())
    if found is None:
        return lead
    nation = SAME_AS.get(found[1], found[1])
    return AUTHORITIES.get(f"{nation}-{found[2]}") or AUTHORITIES.get(nation) or lead


def complaint_deadline(rule: str, *, requested_on: date, answered_on: date | None = None) -> date | None:
    """The last day to complain to the authority, or None where the rule sets none.

    Counted from the answer and from the request, whichever ends first (KVKK Art. 14: 30 days and 60 days); without
    an answer, from the request.
    """
    complaint = RULES[rule].complaint
    if complaint is None:
        return None
    days = Calendar()
    latest = days.plus(requested_on, complaint.after_request)
    if answered_on is None:
        return latest
    if answered_on < requested_on:
        raise ValueError(f"Answered on {answered_on}, before the request of {requested_on}.")
    return min(latest, days.plus(answered_on, complaint.after_answer))


def _load(path: Path) -> tuple[Mapping[str, Authority], Mapping[str, str]]:
    """The authorities by country or subdivision, and the other names these go by."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    authorities = {place: Authority(country=place.split("-")[0], **entry) for place, entry in raw["authority"].items()}
    return authorities, raw["same_as"]


AUTHORITIES, SAME_AS = _load(Path(__file__).with_name("authorities.toml"))
