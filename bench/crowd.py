"""Many people at once, each from an address of their own, each filling in the whole form and typing the mailed code.

Lean on purpose, since it takes its processor time from what it measures: a page is searched for its hidden fields and
no more, and nobody fetches pictures.
"""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from bench.company import Person
from bench.post import Post

PAGES_AT_ONCE = 50
PATIENCE_SECONDS = 120
CODE_SECONDS = 1_200
ADDRESSES_IN_A_NETWORK = 250
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
CODE_PAGE = re.compile(r'action="(/en/r/[^"]+/code/)"')
# What is typed on each page of the form, and the button pressed there.
FORM: tuple[tuple[str, dict[str, str], str], ...] = (
    ("whose data", {"relation": "self"}, "next"),
    ("address", {}, "next"),
    ("which data", {"format": "jsonl"}, "next"),
    ("send", {}, "send"),
)


class Lost(Exception):
    """A page did not come, or not the one that should."""


@dataclass
class Crowd:
    """Who files, and what they saw."""

    host: str
    port: int
    post: Post
    pages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    filed_at: list[float] = field(default_factory=list)
    done_at: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    async def file(self, people: Sequence[Person], within: float, first_address: int = 0) -> None:
        """Everybody comes at their moment of so many seconds, evenly; no more than fifty wait for a page at once."""
        self._turns = asyncio.Semaphore(PAGES_AT_ONCE)
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number, person in enumerate(people):
                moment = begun + within * number / len(people)
                group.create_task(self._one(person, _address(first_address + number), moment))

    async def _one(self, person: Person, address: str, moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - time.monotonic()))
        code = asyncio.wrap_future(self.post.code_for(person.email))
        try:
            async with self._turns:
                line = _Line(self, address)
                page = await line.fill_in(person.email)
                self.filed_at.append(time.monotonic())
            typed = await asyncio.wait_for(code, CODE_SECONDS)
            async with self._turns:
                await line.type_code(page, typed)
                self.done_at.append(time.monotonic())
        except (Lost, OSError, EOFError, TimeoutError) as error:
            self.lost.append(f"{type(error).__name__}: {error}")


class _Line:
    """One person's browser: a connection that is closed between the form and the code, and the session's cookie."""

    def __init__(self, crowd: Crowd, address: str) -> None:
        self.crowd, self.address = crowd, address
        self.cookie = ""
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def fill_in(self, email: str) -> str:
        """From the first page to the one that asks for the code; its address."""
        await self._open()
        text = await self._page("first page", "GET", "/en/ask/?right=access")
        for name, typed, button in FORM:
            values = dict(HIDDEN.findall(text)) | typed | {"go": button}
            text = await self._page(name, "POST", "/en/ask/", values | ({"email": email} if name == "address" else {}))
        await self._close()
        found = CODE_PAGE.search(text)
        if found is None:
            raise Lost("the last page asks for no code")
        return found[1]

    async def type_code(self, page: str, code: str) -> None:
        """Type the code and look at the request's own page."""
        await self._open()
        status = await self._page("code", "POST", page, {"code": code}, expected=303)
        await self._page("status", "GET", status)
        await self._close()

    async def _open(self) -> None:
        opened = asyncio.open_connection(self.crowd.host, self.crowd.port, local_addr=(self.address, 0))
        self.reader, self.writer = await asyncio.wait_for(opened, PATIENCE_SECONDS)

    async def _close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()

    async def _page(
        self, name: str, method: str, path: str, values: dict[str, str] | None = None, expected: int = 200
    ) -> str:
        """The text of a page, or where it leads."""
        body = urlencode(values or {}).encode()
        begun = time.perf_counter()
        self.writer.write(self._head(method, path, len(body)) + body)
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)).decode("latin-1")
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        text = await self.reader.readexactly(int(headers["content-length"]))
        self.crowd.pages[name].append(time.perf_counter() - begun)
        status = int(head.split()[1])
        if status != expected:
            raise Lost(f"“{name}” answered {status}")
        if cookie := re.search(r"^Set-Cookie: (session=[^;]+)", head, re.M | re.I):
            self.cookie = cookie[1]
        if status == 303:
            return next(line[10:] for line in head.split("\r\n") if line.lower().startswith("location: "))
        return text.decode()

    def _head(self, method: str, path: str, length: int) -> bytes:
        here = f"localhost:{self.crowd.port}"
        lines = [f"{method} {path} HTTP/1.1", f"Host: {here}", f"Origin: http://{here}", "Sec-Fetch-Site: same-origin"]
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {length}"]
        lines += [f"Cookie: {self.cookie}"] if self.cookie else []
        return "\r\n".join([*lines, "", ""]).encode()


def _address(number: int) -> str:
    """Any of 127.0.0.0/8 is this machine's: everybody comes from their own, as the portal's limits suppose."""
    return f"127.2.{number // ADDRESSES_IN_A_NETWORK}.{number % ADDRESSES_IN_A_NETWORK + 1}"
