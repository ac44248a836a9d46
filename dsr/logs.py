"""How a line of the log is written: without what opens a request, and without what an exception says.

Django names the address of every answer from 400 on, and an address may hold a sealed token or the key that sets a
password. The message of an exception that nobody foresaw may quote what a person typed.
"""

import logging
import re
import traceback
from types import TracebackType

# dsr.portal.urls: a token opens its request for 30 minutes; accounts.urls: a key sets a password.
_KEYS = re.compile(r"(/o/|/password/reset/key/)[^/\s]+")
_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Line(logging.Formatter):
    """One line, and below it where an exception came from."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, its keys taken out."""
        return _KEYS.sub(r"\1…", super().format(record))

    def formatException(self, ei: _Raised) -> str:  # noqa: N802  (the name that logging calls)
        """Kind and place of an exception and of those that led to it; never their messages."""
        told: list[str] = []
        error = ei[1]
        while error is not None:
            kind = type(error)
            told.insert(
                0, "".join([*traceback.format_tb(error.__traceback__), f"{kind.__module__}.{kind.__qualname__}"])
            )
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nwhich led to\n".join(told)
