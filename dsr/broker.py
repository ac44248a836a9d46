"""The broker of one machine: kombu's folder of messages, in which no reader meets a half-written file.

kombu writes a message, and the table of an exchange, in place: a reader that comes a moment too early, or after a
sender was killed there, finds an empty file, and its worker ends over it. Here a file is there whole or not at all.
"""

import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """A message is a file; whoever removes it has it."""

    # (its two supertypes name the second argument differently)
    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:  # type: ignore[override]
        # The time in front lets messages be taken in the order they were sent.
        name = f"{time.time_ns()}_{uuid.uuid4()}.{queue}.msg"
        _write(Path(self.data_folder_out) / name, message)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            try:
                payload = (folder / name).read_bytes()
                (folder / name).unlink()
            except FileNotFoundError:
                continue  # another worker was first
            return loads(payload.decode())
        raise Empty

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str | None) -> None:
        entry = [routing_key or "", pattern or "", queue or ""]
        with _alone_in(self.control_folder):
            known = [list(found) for found in self.get_table(exchange)]
            if entry not in known:
                _write(self.control_folder / f"{exchange}.exchange", [entry, *known])


class Transport(filesystem.Transport):
    """Takes the place of kombu's transport for filesystem:// addresses (see dsr.celery)."""

    Channel = Channel


def _write(path: Path, content: Any) -> None:
    unfinished = path.with_name(f"{uuid.uuid4()}.unfinished")
    unfinished.write_bytes(dumps(content).encode())
    os.replace(unfinished, path)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Only one process at a time; a killed one lets go."""
    place = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX)
        yield
    finally:
        os.close(place)
