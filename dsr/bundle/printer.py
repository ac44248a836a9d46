"""The printing process: loads WeasyPrint once, prints each letter in a child with limits. Started by press.py.

Run as a file, not as a module, so that nothing of the portal is loaded here: this process needs no keys, no database
and no network. A message is a length of four bytes and so many bytes; the answer is one byte (1 printed, 0 failed),
a length, and the PDF or the reason.
"""

import json
import os
import resource
import select
import signal
import struct
import sys
import time
from typing import Any, BinaryIO, NoReturn

import weasyprint
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher

LARGEST_JOB = 4 << 20
LARGEST_ANSWER = 32 << 20
MEMORY = 768 << 20  # beyond what is loaded already
SECONDS = 20
_LENGTH = struct.Struct(">I")


class Unreachable(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Reaches nothing: the sheet comes with the letter, and a letter has no images."""

    def fetch(self, url: str, headers: Any = None) -> NoReturn:
        raise FileNotFoundError("a letter fetches nothing")

    def open(self, url: Any, data: Any = None, timeout: Any = None) -> NoReturn:
        raise FileNotFoundError("a letter fetches nothing")


def read(source: BinaryIO, most: int) -> bytes:
    """One message. Raises EOFError when the other side is gone or talks nonsense."""
    head = _exactly(source, _LENGTH.size)
    (length,) = _LENGTH.unpack(head)
    if length > most:
        raise EOFError("too long")
    return _exactly(source, length)


def write(target: BinaryIO, message: bytes) -> None:
    """Send one message."""
    target.write(_LENGTH.pack(len(message)) + message)
    target.flush()


def _exactly(source: BinaryIO, length: int) -> bytes:
    pieces = []
    while length:
        piece = source.read(length)
        if not piece:
            raise EOFError("the other side is gone")
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def print_letter(html: str, css: str) -> bytes:
    """A tagged PDF of the letter."""
    fonts = FontConfiguration()
    fetcher = Unreachable()
    sheet = weasyprint.CSS(string=css, font_config=fonts, url_fetcher=fetcher, base_url="letter:/")
    letter = weasyprint.HTML(string=html, url_fetcher=fetcher, base_url="letter:/")
    return bytes(
        letter.write_pdf(stylesheets=[sheet], font_config=fonts, pdf_variant="pdf/ua-1", presentational_hints=False)
    )


def serve(source: BinaryIO, target: BinaryIO) -> None:
    """Print one letter after another until the other side closes."""
    while True:
        try:
            job = json.loads(read(source, LARGEST_JOB))
        except EOFError:
            return
        is_printed, answer = _in_a_child(job)
        target.write(b"\x01" if is_printed else b"\x00")
        write(target, answer)


def _in_a_child(job: dict[str, Any]) -> tuple[bool, bytes]:
    taken, given = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(taken)
        _print_and_exit(job, given)
    os.close(given)
    try:
        pdf, why = _wait(taken, job.get("seconds", SECONDS))
    finally:
        os.close(taken)
        os.kill(child, signal.SIGKILL)
        _pid, status = os.waitpid(child, 0)
    if why:
        return False, why.encode()
    if pdf[:1] == b"\x01":
        return True, pdf[1:]
    return False, pdf[1:] or f"the printing child ended with {os.waitstatus_to_exitcode(status)}".encode()


def _wait(taken: int, seconds: float) -> tuple[bytes, str]:
    """Everything the child writes, or why it was not waited for any longer."""
    ends_at = time.monotonic() + seconds
    pieces: list[bytes] = []
    size = 0
    while True:
        ready, _w, _x = select.select([taken], [], [], max(0.0, ends_at - time.monotonic()))
        if not ready:
            return b"", f"took longer than {seconds} seconds"
        piece = os.read(taken, 1 << 16)
        if not piece:
            return b"".join(pieces), ""
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_ANSWER:
            return b"", f"larger than {LARGEST_ANSWER} bytes"


def _print_and_exit(job: dict[str, Any], given: int) -> NoReturn:
    try:
        _limit()
        answer = b"\x01" + print_letter(job["html"], job["css"])
    except MemoryError:
        answer = b"\x00needs too much memory"
    except (Exception, FatalURLFetchingError) as error:  # the reason travels; a child has no one else to tell
        # Its class only: the message may quote the letter, which is somebody's data.
        answer = b"\x00" + type(error).__name__.encode()
    with os.fdopen(given, "wb") as target:
        target.write(answer)
    os._exit(0)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if (loaded := _loaded()) is not None:
        resource.setrlimit(resource.RLIMIT_AS, (loaded + MEMORY, loaded + MEMORY))


def _loaded() -> int | None:
    """The address space in use; None where the system does not tell."""
    if not sys.platform.startswith("linux"):
        return None
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


def main() -> None:
    """Warm up, then serve on the standard streams."""
    with os.fdopen(os.dup(0), "rb", 0) as source, os.fdopen(os.dup(1), "wb") as target:
        # Whatever a library prints must not end up between two answers.
        os.dup2(2, 1)
        print_letter("<p>ready", "")
        serve(source, target)


if __name__ == "__main__":
    main()
