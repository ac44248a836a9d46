"""A LiteLLM proxy's database, built from its maker's own migrations as they lie in the installed package."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests import servers

SYSTEMS = """
[[system]]
name = "gateway"
preset = "litellm"
url_env = "GATEWAY_URL"
categories = { account = "account", usage = "usage", content = "prompts", teams = "account", records = "account" }
"""


def migrations() -> list[Path]:
    """The maker's migrations, in their order. The package is not imported: it is only the folder that is wanted."""
    found = find_spec("litellm_proxy_extras")
    assert found is not None
    assert found.submodule_search_locations
    return sorted(Path(found.submodule_search_locations[0]).glob("migrations/*/migration.sql"))


@contextmanager
def proxy(server: servers.Postgres, name: str, first: int | None = None) -> Iterator[str]:
    """A database in which the migrations were applied, or only the first so many. Gives its URL."""
    with server.database(name) as url:
        with server.connect(name) as connection:
            for each in migrations()[:first]:
                connection.execute(each.read_bytes())
        yield url


def key_hash(name: str) -> str:
    """What the proxy keeps of a key."""
    return hashlib.sha256(f"sk-{name}".encode()).hexdigest()
