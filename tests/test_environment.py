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


def test_only_the_line_break_at_its_end_is_no_part_of_a_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(" s3 cret \r\n")
    assert environment.secret("DSR_X", env={"DSR_X_FILE": str(tmp_path / "secret")}) == " s3 cret "
    assert environment.secret("DSR_X", env={"DSR_X": " s3 cret "}) == " s3 cret "


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory. Put the secret there"),
        (b"", "is empty. Put the secret there, or unset DSR_X_FILE."),
        (b" \n\n", "is empty."),
        (b"\xff\xfe\x00", "cannot be read: It is not text."),
    ],
)
def test_a_secret_lost_on_the_way_is_one_sentence(content: bytes | None, words: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    env = {"DSR_X": "a value that must not step in", "DSR_X_FILE": str(tmp_path / "secret")}
    for read in (environment.secret, environment.text):
        with pytest.raises(WrongSetting) as raised:
            read("DSR_X", env=env)
        assert f"DSR_X_FILE names '{tmp_path / 'secret'}', which " in str(raised.value)
        assert words in str(raised.value)


def test_a_folder_where_a_secret_should_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match="cannot be read: Is a directory"):
        environment.text("DSR_X", env={"DSR_X_FILE": str(tmp_path)})


def test_the_path_of_a_file_is_no_secret() -> None:
    assert environment.path("DSR_KEYS", env={"DSR_KEYS": "/keys/keys.json"}) == "/keys/keys.json"
    with pytest.raises(WrongSetting, match="DSR_KEYS is a path already"):
        environment.path("DSR_KEYS", env={"DSR_KEYS_FILE": "/run/secrets/keys"})
