"""What the log says, through the very handler that the settings name."""

import io
import logging
import logging.config
from collections.abc import Iterator

import pytest
from django.conf import settings

from tests.portal.browsing import browser, file_by_receipt, text


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, as it is written."""
    configured = settings.LOGGING["formatters"]["line"]
    line = logging.config.DictConfigurator({"version": 1}).configure_formatter(dict(configured))
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(line)
    root = logging.getLogger()
    root.addHandler(handler)
    yield written
    root.removeHandler(handler)


@pytest.mark.django_db
def test_an_address_that_opens_a_request_is_not_logged(company, log: io.StringIO) -> None:
    company("lyumen")
    client = browser()
    done, _ = file_by_receipt(client, "rcpt_0123456789abcdef")
    token = text(done).partition("/en/o/")[2].partition("/")[0]
    assert client.get(f"/en/o/{token}/download/").status_code == 404
    assert client.post(f"/en/o/{token}/").status_code == 405
    assert client.post(f"/en/o/{token}/withdraw/", headers={"origin": "http://evil.example"}).status_code == 403
    assert "Not Found: /en/o/…/download/" in log.getvalue()
    assert token[:20] not in log.getvalue()


def test_a_key_that_sets_a_password_is_not_logged(log: io.StringIO) -> None:
    logging.getLogger("django.request").warning("Not Found: %s", "/staff/account/password/reset/key/1f-c0ffee-key/x/")
    assert "/key/…/x/" in log.getvalue()
    assert "c0ffee" not in log.getvalue()


def test_what_an_exception_says_is_not_logged(log: io.StringIO) -> None:
    typed = "@".join(["ada", "example.com"])  # in pieces: a traceback shows the lines of the code
    try:
        try:
            int(typed)
        except ValueError as error:
            raise KeyError(typed) from error
    except KeyError:
        logging.getLogger("django.request").exception("Internal Server Error: /en/ask/")
    told = log.getvalue()
    assert "builtins.ValueError" in told
    assert "builtins.KeyError" in told
    assert "test_logs.py" in told
    assert typed not in told
