"""Memory of a worker: a small person against one with a hundred times as many rows."""

import os
import threading
from pathlib import Path

from bench.baseline import plain
from bench.case import carried, running, seconds, tell, verified
from bench.figures import Figure
from dsr import samples
from dsr.models import Case
from dsr.samples import SamplePerson

MB = 1_000_000


class Watched:
    """The most memory that one process of a session ever had, looked at until it is over."""

    def __init__(self, session: int) -> None:
        self.session = session
        self.peak = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watched":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(0.05):
            self.peak = max([self.peak, *(_peak(folder) for folder in _of_session(self.session))])


def main() -> None:
    small, small_case = _peak_of(samples.person("lumio"))
    large, large_case = _peak_of(samples.heavy("lumio"))
    beside = plain(large_case)
    rows = large_case.delivery.rows
    tell(
        [
            Figure(
                f"memory of the largest worker process: {small_case.delivery.rows} rows, then {rows:,}",
                f"{small / MB:.0f} MB, then {large / MB:.0f} MB",
                f"sqlite3 and zipfile, {rows:,} rows: {beside['bytes_at_peak'] / MB:.0f} MB",
                "flat: less than 20 % more",
                large < 1.2 * small,
            ),
            Figure(
                f"{rows:,} rows, from verified to sealed bundle (once)",
                f"{seconds(large_case, 'verified', 'completed'):.1f} s",
                f"sqlite3 and zipfile in one process: {beside['seconds']:.1f} s",
            ),
        ]
    )


def _peak_of(person: SamplePerson) -> tuple[int, Case]:
    """Fresh processes each time, so that what one left does not count for the other."""
    with running("clock", "worker", work_processes=1) as children:
        process = children["worker"].process
        assert process is not None
        with Watched(process.pid) as watched:
            case = carried(verified(person))
    return watched.peak, case


def _of_session(session: int) -> list[Path]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) == session:
                found.append(folder)
        except ProcessLookupError:
            continue
    return found


def _peak(folder: Path) -> int:
    try:
        lines = (folder / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
