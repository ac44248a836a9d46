"""A wire between a client and a server, which a test can cut, hold in the middle of what travels, and join again."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator

from tests.servers import free_port

PIECE = 1 << 16


class Wire:
    """Listens on a port of the loopback and passes everything on to another one."""

    def __init__(self, to: int) -> None:
        self.port = free_port()
        self.sent = self.received = 0
        self.cut_after: int | None = None  # cut once so many bytes came back from the server
        self.hold_after: int | None = None  # pass nothing on once so many bytes were sent to the server
        self._to = to
        self._listener: socket.socket | None = None
        self._pairs: set[socket.socket] = set()
        self._lock = threading.Lock()

    def join(self) -> None:
        """Listen, and pass on."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Nobody gets through any more, and whoever was through is thrown out."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self._throw_out()

    def _throw_out(self) -> None:
        with self._lock:
            for end in self._pairs:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(near,), daemon=True).start()

    def _pass(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near, socket.create_connection(("127.0.0.1", self._to)) as far:
            with self._lock:
                self._pairs |= {near, far}
            try:
                self._carry(near, far)
            finally:
                with self._lock:
                    self._pairs -= {near, far}

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        while True:
            ready, _w, _x = select.select([near, far], [], [], 5)
            for end in ready:
                while end is near and self.hold_after is not None and self.sent >= self.hold_after:
                    time.sleep(0.02)
                piece = end.recv(PIECE)
                if not piece:
                    return
                if end is near:
                    self.sent += len(piece)
                    far.sendall(piece)
                    continue
                self.received += len(piece)
                if self.cut_after is not None and self.received >= self.cut_after:
                    self.cut_after = None
                    return
                near.sendall(piece)


@contextlib.contextmanager
def wired(to: int) -> Iterator[Wire]:
    """A wire to this port of the loopback, joined; cut at the end."""
    wire = Wire(to)
    wire.join()
    try:
        yield wire
    finally:
        wire.hold_after = None
        wire.cut()
