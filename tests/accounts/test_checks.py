"""What sign-in needs of the settings is checked at the start."""

from typing import Any

import pytest
from django.core.checks import run_checks


@pytest.mark.parametrize("name", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_a_cache_of_one_process_is_an_error(settings: Any, name: str) -> None:
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{name}"}}
    assert "accounts.E001" in [message.id for message in run_checks()]


def test_a_shared_cache_is_none() -> None:
    assert "accounts.E001" not in [message.id for message in run_checks()]
