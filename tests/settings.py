"""Settings of the tests: Lumio's sample policy, a data folder of its own, everything else as it ships.

DSR_TEST_DATABASE=postgresql runs the same tests on a PostgreSQL of their own.
"""

import atexit
import os
import tempfile
from pathlib import Path

from tests import servers

_folder = Path(tempfile.mkdtemp(prefix="dsr-tests-"))
os.environ.update(POLICY="lumio", DSR_DATA=str(_folder), DSR_ORIGIN="http://localhost:8000", DSR_BROKER_URL="memory://")
for _name in ("DSR_POLICY", "DSR_SYSTEMS", "DSR_KEYS", "DSR_DATABASE", "DSR_MAIL"):
    os.environ.pop(_name, None)

_wanted = os.environ.get("DSR_TEST_DATABASE", "sqlite")
if _wanted == "postgresql":
    _server = servers.shared_postgres()
    atexit.register(_server.remove)
    os.environ["DSR_DATABASE"] = _server.url("postgres", driver="postgresql")
elif _wanted != "sqlite":
    raise SystemExit(f"DSR_TEST_DATABASE is {_wanted!r}. Allowed are: sqlite, postgresql.")

from dsr.settings import *  # noqa: E402, F403

# Hashing that is slow on purpose has no place in a test that is not about it.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = False
STATIC_ROOT = _folder / "static"
STATIC_ROOT.mkdir()
if _wanted == "sqlite":
    # A file, as in earnest: threads and their locks behave otherwise in memory.
    DATABASES["default"]["TEST"] = {"NAME": _folder / "tests.sqlite3"}  # noqa: F405
# Processes that a test starts choose for themselves.
os.environ.pop("DSR_DATABASE", None)
