"""A company's portal as real processes, which a test can stop at a chosen moment, kill, and start again."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from dsr import samples
from tests.journeys.stage import Look, OneMachine, Stage
from tests.servers import free_port

ROOT = Path(__file__).parents[2]
SAMPLE = "lumio"
HEAVY_ROWS = 3_000
PART_ROWS = 200
LONGEST_WAIT = 60.0

Condition = Callable[[Look], bool]


class NothingCame(AssertionError):
    """What was waited for did not happen in time."""


class PostOffice:
    """A real SMTP server that can keep the senders waiting in the middle of a message."""

    def __init__(self) -> None:
        self.is_holding = False
        self.held = 0
        self.taken: list[Message] = []
        self._server = Controller(self, hostname="127.0.0.1", port=free_port(), ready_timeout=10)

    def open(self) -> None:
        """Listen, on a free port of the loopback."""
        self._server.start()

    def close(self) -> None:
        """Stop listening."""
        self.is_holding = False
        self._server.stop()

    @property
    def url(self) -> str:
        """As DSR_MAIL wants it."""
        return f"smtp://127.0.0.1:{self._server.port}"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        """While holding, let the sender wait for an answer about whom the message is for."""
        self.held += self.is_holding
        while self.is_holding:
            await asyncio.sleep(0.01)
        envelope.rcpt_tos.append(address)
        return "250 Go on"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a message."""
        self.taken.append(message_from_bytes(envelope.content))
        return "250 Taken"


class Company:
    """Lumio's sample systems, small, and its portal: worker and clock as processes, people and staff at the counter."""

    def __init__(self, folder: Path, stage: Stage | None = None) -> None:
        self.folder = folder
        self.stage = stage or OneMachine(folder)
        self.web_port = free_port()
        self.post = PostOffice()
        self._group: subprocess.Popen[bytes] | None = None
        self._counter: subprocess.Popen[str] | None = None

    @property
    def storage(self) -> Path:
        return self.folder / "bundles"

    @property
    def environment(self) -> dict[str, str]:
        """What the company's processes are started with."""
        return {
            "DJANGO_SETTINGS_MODULE": "dsr.settings",
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(self.folder / "tmp"),
            "POLICY": SAMPLE,
            "DSR_DATA": str(self.folder),
            "DSR_STATIC": str(self.folder / "static"),
            "DSR_KEYS": str(self.folder / "keys" / "keys.json"),
            "DSR_MAIL": self.post.url,
            "DSR_ORIGIN": "http://localhost:8000",
            "DSR_LEASE_SECONDS": "2",
            "DSR_SWEEP_SECONDS": "1",
            "DSR_RETRY_BASE_SECONDS": "1",
            "DSR_PART_ROWS": str(PART_ROWS),
            "DSR_LOG_LEVEL": "ERROR",
            **samples.environment(SAMPLE, self.folder / "systems"),
            **self.stage.environment(),
        }

    def found(self) -> None:
        """Make systems, keys and an empty database, and open the counter."""
        self.post.open()
        (self.folder / "tmp").mkdir()
        samples.build(SAMPLE, self.folder / "systems", others=5, heavy_rows=HEAVY_ROWS)
        for command in (["migrate"], ["createcachetable"]):
            subprocess.run(
                [sys.executable, "manage.py", *command, "--verbosity", "0"],
                cwd=ROOT,
                env=os.environ | self.environment,
                check=True,
            )
        self._counter = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.counter"], cwd=ROOT, env=os.environ | self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def close(self) -> None:
        """End everything."""
        self.kill()
        if self._counter is not None:
            self._counter.communicate()
        self.post.close()

    def counter(self, act: str, **given: Any) -> Any:
        """Let somebody do something; see tests.journeys.counter."""
        assert self._counter is not None
        assert self._counter.stdin is not None
        assert self._counter.stdout is not None
        self._counter.stdin.write(json.dumps({"act": act, **given}) + "\n")
        self._counter.stdin.flush()
        answer = self._counter.stdout.readline()
        if not answer:
            raise AssertionError(f"the counter closed over {act}: what it printed says why")
        return json.loads(answer)

    # -- processes

    def start(self) -> None:
        """Start worker and clock under their supervisor, and the web where it belongs to them, unless they run."""
        if self._group is None:
            port = str(self.web_port) if self.stage.has_web else ""
            self._group = self.run("-m", "tests.journeys.group", str(self.stage.workers), port)

    def run(self, *command: str) -> subprocess.Popen[bytes]:
        """Start Python as one of the company's processes."""
        return subprocess.Popen([sys.executable, *command], cwd=ROOT, env=os.environ | self.environment)

    def kill(self) -> None:
        """kill -9, all of them: supervisor, workers and their children get no last word."""
        # The eldest first, and again until nobody is left: one that is killed here may just have started another.
        while found := self.processes():
            for pid in sorted(found):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self._group is not None:
                self._group.wait()
        self._group = None

    def kill_those(self, words: str) -> int:
        """kill -9 whoever has these words in its command; the supervisor lives. How many."""
        found = [pid for pid, command in self.processes().items() if words in command]
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(found)

    def processes(self) -> dict[int, str]:
        """Whatever runs with this company's data folder, but for its counter: pid and command line."""
        # The process that prints letters has no DSR_DATA, on purpose; TMPDIR it has.
        mark = f"={self.folder}".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (folder / "environ").read_bytes():
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return {pid: command for pid, command in found.items() if command and "tests.journeys.counter" not in command}

    # -- looking, and holding still

    def one(self, statement: str, *values: Any) -> Any:
        """The first column of the first row of a query on the portal's database."""
        with self.stage.look() as database:
            return _one(database, statement, *values)

    def wait(self, condition: Condition, what: str) -> None:
        """Look at the portal's database until the condition holds."""
        with self.stage.look() as database:
            deadline = time.monotonic() + LONGEST_WAIT
            while not condition(database):
                if time.monotonic() > deadline:
                    raise NothingCame(f"{what}: {self.jobs()}")
                time.sleep(0.02)

    @contextmanager
    def still(self, condition: Condition, what: str) -> Iterator[None]:
        """Wait for the condition and keep everybody from writing from that instant: nobody gets any further."""
        with self.stage.look() as database:
            deadline = time.monotonic() + LONGEST_WAIT
            while True:
                database.execute(self.stage.hold)
                try:
                    if condition(database):
                        yield
                        return
                finally:
                    database.execute("ROLLBACK")
                if time.monotonic() > deadline:
                    raise NothingCame(f"{what}: {self.jobs()}")
                time.sleep(0.001)

    @contextmanager
    def locked_system(self, name: str) -> Iterator[None]:
        """Hold one of the company's systems so that whoever reads it waits."""
        with closing(sqlite3.connect(self.folder / "systems" / f"{name}.sqlite3", isolation_level=None)) as database:
            database.execute("BEGIN EXCLUSIVE")
            yield
            database.execute("ROLLBACK")

    def a_minute_passes(self) -> None:
        """Messages were sent a minute earlier than they were, so that the sweep takes silent ones for lost."""
        with self.stage.look() as database:
            database.execute(self.stage.a_minute_earlier)

    def lose_messages(self) -> int:
        """Empty the broker. How many messages were in it."""
        return self.stage.lose_messages()

    def stored(self) -> set[str]:
        """The names of all files in storage."""
        return {str(path.relative_to(self.storage)) for path in self.storage.rglob("*") if path.is_file()}

    def jobs(self) -> list[tuple[Any, ...]]:
        """What is not done, for the message of a failed test."""
        with self.stage.look() as database:
            statement = "SELECT kind, system, state, attempts, problem FROM dsr_job WHERE state <> 'done'"
            return list(database.execute(statement).fetchall())


def _one(database: Look, statement: str, *values: Any) -> Any:
    row = database.execute(statement, values).fetchone()
    return row[0] if row else None
