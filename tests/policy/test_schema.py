"""The JSON Schemas accept what the loader accepts, and refuse what it refuses."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # comes with frictionless, has no types

from dsr import policy, samples


def refusals(schema: dict[str, Any], path: Path) -> list[str]:
    """What an editor would underline. Dates become texts, as editors for TOML treat them."""
    data = json.loads(json.dumps(tomllib.loads(path.read_text()), default=str))
    return [error.json_path for error in Draft202012Validator(schema).iter_errors(data)]


def test_the_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(policy.schema())
    Draft202012Validator.check_schema(policy.systems_schema())


def test_the_small_files_fit(policy_file: Callable[..., Path], systems_file: Callable[..., Path]) -> None:
    marks = {
        'id = "host"': 'assumed = true\nid = "host"',
        'rules = ["gdpr"]': 'rules.value = ["gdpr"]\nrules.assumed = true',
    }
    assert refusals(policy.schema(), policy_file(marks)) == []
    assert refusals(policy.systems_schema(), systems_file()) == []


@pytest.mark.parametrize("name", samples.NAMES)
def test_the_samples_fit(name: str) -> None:
    assert refusals(policy.schema(), samples.policy_path(name)) == []
    assert refusals(policy.systems_schema(), samples.systems_path(name)) == []


@pytest.mark.parametrize(
    "edits",
    [
        {"short =": "shrot ="},
        {"[rights.correction]": "[rights.corection]"},
        {'"gdpr"': '"gdrp"'},
        {"erase = true": 'erase = "yes"'},
        {'within = "30 days"': 'within = "soon"'},
        {"2025-12-15, assumed": "2025-12-15, asumed"},
    ],
)
def test_what_is_wrong_is_underlined(policy_file: Callable[..., Path], edits: dict[str, str]) -> None:
    assert refusals(policy.schema(), policy_file(edits))


def test_beside_a_preset_less_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "systems.toml"
    begin = '[[system]]\nname = "a"\nurl_env = "A"\n'
    own = '[[system.collection]]\nname = "account"\ntitle = "You"\n'
    file.write_text(f'{begin}preset = "litellm"\n{own}')
    assert refusals(policy.systems_schema(), file) == []
    file.write_text(f'{begin}preset = "litellm"\n{own}colums = {{}}\n')
    assert refusals(policy.systems_schema(), file) != []
    file.write_text(f'{begin}title = "A"\nkind = "sql"\n{own}')
    assert refusals(policy.systems_schema(), file) == ["$.system[0].collection[0]"] * 3
    file.write_text(begin)
    assert refusals(policy.systems_schema(), file) != []
