"""PostgreSQL, Redis, two workers, clock and web as real processes, each taken away in the middle of a request.

Whatever goes and comes back, the request ends, and ends once: one completed move, one mail, one archive.
"""

import http.client
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from dsr import samples
from tests import servers
from tests.journeys.company import HEAVY_ROWS, LONGEST_WAIT, SAMPLE, Company, NothingCame
from tests.journeys.ending import (
    Rows,
    assert_ended_once,
    assert_nothing_readable,
    carry_to_its_end,
    nothing_left_to_do,
    running,
    state,
)
from tests.journeys.stage import ManyMachines

pytestmark = [pytest.mark.processes, pytest.mark.enable_socket]

WORKERS, CLOCK = "-Q bulk", "-Q clock,interactive"
PARTS = "SELECT count(*) FROM dsr_part WHERE case_id = ?"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """One company for all faults: each test finds it running, as the one before left it."""
    with servers.running(servers.Postgres(is_durable=True)) as postgres, servers.running(servers.Redis()) as redis:
        company = Company(tmp_path_factory.mktemp("many"), ManyMachines(postgres, redis))
        company.found()
        company.start()
        yield company
        company.close()


@pytest.fixture(scope="module")
def truth() -> Rows:
    return samples.expected(SAMPLE, samples.heavy(SAMPLE), heavy_rows=HEAVY_ROWS)


@pytest.fixture
def stage(company: Company) -> ManyMachines:
    assert isinstance(company.stage, ManyMachines)
    return company.stage


def ask_for_a_code(company: Company) -> int:
    """Somebody types an address, which is a dozen statements on the database. The status of the answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", company.web_port, timeout=30)) as web:
        headers = {
            "Origin": "http://localhost:8000",
            "Host": "localhost:8000",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        web.request("POST", "/en/follow/", f"email={secrets.token_hex(8)}%40example.com", headers)
        answer = web.getresponse()
        answer.read()
        return answer.status


def wait_for_the_web(company: Company, seconds: float = LONGEST_WAIT) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError):
            if ask_for_a_code(company) == 303:
                return
        time.sleep(0.1)
    raise NothingCame("an answer of the web")


def some_parts(company: Company, case: str) -> None:
    company.wait(lambda d: d.execute(PARTS, (case,)).fetchone()[0] >= 3, "three parts")


def test_undisturbed(company: Company, truth: Rows, tmp_path: Path) -> None:
    wait_for_the_web(company)
    case = company.counter("ask", sample=SAMPLE)
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)


def test_whoever_works_is_killed_at_each_step(company: Company, truth: Rows, tmp_path: Path) -> None:
    with company.locked_system("app"):
        case = company.counter("ask", sample=SAMPLE)
        company.wait(running("identify", case), "somebody finding the person")
        assert company.kill_those(CLOCK) > 1
    company.a_minute_passes()
    some_parts(company, case)
    assert company.kill_those(WORKERS) > 2
    company.a_minute_passes()
    company.wait(state(case, "review"), "review")
    company.counter("approve", case=case)
    company.wait(running("seal", case), "sealing")
    assert company.kill_those(WORKERS) > 2
    company.a_minute_passes()
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)


def test_redis_forgets_everything_in_the_middle(
    company: Company, stage: ManyMachines, truth: Rows, tmp_path: Path
) -> None:
    case = company.counter("ask", sample=SAMPLE)
    some_parts(company, case)
    stage.lose_messages()
    company.a_minute_passes()
    company.wait(state(case, "review"), "review")
    stage.lose_messages()
    company.counter("approve", case=case)
    stage.lose_messages()
    company.a_minute_passes()
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)


def test_redis_is_away_for_a_while(company: Company, stage: ManyMachines, truth: Rows, tmp_path: Path) -> None:
    case = company.counter("ask", sample=SAMPLE)
    some_parts(company, case)
    stage.redis.stop(signal.SIGKILL)
    began = time.monotonic()
    assert ask_for_a_code(company) == 303
    assert time.monotonic() - began < 10
    other = company.counter("ask", sample=SAMPLE)
    time.sleep(2)
    stage.redis.start()
    company.a_minute_passes()
    for one in (case, other):
        carry_to_its_end(company, one)
        assert_ended_once(company, one, truth, tmp_path)


@pytest.mark.parametrize("moment", ["reading", "sealing", "mailing"])
def test_postgresql_stops_at_once_and_comes_back(
    company: Company, stage: ManyMachines, truth: Rows, tmp_path: Path, moment: str
) -> None:
    case = company.counter("ask", sample=SAMPLE)
    if moment == "reading":
        some_parts(company, case)
    else:
        company.wait(state(case, "review"), "review")
        company.wait(nothing_left_to_do, "the first mail")
        company.post.is_holding, company.post.held = moment == "mailing", 0
        company.counter("approve", case=case)
        if moment == "sealing":
            company.wait(running("seal", case), "sealing")
        else:
            company.wait(lambda _: company.post.held > 0, "a mail half way")
    stage.postgres.stop(signal.SIGQUIT)
    with suppress(OSError):
        assert ask_for_a_code(company) >= 500
    assert_nothing_readable(company, truth)
    company.post.is_holding = False
    time.sleep(1)
    stage.postgres.start()
    wait_for_the_web(company, seconds=5)
    company.a_minute_passes()
    carry_to_its_end(company, case)
    assert_ended_once(company, case, truth, tmp_path)
