"""Real processes, killed without a last word at every stage: each request still ends, and ends once."""

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from dsr import samples
from tests.journeys.company import HEAVY_ROWS, LONGEST_WAIT, PART_ROWS, SAMPLE, Company, NothingCame
from tests.journeys.ending import (
    Rows,
    assert_ended_once,
    assert_nothing_readable,
    carry_to_its_end,
    nothing_left_to_do,
    rows_in_parts,
    running,
    start_again,
    state,
)
from tests.servers import free_port

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    company = Company(tmp_path_factory.mktemp("company"))
    company.found()
    yield company
    company.close()


@pytest.fixture
def company(founded: Company) -> Iterator[Company]:
    """Worker and clock may run still from the test before: starting them is what takes time."""
    yield founded
    founded.post.is_holding = False


@pytest.fixture(scope="module")
def truth() -> Rows:
    return samples.expected(SAMPLE, samples.heavy(SAMPLE), heavy_rows=HEAVY_ROWS)


def test_undisturbed(company: Company, truth: Rows, tmp_path: Path) -> None:
    company.start()
    case = company.counter("ask", sample=SAMPLE)
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)


def test_killed_while_finding_the_person(company: Company, truth: Rows, tmp_path: Path) -> None:
    company.start()
    with company.locked_system("app"):
        case = company.counter("ask", sample=SAMPLE)
        company.wait(running("identify", case), "somebody finding the person")
        company.kill()
    start_again(company)
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)


def test_killed_in_the_middle_of_reading(company: Company, truth: Rows, tmp_path: Path) -> None:
    company.start()
    case = company.counter("ask", sample=SAMPLE)
    parts = "SELECT count(*) FROM dsr_part WHERE case_id = ? AND collection = 'usage'"
    with company.still(lambda d: d.execute(parts, (case,)).fetchone()[0] >= 4, "four parts"):
        company.kill()
    before = company.one(parts, case)
    assert before < HEAVY_ROWS / PART_ROWS
    assert_nothing_readable(company, truth)
    start_again(company)
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)


def killed_with_every_row_read(company: Company, every_row: int) -> str:
    """A case whose worker died between its last part and the word that it was the last: a moment that may be missed."""
    for _attempt in range(5):
        company.start()
        case = company.counter("ask", sample=SAMPLE)
        with company.still(lambda d, case=case: rows_in_parts(d, case) == every_row, "every row"):
            company.kill()
        if company.one("SELECT state FROM dsr_case WHERE id = ?", case) == "working":
            return case
        start_again(company)
        carry_to_its_end(company, case)
    raise AssertionError("The moment was missed five times.")


def test_killed_when_all_is_read_and_nobody_said_so(company: Company, truth: Rows, tmp_path: Path) -> None:
    case = killed_with_every_row_read(company, sum(len(rows) for rows in truth.values()))
    start_again(company)
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)


def test_killed_while_the_letter_is_printed(company: Company, truth: Rows, tmp_path: Path) -> None:
    company.start()
    case = company.counter("ask", sample=SAMPLE)
    company.wait(state(case, "review"), "review")
    company.counter("approve", case=case)
    with company.still(running("seal", case), "sealing"):
        company.kill()
    assert_nothing_readable(company, truth)
    start_again(company)
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)


def test_killed_in_the_middle_of_the_archive(company: Company, truth: Rows, tmp_path: Path) -> None:
    company.start()
    case = company.counter("ask", sample=SAMPLE)
    company.wait(state(case, "review"), "review")
    last = "SELECT name FROM dsr_part WHERE case_id = ? AND collection = 'usage' ORDER BY number DESC"
    with held_open(company.storage / company.one(last, case)) as is_waited_for:
        company.counter("approve", case=case)
        company.wait(lambda _: is_waited_for(), "the archive at its last part of usage")
        company.kill()
    fragments = {name for name in company.stored() if name.startswith("bundles/") and case in name}
    assert [name for name in fragments if company.counter("opens", name=name)] == []
    assert_nothing_readable(company, truth)
    start_again(company)
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)


def test_killed_when_the_archive_stands_and_nobody_said_so(company: Company, truth: Rows, tmp_path: Path) -> None:
    company.start()
    case = company.counter("ask", sample=SAMPLE)
    company.wait(state(case, "review"), "review")
    company.counter("approve", case=case)
    with company.still(lambda _: any(company.storage.glob(f"bundles/{case}/*")), "an archive"):
        time.sleep(0.3)  # it is read back, and waits for the database that is held still
        company.kill()
    assert company.one("SELECT state FROM dsr_case WHERE id = ?", case) == "executing"
    assert_nothing_readable(company, truth)
    start_again(company)
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)


def test_killed_while_the_mail_is_sent(company: Company, truth: Rows, tmp_path: Path) -> None:
    company.start()
    case = company.counter("ask", sample=SAMPLE)
    company.wait(state(case, "review"), "review")
    company.wait(nothing_left_to_do, "the first mail")
    company.post.is_holding, company.post.held = True, 0
    company.counter("approve", case=case)
    company.wait(lambda _: company.post.held > 0, "a mail half way")
    company.kill()
    company.post.is_holding = False
    start_again(company)
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)


def test_killed_again_and_again(company: Company, truth: Rows, tmp_path: Path) -> None:
    company.kill()
    case = company.counter("ask", sample=SAMPLE)
    for seconds in (2.0, 2.4, 2.8):
        start_again(company)
        time.sleep(seconds)
    start_again(company)
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)


def test_lost_messages_are_sent_again(company: Company, truth: Rows, tmp_path: Path) -> None:
    company.kill()
    case = company.counter("ask", sample=SAMPLE)
    assert company.lose_messages() > 0
    company.a_minute_passes()
    company.start()
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)


def test_a_full_disk_is_waited_out(company: Company, truth: Rows, tmp_path: Path) -> None:
    with full_disk(company.storage) as free:
        company.start()
        case = company.counter("ask", sample=SAMPLE)
        problem = "SELECT problem FROM dsr_job WHERE case_id = ? AND system = 'app' AND problem <> ''"
        company.wait(lambda d: d.execute(problem, (case,)).fetchone() is not None, "a full disk")
        assert "Error at" in company.one(problem, case)
        assert_nothing_readable(company, truth)
        free()
        carry_to_its_end(company, case)
        assert_ended_once(company, case, truth, tmp_path)


def test_the_supervisor_starts_the_dead_again_and_leaves_nobody_behind(company: Company) -> None:
    company.kill()
    port = free_port()
    supervisor = company.run("manage.py", "serve", "--bind", f"127.0.0.1:{port}", "--web-workers", "1")
    try:
        first = wait_for_child(supervisor.pid, "-Q bulk", other_than=0)
        os.killpg(first, signal.SIGKILL)
        wait_for_child(supervisor.pid, "-Q bulk", other_than=first)
        wait_for_child(supervisor.pid, "-Q clock,interactive", other_than=0)
        wait_for_answer(f"http://127.0.0.1:{port}/health")
    finally:
        supervisor.send_signal(signal.SIGTERM)
        returned = supervisor.wait(30)
    assert returned == 0
    assert company.processes() == {}


@contextmanager
def held_open(path: Path) -> Iterator[Callable[[], bool]]:
    """Whoever reads this file waits until it is put back. Gives a way to see whether somebody does."""
    aside = path.with_name("aside")
    path.rename(aside)
    os.mkfifo(path)
    writers: list[int] = []

    def is_waited_for() -> bool:
        if not writers:
            with suppress(OSError):  # there is no reader yet
                writers.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        return bool(writers)

    try:
        yield is_waited_for
    finally:
        for writer in writers:
            os.close(writer)
        path.unlink()
        aside.rename(path)


@contextmanager
def full_disk(folder: Path) -> Iterator[Callable[[], None]]:
    """The folder has next to no space until the given function is called; for other users than root it is no folder."""
    folder.mkdir(mode=0o700, exist_ok=True)  # this may be the first test that needs it
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32k", "none", folder], check=False, capture_output=True
    ).returncode:
        yield from _blocked(folder)
        return
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True) and None
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _blocked(folder: Path) -> Iterator[Callable[[], None]]:
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.touch()

    def free() -> None:
        folder.unlink()
        aside.rename(folder)

    yield free


def children_of(pid: int) -> dict[int, str]:
    """The command lines of a process's children."""
    found: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def wait_for_child(parent: int, words: str, other_than: int) -> int:
    deadline = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < deadline:
        for pid, command in children_of(parent).items():
            if words in command and pid != other_than:
                return pid
        time.sleep(0.05)
    raise NothingCame(f"no child with {words}")


def wait_for_answer(address: str) -> None:
    deadline = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            assert answer.status == 200
            return
        time.sleep(0.1)
    raise NothingCame(f"no answer from {address}")
