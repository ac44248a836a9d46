"""The policy as objects, and what a policy may not say."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from dsr.policy import Period, Policy, Text

Load = Callable[..., Policy]
Problems = Callable[..., dict[str, str]]
AUTOMATED = '[[automated_decision]]\ntitle = "t"\nsentence = "s"\nhow_to_contest = "h"\n[[purpose]]'


def test_every_right_has_an_answer(load: Load) -> None:
    rights = load().rights
    assert list(rights)[:3] == ["access", "export", "correction"]
    assert [name for name, right in rights.items() if right.offered] == ["access", "correction"]
    assert rights["access"].within == Period(30, "day")
    assert rights["opt-out"].title


def test_a_right_may_have_its_own_words(load: Load) -> None:
    own = load({"[rights.correction]": '[rights.correction]\ntitle = "Mend it"'})
    assert own.right("correction").title == Text("Mend it")
    with pytest.raises(KeyError):
        own.right("gone")


def test_things_are_found_by_their_id(load: Load) -> None:
    found = load()
    assert found.category("usage") in found.categories_of("run")
    assert found.purpose("run").title == Text("Running it")
    with pytest.raises(KeyError):
        found.category("gone")


def test_a_recipient_without_categories_receives_from_all(load: Load) -> None:
    assert [found.id for found in load({'categories = ["usage"]': ""}).recipients_of("anything")] == ["host"]
    assert load().recipients_of("anything") == ()


def test_a_retention_that_is_a_period_is_also_counted(load: Load) -> None:
    assert load().categories[0].keep_for == Period(30, "day")
    assert load({'"30 days"\nerase': '"while the account is active"\nerase'}).categories[0].keep_for is None
    own = load({'"30 days"\nerase': '"30 days"\nkeep_for = "40 days"\nerase'})
    assert own.categories[0].keep_for == Period(40, "day")


def test_nothing_changes_after_loading(load: Load) -> None:
    with pytest.raises(ValidationError):
        load().organisation.name = "Another"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("edits", "place"),
    [
        ({"privacy@example.com": "[email\xa0protected]"}, "organisation.email"),
        ({"privacy@example.com": "privacy@example.İo"}, "organisation.email"),
        ({"privacy@example.com": "a@b.example\\nBcc: eve@b.example"}, "organisation.email"),
        ({'"Example GmbH"': '"Example\\r\\nGmbH"'}, "organisation.name"),
        ({'accent = "#0b5f58"': 'website = "javascript:alert(1)"'}, "organisation.website"),
        ({'accent = "#0b5f58"': 'accent = "red"'}, "organisation.accent"),
        ({'accent = "#0b5f58"': 'accent_dark = "#0b5f58"'}, "organisation.accent_dark"),
        ({'accent = "#0b5f58"': 'subdivision = "XX"'}, "organisation"),
        ({'within = "30 days"': 'within = "soon"'}, "rights.access.within"),
        ({'id = "run"': 'id = "../run"'}, "purpose[1].id"),
        ({"erase = true": "erase = false"}, "category[1]"),
        ({'"example.respond-30"': '"respond"'}, "promise[1].id"),
        ({'right = "access"': 'right = "export"'}, "promise[1].right"),
        ({'automated_decisions = "none"\n': ""}, "automated_decisions"),
        ({"[[purpose]]": AUTOMATED}, "automated_decisions"),
        ({"[[purpose]]": "[identity]\nstand_in = true\n[[purpose]]"}, "identity"),
        ({"[[purpose]]": "[identity]\ncookies = false\n[[purpose]]"}, "identity"),
        ({'categories = ["usage"]': 'categories = ["use"]'}, "recipient[1].categories[1]"),
        ({"[[promise]]": "[delivery]\nexpires_days = 0\n[[promise]]"}, "delivery.expires_days"),
    ],
)
def test_what_a_policy_may_not_say(load: Load, problems: Problems, edits: dict[str, str], place: str) -> None:
    assert place in problems(load, edits)


def test_an_unreadable_accent_is_refused_with_its_ratio(load: Load, problems: Problems) -> None:
    found = problems(load, {"#0b5f58": "#7fb5b0"})["organisation.accent"]
    assert found == '"#7fb5b0", a contrast of 2.20 against the light page'


def test_a_dark_accent_is_made_when_none_is_given(load: Load) -> None:
    assert load().organisation.dark_accent != load().organisation.accent
    own = load({'accent = "#0b5f58"': 'accent_dark = "#6fc8ba"'})
    assert own.organisation.dark_accent == "#6fc8ba"


def test_an_id_stands_once(load: Load, problems: Problems) -> None:
    again = '[[purpose]]\nid = "run"\ntitle = "t"\nlegal_basis = "consent"\nsentence = "s"\n[[category]]'
    assert problems(load, {"[[category]]": again}) == {"purpose[2].id": '"run" a second time'}


def test_a_complete_policy_fills_every_slot(load: Load) -> None:
    assert load().slots_missing() == []


@pytest.mark.parametrize(
    ("edits", "slot"),
    [
        ({"[rights.correction]\noffered = true": "[rights.correction]\noffered = false"}, "rights"),
        ({'country = "AT"': 'country = "US"'}, "safeguards"),
        ({'country = "AT"': 'country = ""'}, "safeguards"),
        ({'value = "DE"': 'value = ""', 'country = "AT"': 'country = "AT"\nsafeguard = "clauses"'}, "authority"),
    ],
)
def test_an_empty_slot_is_named(load: Load, edits: dict[str, str], slot: str) -> None:
    assert load(edits).slots_missing() == [slot]


def test_a_policy_without_recipients_has_that_slot_empty(load: Load) -> None:
    without = load().model_copy(update={"recipients": ()})
    assert without.slots_missing() == ["recipients"]
