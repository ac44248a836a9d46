"""Pages that say nothing about a person are drawn once a day, language and policy, and kept as bytes.

Drawing is most of what an answer costs; a crowd on the start page should not slow down whoever is asking.
"""

import gzip
import re
from collections.abc import Callable
from functools import lru_cache

from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language

from dsr import lifecycle, policy
from dsr.portal.context import Held, has_outbox

Key = tuple[object, ...]
GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))")
_kept: dict[Key, bytes] = {}


def once(name: str, draw: Callable[[], HttpResponse]) -> HttpResponse:
    """The page of this name; `draw` must use nothing of the request but what the name tells."""
    held = (Held(policy.current()), timezone.localdate(timezone=lifecycle.zone()), has_outbox())
    key = (name, get_language(), *held)
    if key not in _kept:
        for old in [known for known in list(_kept) if known[2:] != held]:
            _kept.pop(old, None)
        _kept[key] = draw().content
    return HttpResponse(_kept[key])


def pack(response: HttpResponse, accepted: str) -> None:
    """Compress a page where the browser takes it. Only for pages without a secret: sizes tell of it (BREACH)."""
    patch_vary_headers(response, ["Accept-Encoding"])
    if GZIP.search(accepted):
        response.content = _packed(response.content)
        response["Content-Encoding"] = "gzip"


@lru_cache(maxsize=64)
def _packed(page: bytes) -> bytes:
    return gzip.compress(page, mtime=0)
