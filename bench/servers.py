"""The company of bench.company on its own PostgreSQL, and a portal on PostgreSQL and Redis to measure with it."""

import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from bench.company import POLICY, SYSTEMS, Scale, data
from bench.figures import Figure
from bench.stage import free_port, measured
from tests.servers import HOW_TO_GET, Postgres, Redis, program, running


@dataclass
class Company:
    """The company's database, filled when a piece first asks for it, removed at the end."""

    scale: Scale
    _open: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._open.close()

    @cached_property
    def server(self) -> Postgres:
        """Synced to disk, with a gigabyte of buffers."""
        for name in ("postgres", "redis-server"):
            if program(name) is None:
                raise SystemExit(f"{name} is not installed: {HOW_TO_GET[name]}.")
        print("filling the company's database ...", flush=True)
        server = self._open.enter_context(running(Postgres(is_durable=True, options=data.OPTIONS)))
        data.fill(server, self.scale)
        return server


@dataclass(frozen=True)
class AtScale:
    """One module of the bench, about the company's people."""

    name: str
    company: Company
    settings: str = "dsr.settings"
    has_post: bool = False

    def run(self) -> list[Figure]:
        """Run the module in a process of its own, with a new and empty portal, and take its figures."""
        server = self.company.server
        with (
            tempfile.TemporaryDirectory(prefix="dsr-bench-") as folder,
            running(Postgres(is_durable=True)) as portal,
            running(Redis()) as broker,
            portal.database("portal"),
        ):
            smtp = free_port()
            own = {
                "DJANGO_SETTINGS_MODULE": self.settings,
                "DSR_POLICY": str(POLICY),
                "DSR_SYSTEMS": str(SYSTEMS),
                "COMPANY_URL": server.url(data.DATABASE, user=data.READER),
                "DSR_DATABASE": portal.url("portal", "postgresql"),
                "DSR_BROKER_URL": broker.url(),
                "BENCH_SHARE": str(self.company.scale.share),
                "BENCH_LIMIT_URL": server.url(data.DATABASE, "postgresql", user=data.READER),
                "DSR_MAIL": f"smtp://127.0.0.1:{smtp}" if self.has_post else "outbox",
                "BENCH_SMTP_PORT": str(smtp),
            }
            return measured(self.name, Path(folder), own)


def scale() -> Scale:
    """The size that this process measures at."""
    return Scale(int(os.environ["BENCH_SHARE"]))
