"""Texts in languages, and periods."""

import pytest

from dsr.policy.text import Period, Text


def test_a_text_gives_the_language_asked_for_then_its_parent_then_the_first() -> None:
    words = Text({"en": "Hello", "pt": "Olá", "pt-BR": "Oi"})
    assert [words.text(language) for language in ("pt-br", "pt_PT", "tr", "EN")] == ["Oi", "Olá", "Hello", "Hello"]
    assert str(words) == "Hello"
    assert words.languages == ("en", "pt", "pt-BR")


def test_a_plain_text_serves_every_language() -> None:
    assert Text("Hello").text("tr") == "Hello"
    assert Text("Hello").languages == ()


@pytest.mark.parametrize("empty", [Text(), Text("  "), Text({}), Text({"en": "", "tr": " "})])
def test_an_empty_text_is_false(empty: Text) -> None:
    assert not empty
    assert Text({"en": "", "tr": "x"})


def test_texts_are_values() -> None:
    assert Text("a") == Text("a")
    assert len({Text("a"), Text("a"), Text({"en": "a"})}) == 2


@pytest.mark.parametrize("words", ["30 days", "1 month", "48 hours", "5 working days", "7 years", "1 working day"])
def test_a_period_reads_as_it_is_written(words: str) -> None:
    assert str(Period.parse(words)) == words


def test_a_period_knows_its_unit() -> None:
    assert Period.parse("5 working days") == Period(5, "working day")
    assert Period.parse("1 days") == Period(1, "day")


@pytest.mark.parametrize("words", ["", "30", "days", "0 days", "-1 days", "30days", "1.5 months", "30 days ", "٣ days"])
def test_what_is_not_a_period_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="is not a period"):
        Period.parse(words)
