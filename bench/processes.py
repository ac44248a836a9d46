"""Processes by the kernel's own books: who stems from whom, the memory they have and had, the time they worked."""

import os
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
# In /proc/PID/stat, counted behind the name: the parent, then times of the process and of its children that ended.
PARENT, TIMES = 1, slice(11, 15)


def tree(pid: int) -> list[int]:
    """The process and all that stem from it, whatever session they made for themselves."""
    parents = {int(folder.name): _stat(folder)[PARENT] for folder in Path("/proc").glob("[0-9]*") if _stat(folder)}
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if int(parent) == known]
    return found


def printers(pids: list[int]) -> list[int]:
    """Those of them that print letters."""
    return [pid for pid in pids if b"bundle/printer.py" in _read(Path(f"/proc/{pid}/cmdline"))]


def resident(pids: list[int]) -> int:
    """Bytes of memory they have now, together."""
    return sum(_status(pid, "VmRSS") for pid in pids)


def peak(pids: list[int]) -> int:
    """Bytes of memory that each had at most since `forget_peak`, together."""
    return sum(_status(pid, "VmHWM") for pid in pids)


def forget_peak(pids: list[int]) -> None:
    """From here on the most that each ever had is counted anew; see proc(5), clear_refs."""
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def worked(pids: list[int]) -> float:
    """Seconds of processor time that they and their ended children took."""
    return sum(int(ticks) for pid in pids for ticks in _stat(Path(f"/proc/{pid}"))[TIMES]) / TICKS


def machine_worked() -> float:
    """Seconds of processor time that anything on this machine took: all but idle and waiting for a disk."""
    user, nice, system, _idle, _waiting, *interrupts = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    return sum(map(int, (user, nice, system, *interrupts))) / TICKS


def _status(pid: int, name: str) -> int:
    lines = _read(Path(f"/proc/{pid}/status")).decode().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)


def _stat(folder: Path) -> list[str]:
    return _read(folder / "stat").decode().rpartition(") ")[2].split()


def _read(path: Path) -> bytes:
    """Empty, once the process is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return path.read_bytes()
    return b""
