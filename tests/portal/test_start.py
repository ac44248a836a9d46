"""The public pages, drawn from each company's file."""

import pytest
from django.core.handlers.wsgi import get_script_name
from django.urls import set_script_prefix

from dsr import samples
from dsr.portal import drawn, start
from tests.portal.browsing import browser, text

pytestmark = pytest.mark.django_db


def test_the_bare_address_leads_to_a_language() -> None:
    assert browser().get("/")["Location"] == "/en/"


@pytest.mark.parametrize("name", samples.NAMES)
def test_each_company_says_what_can_be_asked(company, name: str) -> None:
    policy = company(name)
    page = text(browser().get("/en/"))
    for right in policy.offered:
        assert str(right.title) in page.replace("&#x27;", "'")
        is_linked = f"?right={right.name}" in page
        assert is_linked == (right.name in start.CARRIED)
    assert policy.organisation.email in page
    for right in policy.rights.values():
        assert right.offered or f"?right={right.name}" not in page


@pytest.mark.parametrize("name", samples.NAMES)
def test_each_policy_page_tells_all_of_it(company, name: str) -> None:
    policy = company(name)
    page = text(browser().get("/en/policy/")).replace("&#x27;", "'").replace("&quot;", '"').replace("&amp;", "&")
    told = [category.title for category in policy.categories] + [category.retention for category in policy.categories]
    told += [purpose.sentence for purpose in policy.purposes] + [promise.words for promise in policy.promises]
    told += [recipient.name for recipient in policy.recipients] + list(policy.never)
    assert not [words for words in map(str, told) if words not in page]


@pytest.mark.parametrize("name", samples.NAMES)
def test_every_link_within_the_portal_leads_somewhere(company, name: str) -> None:
    company(name)
    client = browser()
    for page in ("/en/", "/en/policy/", "/en/accessibility/"):
        shown = text(client.get(page))
        links = {part.split('"')[0] for part in shown.split('href="')[1:]}
        for link in links:
            path, _, anchor = link.partition("#")
            if anchor and not path:
                assert f'id="{anchor}"' in shown
            elif path.startswith("/") and not path.startswith("/static/"):
                assert client.get(path).status_code in (200, 302), link


def test_a_processor_offers_its_customers_users_a_way(company) -> None:
    company("lumio")
    assert "built with Lumio" in text(browser().get("/en/ask/?right=access"))
    company("lunos")
    assert "built with" not in text(browser().get("/en/ask/?right=access"))


def test_a_stand_in_says_that_it_is_one(company) -> None:
    company("lumyxai")
    assert "Sign-in through NabzClan is not built yet" in text(browser().get("/en/"))


def test_public_pages_are_drawn_anew_for_another_policy(company) -> None:
    company("lumio")
    assert "Lumio" in text(browser().get("/en/"))
    company("lunos")
    assert "Lumio" not in text(browser().get("/en/"))


def test_public_pages_ask_the_database_nothing(django_assert_num_queries) -> None:
    client = browser()
    with django_assert_num_queries(0):
        for path in ("/en/", "/en/policy/", "/en/ask/?right=access", "/en/claim/", "/health", "/accent.css"):
            assert client.get(path).status_code == 200


def test_no_header_moves_the_links_of_a_page_that_is_drawn_once() -> None:
    """host: web servers take SCRIPT_NAME from a header, and whoever sent it first would send everybody astray."""
    drawn._kept.clear()
    set_script_prefix(get_script_name({"SCRIPT_NAME": "/evil"}))  # as Django's WSGI handler begins each request
    try:
        page = text(browser().get("/en/policy/"))
    finally:
        set_script_prefix("/")
        drawn._kept.clear()
    assert 'href="/en/' in page
    assert "/evil" not in page


@pytest.mark.parametrize("name", samples.NAMES)
def test_the_policy_page_names_countries_in_words_and_ends_sentences_once(company, name: str) -> None:
    company(name)
    shown = text(browser().get("/en/policy/"))
    assert "United States" in shown
    assert ".." not in shown.replace("...", "")
