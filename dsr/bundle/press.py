"""Letters are printed by a process of its own, printer.py: started ahead or when first needed, ended with this one.

WeasyPrint takes seconds to load and follows what it is given; so it is loaded once, outside of web and worker
processes, without their keys and environment, and prints each letter in a child with limits.
"""

import atexit
import contextlib
import json
import os
import select
import struct
import subprocess  # nosec B404  (one fixed program, see _running)
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

# What the printer itself allows is less; this is for when it does not keep it.
_PATIENCE = 15.0
_START = 60.0
_SECONDS = 20.0
_LARGEST_JOB = 4 << 20
_LARGEST_ANSWER = 32 << 20
_LENGTH = struct.Struct(">I")
_PRINTER = Path(__file__).with_name("printer.py")
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "HOME", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "XDG_CACHE_HOME", "TMPDIR")


class LetterFailed(Exception):
    """The letter could not be printed. Holds no text of it."""


def render(html: str, css: str, *, seconds: float = _SECONDS) -> bytes:
    """The letter as a tagged PDF. Raises LetterFailed when it takes too long, needs too much, or cannot be laid out."""
    job = json.dumps({"html": html, "css": css, "seconds": seconds}).encode()
    if len(job) > _LARGEST_JOB:
        raise LetterFailed("The letter is longer than four megabytes before it is printed.")
    return _press.render(job, seconds)


def start() -> None:
    """Start the printing process ahead of the first letter; it loads while this process goes on."""
    _press.start()


def close() -> None:
    """End the printing process; the next letter starts another."""
    _press.close()


class _Press:
    """The printing process of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_warm = False

    def render(self, job: bytes, seconds: float) -> bytes:
        with self._lock:
            for attempt in (1, 2):
                try:
                    return self._ask(job, seconds)
                except (EOFError, BrokenPipeError, TimeoutError) as error:
                    # The printer was killed, perhaps between two letters: start another, once.
                    self._end()
                    if attempt == 2 or isinstance(error, TimeoutError):
                        raise LetterFailed("The printing process did not answer.") from error
        raise AssertionError("unreachable")

    def _ask(self, job: bytes, seconds: float) -> bytes:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        ends_at = time.monotonic() + seconds + _PATIENCE + (0 if self._is_warm else _START)
        _write(process.stdin, _LENGTH.pack(len(job)) + job, ends_at)
        is_printed = _read(process.stdout, 1, ends_at) == b"\x01"
        (length,) = _LENGTH.unpack(_read(process.stdout, _LENGTH.size, ends_at))
        if length > _LARGEST_ANSWER:
            raise EOFError("too long")
        answer = _read(process.stdout, length, ends_at)
        self._is_warm = True
        if not is_printed:
            raise LetterFailed(f"The letter was not printed: {answer.decode(errors='replace')}.")
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(  # noqa: S603  # nosec B603  (our own file, no shell)
                [sys.executable, "-I", str(_PRINTER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                cwd=tempfile.gettempdir(),
                bufsize=0,
                start_new_session=True,
            )
            self._is_warm = False
        return self._process

    def start(self) -> None:
        with self._lock:
            self._running()

    def close(self) -> None:
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        process.kill()
        process.wait()

    def forget(self) -> None:
        """In a forked child: the process belongs to the parent. Let go of its pipes, or it would outlive the parent."""
        self._lock = threading.Lock()
        process, self._process = self._process, None
        if process is not None:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
            process.returncode = 0  # not ours to wait for


def _write(target: IO[bytes], message: bytes, ends_at: float) -> None:
    view = memoryview(message)
    while view:
        _r, ready, _x = select.select([], [target], [], max(0.0, ends_at - time.monotonic()))
        if not ready:
            raise TimeoutError
        view = view[os.write(target.fileno(), view[: select.PIPE_BUF]) :]


def _read(source: IO[bytes], length: int, ends_at: float) -> bytes:
    pieces: list[bytes] = []
    while length:
        ready, _w, _x = select.select([source], [], [], max(0.0, ends_at - time.monotonic()))
        if not ready:
            raise TimeoutError
        piece = os.read(source.fileno(), length)
        if not piece:
            raise EOFError("the printer is gone")
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


_press = _Press()
atexit.register(_press.close)
os.register_at_fork(after_in_child=_press.forget)
