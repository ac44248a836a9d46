"""The systems file: where data is, and that one person can be found there."""

from collections.abc import Callable

import pytest

from dsr.policy import PolicyError, Systems

Load = Callable[..., Systems]
Problems = Callable[..., dict[str, str]]


def test_collections_are_found_by_name(load_systems: Load) -> None:
    system = load_systems().system("app")
    assert system.collection("messages").find[0].collection == "chats"
    assert load_systems().categories() == {"usage"}
    with pytest.raises(KeyError):
        system.collection("gone")


def test_an_address_is_compared_without_case_unless_the_file_says_otherwise(load_systems: Load) -> None:
    assert load_systems().system("app").collection("accounts").find[0].transform == "casefold"
    exact = load_systems({'identifier = "email"': 'identifier = "email", transform = "none"'})
    assert exact.system("app").collection("accounts").find[0].transform == "none"
    assert load_systems().system("app").collection("chats").find[0].transform == "none"


@pytest.mark.parametrize(
    ("edits", "place"),
    [
        ({'category = "usage"': 'category = "uses"'}, "system[1].collection[1].category"),
        ({'name = "chats"': 'name = "accounts"'}, "system[1].collection[2].name"),
        ({'collection = "chats"': 'collection = "chat"'}, "system[1].collection[3].find[1].collection"),
        ({'name = "app"': 'name = "../app"'}, "system[1].name"),
        ({'name = "chats"': 'name = "a/b"'}, "system[1].collection[2].name"),
        ({'url_env = "APP_URL"': ""}, "system[1]"),
        ({'identifier = "email"': 'identifier = "e_mail"'}, "system[1].collection[1].find[1].identifier"),
        ({', key = "id"': ""}, "system[1].collection[3].find[1]"),
        (
            {'identifier = "email"': 'transform = "md5", identifier = "email"'},
            "system[1].collection[1].find[1].transform",
        ),
        (
            {'identifier = "email"': 'transform = "hmac-sha256", identifier = "email"'},
            "system[1].collection[1].find[1]",
        ),
        (
            {'identifier = "email"': 'collection = "chats", key = "id", identifier = "email"'},
            "system[1].collection[1].find[1]",
        ),
        ({'find = [{ column = "email", identifier = "email" }]': "find = []"}, "system[1].collection[1].find"),
        ({'table = "users"': 'table = "users"\ntabel = "x"'}, "system[1].collection[1].tabel"),
    ],
)
def test_what_a_systems_file_may_not_say(
    load_systems: Load, problems: Problems, edits: dict[str, str], place: str
) -> None:
    assert place in problems(load_systems, edits)


def test_a_circle_of_paths_is_refused(load_systems: Load, problems: Problems) -> None:
    edits = {
        '{ column = "user_id", identifier = "user_id" }': '{ column = "id", collection = "messages", key = "chat_id" }'
    }
    assert problems(load_systems, edits) == {
        "system[1].collection[2].find": "chats -> messages -> chats",
        "system[1].collection[3].find": "messages -> chats -> messages",
    }


def test_a_collection_found_only_through_itself_is_refused(load_systems: Load, problems: Problems) -> None:
    """Both identifiers are taught, but neither is ever learned: the rows would be missed in silence."""
    chats = 'find = [{ column = "user_id", identifier = "user_id" }]'
    teaching = 'teaches = [{ column = "badge", identifier = "badge" }]'
    edits = {'identifier = "email" }]': 'identifier = "badge" }]', chats: f"{chats}\n{teaching}"}
    found = problems(load_systems, edits)
    assert found["system[1].collection[1].find"] == '"badge", never known'
    assert found["system[1].collection[2].find"] == '"user_id", never known'


@pytest.mark.parametrize(
    "line",
    [
        'url = "postgresql://app:hunter2@db/app"',
        'url_env = "postgresql://app:hunter2@db/app"',
        'url_env = "APP_URL"\npassword = "hunter2"',
        'url_env = "APP_URL"\nignore = ["sk_live_hunter2"]',
    ],
)
def test_a_credential_in_the_file_is_refused_and_not_repeated(load_systems: Load, line: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_systems({'url_env = "APP_URL"': line})
    assert "found a credential" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_nothing_in_a_systems_file_is_assumed(load_systems: Load, problems: Problems) -> None:
    assert "system[1].assumed" in problems(load_systems, {'name = "app"': 'name = "app"\nassumed = true'})


def test_columns_may_have_any_name(load_systems: Load) -> None:
    glossary = 'columns = { value = "v", assumed = "a", "Mixed Case" = "m" }'
    found = load_systems({'table = "users"': f'table = "users"\n{glossary}'})
    assert sorted(found.system("app").collection("accounts").columns) == ["Mixed Case", "assumed", "value"]
