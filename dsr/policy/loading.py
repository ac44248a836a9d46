"""Reads policy and systems files from disk: all their problems at once, or the objects."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from dsr.policy import document, preset, references
from dsr.policy.document import Document
from dsr.policy.model import Policy
from dsr.policy.problem import PolicyError, Problem
from dsr.policy.systems import Systems

Kind = TypeVar("Kind", Policy, Systems)


@dataclass(frozen=True)
class Version:
    """One version of the policy: the day it is in force from, and the day it was published."""

    version: date
    published: date


def load(path: Path | str, today: date | None = None) -> Policy:
    """The policy in a file, or the newest one in force in a folder of *.toml files. Raises PolicyError."""
    path = Path(path)
    if not path.is_dir():
        return _load_file(path)
    policies = load_all(path)
    in_force = [policy for policy in policies if policy.version <= (today or _today(policy))]
    if not in_force:
        first = min(policy.version for policy in policies)
        hint = "the oldest file's version is the day the policy came into force"
        raise PolicyError([Problem("version", str(first), "a version that is not in the future", hint, path.name)])
    return max(in_force, key=lambda policy: policy.version)


def load_all(path: Path | str) -> list[Policy]:
    """Every version that a file or folder holds, oldest first. Raises PolicyError with the problems of all files."""
    path = Path(path)
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not files:
        raise PolicyError([Problem("", "a folder without *.toml files", "one file per version", file=path.name)])
    policies: dict[date, Policy] = {}
    problems: list[Problem] = []
    for file in files:
        try:
            policy = _load_file(file)
        except PolicyError as error:
            problems += error.problems
            continue
        if policy.version in policies:
            problems.append(Problem("version", f"{policy.version} again", "one file per version", file=file.name))
        policies[policy.version] = policy
    if problems:
        raise PolicyError(problems)
    return [policies[version] for version in sorted(policies)]


def load_systems(path: Path | str, policy: Policy | None) -> Systems:
    """The systems file, checked against the policy when there is one. Raises PolicyError."""
    found = document.read(path, marks=False)
    categories = None if policy is None else tuple(category.id for category in policy.categories)
    written_out, misused = preset.expanded(found.data, categories)
    if misused:  # what the rest would say of a system whose preset is not there is no help
        raise _refused(found, misused)
    found = replace(found, data=written_out)
    problems = [*references.in_systems(found.data, categories)]
    taken = {problem.path for problem in problems}
    systems = _validated(Systems, found, marks=False)
    if isinstance(systems, list):
        problems = [*(problem for problem in systems if problem.path not in taken), *problems]
    if problems or isinstance(systems, list):
        raise _refused(found, problems)
    return systems


def _load_file(path: Path) -> Policy:
    found = document.read(path, marks=True)
    problems = [*references.in_policy(found.data)]
    policy = _validated(Policy, found, marks=True)
    if isinstance(policy, list):
        problems = [*policy, *problems]
    if problems or isinstance(policy, list):
        raise _refused(found, problems)
    return policy.model_copy(update={"assumed": found.assumed})


def _validated(kind: type[Kind], found: Document, *, marks: bool) -> Kind | list[Problem]:
    try:
        return kind.model_validate(found.data)
    except ValidationError as error:
        return document.explain(error, kind, marks=marks)


def _refused(found: Document, problems: list[Problem]) -> PolicyError:
    """The error with every problem once, in the order of the file."""
    return PolicyError(sorted(map(found.located, problems), key=lambda problem: problem.line or 0))


def _today(policy: Policy) -> date:
    return datetime.now(ZoneInfo(policy.organisation.timezone)).date()
