"""Where the time goes: small and large requests carried step by step in this one process. Never part of a run of all.

`python -m bench where` tells processor time and queries of each page and each job, PostgreSQL's own not among them,
and leaves two profiles for `python -m pstats` in var/.
"""

import cProfile
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from bench.case import PORT, tell, verified
from bench.company import Person
from bench.crowd import CODE_PAGE, FORM, HIDDEN
from bench.figures import Figure, milliseconds
from bench.servers import scale
from bench.stage import ROOT
from dsr import tasks
from dsr.bundle import press
from dsr.models import Job, JobState, Mail

ROUNDS = 20


class Ledger:
    """Processor time and queries of each step."""

    def __init__(self) -> None:
        self.taken: dict[str, list[tuple[float, int]]] = defaultdict(list)
        self._queries = 0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """What happens here counts for this step."""
        queries, begun = self._queries, time.process_time()
        with connection.execute_wrapper(self._count):
            yield
        self.taken[name].append((time.process_time() - begun, self._queries - queries))

    def figures(self, whose: str) -> list[Figure]:
        """A line for each step."""
        return [
            Figure(
                f"- {whose}: {name}",
                milliseconds(median(seconds for seconds, _queries in each)),
                f"{median(queries for _seconds, queries in each):.0f} queries",
            )
            for name, each in self.taken.items()
        ]

    def _count(self, execute: Any, *given: Any) -> Any:
        self._queries += 1
        return execute(*given)


def main() -> None:
    press.start()
    others, great = scale().others, scale().large[0]
    _filed(Ledger(), others[:3])  # in vain: what is loaded and drawn once
    small, large = Ledger(), Ledger()
    _filed(small, others[3 : 3 + ROUNDS])
    verified(great)
    _work(large)
    # Once more for the profiles, which make everything slower, and some things more so than others.
    with _profiled("where-small.prof"):
        _filed(Ledger(), others[3 + ROUNDS : 3 + 2 * ROUNDS])
    with _profiled("where-large.prof"):
        verified(great)
        _work(Ledger())
    tell([*small.figures("small request"), *large.figures(f"{great.requests:,} requests")])


@contextmanager
def _profiled(name: str) -> Iterator[None]:
    (ROOT / "var").mkdir(exist_ok=True)
    profile = cProfile.Profile(time.process_time)
    with profile:
        yield
    profile.dump_stats(Path(ROOT, "var", name))


def _filed(ledger: Ledger, people: Sequence[Person]) -> None:
    """The whole form, the code, the work, of one after the other."""
    client = Client(HTTP_HOST=f"localhost:{PORT}", HTTP_SEC_FETCH_SITE="same-origin")
    for person in people:
        client.cookies.clear()
        client.defaults["REMOTE_ADDR"] = f"127.3.{person.id // 250}.{person.id % 250 + 1}"
        _one(ledger, client, person)


def _one(ledger: Ledger, client: Client, person: Person) -> None:
    with ledger.step("first page"):
        text = _right(client.get("/en/ask/?right=access"))
    for name, typed, button in FORM:
        values = dict(HIDDEN.findall(text)) | typed | {"go": button}
        with ledger.step(name):
            text = _right(client.post("/en/ask/", values | ({"email": person.email} if name == "address" else {})))
    code = Mail.objects.latest("created_at").content["values"]["code"]
    page = re.search(CODE_PAGE, text)
    assert page is not None
    with ledger.step("code"):
        status = client.post(page[1], {"code": code})
    with ledger.step("status"):
        _right(client.get(status.headers["Location"]))
    _work(ledger)


def _right(response: HttpResponse) -> str:
    if response.status_code != 200:
        raise SystemExit(f"A page answered {response.status_code}.")
    return response.content.decode()


def _work(ledger: Ledger) -> None:
    """Do what is due, as workers would, until nothing is."""
    while due := list(Job.objects.filter(state=JobState.WAITING, due_at__lte=timezone.now()).order_by("pk")):
        for job in due:
            with ledger.step(f"job {job.kind}"):
                tasks.run_job(job.pk)
