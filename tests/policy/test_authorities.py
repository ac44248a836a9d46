"""Which authority a person is pointed to, and until when."""

from datetime import date

import pytest

from dsr.policy.authorities import AUTHORITIES, Authority, authority_for, complaint_deadline

EU = [
    *[
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
]
EEA = ["IS", "LI", "NO"]
LEAD = Authority(name="The lead", url="https://lead.example/", country="US")


@pytest.mark.parametrize("place", [*EU, *EEA, "GB", "TR", "US-CA", "BR", "CA", "CH"])
def test_every_promised_country_has_one(place: str) -> None:
    found = authority_for(place, LEAD)
    assert found is not None
    assert found != LEAD
    assert found.country == place[:2]


def test_every_entry_can_be_reached() -> None:
    for place, authority in AUTHORITIES.items():
        assert authority.name, place
        assert authority.url.startswith("https://"), place
        assert authority.address == authority.address.strip()


def test_turkey_names_the_institution_in_full() -> None:
    found = authority_for("TR")
    assert found is not None
    assert found.name == "Kişisel Verileri Koruma Kurumu"


@pytest.mark.parametrize(
    ("place", "same"), [("de", "DE"), (" FR\n", "FR"), ("UK", "GB"), ("EL", "GR"), ("RE", "FR"), ("ES-MD", "ES")]
)
def test_spellings_and_subdivisions_reach_the_country(place: str, same: str) -> None:
    assert authority_for(place) == AUTHORITIES[same]


def test_a_subdivision_with_its_own_authority_gets_that_one() -> None:
    assert authority_for("DE-BE") == AUTHORITIES["DE-BE"] != AUTHORITIES["DE"]
    assert authority_for("CA-QC") == AUTHORITIES["CA-QC"] != AUTHORITIES["CA"]
    assert authority_for("CA-ON") == AUTHORITIES["CA"]


@pytest.mark.parametrize("place", ["", "US", "US-NY", "XX", "Germany", "-", "DE-", "../DE"])
def test_elsewhere_it_is_the_controllers_own(place: str) -> None:
    assert authority_for(place, LEAD) == LEAD
    assert authority_for(place, None) is None


@pytest.mark.parametrize(
    ("requested", "answered", "last"),
    [
        (date(2026, 3, 2), date(2026, 4, 1), date(2026, 5, 1)),  # the worked example: both end on the same day
        (date(2026, 3, 2), date(2026, 3, 10), date(2026, 4, 9)),  # the answer came soon: 30 days after it
        (date(2026, 3, 2), date(2026, 4, 20), date(2026, 5, 1)),  # late: 60 days after the request all the same
        (date(2026, 3, 2), None, date(2026, 5, 1)),
    ],
)
def test_the_board_can_be_reached_until_the_earlier_day(requested: date, answered: date | None, last: date) -> None:
    assert complaint_deadline("kvkk", requested_on=requested, answered_on=answered) == last


def test_other_rules_set_no_last_day() -> None:
    assert complaint_deadline("gdpr", requested_on=date(2026, 3, 2), answered_on=date(2026, 4, 1)) is None


def test_an_answer_before_the_request_is_refused() -> None:
    with pytest.raises(ValueError, match="before the request"):
        complaint_deadline("kvkk", requested_on=date(2026, 3, 2), answered_on=date(2026, 3, 1))
