"""Small binary files for the sample systems: pictures, logs, and bytes that are nothing at all."""

import random
import struct
import zlib


def png(red: int, green: int, blue: int, side: int = 24) -> bytes:
    """A square picture of one colour."""
    line = b"\0" + bytes((red, green, blue)) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    # Level 0: the same bytes whichever zlib wrote them.
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(line * side, 0))
        + _chunk(b"IEND", b"")
    )


def picture(rng: random.Random) -> bytes:
    """A square picture of some colour."""
    return png(rng.randrange(256), rng.randrange(256), rng.randrange(256))


def noise(rng: random.Random, size: int) -> bytes:
    """Bytes of no known format."""
    return rng.randbytes(size)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
