"""The samples hold what they say: the same each time, within their retention, and nobody else's rows in a person's."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dsr import policy, samples
from dsr.samples import texts

TODAY = date(2026, 11, 21)
OTHERS = 50
HEAVY_ROWS = 500

UNMAPPED = {
    "lumees": {"legacy_newsletter"},
    "lyumen": {"scratch_eval_2024"},
    "lumyxai": {"legacy_newsletter"},
    "lumio": {"legacy_newsletter", "schema_migrations"},
    "lunos": {"legacy_newsletter"},
}

# How one person's rows are found by hand, by (system, table). Written apart from the generator and the systems files.
_BILLING = {
    ("billing", "customers"): "id IN (:stripe_customer)",
    ("billing", "invoices"): "customer IN (:stripe_customer)",
    ("billing", "payments"): "customer IN (:stripe_customer)",
}
_TICKETS = "ticket_id IN (SELECT id FROM tickets WHERE contact_id IN (:support_contact))"
_SUPPORT = {
    ("support", "contacts"): "lower(email) IN (:email)",
    ("support", "tickets"): "contact_id IN (:support_contact)",
    ("support", "ticket_messages"): _TICKETS,
    ("support", "attachments"): _TICKETS,
}
_PRODUCTS = "SELECT id FROM products WHERE owner_id IN (:user_id)"
OWNED = {
    "lumees": {
        ("account", "users"): "email IN (:email)",
        ("account", "api_keys"): "user_id IN (:user_id)",
        ("account", "consents"): "user_id IN (:user_id)",
        ("billing", "customers"): "id IN (:payment_customer)",
        ("billing", "invoices"): "customer IN (:payment_customer)",
        ("billing", "payments"): "customer IN (:payment_customer)",
        ("gateway", "api_requests"): "key_id IN (:api_key)",
        ("gateway", "error_logs"): "key_id IN (:api_key)",
        ("gateway", "prompts"): "user_id IN (:user_id)",
        ("gateway", "prompt_files"): "prompt_id IN (SELECT id FROM prompts WHERE user_id IN (:user_id))",
        ("chat", "conversations"): "user_id IN (:user_id)",
        ("chat", "messages"): "conversation_id IN (SELECT id FROM conversations WHERE user_id IN (:user_id))",
        ("web", "access_log"): "user_id IN (:user_id)",
    },
    "lyumen": {
        ("gateway", "request_log"): "receipt_hash IN (:hash)",
        ("gateway", "upstream_calls"): "request_id IN (SELECT id FROM request_log WHERE receipt_hash IN (:hash))",
        ("gateway", "opt_outs"): "receipt_hash IN (:hash)",
    },
    "lumyxai": {
        **_BILLING,
        ("nabzclan", "members"): "id IN (:nabzclan_id)",
        ("app", "accounts"): "email IN (:email)",
        ("app", "api_keys"): "account_id IN (:account_id)",
        ("app", "devices"): "account_id IN (:account_id)",
        ("app", "credit_ledger"): "account_id IN (:account_id)",
        ("gateway", "request_log"): "account_id IN (:account_id)",
        ("gateway", "request_content"): "account_id IN (:account_id)",
    },
    "lumio": {
        **_BILLING,
        **_SUPPORT,
        ("app", "users"): "email IN (:email)",
        ("app", "profiles"): "user_id IN (:user_id)",
        ("app", "devices"): "user_id IN (:user_id)",
        ("app", "cookie_choices"): "user_id IN (:user_id)",
        ("app", "mail_choices"): "user_id IN (:user_id)",
        ("app", "feature_events"): "user_id IN (:user_id)",
        ("app", "products"): "owner_id IN (:user_id)",
        ("app", "product_sessions"): f"product_id IN ({_PRODUCTS})",
        (
            "app",
            "session_messages",
        ): f"session_id IN (SELECT id FROM product_sessions WHERE product_id IN ({_PRODUCTS}))",
        ("mail", "mails"): "recipient IN (:email)",
        ("logs", "page_views"): "visitor_id IN (:visitor)",
    },
    "lunos": {
        **_BILLING,
        **_SUPPORT,
        ("app", "accounts"): "email IN (:email)",
        ("app", "companies"): "id IN (SELECT company_id FROM accounts WHERE email IN (:email))",
        ("app", "communication_preferences"): "account_id IN (:account_id)",
        ("app", "devices"): "account_id IN (:account_id)",
        ("gateway", "usage_logs"): "account_id IN (:account_id)",
        ("gateway", "token_consumption"): "account_id IN (:account_id)",
        ("gateway", "error_logs"): "account_id IN (:account_id)",
        ("gateway", "request_content"): "account_id IN (:account_id)",
    },
}

# (system, table, time column, most days) as the policies promise or as their files assume.
YEARS_7 = 365 * 7
YOUNGER = {
    "lumees": [
        ("gateway", "api_requests", "at", 30),
        ("gateway", "error_logs", "at", 30),
        ("web", "access_log", "at", 30),
        ("billing", "invoices", "created", YEARS_7),
    ],
    "lyumen": [],
    "lumyxai": [("gateway", "request_log", "at", 30), ("billing", "invoices", "created", YEARS_7)],
    "lumio": [
        ("app", "product_sessions", "started_at", 90),
        ("app", "session_messages", "at", 90),
        ("logs", "page_views", "at", 30),
        ("mail", "mails", "sent_at", 45),
        ("billing", "invoices", "created", YEARS_7),
        ("billing", "payments", "created", YEARS_7),
        ("app", "users", "deleted_at", 30),
    ],
    "lunos": [
        ("gateway", "error_logs", "at", 30),
        ("gateway", "usage_logs", "at", YEARS_7),
        ("billing", "invoices", "created", YEARS_7),
    ],
}

every_sample = pytest.mark.parametrize("name", samples.NAMES)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every sample, built once and small."""
    built = {name: tmp_path_factory.mktemp(name) for name in samples.NAMES}
    for name, folder in built.items():
        samples.build(name, folder, others=OTHERS, heavy_rows=HEAVY_ROWS, today=TODAY)
    return built


def read(folder: Path, system: str, statement: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(folder / f"{system}.sqlite3")) as database:
        database.row_factory = sqlite3.Row
        return [dict(found) for found in database.execute(statement)]


def number(folder: Path, system: str, statement: str) -> int:
    return int(next(iter(read(folder, system, statement)[0].values())))


def dump(folder: Path) -> dict[str, list[str]]:
    contents = {}
    for path in sorted(folder.glob("*.sqlite3")):
        with closing(sqlite3.connect(path)) as database:
            contents[path.name] = list(database.iterdump())
    return contents


def condition(name: str, who: samples.SamplePerson, where: str) -> str:
    known = {**who.identifiers, "hash": {samples.lyumen.receipt_hash(receipt) for receipt in who.receipts}}
    for kind, values in known.items():
        where = where.replace(f":{kind})", ", ".join("'" + value.replace("'", "''") + "'" for value in values) + ")")
    assert ":" not in where, f"{name}: {where}"
    return where


def as_stored(value: Any) -> Any:
    """What SQLite gives back for a value that the generator made."""
    if isinstance(value, datetime):
        return value.isoformat(" ", "microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return value


def strings(rows: Iterator[Any] | list[Any]) -> set[str]:
    return {value for row in rows for value in row.values() if isinstance(value, str)}


@every_sample
def test_the_same_day_gives_the_same_content(name: str, folders: dict[str, Path], tmp_path: Path) -> None:
    samples.build(name, tmp_path, others=OTHERS, heavy_rows=HEAVY_ROWS, today=TODAY)
    assert dump(tmp_path) == dump(folders[name])


@every_sample
def test_building_again_replaces_what_was_there(name: str, tmp_path: Path) -> None:
    samples.build(name, tmp_path, others=3, heavy_rows=20, today=TODAY)
    before = dump(tmp_path)
    samples.build(name, tmp_path, others=0, heavy_rows=5, today=TODAY)
    samples.build(name, tmp_path, others=3, heavy_rows=20, today=TODAY)
    assert dump(tmp_path) == before
    assert {path.suffix for path in tmp_path.iterdir()} == {".sqlite3"}


@every_sample
@pytest.mark.parametrize("which", [0, 1])
def test_what_is_expected_is_what_a_careful_person_finds_by_hand(
    name: str, which: int, folders: dict[str, Path]
) -> None:
    who = samples.person(name, which)
    expected = samples.expected(name, which, today=TODAY)
    tables = {(table.system, table.name): table for table in samples.sample(name).tables if table.collection}
    assert set(tables) == set(OWNED[name])
    for (system, table), where in OWNED[name].items():
        found = read(folders[name], system, f'SELECT * FROM "{table}" WHERE {condition(name, who, where)}')
        found.sort(key=tables[system, table].key_of)
        rows = expected[system, tables[system, table].collection]
        assert [{k: as_stored(v) for k, v in row.items()} for row in rows] == found, (system, table)
    assert 850 <= sum(len(rows) for rows in expected.values()) <= 1100


@every_sample
def test_named_people_share_no_row_and_do_not_depend_on_the_others(name: str, tmp_path: Path) -> None:
    ada, eve = (samples.expected(name, which, today=TODAY) for which in (0, 1))
    for place, rows in ada.items():
        key = next(t.key_of for t in samples.sample(name).tables if (t.system, t.collection) == place)
        assert not {key(row) for row in rows} & {key(row) for row in eve[place]}
    samples.build(name, tmp_path, others=0, heavy_rows=0, today=TODAY)
    system, table = next(iter(OWNED[name]))
    where = condition(name, samples.person(name), OWNED[name][system, table])
    collection = next(t.collection for t in samples.sample(name).tables if (t.system, t.name) == (system, table))
    assert number(tmp_path, system, f'SELECT count(*) FROM "{table}" WHERE {where}') == len(ada[system, collection])


@every_sample
def test_rows_of_other_people_lie_between_those_of_ada(name: str, folders: dict[str, Path]) -> None:
    system, table = {
        "lumees": ("gateway", "api_requests"),
        "lyumen": ("gateway", "request_log"),
        "lumyxai": ("gateway", "request_log"),
        "lumio": ("app", "feature_events"),
        "lunos": ("gateway", "usage_logs"),
    }[name]
    where = condition(name, samples.person(name), OWNED[name][system, table])
    mine = read(folders[name], system, f'SELECT min(id) AS first, max(id) AS last FROM "{table}" WHERE {where}')[0]
    between = f'SELECT count(*) FROM "{table}" WHERE id BETWEEN {mine["first"]} AND {mine["last"]} AND NOT ({where})'
    assert number(folders[name], system, between) > 100


@every_sample
def test_the_heavy_person_has_as_many_rows_as_asked_for(name: str, folders: dict[str, Path]) -> None:
    expected = samples.expected(name, samples.heavy(name), heavy_rows=HEAVY_ROWS, today=TODAY)
    assert max(len(rows) for rows in expected.values()) >= HEAVY_ROWS
    for (system, table), where in OWNED[name].items():
        found = number(
            folders[name],
            system,
            f'SELECT count(*) FROM "{table}" WHERE {condition(name, samples.heavy(name), where)}',
        )
        collection = next(t.collection for t in samples.sample(name).tables if (t.system, t.name) == (system, table))
        assert found == len(expected[system, collection])


@every_sample
@pytest.mark.parametrize("today", [TODAY, date(2028, 2, 29), date(2027, 1, 1)])
def test_nothing_is_older_than_promised_nor_from_the_future(name: str, today: date, tmp_path: Path) -> None:
    samples.build(name, tmp_path, others=OTHERS, heavy_rows=HEAVY_ROWS, today=today)
    for system, table, column, days in YOUNGER[name]:
        old = f"SELECT count(*) FROM \"{table}\" WHERE {column} < date('{today}', '-{days} days')"
        assert number(tmp_path, system, old) == 0, (system, table)
        assert number(tmp_path, system, f'SELECT count(*) FROM "{table}" WHERE {column} IS NOT NULL') > 0
    for table in samples.sample(name).tables:
        for column, kind in table.columns.items():
            if kind == "DATETIME":
                late = f"SELECT count(*) FROM \"{table.name}\" WHERE {column} >= date('{today}')"
                assert number(tmp_path, table.system, late) == 0, (table.name, column)


def test_conversations_keep_to_the_time_their_customer_set(folders: dict[str, Path]) -> None:
    late = "SELECT count(*) FROM product_sessions JOIN products ON products.id = product_id"
    late += f" WHERE started_at < date('{TODAY}', '-' || session_days || ' days')"
    assert number(folders["lumio"], "app", late) == 0


@pytest.mark.parametrize(
    ("name", "system", "table"),
    [
        ("lumees", "account", "users"),
        ("lumio", "app", "users"),
        ("lumyxai", "app", "accounts"),
        ("lunos", "app", "accounts"),
    ],
)
def test_of_accounts_deleted_long_ago_only_billing_is_left(
    name: str, system: str, table: str, folders: dict[str, Path]
) -> None:
    gone = [who for who in map(samples.sample(name).known, range(60)) if who.is_gone]
    leaving = [who for who in map(samples.sample(name).known, range(60)) if who.is_leaving]
    assert gone
    assert leaving
    for who in gone:
        for (place, owned), where in OWNED[name].items():
            count = number(folders[name], place, f'SELECT count(*) FROM "{owned}" WHERE {condition(name, who, where)}')
            assert count == 0 or place == "billing"
    deleted = read(folders[name], system, f'SELECT email FROM "{table}" WHERE deleted_at IS NOT NULL')
    assert {row["email"] for row in deleted} == {who.email for who in leaving}


def test_lumees_keeps_prompts_of_people_with_a_live_consent_only(folders: dict[str, Path]) -> None:
    agreed = read(
        folders["lumees"], "account", "SELECT user_id FROM consents WHERE purpose = 'diagnostics' AND granted"
    )
    kept = read(folders["lumees"], "gateway", "SELECT DISTINCT user_id FROM prompts")
    assert {row["user_id"] for row in kept} <= {row["user_id"] for row in agreed}
    assert kept
    assert samples.expected("lumees", 0, today=TODAY)["gateway", "prompts"]
    assert samples.expected("lumees", 1, today=TODAY)["gateway", "prompts"] == []


def test_lumio_sends_updates_to_those_who_asked_only(folders: dict[str, Path]) -> None:
    asked = read(folders["lumio"], "app", "SELECT email FROM users JOIN mail_choices ON user_id = id WHERE opted_in")
    sent = read(folders["lumio"], "mail", "SELECT DISTINCT recipient FROM mails WHERE stream = 'updates'")
    assert sent
    assert {row["recipient"] for row in sent} <= {row["email"] for row in asked}


@pytest.mark.parametrize("name", ["lumyxai", "lunos"])
def test_gateways_that_promise_so_keep_no_content(name: str, folders: dict[str, Path]) -> None:
    assert number(folders[name], "gateway", "SELECT count(*) FROM request_content") == 0


def test_lyumen_knows_nobody(folders: dict[str, Path]) -> None:
    columns = {column for table in samples.sample("lyumen").tables for column in table.columns}
    assert not columns & {"email", "name", "user_id", "ip", "city"}
    assert samples.person("lyumen").email == ""
    assert len(samples.person("lyumen").receipts) == 12
    countries = read(folders["lyumen"], "gateway", "SELECT DISTINCT country FROM request_log")
    assert all(len(row["country"]) == 2 for row in countries)
    receipts = samples.person("lyumen").receipts + samples.person("lyumen", 1).receipts
    stored = strings(read(folders["lyumen"], "gateway", "SELECT receipt_hash FROM request_log"))
    assert not stored & set(receipts)


@pytest.mark.parametrize("name", ["lumees", "lyumen", "lumio", "lunos"])
def test_ada_wrote_all_that_is_hard_to_hand_over(name: str) -> None:
    found = strings([row for rows in samples.expected(name, 0, today=TODAY).values() for row in rows])
    assert set(texts.HOSTILE) <= found
    assert all(any(secret in text for text in found) for secret in texts.SECRETS)
    assert set(texts.SENTENCES) <= found
    assert max(len(text.encode()) for text in found) >= 200_000


@every_sample
def test_values_are_of_many_types(name: str) -> None:
    rows = [row for which in (0, 1) for found in samples.expected(name, which, today=TODAY).values() for row in found]
    kinds = {type(value) for row in rows for value in row.values()}
    assert {str, int, bool, datetime, date, Decimal, dict, type(None)} <= kinds
    if name != "lyumen":
        assert bytes in kinds


def test_people_who_resemble_ada_have_rows_of_their_own(folders: dict[str, Path]) -> None:
    alike = {"adan@example.com", "xada@example.com", "ad_@example.com", "ada%@example.com", "\u0430da@example.com"}
    assert alike <= strings(read(folders["lumio"], "app", "SELECT email FROM users"))
    stale = read(folders["lumyxai"], "nabzclan", "SELECT id FROM members WHERE email = 'ada@example.com'")
    assert len(stale) == 2


@every_sample
def test_every_column_is_mapped_and_explained_but_for_the_tables_left_out(name: str, folders: dict[str, Path]) -> None:
    systems = policy.load_systems(samples.systems_path(name), policy.load(samples.policy_path(name)))
    left_out = set()
    for path in folders[name].glob("*.sqlite3"):
        mapped = {found.table: found for found in systems.system(path.stem).collections}
        for table in read(folders[name], path.stem, "SELECT name FROM sqlite_master WHERE type = 'table'"):
            collection = mapped.get(table["name"])
            if collection is None:
                left_out.add(table["name"])
                continue
            columns = read(folders[name], path.stem, f'PRAGMA table_info("{table["name"]}")')
            assert set(collection.columns) == {column["name"] for column in columns}
            assert collection.key == tuple(c["name"] for c in sorted(columns, key=lambda c: c["pk"]) if c["pk"])
    assert left_out == UNMAPPED[name]


@every_sample
def test_the_environment_answers_what_the_systems_file_asks_for(name: str, tmp_path: Path) -> None:
    environment = samples.build(name, tmp_path, others=0, heavy_rows=0, today=TODAY)
    systems = policy.load_systems(samples.systems_path(name), policy.load(samples.policy_path(name)))
    asked = {system.url_env for system in systems.systems}
    asked |= {find.key_env for s in systems.systems for c in s.collections for find in c.find if find.key_env}
    assert set(environment) == asked
    assert samples.environment(name, tmp_path) == environment
    assert all(Path(url.removeprefix("sqlite:///")).is_file() for url in environment.values() if "sqlite" in url)


def test_there_are_two_named_people() -> None:
    assert [samples.person("lumio", which).email for which in (0, 1)] == ["ada@example.com", "eve@example.com"]
    with pytest.raises(IndexError):
        samples.person("lumio", 2)
