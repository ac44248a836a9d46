"""Saves and reads back so many megabytes through a bucket, and prints by how many its own memory grew at most."""

import resource
import sys
from collections.abc import Iterator

import django

django.setup()

from django.core.files.storage import storages  # noqa: E402

from dsr.bundle import sealed  # noqa: E402


def megabytes(count: int) -> Iterator[bytes]:
    for number in range(count * 4):
        yield number.to_bytes(4, "big") * (1 << 16)


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    storage = storages["bundles"]
    sealed.save(storage, "warm", megabytes(9), b"context")  # the SDK is loaded, and one upload in blocks is done
    for _chunk in sealed.chunks(storage, "warm", b"context"):
        pass
    before = peak()
    stored = sealed.save(storage, "large", megabytes(int(sys.argv[1])), b"context")
    written = peak()
    read = sum(len(chunk) for chunk in sealed.chunks(storage, "large", b"context"))
    sys.stdout.write(f"{stored} {read} {written - before} {peak() - written}\n")
