"""Where in a file a key stands."""

from dsr.policy.lines import Lines

WORDS = '''a = 1
[one]
b = 2
"c d" = 3
[[many]]
x = """
[one]
x = 3
"""
y = 1
[[many]]
y = 2
[[many.inner]]
z = 1
[many.table]
q = [
  { z = 1 },
]
'''


def test_keys_are_found_in_their_table() -> None:
    lines = Lines(WORDS)
    places = [("a",), ("one", "b"), ("one", "c d"), ("many", 0, "y"), ("many", 1, "y"), ("many", 1, "inner", 0, "z")]
    assert [lines.of(place) for place in places] == [1, 3, 4, 10, 12, 14]


def test_what_is_missing_is_looked_for_in_the_table_around_it() -> None:
    lines = Lines(WORDS)
    assert lines.of(("many", 1, "gone")) == 11
    assert lines.of(("many", 1, "table", "q", 0, "z")) == 16
    assert lines.of(("gone",)) is None
