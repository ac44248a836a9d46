"""The letter: ten slots, tagged, signed; whatever stands in it fetches nothing and ends in time."""

import http.server
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest
from django.core.files.storage import FileSystemStorage

from dsr.bundle import letter, press
from dsr.bundle.contents import Authority, Recipient
from tests.bundle.sample import CONTENTS, rows, source


@pytest.fixture(scope="module", autouse=True)
def printing() -> Iterator[None]:
    yield
    press.close()


def read(pdf: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf))


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(pdf).pages).split())


def test_it_holds_the_ten_slots_and_is_tagged_and_short(storage: FileSystemStorage) -> None:
    pdf = letter.render(CONTENTS, [source(storage, rows(1200))])
    text = text_of(pdf)
    for said in (
        "Ada Marsh", "4827 3916", "27 October 2026",
        "Run the service", "Legal basis: contract",  # purposes
        "Usage. Which features", "Sign-in profile",  # categories
        "Stripe (United States): payments", "Hetzner",  # recipients
        "Kept: 30 days",  # retention
        "Correct your data", "Delete your data",  # rights
        "Data Protection Authority, 1 Authority Square",  # authority
        "Sign-in profile: NabzClan",  # source
        "Spam score", "a person looks",  # automated decisions
        "standard contractual clauses",  # safeguards
        "1,200 records", "Your password",  # the copy
        "Ben Ortiz",
    ):  # fmt: skip
        assert said in text, said
    root = read(pdf).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en"
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    assert len(read(pdf).pages) <= 2
    assert not read(pdf).attachments


def test_no_slot_is_missing_and_each_empty_one_is_named() -> None:
    assert letter.missing(CONTENTS) == []
    for field, named in (
        ("purposes", "purposes"), ("categories", "categories of data"), ("recipients", "recipients"),
        ("rights", "your rights"), ("automated", "automated decisions"),
    ):  # fmt: skip
        assert named in " ".join(letter.missing(replace(CONTENTS, **{field: ()})))
    assert letter.missing(replace(CONTENTS, categories=(replace(CONTENTS.categories[0], retention=""),))) == [
        "how long each kind is kept"
    ]
    assert letter.missing(replace(CONTENTS, authority=None)) == ["the supervisory authority"]
    assert letter.missing(replace(CONTENTS, authority=Authority(""))) == ["the supervisory authority"]
    assert letter.missing(replace(CONTENTS, signer="")) == ["who signs"]
    unsafe = (Recipient("Far Inc.", "hosting", "Elsewhere", is_abroad=True),)
    assert letter.missing(replace(CONTENTS, recipients=unsafe)) == ["the safeguard for the transfer to Far Inc."]
    assert letter.missing(replace(CONTENTS, automated=(), no_automated=True, recipients=(), no_recipients=True)) == []


MARKUP = "<b>bold</b><script>x</script><img src='file:///etc/passwd'><link rel=attachment href='file:///etc/passwd'>"


def test_markup_in_any_value_is_text() -> None:
    pdf = letter.render(replace(CONTENTS, person=MARKUP, addressed_to=(MARKUP,), signer=MARKUP), [])
    assert text_of(pdf).count("<b>bold</b>") == 3
    assert "root:" not in text_of(pdf)
    assert not read(pdf).attachments


@pytest.fixture
def listening() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Asked(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"secret-from-the-network")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Asked) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()


@pytest.mark.enable_socket
def test_nothing_is_fetched_from_anywhere(tmp_path: Path, listening: tuple[str, list[str]]) -> None:
    (tmp_path / "secret.txt").write_text("secret-from-the-disk")
    (tmp_path / "secret.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><text>secret-from-the-disk</text></svg>'
    )
    origin, asked = listening
    for place in (
        f"file://{tmp_path}/secret",
        f"{origin}/secret",
        f"FILE://{tmp_path}/secret",
        str(tmp_path / "secret"),
    ):
        html = f"""<html lang=en><title>t</title>
        <link rel=stylesheet href="{place}.txt"><link rel=attachment href="{place}.txt">
        <style>@import url("{place}.txt"); @font-face {{ font-family: x; src: url("{place}.txt") }}
        p {{ background: url("{place}.svg"); font-family: x }} li {{ list-style-image: url("{place}.svg") }}
        p::before {{ content: url("{place}.svg") }}</style>
        <p>seen</p><ul><li>x</ul><img src="{place}.svg"><img srcset="{place}.svg 1x">
        <object data="{place}.svg"></object>
        <embed src="{place}.svg"><a rel=attachment href="{place}.txt">a</a>
        <svg xmlns="http://www.w3.org/2000/svg"><image href="{place}.svg"/><use href="{place}.svg#a"/></svg>
        <iframe src="{place}.txt"></iframe>"""
        pdf = press.render(html, f'@import "{place}.txt"; body {{ background: url({place}.svg) }}')
        assert "seen" in text_of(pdf)
        assert b"secret-from" not in b"".join(page.get_contents().get_data() for page in read(pdf).pages)
        assert "secret-from" not in text_of(pdf)
        assert not read(pdf).attachments
    assert asked == []


@pytest.mark.parametrize(
    "html",
    ["<table>" + "<tr><td>x" * 60_000, "<p>" + "word " * 400_000, "<div>" * 50_000, "x" * 5_000_000],
    ids=["rows", "words", "depth", "size"],
)
def test_an_endless_layout_ends_and_the_next_letter_is_printed(html: str) -> None:
    with pytest.raises(press.LetterFailed):
        press.render(html, "", seconds=1)
    assert "after" in text_of(press.render("<html lang=en><title>t</title><p>after", ""))


def test_a_failure_does_not_quote_the_letter() -> None:
    with pytest.raises(press.LetterFailed) as failed:
        press.render("<p>very private</p>" * 100_000, "", seconds=1)
    assert "private" not in str(failed.value)


def test_a_killed_printer_is_replaced() -> None:
    press.render("<html lang=en><title>t</title><p>one", "")
    process = press._press._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    assert "two" in text_of(press.render("<html lang=en><title>t</title><p>two", ""))


def test_the_printer_has_none_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    press.close()
    monkeypatch.setenv("DSR_KEYS", "/somewhere/keys.json")
    press.render("<html lang=en><title>t</title><p>x", "")
    process = press._press._process
    assert process is not None
    assert b"DSR_" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    assert "dsr.settings" not in Path(f"/proc/{process.pid}/cmdline").read_text()


FORKING = """
import os, sys
from dsr.bundle import press
LETTER = "<html lang=en><title>t</title><p>x"
assert press.render(LETTER, "")[:4] == b"%PDF"
mine = press._press._process.pid
child = os.fork()
if child == 0:
    good = press.render(LETTER, "")[:4] == b"%PDF" and press._press._process.pid != mine
    press.close()
    os._exit(0 if good else 1)
assert os.waitpid(child, 0)[1] == 0
assert press.render(LETTER, "")[:4] == b"%PDF" and press._press._process.pid == mine
print(mine)
"""


def test_a_forked_worker_starts_its_own_and_both_end_with_their_process() -> None:
    done = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, check=True, timeout=120)
    assert not Path(f"/proc/{int(done.stdout)}").exists()
