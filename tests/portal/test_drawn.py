import gzip

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip", "gzip;q=0.5, br", "GZIP".lower()])
def test_a_public_page_is_compressed_for_who_takes_it(lumio, accepted: str) -> None:
    plain = Client().get("/en/policy/")
    packed = Client().get("/en/policy/", headers={"Accept-Encoding": accepted})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 3
    assert "Accept-Encoding" in plain["Vary"]
    assert "Accept-Encoding" in packed["Vary"]


@pytest.mark.parametrize("accepted", ["", "br", "identity", "gzip;q=0", "gzip; q=0.0, br"])
def test_and_for_nobody_else(lumio, accepted: str) -> None:
    assert "Content-Encoding" not in Client().get("/en/policy/", headers={"Accept-Encoding": accepted}).headers


def test_pages_that_hold_a_secret_are_never_compressed(lumio) -> None:
    """The question pages carry sealed answers; the size of a compressed page would tell of them (BREACH)."""
    page = Client().get("/en/ask/?right=access", headers={"Accept-Encoding": "gzip"})
    assert b'name="state"' in page.content
    assert "Content-Encoding" not in page.headers
