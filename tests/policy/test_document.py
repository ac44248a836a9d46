"""Files as read: marks, syntax, and refusals that say what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dsr import policy
from dsr.policy import Policy, PolicyError, Problem


def refusal(path: Path) -> Problem:
    with pytest.raises(PolicyError) as caught:
        policy.load(path)
    (problem,) = caught.value.problems
    return problem


def test_marks_are_taken_out_and_remembered(load: Callable[..., Policy]) -> None:
    marked = load({'id = "host"': 'assumed = true\nid = "host"', "about = {": "about = { assumed = true,"})
    assert marked.assumed == ("published", "organisation.about", "organisation.country", "recipient[1]")
    assert marked.organisation.country == "DE"
    assert marked.organisation.about.languages == ("en", "de")


def test_a_mark_that_says_false_is_no_mark(load: Callable[..., Policy]) -> None:
    assert load({"2025-12-15, assumed = true": "2025-12-15, assumed = false"}).assumed == ("organisation.country",)


def test_a_mark_is_true_or_false(policy_file: Callable[..., Path]) -> None:
    problem = refusal(policy_file({"2025-12-15, assumed = true": '2025-12-15, assumed = "yes"'}))
    assert (problem.place, problem.line, problem.found) == ("published.assumed", 3, '"yes"')


def test_a_syntax_error_has_its_line(policy_file: Callable[..., Path]) -> None:
    problem = refusal(policy_file({'name = "Example GmbH"': "name = Example GmbH"}))
    assert (problem.file, problem.line) == ("policy.toml", 9)


def test_an_unfinished_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('rules = [\n"gdpr",\n')
    assert refusal(tmp_path / "policy.toml").file == "policy.toml"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    problem = refusal(tmp_path / "gone.toml")
    assert problem.file == "gone.toml"
    assert str(tmp_path) in problem.hint


def test_a_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_bytes('name = "Müller"'.encode("latin-1"))
    assert "UTF-8" in refusal(tmp_path / "policy.toml").found


def test_every_problem_is_told_at_once_and_in_the_order_of_the_file(policy_file: Callable[..., Path]) -> None:
    edits = {'["gdpr"]': '["gdrp"]', 'short = "Example"': "shrot = 3", "erase = true": 'erase = "yes"'}
    edits |= {'purposes = ["run"]': 'purposes = ["rum"]', "2026-01-01": '"2026-01-01"'}
    with pytest.raises(PolicyError) as caught:
        policy.load(policy_file(edits))
    told = [(problem.line, problem.place) for problem in caught.value.problems]
    assert told == [
        (2, "version"),
        (4, "rules[1]"),
        (8, "organisation.short"),
        (10, "organisation.shrot"),
        (34, "category[1].purposes[1]"),
        (37, "category[1].erase"),
    ]
    assert str(caught.value).startswith("6 problems in the configuration:\n  policy.toml, line 2, version: found")


@pytest.mark.parametrize(
    ("edits", "hint"),
    [
        ({"[rights.correction]": "[rights.corection]"}, "did you mean 'correction'?"),
        ({'short = "Example"': 'short = "E"\nweb_site = "x"'}, "did you mean 'website'?"),
        ({'legal_basis = "contract"': 'legal_basis = "consnt"'}, "did you mean 'consent'?"),
        ({'purposes = ["run"]': 'purposes = ["rnu"]'}, "did you mean 'run'?"),
        ({"rules =": "ruls = 3\nrules ="}, "did you mean 'rules'?"),
        ({'value = "DE"': 'value = "UK"'}, "did you mean 'GB'?"),
        ({"Europe/Berlin": "europe/berlni"}, "did you mean 'Europe/Berlin'?"),
    ],
)
def test_a_hint_names_what_was_probably_meant(
    policy_file: Callable[..., Path], edits: dict[str, str], hint: str
) -> None:
    assert refusal(policy_file(edits)).hint == hint


def test_a_missing_fact_is_to_be_given_or_marked_as_assumed(policy_file: Callable[..., Path]) -> None:
    problem = refusal(policy_file({'timezone = "Europe/Berlin"\n': ""}))
    assert (problem.place, problem.found) == ("organisation.timezone", "nothing")
    assert "timezone = { value = ..., assumed = true }" in problem.hint


def test_a_list_of_wrong_entries_is_not_also_called_empty(
    load: Callable[..., Policy], problems: Callable[..., dict[str, str]]
) -> None:
    assert problems(load, {'rules = ["gdpr"]': 'rules = ["x"]'}) == {"rules[1]": '"x"'}
    assert problems(load, {'rules = ["gdpr"]': "rules = []"}) == {"rules": "a list"}
