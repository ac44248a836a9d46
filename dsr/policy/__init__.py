"""What is held, why, for how long, which rights exist and how fast: read from two files, obeyed everywhere else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsr.policy.loading import Version, load, load_all, load_systems
from dsr.policy.model import Policy
from dsr.policy.problem import PolicyError, Problem
from dsr.policy.schema import policy_schema, systems_schema
from dsr.policy.systems import Systems
from dsr.policy.text import Period, Text

__all__ = [
    "NotConfigured",
    "Period",
    "Policy",
    "PolicyError",
    "Problem",
    "Systems",
    "Text",
    "Version",
    "configure",
    "current",
    "load",
    "load_all",
    "load_systems",
    "schema",
    "systems",
    "systems_schema",
    "versions",
]


class NotConfigured(Exception):
    """No policy and systems file has been read: DSR_POLICY and DSR_SYSTEMS are not set."""


@dataclass
class _State:
    """What this process obeys. Set once at the start; tests set it again."""

    policy: Policy | None = None
    systems: Systems | None = None
    versions: tuple[Version, ...] = ()
    error: PolicyError | None = None


_state = _State()


def configure(policy_path: Path | str, systems_path: Path | str) -> None:
    """Read both files. Raises PolicyError with the problems of both, and current() raises it again from then on."""
    _state.policy = _state.systems = _state.error = None
    _state.versions = ()
    problems: list[Problem] = []
    read: Policy | None = None
    try:
        read = load(policy_path)
        _state.versions = tuple(Version(found.version, found.published) for found in load_all(policy_path))
    except PolicyError as error:
        problems += error.problems
    try:
        found = load_systems(systems_path, read)
    except PolicyError as error:
        problems += error.problems
    if problems:
        _state.error = PolicyError(problems)
        raise _state.error
    _state.policy, _state.systems = read, found


def current() -> Policy:
    """The policy in force. Raises NotConfigured, or the PolicyError that configure met."""
    if _state.policy is None:
        raise _state.error or NotConfigured("No policy was read: set DSR_POLICY and DSR_SYSTEMS.")
    return _state.policy


def systems() -> Systems:
    """The systems. Raises NotConfigured, or the PolicyError that configure met."""
    if _state.systems is None:
        raise _state.error or NotConfigured("No systems file was read: set DSR_POLICY and DSR_SYSTEMS.")
    return _state.systems


def versions() -> tuple[Version, ...]:
    """Every version of the policy that the file or folder holds, oldest first; later ones may lie in the future."""
    return _state.versions


def schema() -> dict[str, Any]:
    """The JSON Schema of the policy file, for editors."""
    return policy_schema()
