"""What a database's own catalogue says and SQLAlchemy's inspector does not: collations, partitions, sizes.

Names are bound as values here, never put into a statement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text

# Below this a table is counted instead of estimated: the estimate of a small one is worth little, its count is cheap.
COUNTED_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Declared:
    """How a column compares: its collation ("default" for the database's), whether other signs may equal it."""

    collation: str = ""
    is_loose: bool = False
    is_json: bool = False


@dataclass(frozen=True)
class Estimate:
    """How many rows the database thinks a table has, None if it has no idea; and how many bytes they take."""

    rows: int | None
    size: int


POSTGRESQL_COLUMNS = """
SELECT a.attname, c.collname, NOT c.collisdeterministic
FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_collation c ON c.oid = a.attcollation
WHERE n.nspname = :schema AND t.relname = :table AND a.attnum > 0 AND NOT a.attisdropped
"""
MYSQL_COLUMNS = """
SELECT column_name, collation_name FROM information_schema.columns
WHERE table_schema = :schema AND table_name = :table AND collation_name IS NOT NULL
"""
MYSQL_COLUMN_NAMES = """
SELECT column_name FROM information_schema.columns WHERE table_schema = :schema AND table_name = :table
ORDER BY ordinal_position
"""
# MariaDB's JSON is text under a check that it is JSON.
MARIADB_JSON = """
SELECT check_clause FROM information_schema.check_constraints
WHERE constraint_schema = :schema AND table_name = :table AND check_clause LIKE 'json\\_valid(%'
"""
# Where an index is not finished, or only a parent of other tables has it, it proves nothing about all rows.
POSTGRESQL_UNPROVEN = """
SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname = :schema AND t.relname = :table
AND (NOT x.indisvalid
     OR (t.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhparent = t.oid)))
"""
POSTGRESQL_PARTITIONS = """
SELECT c.relname FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid JOIN pg_class p ON p.oid = i.inhparent
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relispartition AND p.relnamespace = c.relnamespace AND n.nspname = :schema
"""
# A view has no size, a partitioned table that of its parts; -1 stands for "never looked".
POSTGRESQL_SIZE = """
WITH parts AS (
    SELECT l.oid, l.reltuples FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
    CROSS JOIN LATERAL (SELECT relid FROM pg_partition_tree(t.oid) WHERE isleaf
                        UNION SELECT t.oid WHERE t.relkind <> 'p') p
    JOIN pg_class l ON l.oid = p.relid
    WHERE n.nspname = :schema AND t.relname = :table AND t.relkind IN ('r', 'm', 'p')
)
SELECT CASE WHEN bool_or(reltuples < 0) THEN NULL ELSE sum(reltuples)::bigint END, sum(pg_relation_size(oid))::bigint
FROM parts
"""
MYSQL_SIZE = """
SELECT table_rows, data_length FROM information_schema.tables
WHERE table_schema = :schema AND table_name = :table AND table_type <> 'VIEW'
"""
# The inspector leaves out MariaDB's tables that keep their history.
MYSQL_NAMES = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = :schema AND table_type <> 'SEQUENCE'"
)


def default_schema(connection: Connection) -> str | None:
    """The schema that names mean when none is said, where it must be said to mean the same in every session."""
    if connection.dialect.name == "sqlite":
        return None
    asked = "SELECT current_schema()" if connection.dialect.name == "postgresql" else "SELECT database()"
    name = connection.exec_driver_sql(asked).scalar_one()
    return str(name) if name is not None else None


def columns(connection: Connection, schema: str | None, table: str) -> dict[str, Declared]:
    """What is declared of the columns that hold text."""
    place = {"schema": schema, "table": table}
    if connection.dialect.name == "postgresql":
        rows = connection.execute(text(POSTGRESQL_COLUMNS), place)
        return {name: Declared(collation, is_loose) for name, collation, is_loose in rows}
    if connection.dialect.name != "mysql":
        return {}
    json: list[str] = []
    if getattr(connection.dialect, "is_mariadb", False):
        json = list(connection.execute(text(MARIADB_JSON), place).scalars())
    rows = connection.execute(text(MYSQL_COLUMNS), place)
    return {name: Declared(collation, True, f"json_valid({_ticked(name)})" in json) for name, collation in rows}


def column_names(connection: Connection, schema: str | None, table: str) -> list[str]:
    """The names of a table's columns in order; SQLAlchemy doubles each % in those of MariaDB's views."""
    return list(connection.execute(text(MYSQL_COLUMN_NAMES), {"schema": schema, "table": table}).scalars())


def unproven(connection: Connection, schema: str | None, table: str) -> frozenset[str]:
    """Indexes of this table that do not prove what they say of all its rows."""
    if connection.dialect.name != "postgresql":
        return frozenset()
    return frozenset(connection.execute(text(POSTGRESQL_UNPROVEN), {"schema": schema, "table": table}).scalars())


def partitions(connection: Connection, schema: str | None) -> frozenset[str]:
    """Tables that are parts of another table of the schema, which holds their rows too."""
    if connection.dialect.name != "postgresql":
        return frozenset()
    return frozenset(connection.execute(text(POSTGRESQL_PARTITIONS), {"schema": schema}).scalars())


def mysql_names(connection: Connection, schema: str | None) -> Iterable[str]:
    """All tables and views of MariaDB or MySQL."""
    return connection.execute(text(MYSQL_NAMES), {"schema": schema}).scalars().all()


def estimate(connection: Connection, schema: str | None, table: str) -> Estimate | None:
    """How large the database thinks a table is; None for a view."""
    asked = POSTGRESQL_SIZE if connection.dialect.name == "postgresql" else MYSQL_SIZE
    row = connection.execute(text(asked), {"schema": schema, "table": table}).one_or_none()
    return Estimate(row[0], int(row[1])) if row is not None and row[1] is not None else None


def _ticked(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
