"""Fills the company's database: the same rows each time, made by PostgreSQL itself."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.company import INVOICES, Person, Scale
from tests.servers import Postgres

DATABASE = "company"
READER = "reader"
# What is written in the transaction that made its table needs no log of its own then; the data itself is synced.
OPTIONS = ("shared_buffers=1GB", "wal_level=minimal", "max_wal_senders=0", "maintenance_work_mem=512MB")
WORDS = (Path(__file__).with_name("words.txt")).read_text().split()
PIECES = 20_000  # a message is five of these: so many that they hardly meet twice within what deflate looks back on
PIECES_A_MESSAGE = 5

_FIRST_DAY = "timestamptz '2024-01-01 00:00:00+00'"
_DAYS = "interval '700 days'"
_PLACED = f"""
    SELECT user_id, {_FIRST_DAY} + (number - random()) / many * {_DAYS} AS ts
    FROM (SELECT id AS user_id, {{count}} AS many, generate_series(1, {{count}}) AS number
          FROM planned WHERE requests > 0) AS counted
    UNION ALL
    SELECT %(first_other)s + floor(random() * %(others)s)::bigint, {_FIRST_DAY} + random() * {_DAYS}
    FROM generate_series(1, %(other_rows)s)
    ORDER BY ts
"""
_PIECES = [f"piece_{number}" for number in range(PIECES_A_MESSAGE)]

_TABLES: dict[str, list[str]] = {
    "api_requests": [
        f"""
        INSERT INTO api_requests (user_id, ts, model, input_tokens, output_tokens, latency_ms, ip, user_agent, country,
                                  status)
        SELECT user_id, ts,
               (ARRAY['small-1', 'small-2', 'large-1', 'large-2', 'large-2-long', 'embed-1'])[1 + floor(random() * 6)],
               ceil(random() * 8000), ceil(random() * 2000), 80 + floor(random() ^ 3 * 9000),
               inet '10.0.0.0' + floor(random() * 16777216)::bigint,
               (ARRAY['python-client/2.', 'node-client/5.', 'go-client/1.', 'curl/8.'])[1 + floor(random() * 4)]
                   || floor(random() * 30)::integer || '.' || floor(random() * 10)::integer,
               (ARRAY['IE', 'DE', 'FR', 'TR', 'US', 'GB', 'NL', 'ES', 'IT', 'PL'])[1 + floor(random() * 10)],
               (ARRAY[200, 200, 200, 200, 200, 200, 200, 429, 400, 500])[1 + floor(random() * 10)]
        FROM ({_PLACED.format(count="requests")}) AS placed
        """,
        "CREATE INDEX ON api_requests (user_id)",
    ],
    "chat_messages": [
        f"""
        INSERT INTO chat_messages (user_id, ts, role, content)
        SELECT user_id, ts, (ARRAY['user', 'assistant'])[1 + floor(random() * 2)],
               {" || ' ' || ".join(f"(SELECT words FROM piece WHERE id = {name})" for name in _PIECES)}
        FROM (SELECT *, {", ".join(f"1 + floor(random() * {PIECES})::integer AS {name}" for name in _PIECES)}
              FROM ({_PLACED.format(count="requests / 10")}) AS placed) AS worded
        """,
        "CREATE INDEX ON chat_messages (user_id)",
    ],
    "billing_invoices": [
        f"""
        INSERT INTO billing_invoices (user_id, amount_cents, currency, card_last4, stripe_id, created_at)
        SELECT users.id, ceil(random() * 50000), (ARRAY['EUR', 'USD', 'GBP'])[1 + floor(random() * 3)],
               lpad(floor(random() * 10000)::text, 4, '0'), 'in_' || md5(random()::text),
               {_FIRST_DAY} + month * interval '29 days'
        FROM generate_series(0, {INVOICES - 1}) AS month, users
        """,
        "CREATE INDEX ON billing_invoices (user_id)",
    ],
}


def fill(server: Postgres, scale: Scale) -> None:
    """Make the tables and everybody's rows; two of them at once, one for each processor."""
    server.execute(f"CREATE DATABASE {DATABASE}")
    server.execute(f"CREATE ROLE {READER} LOGIN IN ROLE pg_read_all_data", DATABASE)
    with server.connect(DATABASE) as connection:
        connection.execute("CREATE TABLE piece (id integer PRIMARY KEY, words text NOT NULL)")
        connection.execute("CREATE TABLE planned (id bigint, requests bigint)")
    _people(server, scale)
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda table: _rows(server, scale, table), _TABLES))
    server.execute("DROP TABLE piece, planned", DATABASE)
    server.execute("VACUUM (ANALYZE, FREEZE)", DATABASE)


def _people(server: Postgres, scale: Scale) -> None:
    chance = random.Random(1)
    with server.connect(DATABASE) as connection, connection.cursor() as cursor:
        for statement in Path(__file__).with_name("tables.sql").read_text().split(";\n"):
            cursor.execute(statement.encode())
        with cursor.copy("COPY users (id, email, name, company, created_at) FROM STDIN") as copy:
            for person in [*scale.named, *scale.others]:
                copy.write_row(_row(person))
        with cursor.copy("COPY planned FROM STDIN") as copy:
            for person in scale.named:
                copy.write_row((person.id, person.requests))
        with cursor.copy("COPY piece FROM STDIN") as copy:
            for number in range(PIECES):
                copy.write_row((number + 1, _piece(number, chance)))
        cursor.execute("ANALYZE piece")


def _row(person: Person) -> tuple[int, str, str, str, str]:
    return person.id, person.email, f"Person Number {person.id}", f"Customer {person.id % 500} Ltd", "2023-05-01"


def _piece(number: int, chance: random.Random) -> str:
    """Six to fourteen words, so that five make thirty to seventy; some quote, some end a line, as people do."""
    words = " ".join(chance.choices(WORDS, k=chance.randint(6, 14)))
    if number % 10 == 0:
        return f'"{words}"'
    return f"{words}.\n" if number % 10 == 1 else words


def _rows(server: Postgres, scale: Scale, table: str) -> None:
    many = {"api_requests": 100, "chat_messages": 10}.get(table, 0) * len(scale.others)
    values = {"first_other": scale.others[0].id, "others": len(scale.others), "other_rows": many}
    fill_it, *index = _TABLES[table]
    with server.connect(DATABASE) as connection, connection.transaction():
        # Emptied in this very transaction, the table is filled without a log.
        connection.execute(f"TRUNCATE {table}".encode())
        connection.execute("SET LOCAL work_mem = '512MB'")
        connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        connection.execute("SELECT setseed(0.5)")
        connection.execute(fill_it.encode(), values if "%(" in fill_it else None)
        for statement in index:
            connection.execute(statement.encode())
