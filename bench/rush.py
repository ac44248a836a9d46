"""Thousands of requests filed within a minute, by the real pages: what answers meanwhile, is lost, and when all end."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import psycopg
from django.db.models import Sum

from bench.case import PORT, running, seconds, tell
from bench.company import INVOICES, Person
from bench.crowd import Crowd
from bench.figures import Figure, milliseconds, percentile
from bench.post import Post
from bench.processes import machine_worked, tree, worked
from bench.servers import scale
from dsr import audit
from dsr.management.supervisor import Child
from dsr.models import Case, Delivery, Mail, State

PEOPLE = 5_000
MINUTE = 60.0
ALONE = 5
WORKERS = 2
EMPTY = "/bench/empty/"
LOOKED_AT = (EMPTY, "/en/", "/en/policy/", "/en/ask/?right=access", "/en/follow/")


@dataclass(frozen=True)
class Rush:
    """What came of it; times in seconds since the first one came."""

    crowd: Crowd
    filed: float
    coded: float
    sealed: float
    others: Mapping[str, list[tuple[float, int]]]
    shares: Mapping[str, float]


def main() -> None:
    everybody = scale().others
    people, before = everybody[: PEOPLE // scale().share], everybody[-2 * ALONE :]
    with Post() as post, running("web", "clock", "worker", web_workers=2, work_processes=WORKERS) as children:
        alone = [_alone(post, person, number) for number, person in enumerate(before)][ALONE:]
        pages, work = median(one[0] for one in alone), median(one[1] for one in alone)
        most = len(people) * (pages + work) / WORKERS
        rush = _rush(people, post, children, patience=2 * most + MINUTE)
        lost = _lost(people, post, rush)
    tell(_figures(people, rush, lost, (pages, work)))


def _alone(post: Post, person: Person, number: int) -> tuple[float, float]:
    """Seconds that one takes with nobody else there: for all the pages, and from verified to sealed."""
    crowd = Crowd("127.0.0.1", PORT, post)
    asyncio.run(crowd.file([person], within=0, first_address=PEOPLE + number))
    if crowd.lost:
        raise SystemExit(f"Not even one alone was carried: {crowd.lost[0]}")
    _wait(number + 1, patience=MINUTE)
    return sum(map(sum, crowd.pages.values())), seconds(Case.objects.latest("received_at"), "verified", "completed")


def _rush(people: list[Person], post: Post, children: Mapping[str, Child], patience: float) -> Rush:
    crowd = Crowd("127.0.0.1", PORT, post)
    done_before = Case.objects.filter(state=State.COMPLETED).count()
    with _bystander() as others:
        groups = {name: tree(child.process.pid) for name, child in children.items() if child.process}
        before = {name: worked(pids) for name, pids in groups.items()} | {"bench": worked([os.getpid()])}
        whole, begun = machine_worked(), time.monotonic()
        asyncio.run(crowd.file(people, within=MINUTE))
        taken = {name: worked(pids) - before[name] for name, pids in groups.items()}
        taken["this bench"] = worked([os.getpid()]) - before["bench"]
        whole = machine_worked() - whole
    _wait(done_before + len(people), patience - (time.monotonic() - begun))
    return Rush(
        crowd,
        max(crowd.filed_at) - begun,
        max(crowd.done_at) - begun,
        time.monotonic() - begun,
        others,
        {name: used / whole for name, used in taken.items()} | {"others": 1 - sum(taken.values()) / whole},
    )


def _wait(completed: int, patience: float) -> None:
    """Until so many are completed and their mails are gone, or patience is."""
    ends_at = time.monotonic() + patience
    while time.monotonic() < ends_at:
        if Case.objects.filter(state=State.COMPLETED).count() >= completed:
            return
        time.sleep(0.1)


def _lost(people: list[Person], post: Post, rush: Rush) -> list[str]:
    """What is missing, in words: a page, a case, a row, a mail, an entry of the trail. Empty, as it should be."""
    told = list(rush.crowd.lost)
    ends_at = time.monotonic() + MINUTE
    while Mail.objects.filter(sent_at=None).exists() and time.monotonic() < ends_at:
        time.sleep(0.5)
    wanted = len(people) + 2 * ALONE
    completed = Case.objects.filter(state=State.COMPLETED).count()
    if completed != wanted:
        told.append(f"{wanted - completed} requests are not completed")
    with psycopg.connect(os.environ["BENCH_LIMIT_URL"]) as company:
        ids = [person.id for person in [*people, *scale().others[-2 * ALONE :]]]
        rows = sum(_count(company, table, ids) for table in ("api_requests", "chat_messages"))
    found = Delivery.objects.aggregate(rows=Sum("rows"))["rows"]
    if found != rows + len(ids) * (1 + INVOICES):
        told.append(f"the archives hold {found} rows, the company {rows + len(ids) * (1 + INVOICES)}")
    ready = Mail.objects.filter(message="ready").values_list("pk", flat=True)
    if len(ready) != wanted or any(post.came[str(pk)] != 1 for pk in ready):
        told.append("not everybody got one mail that their data is ready")
    return told + audit.verify()


def _count(company: psycopg.Connection[Any], table: str, ids: list[int]) -> int:
    found = company.execute(f"SELECT count(*) FROM {table} WHERE user_id = ANY(%s)".encode(), [ids]).fetchone()
    assert found is not None
    return int(found[0])


@contextmanager
def _bystander() -> Iterator[dict[str, list[tuple[float, int]]]]:
    """Somebody else looks at pages meanwhile; what they saw is there at the end."""
    found: dict[str, list[tuple[float, int]]] = {}
    given = {"host": "localhost", "port": PORT, "paths": LOOKED_AT, "every": 0.5}
    with subprocess.Popen(
        [sys.executable, "-m", "bench.bystander"], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(given) + "\n")
        process.stdin.flush()
        yield found
        found |= json.loads(process.communicate()[0])


def _figures(people: list[Person], rush: Rush, lost: list[str], alone: tuple[float, float]) -> list[Figure]:
    pages, work = alone
    most = len(people) * (pages + work) / WORKERS
    slowest, latencies = max(rush.crowd.pages.items(), key=lambda pair: percentile(pair[1], 0.95))
    looked = {path: percentile([taken for taken, _status in seen], 0.95) for path, seen in rush.others.items()}
    other = max((path for path in looked if path != EMPTY), key=lambda path: looked[path])
    wrong = sum(status >= 500 for seen in rush.others.values() for _taken, status in seen)
    shares = ", ".join(f"{name} {share:.0%}" for name, share in rush.shares.items())
    return [
        Figure(
            f"{len(people):,} small requests, each with five pages of form, filed over HTTP",
            f"in {rush.filed:.0f} s, {len(people) / rush.filed * MINUTE:,.0f} a minute",
            f"they come within {MINUTE:.0f} s, each from an address of its own; one alone takes {milliseconds(pages)}",
            f"≤ {MINUTE * 1.02:.0f} s",
            rush.filed <= MINUTE * 1.02,
        ),
        Figure("- the last mailed code typed", f"after {rush.coded:.0f} s"),
        Figure(
            f"- pages that did not answer, of {sum(map(len, rush.crowd.pages.values())):,}, and of others looking on",
            f"{len(rush.crowd.lost)} and {wrong}",
            "",
            "none",
            not rush.crowd.lost and not wrong,
        ),
        Figure(f"- slowest of the form, 95th percentile: {slowest}", milliseconds(percentile(latencies, 0.95))),
        Figure(
            f"- slowest of others’ pages meanwhile, 95th percentile: {other}",
            milliseconds(looked[other]),
            f"an empty view at the same time: {milliseconds(looked[EMPTY])}",
        ),
        Figure("- who used the processors until then", shares),
        Figure(
            "- the last archive sealed, since the first one came",
            f"{rush.sealed:.0f} s",
            f"sum of the work, {len(people):,} × ({pages:.2f} s of pages + {work:.2f} s of work, both alone) "
            f"/ {WORKERS} workers: {most:.0f} s",
            "no later than the sum",
            rush.sealed <= most and not lost,
        ),
        Figure(
            "- lost: requests, rows, mails, entries of the trail", "; ".join(lost[:3]) or "none", "", "none", not lost
        ),
    ]
