"""The archive: what strangers' tools make of it, what happens when a part is not what was gathered, memory."""

import csv
import io
import json
import tracemalloc
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import frictionless
import orjson
import pytest
import stream_unzip
from django.core.files.storage import FileSystemStorage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsr import keys
from dsr.bundle import archive, letter, mask, opening, parts
from dsr.bundle.contents import Source
from dsr.bundle.table import BOM
from dsr.connectors import Column, Record
from tests.bundle.sample import CONTENTS, HOSTILE, rows, source, with_files

LETTER = b"%PDF-1.7 a letter"
PICTURES = [("../../a.png", b"first" * 50_000), ("A.PNG", b""), ("evil.html", b"<script>"), ("a\x00.png", b"last")]


def built(storage: FileSystemStorage, sources: list[Source], **changes: Any) -> bytes:
    options = {"format": "jsonl", "letter": LETTER} | changes
    return b"".join(archive.build(options.pop("contents", CONTENTS), sources, storage, **options))


def opened(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


def two(storage: FileSystemStorage) -> list[Source]:
    pictures = source(
        storage, with_files(PICTURES), collection="pictures", title="Pictures", time="", model="", columns=()
    )
    return [source(storage, rows(1000), part_rows=300), pictures]


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_a_strangers_validator_finds_the_package_valid(storage: FileSystemStorage, tmp_path: Path, format: str) -> None:
    content = built(storage, two(storage), format=format)
    opened(content).extractall(tmp_path / "out")
    report = frictionless.validate(str(tmp_path / "out" / "datapackage.json"))
    assert report.valid, report.to_summary()
    tables = {task.name: task.stats["rows"] for task in report.tasks if task.type == "table"}
    assert tables == {"app.usage": 1000, "app.pictures": 4}


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_types_are_those_of_the_columns(storage: FileSystemStorage, format: str) -> None:
    package = orjson.loads(opened(built(storage, two(storage), format=format)).read("datapackage.json"))
    fields = package["resources"][0]["schema"]["fields"]
    assert [(field["name"], field["type"]) for field in fields] == [
        ("id", "integer"), ("ts", "datetime"), ("model", "string"),
        ("text", "string"), ("cost", "number"), ("extra", "object"),
    ]  # fmt: skip
    assert fields[2]["description"] == "The AI model that answered."


def test_json_lines_are_exactly_what_was_gathered(storage: FileSystemStorage) -> None:
    content = opened(built(storage, two(storage))).read("data/app/usage.jsonl")
    assert [orjson.loads(line) for line in content.splitlines()] == [record.data for record in rows(1000)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries({"a": st.text(), "b": JSON, "=c": st.text()}), min_size=1, max_size=4))
def test_whatever_the_values_both_formats_hold(storage: FileSystemStorage, data: list[dict[str, Any]]) -> None:
    made = source(
        storage, (Record("ada", (n,), None, row) for n, row in enumerate(data)), columns=(), model="", time=""
    )
    kept = [record["d"] for part in made.parts for record in parts.read_part(storage, part.name, part.context)]
    lines = opened(built(storage, [made])).read("data/app/usage.jsonl").split(b"\n")
    assert [orjson.loads(line) for line in lines[:-1]] == kept
    content = built(storage, [made], format="csv")
    table = opened(content).read("data/app/usage.csv").removeprefix(BOM).decode()
    read = list(csv.reader(io.StringIO(table, newline=""), strict=True))
    assert len(read) == 1 + len(data)
    assert sorted(read[0]) == ["'=c", "a", "b"]
    assert opening.verify(io.BytesIO(content)) == []


def test_a_cell_longer_than_a_csv_readers_default_is_whole(storage: FileSystemStorage, tmp_path: Path) -> None:
    long = "word " * 60_000
    made = source(
        storage, [Record("ada", (1,), None, {"a": long})], columns=(Column("a", "string"),), model="", time=""
    )
    opened(built(storage, [made], format="csv")).extractall(tmp_path / "out")
    assert frictionless.validate(str(tmp_path / "out" / "datapackage.json")).valid
    assert long in (tmp_path / "out/data/app/usage.csv").read_text()


def test_attachments_have_safe_names_and_their_bytes_and_rows_lead_to_them(storage: FileSystemStorage) -> None:
    read = opened(built(storage, two(storage)))
    rows_ = [orjson.loads(line) for line in read.read("data/app/pictures.jsonl").splitlines()]
    paths = [row["files"][0] for row in rows_]
    assert paths == [
        "files/app/pictures/0-._._a.png",
        "files/app/pictures/1-A.PNG",
        "files/app/pictures/2-evil.html.txt",
        "files/app/pictures/3-a.png",
    ]
    assert [read.read(path) for path in paths] == [content for _name, content in PICTURES]


def test_every_file_is_listed_and_the_manifest_comes_last(storage: FileSystemStorage) -> None:
    read = opened(built(storage, two(storage)))
    listed = [resource["path"] for resource in orjson.loads(read.read("datapackage.json"))["resources"]]
    assert [*listed, "datapackage.json"] == read.namelist()
    assert {"index.html", "style.css", "letter.pdf"} < set(listed)
    assert read.read("letter.pdf") == LETTER


def test_the_password_opens_it_and_no_other_does(storage: FileSystemStorage, tmp_path: Path) -> None:
    content = built(storage, two(storage), password="correct horse")
    assert b"script" not in content
    members = {
        name: b"".join(chunks)
        for name, _size, chunks in stream_unzip.stream_unzip(
            [content],
            password=b"correct horse",
            allowed_encryption_mechanisms=(stream_unzip.AE_2, stream_unzip.AES_256),
        )
    }
    assert members[b"letter.pdf"] == LETTER
    file = tmp_path / "archive.zip"
    file.write_bytes(content)
    assert opening.verify(file, "correct horse") == []
    assert opening.verify(file, "wrong") != []
    assert opening.verify(file) != []


def test_a_part_that_is_not_what_was_gathered_stops_the_build(storage: FileSystemStorage) -> None:
    made = source(storage, rows(10))
    for wrong in (
        replace(made.parts[0], rows=9),
        replace(made.parts[0], sha256="0" * 64),
        replace(made.parts[0], context=b"part:other:app:usage:1"),
    ):
        with pytest.raises((parts.PartBroken, keys.DoesNotOpen)):
            built(storage, [replace(made, parts=[wrong])])
    file = Path(storage.path(made.parts[0].name))
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(keys.DoesNotOpen):
        built(storage, [made])


def test_attachments_of_another_part_stop_the_build(storage: FileSystemStorage) -> None:
    made = source(storage, with_files([("a.png", b"mine")]), collection="pictures")
    other = source(storage, with_files([("a.png", b"not!")]), collection="others")
    mine, its = (Path(storage.path(parts.pack_name(s.parts[0].name))) for s in (made, other))
    mine.write_bytes(its.read_bytes())
    with pytest.raises(keys.DoesNotOpen):
        built(storage, [made])


def test_redaction_changes_data_pages_counts_and_drops_attachments(storage: FileSystemStorage) -> None:
    def redact(_source: Source, record: dict[str, Any]) -> dict[str, Any] | None:
        if record["k"] == [1]:
            return None
        record["d"]["name"] = "[another person]"
        return record

    files = [("keep.png", b"kept"), ("secret-of-bob.png", b"bob"), ("last.png", b"last")]
    made = source(storage, with_files(files), collection="pictures", columns=(), time="", model="")
    for format in ("jsonl", "csv"):
        content = built(storage, [made], redact=redact, format=format)
        read = opened(content)
        assert not [name for name in read.namelist() if "bob" in name]
        everything = b"".join(read.read(name) for name in read.namelist())
        assert b"bob" not in everything
        assert b"[another person]" in read.read("pages/app/pictures-0001.html")
        assert read.read("files/app/pictures/2-last.png") == b"last"
        assert "1 record" in read.read("index.html").decode()
        assert opening.verify(io.BytesIO(content)) == []


def test_rows_that_were_all_left_out_leave_no_file(storage: FileSystemStorage) -> None:
    content = built(storage, [source(storage, rows(5))], redact=lambda _source, _record: None)
    assert [name for name in opened(content).namelist() if "usage" in name] == []
    assert opening.verify(io.BytesIO(content)) == []


def test_masked_secrets_are_counted_in_the_index(storage: FileSystemStorage) -> None:
    secret = "AKIA" + "IOSFODNN7EXAMPLE"
    made = source(storage, [Record("ada", (n,), None, {"text": f"see {secret}"}) for n in range(3)])
    read = opened(built(storage, [made]))
    assert secret.encode() not in b"".join(read.read(name) for name in read.namelist())
    assert read.read("data/app/usage.jsonl").count(mask.replacement(mask.API_KEY).encode()) == 3
    assert "API keys in your data: 3" in read.read("index.html").decode()


def test_nothing_held_is_an_answer_too(storage: FileSystemStorage) -> None:
    content = built(storage, [source(storage, [])])
    assert "found nothing about you" in opened(content).read("index.html").decode()
    assert opening.verify(io.BytesIO(content)) == []


def test_nothing_is_not_said_of_systems_that_were_not_read(storage: FileSystemStorage) -> None:
    contents = replace(CONTENTS, gaps=(replace(CONTENTS.withheld[0], what="Stripe", why="Not reached yet."),))
    page = opened(built(storage, [source(storage, [])], contents=contents)).read("index.html").decode()
    assert "in every system" not in page
    assert "Stripe" in page
    assert "in every system" not in letter.html(contents, [])
    assert "in every system" in letter.html(CONTENTS, [])


def test_pages_show_the_newest_first_and_say_where_the_rest_is(storage: FileSystemStorage) -> None:
    read = opened(built(storage, [source(storage, rows(5250), part_rows=2000)]))
    pages = sorted(name for name in read.namelist() if name.startswith("pages/"))
    assert len(pages) == 25
    first, last = read.read(pages[0]).decode(), read.read(pages[-1]).decode()
    assert first.index(">5249<") < first.index(">5050<")
    assert last.index(">449<") < last.index(">250<")
    assert ">249<" not in last
    assert "newest 5,000 of 5,250 records" in first


def test_pages_keep_the_files_order_when_times_are_in_none(storage: FileSystemStorage) -> None:
    shuffled = sorted(rows(450), key=lambda record: record.key[0] % 7)
    read = opened(built(storage, [source(storage, shuffled)]))
    first = read.read("pages/app/usage-0001.html").decode()
    assert "In the order of the data file" in first
    assert first.index(">0<") < first.index(">7<") < first.index(">14<")
    assert len([name for name in read.namelist() if name.startswith("pages/")]) == 3


def test_markup_and_long_texts_in_pages_are_inert_and_cut(storage: FileSystemStorage) -> None:
    made = source(storage, [Record("ada", (n,), None, {"text": text}) for n, text in enumerate([*HOSTILE, "y" * 5000])])
    page = opened(built(storage, [made])).read("pages/app/usage-0001.html").decode()
    assert "<script" not in page
    assert "<img" not in page
    assert "{{ 7|add:7 }}{% debug %}" in page
    assert "\u202e" not in page
    assert "[U+202E]" in page
    assert "y" * 300 + "…" in page
    assert "y" * 301 not in page


def test_the_index_stays_small_whatever_there_is(storage: FileSystemStorage) -> None:
    columns = tuple(Column(f"column_{n}", "string", f"meaning {n} " * 20) for n in range(300))
    records = [
        Record("ada", (n,), datetime(1990 + n % 40, 1 + n % 12, 1, tzinfo=UTC), {"model": f"<model> {n}" * 9, "ts": ""})
        for n in range(3000)
    ]
    sources = [
        source(storage, records[: 3000 if n == 0 else 1], collection=f"c{n}", title="Long title " * 30, columns=columns,
               sentence="Sentence. " * 60, category_sentence="Category. " * 90, missing="Missing. " * 90)
        for n in range(40)
    ]  # fmt: skip
    page = opened(built(storage, sources)).read("index.html")
    assert len(page) < 200_000
    assert b"other models" in page


def test_the_index_speaks_the_persons_language_and_direction(storage: FileSystemStorage) -> None:
    made = source(storage, rows(1500))
    page = opened(built(storage, [made], contents=replace(CONTENTS, language="ar"))).read("index.html").decode()
    assert '<html lang="ar" dir="rtl">' in " ".join(page.split())
    page = opened(built(storage, [made], contents=replace(CONTENTS, language="de"))).read("index.html").decode()
    assert '<html lang="de" dir="ltr">' in " ".join(page.split())
    assert "1.500" in page
    assert "Oktober" in page


@pytest.mark.parametrize(("format", "many"), [("jsonl", 50_000), ("csv", 20_000)])
def test_memory_does_not_follow_the_rows(storage: FileSystemStorage, format: archive.Format, many: int) -> None:
    def peak(count: int) -> int:
        made = source(storage, rows(count), part_rows=10_000 if count > 10_000 else 10**6)
        tracemalloc.start()
        for _chunk in archive.build(CONTENTS, [made], storage, format=format, letter=LETTER):
            pass
        high = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return high

    peak(100)
    small, large = peak(5_000), peak(many)
    assert large < small * 1.5 + 1_000_000


def test_chart_counts_are_the_rows(storage: FileSystemStorage) -> None:
    page = opened(built(storage, [source(storage, rows(1200, minutes=60))])).read("index.html").decode()
    assert "Usage of the platform by day" in page
    assert page.count('<td class="num">24</td>') >= 30
    assert page.count('<td class="num">400</td>') == 3
    page = opened(built(storage, [source(storage, rows(1200, minutes=600))])).read("index.html").decode()
    assert "Usage of the platform by month, from November 2025" in page


def test_what_is_not_in_here_is_said_with_its_reason(storage: FileSystemStorage) -> None:
    made = source(storage, rows(3), missing="Rows before May were deleted when their time was up.")
    contents = replace(
        CONTENTS, since=datetime(2026, 1, 1, tzinfo=UTC).date(), left_out=("Payments",),
        gaps=(replace(CONTENTS.withheld[0], what="Stripe", why="We could not reach it yet."),),
    )  # fmt: skip
    page = opened(built(storage, [made], contents=contents)).read("index.html").decode()
    for said in (
        "Your password",
        "Rows before May",
        "older than 1 January 2026",
        "Payments",
        "We could not reach it yet.",
    ):
        assert said in page


def test_the_style_carries_the_companys_colours() -> None:
    sheet = archive.style("#123456", "#abcdef").decode()
    assert "--accent: #123456" in sheet
    assert "--accent: #abcdef" in sheet
    assert "@import" not in sheet
    assert "http" not in json.dumps(
        [line for line in sheet.split("url(")[1:] if not line.startswith(('"data:', "data:"))]
    )
