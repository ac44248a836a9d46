"""The company's mail server, a real one: gives each mailed code to whoever waits for it, and counts what came."""

import os
import re
from collections import Counter
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller

CODE = re.compile(rb"^\s+(\d{6})\s*$", re.M)
MESSAGE_ID = re.compile(rb"^Message-ID: <([^@>]+)@", re.M | re.I)


class Post:
    """Listens where DSR_MAIL says."""

    def __init__(self) -> None:
        self.came: Counter[str] = Counter()
        self._codes: dict[str, Future[str]] = {}
        self._server = Controller(self, hostname="127.0.0.1", port=int(os.environ["BENCH_SMTP_PORT"]), ready_timeout=30)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.stop()

    def code_for(self, address: str) -> Future[str]:
        """The code that will be mailed to this address."""
        return self._codes.setdefault(address, Future())

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  (aiosmtpd's name)
        """Take a message."""
        if found := MESSAGE_ID.search(envelope.content):
            self.came[found[1].decode()] += 1
        if code := CODE.search(envelope.content):
            self.code_for(envelope.rcpt_tos[0]).set_result(code[1].decode())
        return "250 Taken"
