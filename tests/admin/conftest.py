"""A desk: ben and cleo signed in with two factors, eve with nothing to do, and Lumio's policy."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from dsr import policy
from tests import cast


@pytest.fixture(autouse=True)
def _desk(db: None, lumio: policy.Policy, settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


@pytest.fixture
def ben() -> User:
    return cast.ben()


@pytest.fixture
def cleo() -> User:
    return cast.cleo()


@pytest.fixture
def eve() -> User:
    return cast.eve()


@pytest.fixture
def at_ben(ben: User) -> Client:
    return cast.signed_in_staff_client(ben)


@pytest.fixture
def at_cleo(cleo: User) -> Client:
    return cast.signed_in_staff_client(cleo)


@pytest.fixture
def at_eve(eve: User) -> Client:
    return cast.signed_in_staff_client(eve)
