"""Users: one an address, however it is written."""

import re

import pytest
from django.db import IntegrityError

from accounts.models import User, plain_address


def test_an_address_has_one_user_in_whatever_case() -> None:
    User.objects.create_user("Ada@Example.com")
    assert User.objects.get().email == "ada@example.com"
    with pytest.raises(IntegrityError):
        User.objects.create_user("ADA@example.com")


def test_the_database_refuses_an_address_that_is_not_in_its_stored_form() -> None:
    with pytest.raises(IntegrityError):
        User.objects.create(email="Ada@example.com")


def test_ids_are_random() -> None:
    first, second = User.objects.create_user("a@example.com"), User.objects.create_user("b@example.com")
    assert re.fullmatch("[0-9a-f]{32}", first.pk)
    assert first.pk[:8] != second.pk[:8]


def test_without_a_password_there_is_none_to_type() -> None:
    user = User.objects.create_user("ada@example.com")
    assert not user.has_usable_password()
    assert not user.is_staff
    assert not user.is_superuser


def test_a_superuser_is_staff() -> None:
    user = User.objects.create_superuser("cleo@example.com", "violet-harbour-41", name="Cleo (sample)")
    assert (user.is_staff, user.is_superuser, str(user)) == (True, True, "Cleo (sample)")
    assert User.objects.get_by_natural_key("CLEO@example.com") == user


@pytest.mark.parametrize("typed", [" Ada@Example.com", "ada@example.com\n", "ADA@EXAMPLE.COM"])
def test_an_address_has_one_form(typed: str) -> None:
    assert plain_address(typed) == "ada@example.com"
