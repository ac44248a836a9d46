"""Names from source data become names that are safe on every system."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsr.bundle.names import Names, is_safe_path, safe_name


@pytest.mark.parametrize(
    ("hostile", "safe"),
    [
        ("../../etc/passwd", "_._etc_passwd"),
        ("a..b...c.png", "a.b.c.png"),
        ("..\\..\\boot.ini", "_._boot.ini"),
        ("/abs/olute.png", "_abs_olute.png"),
        ("C:\\x.txt", "C__x.txt"),
        ("", "file"),
        ("...", "file"),
        (".htaccess", "htaccess"),
        ("con.txt", "_con.txt"),
        ("NUL", "_NUL"),
        ("Com1.tar.gz", "_Com1.tar.gz"),
        ("a\x00b\r\nc.png", "abc.png"),
        ("gnp.\u202eexe", "gnp.exe.txt"),
        ("page.html", "page.html.txt"),
        ("drawing.SVG", "drawing.SVG.txt"),
        ("-rf.txt", "_-rf.txt"),
        ("e\u0301te\u0301.pdf", "été.pdf"),
        ("写真.jpg", "写真.jpg"),
        ("a" * 300 + ".jpeg", "a" * 80 + ".jpeg"),
        ("trailing dot. ", "trailing dot"),
    ],
)
def test_a_hostile_name_becomes_a_safe_one(hostile: str, safe: str) -> None:
    assert safe_name(hostile) == safe


@given(st.text())
def test_whatever_the_name_the_result_is_safe_and_stays_as_it_is(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert safe_name(safe) in (safe, f"{safe}.txt")
    assert len(safe.encode()) <= 170
    assert not set(safe) & set('<>:"/\\|?*')
    assert not any(unicodedata.category(c)[0] == "C" for c in safe)
    assert safe == safe.strip(" .")
    assert is_safe_path(f"files/app/{safe}")


def test_no_two_names_clash_where_case_is_ignored() -> None:
    names = Names()
    taken = [names.take(name) for name in ("Photo.png", "photo.png", "PHOTO.PNG", "ﬁle.txt", "file.txt", "photo-2.png")]
    assert taken == ["Photo.png", "photo-2.png", "PHOTO-3.PNG", "ﬁle.txt", "file-2.txt", "photo-2-2.png"]


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a//b", "a/./b", "a\\b", "C:/x", "a/con", "a/b\u202e.txt", "", "a/b/c/d/e/f"]
)
def test_paths_that_leave_the_folder_or_mislead_are_not_safe(path: str) -> None:
    assert not is_safe_path(path)
