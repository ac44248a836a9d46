"""How long a staff session lives. Only a sign-in by password makes one; a mailed code makes a person's session."""

import time

from django.conf import settings
from django.http import HttpRequest

# Seconds since 1970, in the session.
STAFF_SINCE = "accounts.staff_since"
STAFF_SEEN = "accounts.staff_seen"
# The session is written at most this often to note that it is in use.
NOTE_EVERY = 60


def is_staff_session(request: HttpRequest) -> bool:
    """Whether this session was begun by a member of staff with a password."""
    return STAFF_SINCE in request.session


def is_stale(request: HttpRequest) -> bool:
    """Whether a staff session is too old, or was left alone for too long."""
    now = time.time()
    age = now - float(request.session[STAFF_SINCE])
    idle = now - float(request.session[STAFF_SEEN])
    return age > settings.ACCOUNTS_STAFF_HOURS * 3600 or idle > settings.ACCOUNTS_STAFF_IDLE_MINUTES * 60


def note_use(request: HttpRequest) -> None:
    """Notes that the session is in use."""
    now = time.time()
    if now - float(request.session[STAFF_SEEN]) > NOTE_EVERY:
        request.session[STAFF_SEEN] = now
