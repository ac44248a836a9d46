"""System checks of what sign-in depends on."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

ONE_PROCESS_ONLY = ("locmem.LocMemCache", "dummy.DummyCache")


def cache_is_shared(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """Limits on guesses and mails are counted in the cache: a cache of one process multiplies them."""
    backend = str(settings.CACHES["default"]["BACKEND"])
    if not backend.endswith(ONE_PROCESS_ONLY):
        return []
    hint = "Use django.core.cache.backends.db.DatabaseCache or Redis as CACHES['default']."
    return [Error(f"The cache {backend} is not shared between processes.", hint=hint, id="accounts.E001")]
