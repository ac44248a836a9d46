"""Settings of the tests: Lumio's sample policy, a data folder of its own, everything else as it ships."""

import os
import tempfile
from pathlib import Path

_folder = Path(tempfile.mkdtemp(prefix="dsr-tests-"))
os.environ.update(POLICY="lumio", DSR_DATA=str(_folder), DSR_ORIGIN="http://localhost:8000", DSR_BROKER_URL="memory://")
for _name in ("DSR_POLICY", "DSR_SYSTEMS", "DSR_KEYS", "DSR_DATABASE", "DSR_MAIL"):
    os.environ.pop(_name, None)

from dsr.settings import *  # noqa: E402, F403

# Hashing that is slow on purpose has no place in a test that is not about it.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = False
STATIC_ROOT = _folder / "static"
STATIC_ROOT.mkdir()
# A file, as in earnest: threads and their locks behave otherwise in memory.
DATABASES["default"]["TEST"] = {"NAME": _folder / "tests.sqlite3"}  # noqa: F405
