"""What runs each second or on each page of staff finds its rows by an index, however many cases there are."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import codes
from dsr import deliver, intake, jobs
from dsr.admin import steps
from dsr.models import Case, Job, JobState

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="these are plans of PostgreSQL"),
]
NOW = timezone.now()
HOT: dict[str, Callable[[], Any]] = {
    "sweep": jobs.sweep,
    "claim": lambda: jobs.claim(7),
    "expire": lambda: deliver.expire(NOW),
    "lapse": lambda: intake.lapse_unverified(NOW),
    "codes": codes.forget_expired,
    "failed work": lambda: list(Job.objects.filter(state=JobState.FAILED).order_by("due_at")[:100]),
    "who waits for staff": lambda: list(Case.objects.filter(steps.failed() | steps.disputed() | steps.unanswered())),
    "a person's requests": lambda: list(Case.objects.filter(who_index="w")),
    "a job's case": lambda: list(Job.objects.filter(case="c", kind="gather", key="1")),
}


@pytest.mark.parametrize("name", sorted(HOT))
def test_a_hot_query_reads_no_whole_table(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_length", lambda queue: 0)
    with CaptureQueriesContext(connection) as asked:
        HOT[name]()
    assert asked.captured_queries
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # tables are empty here: without this, any plan is cheap
        for query in asked.captured_queries:
            if query["sql"].startswith(("SELECT", "UPDATE", "DELETE")):
                cursor.execute("EXPLAIN " + query["sql"])
                plan = "\n".join(row[0] for row in cursor.fetchall())
                # The one table that is walked is the one the question is about: cases, once, for all of staff's views.
                allowed = "Seq Scan on dsr_case" if name == "who waits for staff" else "nothing"
                assert "Seq Scan" not in plan.replace(allowed, ""), plan
