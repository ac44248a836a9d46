"""How a request comes to its end over real processes, and what must be true of it then."""

import json
import zipfile
from pathlib import Path
from typing import Any

from dsr import samples
from dsr.bundle import opening
from tests.journeys.company import SAMPLE, Company, Condition
from tests.journeys.stage import Look

Rows = dict[tuple[str, str], list[dict[str, Any]]]


def running(kind: str, case: str) -> Condition:
    """A worker has the job of this kind now."""
    return lambda database: bool(
        database.execute(
            "SELECT 1 FROM dsr_job WHERE kind = ? AND case_id = ? AND state = 'running'", (kind, case)
        ).fetchone()
    )


def state(case: str, *states: str) -> Condition:
    marks = ", ".join("?" * len(states))
    return lambda database: bool(
        database.execute(f"SELECT 1 FROM dsr_case WHERE id = ? AND state IN ({marks})", (case, *states)).fetchone()
    )


def nothing_left_to_do(database: Look) -> bool:
    return not database.execute("SELECT 1 FROM dsr_job WHERE state <> 'done'").fetchone()


def rows_in_parts(database: Look, case: str) -> int:
    found: int | None = database.execute("SELECT sum(rows) FROM dsr_part WHERE case_id = ?", (case,)).fetchone()[0]
    return found or 0


def start_again(company: Company) -> None:
    company.kill()
    company.a_minute_passes()
    company.start()


def carry_to_its_end(company: Company, case: str) -> None:
    company.wait(state(case, "review", "executing", "completed"), "review")
    if company.one("SELECT state FROM dsr_case WHERE id = ?", case) == "review":
        company.counter("approve", case=case)
    company.wait(state(case, "completed"), "completion")
    company.wait(nothing_left_to_do, "all jobs done")


def rows_in(bundle: Path, system: str, collection: str) -> list[dict[str, Any]]:
    with zipfile.ZipFile(bundle) as opened:
        name = f"data/{system}/{collection}.jsonl"
        return [json.loads(line) for line in opened.read(name).splitlines()] if name in opened.namelist() else []


def assert_ended_once(company: Company, case: str, truth: Rows, folder: Path) -> None:
    bundle = folder / "bundle.zip"
    said = company.counter("fetch", case=case, to=str(bundle))
    assert said == sum(len(rows) for rows in truth.values())
    assert opening.verify(bundle) == []
    for (system, collection), rows in truth.items():
        assert len(rows_in(bundle, system, collection)) == len(rows), (system, collection)
    told = [(row["id"], row["feature"], row["seconds"]) for row in rows_in(bundle, "app", "usage")]
    assert told == [(row["id"], row["feature"], row["seconds"]) for row in truth["app", "usage"]]
    moves = "SELECT count(*) FROM dsr_auditentry WHERE case_id = ? AND act = 'advanced' AND CAST(facts AS text) LIKE ?"
    assert company.one(moves, case, '%"completed"%') == 1
    assert company.counter("audit") == []
    assert company.one("SELECT count(*) FROM dsr_mail WHERE case_id = ? AND message = 'ready'", case) == 1
    ready = company.one("SELECT id FROM dsr_mail WHERE case_id = ? AND message = 'ready'", case)
    assert sum(ready in message["Message-ID"] for message in company.post.taken) == 1
    kept = {name for name in company.stored() if case in name}
    assert kept == {company.one("SELECT name FROM dsr_delivery WHERE case_id = ?", case)}


def assert_nothing_readable(company: Company, truth: Rows) -> None:
    """No file in storage shows a value of the person, whoever reads it without the keys."""
    words = [samples.heavy(SAMPLE).email, str(truth["app", "usage"][0]["feature"]), "usage.jsonl", '{"t":']
    for name in company.stored():
        content = (company.storage / name).read_bytes()
        assert [word for word in words if word.encode() in content] == [], name
