from pathlib import Path

import pytest

from dsr import environment
from dsr.environment import WrongSetting


@pytest.mark.parametrize(
    ("given", "meant"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("off", False), ("", True)]
)
def test_a_flag_reads_the_usual_words(given: str, meant: bool) -> None:
    assert environment.flag("X", default=True, env={"X": given}) is meant


@pytest.mark.parametrize(
    "read",
    [
        environment.flag,
        lambda n, env: environment.number(n, 3, env=env),
        lambda n, env: environment.choice(n, ("a", "b"), "a", env=env),
    ],
)
def test_a_wrong_value_is_an_error_that_names_it_and_what_is_allowed(read) -> None:
    with pytest.raises(WrongSetting, match=r"DSR_X is 'perhaps'\. Allowed"):
        read("DSR_X", env={"DSR_X": "perhaps"})


def test_secrets_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    env = {"DSR_X": "visible", "DSR_X_FILE": str(tmp_path / "secret")}
    assert environment.text("DSR_X", env=env) == "s3cret"
