"""What machines look for."""

from datetime import UTC, datetime, timedelta

import pytest

from dsr import policy, samples
from dsr.policy import colour
from tests.portal.browsing import browser, text

pytestmark = pytest.mark.django_db


def test_alive_and_ready() -> None:
    assert text(browser().get("/health")) == "ok\n"
    assert text(browser().get("/ready")) == "ready\n"


def test_security_txt_follows_its_rfc() -> None:
    lines = dict(line.split(": ", 1) for line in text(browser().get("/.well-known/security.txt")).splitlines())
    assert lines["Contact"] == "mailto:security@lumio.so"
    expires = datetime.strptime(lines["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(days=1) < expires - datetime.now(UTC) < timedelta(days=365)
    assert lines["Canonical"] == "http://localhost:8000/.well-known/security.txt"


def test_links_come_from_the_configured_origin(settings) -> None:
    settings.DSR_ORIGIN = "https://privacy.lumio.example"
    assert "https://privacy.lumio.example/en/policy/" in text(browser().get("/.well-known/security.txt"))


def test_robots_stay_away_from_people() -> None:
    assert "Disallow: /*/r/" in text(browser().get("/robots.txt"))


@pytest.mark.parametrize("name", samples.NAMES)
def test_the_accent_can_be_read_in_both_schemes(company, name: str) -> None:
    company(name)
    organisation = policy.current().organisation
    sheet = text(browser().get("/accent.css"))
    for accent, ground in ((organisation.accent, colour.LIGHT_GROUND), (organisation.dark_accent, colour.DARK_GROUND)):
        assert f"--accent: {accent}; --on: {colour.text_on(accent)}" in sheet
        assert colour.contrast(accent, colour.text_on(accent)) >= colour.READABLE
        assert colour.contrast(accent, ground) >= colour.READABLE
