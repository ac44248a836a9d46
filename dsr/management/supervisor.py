"""Web, worker and clock started together, kept alive, and stopped together."""

import os
import signal
import subprocess  # nosec B404  (our own commands, no shell)
import sys
import time
from dataclasses import dataclass, field
from types import FrameType

SETTLED_SECONDS = 30
GRACE_SECONDS = 20
LONGEST_PAUSE_SECONDS = 30


@dataclass
class Child:
    """One process of the portal, and how often it died lately."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    deaths: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches the supervisor alone, which then stops all."""
        self.process = subprocess.Popen(  # noqa: S603  # nosec B603
            self.command, env=os.environ | self.environment, start_new_session=True
        )
        self.started_at = time.monotonic()

    def watch(self) -> None:
        """Start it again when it died, after a pause that grows while it keeps dying."""
        if self.process is not None and self.process.poll() is not None:
            if time.monotonic() - self.started_at > SETTLED_SECONDS:
                self.deaths = 0
            self.deaths += 1
            pause = min(LONGEST_PAUSE_SECONDS, 2 ** (self.deaths - 1) / 2)
            print(f"{self.name} ended with {self.process.returncode}; starting it again.", file=sys.stderr)
            self.process, self.restart_at = None, time.monotonic() + pause
        if self.process is None and time.monotonic() >= self.restart_at:
            self.start()

    def signal(self, number: int) -> None:
        """Tell it and its children something, if it lives."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)


def children(bind: str, web_workers: int, work_processes: int) -> list[Child]:
    """The processes of one machine: web, clock (sweeps and what a person waits for), worker."""
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "dsr", "worker", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [
        Child(
            "web",
            [python, "-m", "gunicorn", "dsr.wsgi", "--bind", bind, "--worker-class", "gthread", "--threads", "8",
             "--workers", str(web_workers), "--no-control-socket", "--log-level", "warning"],
        ),
        Child("clock", [*celery, "-B", "-Q", "clock,interactive", "-c", "2", "-n", "clock@%h", "-l", "warning"]),
        Child("worker", [*celery, "-Q", "bulk", "-c", str(work_processes), "-n", "worker@%h", "-l", "warning"]),
    ]  # fmt: skip


class Supervisor:
    """Runs children until it is told to stop."""

    def __init__(self, kept: list[Child]) -> None:
        self.kept = kept
        self.is_stopping = False

    def start(self) -> None:
        """Start every child."""
        for child in self.kept:
            child.start()

    def run(self) -> None:
        """Keep the children alive until TERM or Ctrl-C, then stop them warmly: running jobs may end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        try:
            while not self.is_stopping:
                for child in self.kept:
                    child.watch()
                time.sleep(0.3)
        finally:
            self.stop()

    def stop(self) -> None:
        """TERM, a time of grace, then KILL. What is killed is taken up again at the next start."""
        for child in self.kept:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self.kept:
            if child.process is not None:
                try:
                    child.process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    child.signal(signal.SIGKILL)
                    child.process.wait()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.is_stopping = True
