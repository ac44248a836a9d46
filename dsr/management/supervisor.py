"""Web, worker and clock started together, kept alive, and stopped together; or one of them alone.

`python -m dsr.management.supervisor web|worker|clock` becomes that process, with the same words as all together: it is
what a container runs. DSR_BIND, DSR_WEB_WORKERS and DSR_WORK_PROCESSES say where and how many.
"""

import os
import signal
import subprocess  # nosec B404  (our own commands, no shell)
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from dsr import environment

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
    log: Path | None = None

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches the supervisor alone, which then stops all."""
        with self.log.open("ab") if self.log else nullcontext() as output:
            self.process = subprocess.Popen(  # noqa: S603  # nosec B603
                self.command, start_new_session=True, stdout=output, stderr=output
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

    def ask_to_stop(self) -> None:
        """Let it end its children by itself: a worker lets running jobs finish."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """End it and its children at once."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def children(bind: str, web_workers: int, work_processes: int, log: Path | None = None) -> list[Child]:
    """The processes of one machine: web, clock (sweeps and what a person waits for), worker."""
    python = sys.executable
    celery = [
        python,
        "-m",
        "celery",
        "-q",
        "-A",
        "dsr",
        "worker",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
    ]
    web = [
        python, "-m", "gunicorn", "dsr.wsgi", "--bind", bind, "--worker-class", "gthread", "--threads", "8",
        "--workers", str(web_workers), "--no-control-socket", "--log-level", "warning",
        # By default a header of a request that came through a proxy on this machine may say where the portal lies.
        "--forwarder-headers", "",
    ]  # fmt: skip
    clock = [*celery, "-B", "-Q", "clock,interactive", "-c", "2", "-n", "clock@%h", "-l", "warning"]
    worker = [*celery, "-Q", "bulk", "-c", str(work_processes), "-n", "worker@%h", "-l", "warning"]
    return [Child("web", web, log=log), Child("clock", clock, log=log), Child("worker", worker, log=log)]


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
            child.ask_to_stop()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self.kept:
            if child.process is not None:
                try:
                    child.process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    child.kill()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.is_stopping = True


def alone(kind: str, env: Mapping[str, str]) -> list[str]:
    """The command of one process. Raises KeyError for a kind that there is not, WrongSetting for a wrong number."""
    web_workers = environment.number("DSR_WEB_WORKERS", 2, env)
    work_processes = environment.number("DSR_WORK_PROCESSES", 2, env)
    bind = environment.text("DSR_BIND", "127.0.0.1:8000", env)
    return {child.name: child.command for child in children(bind, web_workers, work_processes)}[kind]


if __name__ == "__main__":
    try:
        command = alone(sys.argv[1] if len(sys.argv) == 2 else "", os.environ)
    except KeyError:
        sys.exit("Error: say which process: web, worker or clock.")
    except environment.WrongSetting as error:
        sys.exit(f"Error: {error}")
    os.execv(command[0], command)  # noqa: S606  # nosec B606  (our own command, no shell)
