"""A sample company in a temporary folder, and a piece of the bench run in its environment."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure
from dsr import samples

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Piece:
    """One module of the bench, and the company it needs."""

    name: str
    sample: str = "lumio"
    others: int = 200
    heavy_rows: int = 1_000
    settings: str = "dsr.settings"

    def run(self) -> list[Figure]:
        """Build the company, run the module in a process of its own, and take its figures."""
        with tempfile.TemporaryDirectory(prefix="dsr-bench-") as folder:
            samples.build(self.sample, Path(folder) / "systems", others=self.others, heavy_rows=self.heavy_rows)
            own = {"DJANGO_SETTINGS_MODULE": self.settings, "POLICY": self.sample}
            return measured(self.name, Path(folder), own | samples.environment(self.sample, Path(folder) / "systems"))


def measured(name: str, folder: Path, own: Mapping[str, str]) -> list[Figure]:
    """Prepare a portal whose files lie in the folder, run the module in its environment, and take its figures."""
    environment = {**_environment(folder), **own}
    for command in ("migrate", "createcachetable", "collectstatic --no-input"):
        _python("manage.py", *command.split(), "--verbosity", "0", environment=environment)
    printed = _python("-m", "bench.piece", name, environment=environment)
    return [Figure(**found) for found in json.loads(printed.splitlines()[-1])]


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DSR_")}
    port = free_port()
    return kept | {
        "DJANGO_SETTINGS_MODULE": "dsr.settings",
        "DSR_DATA": str(folder),
        "DSR_STATIC": str(folder / "static"),
        "DSR_ORIGIN": f"http://localhost:{port}",
        "DSR_LOG_LEVEL": "ERROR",
        "BENCH_PORT": str(port),
        "PYTHONWARNINGS": "ignore",
    }


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _python(*command: str, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=dict(environment), check=False, text=True, capture_output=True
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {(done.stdout + done.stderr)[-6000:]}")
    return done.stdout
