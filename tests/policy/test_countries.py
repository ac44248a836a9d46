"""The lists of countries are whole."""

from dsr.policy.countries import COUNTRIES, EEA, OFTEN_MEANT


def test_the_lists_have_as_many_entries_as_the_world() -> None:
    assert len(COUNTRIES) == 249
    assert len(EEA) == 30
    assert set(OFTEN_MEANT.values()) | EEA <= COUNTRIES
    assert not COUNTRIES & OFTEN_MEANT.keys()
