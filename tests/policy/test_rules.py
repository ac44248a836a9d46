"""rules.toml as a lawyer may change it: what it must say, and what is refused."""

from pathlib import Path

import pytest

from dsr.policy import rules
from dsr.policy.problem import PolicyError
from dsr.policy.rules import RULES, Rule, load_rules

SHIPPED = Path(rules.__file__).with_name("rules.toml").read_text(encoding="utf-8")


def test_every_rule_has_its_source_and_its_dates() -> None:
    expected = {"gdpr", "uk-gdpr", "uk-complaint", "ccpa", "ccpa-optout", "kvkk", "lgpd", "pipeda", "promise"}
    assert set(RULES) == expected
    for name, rule in RULES.items():
        assert rule.law
        assert rule.title
        assert rule.checked_on >= rule.effective_from
        assert rule.source.startswith("https://") or name == "promise"


def load(tmp_path: Path, old: str, new: str) -> Rule:
    """The first rule, after one change to the file."""
    assert old in SHIPPED
    path = tmp_path / "rules.toml"
    path.write_text(SHIPPED.replace(old, new, 1), encoding="utf-8")
    return load_rules(path)["gdpr"]


def test_a_changed_number_is_a_new_version_and_a_new_check_is_not(tmp_path: Path) -> None:
    assert load(tmp_path, 'total = "3 months"', 'total = "4 months"').version != RULES["gdpr"].version
    assert load(tmp_path, "checked_on = 2026-11-21", "checked_on = 2027-11-21").version == RULES["gdpr"].version


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('answer = "1 month"', 'answer = "a month"', "gdpr.answer"),
        ('answer = "1 month"', 'answr = "1 month"', "gdpr.answr"),
        ('answer = "1 month"', 'answer = "1 hour"', "gdpr"),
        ('answer = "1 month"\n', "", "gdpr"),
        ('answer = "1 month"', 'answer = "1 month"\nas_promised = true', "gdpr"),
        ('day_off = "next working day"', 'day_off = "moved"', "gdpr.day_off"),
        ('identity = "pauses"', 'identity = "stops"', "gdpr.questions.identity"),
        ("checked_on = 2026-11-21\n", "", "gdpr.checked_on"),
        ("[gdpr]", "[gdpr", ""),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, old: str, new: str, place: str) -> None:
    with pytest.raises(PolicyError) as refused:
        load(tmp_path, old, new)
    assert place in [problem.place for problem in refused.value.problems]
    assert all(problem.file == "rules.toml" for problem in refused.value.problems)
