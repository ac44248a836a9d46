import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dsr import policy

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs" / "example"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_example_of_the_readme_can_be_used_as_it_stands() -> None:
    found = policy.load(EXAMPLE / "policy.toml")
    systems = policy.load_systems(EXAMPLE / "systems.toml", found)
    assert found.slots_missing() == []
    with closing(sqlite3.connect(":memory:")) as shop:
        shop.executescript((EXAMPLE / "shop.sql").read_text())
        tables = {name for (name,) in shop.execute("SELECT name FROM sqlite_master")}
    mapped = {collection.table for system in systems.systems for collection in system.collections}
    # The README shows that `manage.py systems` names the one that is left.
    assert tables - mapped == {"newsletter"}


def test_the_readme_names_every_variable() -> None:
    readme = (ROOT / "README.md").read_text()
    read = set(re.findall(r'environment\.\w+\("(\w+)"', (ROOT / "dsr" / "settings.py").read_text()))
    assert {name for name in read if f"`{name}`" not in readme} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_named_tests_are_there(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target
    for cell in re.findall(r"\|[^|\n]*test_[^|\n]*\|$", text, re.M):
        for file, names in re.findall(r"`([\w/]+\.py)`([^`|]*)", cell):
            known = (ROOT / "tests" / file).read_text()
            for name in filter(None, (word.strip(" ,") for word in names.split(","))):
                assert re.search(f"def test_{name.replace('…', '.*')}", known), f"{file}: {name}"
