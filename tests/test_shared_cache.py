"""The table behind the limits: one of many adds, nothing living is thrown away, a write that fails is told."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.utils import timezone

pytestmark = pytest.mark.django_db


def test_what_is_set_is_read_until_its_time_is_up() -> None:
    cache.set("a", [1, "two"], 60)
    cache.set("a", [3], 60)
    assert cache.get("a") == [3]
    with time_machine.travel(timezone.now() + timedelta(seconds=62)):
        assert cache.get("a") is None


def test_only_the_first_adds_until_it_is_deleted_or_expired() -> None:
    assert cache.add("a", 1, 60)
    assert not cache.add("a", 2, 60)
    assert cache.get("a") == 1
    cache.delete("a")
    assert cache.add("a", 3, 60)
    with time_machine.travel(timezone.now() + timedelta(seconds=62)):
        assert cache.add("a", 4, 60)
        assert cache.get("a") == 4


def test_a_flood_throws_no_living_entry_away(settings) -> None:
    settings.CACHES = settings.CACHES | {"default": settings.CACHES["default"] | {"OPTIONS": {"MAX_ENTRIES": 10}}}
    for number in range(30):
        cache.set(f"k{number}", number, 60)
    assert [cache.get(f"k{number}") for number in range(30)] == list(range(30))


def test_purging_takes_what_expired_and_nothing_else() -> None:
    cache.set("old", 1, 1)
    cache.set("new", 1, 600)
    time.sleep(2.1)
    assert cache.purge() == 1
    assert cache.get("new") == 1


def test_a_write_takes_one_statement_and_fails_aloud(django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        cache.set("a", 1, 60)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE shared_cache RENAME TO elsewhere")
    try:
        with pytest.raises(DatabaseError):
            cache.set("a", 2, 60)
    finally:
        if not connection.needs_rollback and connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE elsewhere RENAME TO shared_cache")
