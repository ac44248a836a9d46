"""Versions in a folder, and what a process obeys."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel

from dsr import policy, samples
from dsr.policy import NotConfigured, Policy, PolicyError, Systems, Version

DOCS = Path(__file__).parents[2] / "docs"


def keys(model: type[BaseModel]) -> set[str]:
    """Every key that may stand in a file, at any depth."""
    found = model.model_json_schema(by_alias=True)
    tables = [found, *found["$defs"].values()]
    return {key for table in tables for key in table.get("properties", {})}


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has read nothing yet."""
    monkeypatch.setattr(policy, "_state", policy._State())


@pytest.fixture
def folder(policy_file: Callable[..., Path]) -> Path:
    """Three versions, the last of them far in the future."""
    for year in (2025, 2026, 2999):
        policy_file({"2026-01-01": f"{year}-01-01"}, f"{year}.toml")
    return policy_file({}, "2026.toml").parent


def test_the_newest_version_in_force_is_obeyed(folder: Path) -> None:
    assert policy.load(folder, today=date(2026, 6, 1)).version == date(2026, 1, 1)
    assert policy.load(folder, today=date(2025, 12, 31)).version == date(2025, 1, 1)
    assert policy.load(folder, today=date(2999, 1, 1)).version == date(2999, 1, 1)


def test_a_folder_whose_versions_all_lie_in_the_future_is_refused(folder: Path) -> None:
    with pytest.raises(PolicyError, match="2025-01-01"):
        policy.load(folder, today=date(2024, 12, 31))


def test_a_version_stands_in_one_file_only(folder: Path, policy_file: Callable[..., Path]) -> None:
    policy_file({}, "again.toml")
    with pytest.raises(PolicyError, match="2026-01-01 again"):
        policy.load(folder)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="a folder without"):
        policy.load(tmp_path)


@pytest.mark.usefixtures("fresh")
def test_all_versions_are_listed(folder: Path, systems_file: Callable[..., Path], tmp_path: Path) -> None:
    systems = systems_file().rename(tmp_path / "systems")
    policy.configure(folder, systems)
    published = date(2025, 12, 15)
    assert policy.versions() == tuple(Version(date(year, 1, 1), published) for year in (2025, 2026, 2999))


@pytest.mark.usefixtures("fresh")
def test_what_was_never_read_cannot_be_asked() -> None:
    for ask in (policy.current, policy.systems):
        with pytest.raises(NotConfigured):
            ask()


@pytest.mark.usefixtures("fresh")
def test_both_files_problems_are_told_together_and_again(
    policy_file: Callable[..., Path], systems_file: Callable[..., Path]
) -> None:
    wrong = policy_file({"Europe/Berlin": "Nowhere"}), systems_file({'name = "app"': 'name = "App"'})
    with pytest.raises(PolicyError) as caught:
        policy.configure(*wrong)
    assert [problem.place for problem in caught.value.problems] == ["organisation.timezone", "system[1].name"]
    for ask in (policy.current, policy.systems):
        with pytest.raises(PolicyError):
            ask()


def test_the_examples_in_the_docs_are_right(tmp_path: Path) -> None:
    for name in ("policy", "systems"):
        words = (DOCS / f"{name}-file.md").read_text()
        (tmp_path / f"{name}.toml").write_text(words.split("```toml\n")[1].split("```")[0])
    found = policy.load(tmp_path / "policy.toml")
    assert found.slots_missing() == []
    assert policy.load_systems(tmp_path / "systems.toml", found).categories() == {"account", "invoices"}


@pytest.mark.parametrize(("name", "model"), [("policy", Policy), ("systems", Systems)])
def test_every_key_is_in_the_docs(name: str, model: type[BaseModel]) -> None:
    words = (DOCS / f"{name}-file.md").read_text()
    wanting = [key for key in keys(model) if not re.search(rf"[`\[.]{key}[`\]. ]", words)]
    assert wanting == []


@pytest.mark.parametrize("name", samples.NAMES)
def test_every_sample_is_right_and_can_answer(name: str) -> None:
    found = policy.load(samples.policy_path(name))
    systems = policy.load_systems(samples.systems_path(name), found)
    assert found.slots_missing() == []
    assert systems.categories() == {category.id for category in found.categories}
    assert {promise.id.split(".")[0] for promise in found.promises} == {name}
