"""Where changes may come from, and the headers of every page."""

import pytest
from django.test import Client

from dsr.models import Case, State
from tests.portal.browsing import browser, verified

pytestmark = pytest.mark.django_db
PUBLIC = ("/en/", "/en/policy/", "/en/accessibility/", "/en/ask/?right=access", "/en/follow/", "/en/claim/",
          "/en/nothing/", "/accent.css", "/robots.txt", "/.well-known/security.txt", "/health", "/ready")  # fmt: skip


def post(**headers: str):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(headers=names, SERVER_NAME="localhost").post("/en/claim/", {"claim": "x"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:8000.evil.example"},
        {"origin": "http://localhost:8000/"},
        {"origin": "https://localhost:8000"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
        {"referer": "http://localhost:8000/en/claim/"},
    ],
)
def test_other_sites_change_nothing(headers: dict[str, str]) -> None:
    """csrf: neither from another site, nor without a word about where from."""
    response = post(**headers)
    assert response.status_code == 403
    assert b"nothing was changed" in response.content


@pytest.mark.parametrize("headers", [{"origin": "http://localhost:8000"}, {"sec_fetch_site": "same-origin"},
                                     {"origin": "null", "sec_fetch_site": "same-origin"}])  # fmt: skip
def test_our_own_pages_do(headers: dict[str, str]) -> None:
    assert post(**headers).status_code == 200


def test_another_name_for_this_machine_is_ours_in_the_sample_only(settings) -> None:
    def there() -> int:
        client = Client(headers={"origin": "http://127.0.0.1:8765", "host": "127.0.0.1:8765"})
        return client.post("/en/claim/", {"claim": "x"}).status_code

    assert there() == 200
    settings.DSR_DEMO = settings.DEBUG = False
    assert there() == 403


def test_a_foreign_form_cannot_withdraw() -> None:
    """csrf: not even with the person's session."""
    ada = browser()
    case = verified(ada)
    response = ada.post(f"/en/r/{case.pk}/withdraw/", headers={"origin": "https://evil.example"})
    assert response.status_code == 403
    assert Case.objects.get(pk=case.pk).state == State.VERIFIED


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_every_unsafe_method_is_asked(method: str) -> None:
    assert getattr(Client(SERVER_NAME="localhost"), method)("/en/").status_code == 403


@pytest.mark.parametrize("path", PUBLIC)
def test_every_page_carries_the_headers(path: str) -> None:
    response = browser().get(path)
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]
    assert "Cache-Control" in response


@pytest.mark.parametrize("path", PUBLIC)
def test_no_public_page_sets_a_cookie(path: str) -> None:
    client = browser()
    response = client.get(path)
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "") or path in ("/en/follow/",)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "localhost:8000@evil.example", "[::2]", "x y", "a,b"]
)
def test_a_foreign_host_is_refused(host: str) -> None:
    """host: 400, whatever page."""
    for path in ("/en/", "/en/ask/?right=access", "/en/follow/"):
        response = browser().get(
            path, headers={"host": host} if host else {}, **({} if host else {"SERVER_NAME": "x y"})
        )
        assert response.status_code == 400
        assert b"evil.example" not in response.content


def test_a_forwarded_host_is_not_believed() -> None:
    response = browser().get("/en/", headers={"x-forwarded-host": "evil.example"})
    assert response.status_code == 200
    assert b"evil.example" not in response.content
