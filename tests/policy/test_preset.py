"""Presets: what a company has to say, what it may say otherwise, and how a mistake in it is told."""

from pathlib import Path

import pytest

from dsr import policy
from dsr.policy import preset
from dsr.policy.systems import System

CATEGORIES = 'categories = { account = "a", usage = "b", content = "c", teams = "d", records = "e" }'


def load(folder: Path, *lines: str, categories: str = CATEGORIES, name: str = "litellm") -> System:
    head = ["[[system]]", 'name = "gateway"', f'preset = "{name}"', 'url_env = "GATEWAY_URL"', categories]
    (folder / "systems.toml").write_text("\n".join([*head, *lines]))
    return policy.load_systems(folder / "systems.toml", None).system("gateway")


def refused(folder: Path, *lines: str, **more: str) -> str:
    with pytest.raises(policy.PolicyError) as told:
        load(folder, *lines, **more)
    return str(told.value)


@pytest.mark.parametrize("name", preset.NAMES)
def test_each_preset_is_a_systems_file(name: str, tmp_path: Path) -> None:
    kinds = ", ".join(f'{kind} = "x"' for kind in preset.preset(name).data["kinds"])
    system = load(tmp_path, categories=f"categories = {{ {kinds} }}", name=name)
    assert len(system.collections) > 50
    assert all(collection.category == "x" for collection in system.collections)
    assert all("*" in collection.omit for collection in system.collections)
    tables = preset.preset(name).columns
    assert {collection.table for collection in system.collections} <= tables.keys()
    assert not any(word in system.ignore for word in tables if word in {c.table for c in system.collections})


def test_the_kinds_of_data_become_the_companys_categories(tmp_path: Path) -> None:
    system = load(tmp_path)
    assert str(system.title) == "AI gateway"
    assert system.collection("requests").category == "b"
    assert system.collection("prompts").category == "c"
    assert "default_user_id" in system.nobody
    required = {each.table for each in system.collections if each.may_lack == "columns"}
    assert required == {"LiteLLM_UserTable", "LiteLLM_VerificationToken", "LiteLLM_SpendLogs"}


def test_a_company_may_say_anything_otherwise(tmp_path: Path) -> None:
    system = load(
        tmp_path, 'title = "Models"', 'ignore = ["mine_*"]', 'nobody = ["ci-robot"]',
        'leave_out = ["prompts", "customer-prompts"]',
        "[[system.collection]]", 'name = "account"', 'title = "You"', 'columns = { phone = "Your number." }',
        'omit = { metadata = "Ours." }',
        "[[system.collection]]", 'name = "diary"', 'table = "diary"', 'title = "Diary"', 'category = "a"',
        'find = [{ column = "user_id", identifier = "litellm_user" }]',
    )  # fmt: skip
    names = [collection.name for collection in system.collections]
    assert names[:2] == ["account", "diary"]
    assert len(names) == len(set(names))
    assert not {"prompts", "customer-prompts"} & set(names)
    account = system.collection("account")
    assert (str(system.title), str(account.title)) == ("Models", "You")
    assert str(account.columns["phone"]) == "Your number."
    assert str(account.columns["user_id"]) == "Your number or name in the gateway."
    assert {"metadata", "*"} <= account.omit.keys()
    assert account.secret == ("password",)
    assert {"mine_*", "LiteLLM_Config"} <= set(system.ignore)
    assert {"ci-robot", "default_user_id"} <= set(system.nobody)


def test_its_identifiers_may_be_called_as_another_system_calls_them(tmp_path: Path) -> None:
    other = [
        "[[system]]", 'name = "shop"', 'title = "Shop"', 'kind = "sql"', 'url_env = "SHOP_URL"',
        "[[system.collection]]", 'name = "people"', 'table = "people"', 'title = "You"', 'category = "a"',
        'find = [{ column = "email", identifier = "email" }]',
        'teaches = [{ column = "id", identifier = "account_id" }]',
    ]  # fmt: skip
    system = load(tmp_path, 'known_as = { end_user = "account_id", litellm_user = "gateway_user" }', *other)
    ways = system.collection("customer-requests").find[0]
    assert (ways.identifier, ways.transform) == ("account_id", "none")
    assert ways.unless[0].identifier == "gateway_user"
    assert {teach.identifier for teach in system.collection("account").teaches} == {"gateway_user", "litellm_sso"}
    assert load(tmp_path).collection("customer-requests").find[0].transform == "casefold"


def test_an_unknown_preset_is_told(tmp_path: Path) -> None:
    told = refused(tmp_path, name="lite-llm")
    assert 'found "lite-llm"; allowed: one of litellm; did you mean' in told
    assert "line 3" in told


def test_a_kind_of_data_without_a_category_is_told_with_what_it_is(tmp_path: Path) -> None:
    told = refused(tmp_path, categories='categories = { account = "a", usag = "b" }')
    assert "found no category for usage, content, teams, records" in told
    assert "content (prompts and answers" in told
    assert "usag: found no kind of data of this preset" in told
    assert "no category for account" in refused(tmp_path, categories="")


def test_what_is_left_out_needs_no_category(tmp_path: Path) -> None:
    teams = [row["name"] for row in preset.preset("litellm").data["collection"] if row["category"] == "teams"]
    without = CATEGORIES.replace('teams = "d", ', "")
    assert "no category for teams" in refused(tmp_path, categories=without)
    assert load(tmp_path, f"leave_out = {teams}".replace("'", '"'), categories=without)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('leave_out = ["promts"]', 'leave_out[1]: found "promts"'),
        ('known_as = { enduser = "x" }', "known_as.enduser: found no identifier of this preset"),
        ('known_as = { end_user = "account_id" }', '"account_id", which nothing teaches'),
        ('[[system.collection]]\nname = "account"\ncolums = {}', "colums: found an unknown key"),
        ('[[system.collection]]\nname = "new"\ntable = "t"\ntitle = "T"\ncategory = "a"', "find: found nothing"),
        ('password = "x"', "a credential"),
    ],
)
def test_a_mistake_beside_a_preset_is_told(tmp_path: Path, line: str, told: str) -> None:
    assert told in refused(tmp_path, line)


def test_a_category_the_policy_lacks_is_told(tmp_path: Path) -> None:
    (tmp_path / "systems.toml").write_text(
        f'[[system]]\nname = "gateway"\npreset = "litellm"\nurl_env = "GATEWAY_URL"\n{CATEGORIES}\n'
    )
    example = policy.load(Path(__file__).parents[2] / "docs" / "example" / "policy.toml")
    with pytest.raises(policy.PolicyError) as told:
        policy.load_systems(tmp_path / "systems.toml", example)
    assert 'line 5, system[1].categories.account: found "a"; allowed: one of account, orders' in str(told.value)
    assert len(told.value.problems) == 5
