"""What goes into a case's archive and letter (waits for the archive)."""

from dsr.models import Case


def missing(case: Case) -> list[str]:
    return []


def letter(case: Case) -> bytes:
    raise NotImplementedError


def archive_of(case: Case):  # type: ignore
    raise NotImplementedError
