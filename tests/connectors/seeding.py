"""Rows for every column of a LiteLLM database that can name somebody: from the live schema, not from the preset."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from dsr.policy.preset import preset
from tests import servers
from tests.litellm import key_hash, proxy

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*|[0-9]+")
NAMING = frozenset(
    [
        "user",
        "users",
        "customer",
        "customers",
        "owner",
        "owners",
        "member",
        "members",
        "admin",
        "admins",
        "email",
        "sub",
        "subject",
        "principal",
        "sso",
        "oid",
        "identity",
        "by",
        "person",
        "people",
        "entity",
        "object",
        "target",
        "claim",
        "assignee",
        "author",
    ]
)
KEYS = frozenset({"token", "active_token_id", "api_key", "key_hash", "assigned_key_ids", "keys", "token_hash"})

# Columns that by their names could say who somebody is, and do not, or not by themselves.
ASIDE = {
    "object_permission_id": "the number of a list of permissions",
    "LiteLLM_AdaptiveRouterSession.last_user_content": "a text; the session leads to it",
    "LiteLLM_AgentsTable.identity_managed": "yes or no",
    "LiteLLM_BudgetWindowSpend.entity_type": "the kind of what is named beside it",
    "LiteLLM_DeletedTeamTable.team_member_permissions": "permissions",
    "LiteLLM_DeletedVerificationToken.token": "a key of nobody, unless user_id says whose",
    "LiteLLM_JWTKeyMapping.jwt_claim_name": "the name of a field",
    "LiteLLM_MCPServerTable.subject_token_type": "a kind of token",
    "LiteLLM_ManagedFileTable.file_object": "what is known of a file",
    "LiteLLM_ManagedObjectTable.unified_object_id": "the number of a batch",
    "LiteLLM_ManagedObjectTable.model_object_id": "the number of a batch",
    "LiteLLM_ManagedObjectTable.file_object": "what is known of a batch",
    "LiteLLM_ManagedVectorStoreTable.resource_object": "what is known of a store",
    "LiteLLM_OrganizationMembership.user_role": "a role",
    "LiteLLM_PolicyAttachmentTable.keys": "patterns of names of keys",
    "LiteLLM_ShadowEvalJob.target_type": "the kind of what is named beside it",
    "LiteLLM_TeamTable.team_member_permissions": "permissions",
    "LiteLLM_TeamTable.default_team_member_models": "models",
    "LiteLLM_ToolTable.user_agent": "a program",
    "LiteLLM_UserTable.user_alias": "a name beside the number",
    "LiteLLM_UserTable.user_role": "a role",
    "LiteLLM_VerificationToken.token": "a key of nobody, unless user_id says whose",
    "LiteLLM_VerifiedSubject.subject_id": "the number of the entry",
}
# Where one column says what another one names.
KINDS = {"LiteLLM_AuditLog": {"table_name": "LiteLLM_UserTable"}, "LiteLLM_BudgetWindowSpend": {"entity_type": "User"}}
CUSTOMERS = {"end_user", "end_user_id"}
# Named inside JSON, which no name of a column says.
INSIDE = {
    ("LiteLLM_TeamTable", "members_with_roles", "user_id"): lambda me: [{"user_id": me.user, "role": "admin"}],
    ("LiteLLM_TeamTable", "members_with_roles", "user_email"): lambda me: [{"user_email": me.email, "role": "user"}],
    ("LiteLLM_DeletedTeamTable", "members_with_roles", "user_id"): lambda me: [{"user_id": me.user}],
    ("LiteLLM_DeletedTeamTable", "members_with_roles", "user_email"): lambda me: [{"user_email": me.email}],
    ("LiteLLM_GuardrailsTable", "guardrail_info", "user_id"): lambda me: {"submitted_by_user_id": me.user},
    ("LiteLLM_GuardrailsTable", "guardrail_info", "email"): lambda me: {"submitted_by_email": me.email.upper()},
}


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    nullable: bool
    has_default: bool


@dataclass
class Somebody:
    """One person of the gateway."""

    name: str
    year: int
    # Each row seeded: where it names the person, and a text and a year-unique moment that stand in it alone.
    marks: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def user(self) -> str:
        return f"{self.name}-user-0001"

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"

    @property
    def sso(self) -> str:
        return f"{self.name}-sso-0001"

    @property
    def key(self) -> str:
        return key_hash(self.name)

    def called(self) -> tuple[str, ...]:
        """Every way in which a row can name this person."""
        return self.user, self.email, self.email.upper(), self.sso, self.key, key_hash(f"{self.name}-deleted")


def names_somebody(column: str) -> bool:
    words = tuple(word.lower() for word in WORD.findall(column))
    return column in KEYS or words[-2:] == ("api", "key") or not NAMING.isdisjoint(words)


def schema(connection: psycopg.Connection[Any]) -> dict[str, list[Column]]:
    """Every table of the live database with its columns."""
    found: dict[str, list[Column]] = {}
    rows = connection.execute(
        "SELECT table_name, column_name, CASE data_type WHEN 'ARRAY' THEN 'array' WHEN 'USER-DEFINED' THEN 'enum' "
        "ELSE data_type END, is_nullable = 'YES', column_default IS NOT NULL FROM information_schema.columns "
        "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
    )
    for table, *about in rows:
        found.setdefault(table, []).append(Column(*about))
    return found


def naming_columns(tables: dict[str, list[Column]], aside: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Every column that can name somebody, but for the tables that are left aside and the columns that do not."""
    return [
        (table, column.name)
        for table, columns in tables.items()
        for column in columns
        if table not in set(aside)
        and column.kind in ("text", "array", "jsonb")
        and names_somebody(column.name)
        and not {column.name, f"{table}.{column.name}"} & ASIDE.keys()
    ]


class Seeding:
    """Fills a database, one row for each place that can name a person."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection, self.tables = connection, schema(connection)
        self._moment, self._naming = 0, set(naming_columns(self.tables))
        connection.execute("SET session_replication_role = replica")  # rows by themselves, without those they point at

    def person(self, me: Somebody, places: Iterable[tuple[str, str]]) -> None:
        self._base(me)
        for table, column in places:
            if table == "LiteLLM_UserTable" or (table, column) == ("LiteLLM_VerificationToken", "user_id"):
                continue
            if (table, column) in {(t, c) for t, c, _ in INSIDE}:
                continue
            self.row(me, table, f"{table}.{column}", {column: self._name(me, table, column)})
        for (table, column, what), value in INSIDE.items():
            self.row(me, table, f"{table}.{column}.{what}", {column: Jsonb(value(me))})

    def row(self, me: Somebody, table: str, place: str, given: dict[str, Any]) -> None:
        """A row that names the person here and nobody anywhere else, with marks of its own wherever it can hold any."""
        if not given.keys() <= {column.name for column in self.tables.get(table, ())}:
            return  # an older proxy has no such place
        mark = f"mark-{hashlib.sha256(place.encode()).hexdigest()[:12]}-{me.name}"
        self._moment += 1
        moment = datetime(me.year, 1, 1) + timedelta(minutes=self._moment)
        given = KINDS.get(table, {}) | given
        values = {column.name: self._filling(table, column, mark, moment) for column in self.tables[table]} | given
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("%s" for _ in values)
        self.connection.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', list(values.values()))
        me.marks[place] = (mark, f"{moment:%Y-%m-%dT%H:%M}")

    def _filling(self, table: str, column: Column, mark: str, moment: datetime) -> Any:
        plain = {
            "integer": self._moment, "bigint": self._moment, "double precision": 0.5, "boolean": False,
            "array": [mark], "jsonb": Jsonb({"note": mark}), "bytea": mark.encode(), "enum": None,
        }  # fmt: skip
        if column.kind.startswith("timestamp"):
            return moment
        if column.name in ("token", "active_token_id"):
            return hashlib.sha256(mark.encode()).hexdigest()  # a key of its own, of nobody
        if (table, column.name) in self._naming:
            empty: Any = {"array": [], "jsonb": Jsonb([])}.get(column.kind, "")
            return None if column.nullable else empty
        return plain.get(column.kind, mark)

    def _name(self, me: Somebody, table: str, column: str) -> Any:
        kind = next(each.kind for each in self.tables[table] if each.name == column)
        named = me.user
        if column in KEYS or column.endswith("api_key"):
            named = me.key
        elif column in CUSTOMERS or table == "LiteLLM_EndUserTable" or column == "jwt_claim_value":
            named = me.email
        elif column == "oid":
            named = me.sso
        return [named] if kind == "array" else Jsonb([named]) if kind == "jsonb" else named

    def _base(self, me: Somebody) -> None:
        me_as_user = {"user_id": me.user, "user_email": me.email.capitalize(), "sso_user_id": me.sso,
                      "object_permission_id": f"permissions-{me.name}"}  # fmt: skip
        self.row(me, "LiteLLM_UserTable", "user", {**me_as_user, "password": f"scrypt:{me.name}-password-0001"})
        self.row(me, "LiteLLM_VerificationToken", "key", {
            "user_id": me.user, "token": me.key, "key_name": f"sk-...{me.name}0001"})  # fmt: skip
        deleted = key_hash(f"{me.name}-deleted")
        self.row(me, "LiteLLM_DeletedVerificationToken", "deleted key", {"user_id": me.user, "token": deleted})
        self.row(me, "LiteLLM_SpendLogs", "by deleted key", {"api_key": deleted})
        self.row(me, "LiteLLM_ObjectPermissionTable", "permissions",
                 {"object_permission_id": f"permissions-{me.name}"})  # fmt: skip
        self.row(me, "LiteLLM_BudgetWindowSpend", "key's budget", {"entity_type": "Key", "entity_id": me.key})
        self.row(me, "LiteLLM_AuditLog", "audit of key", {
            "table_name": "LiteLLM_VerificationToken", "object_id": me.key})  # fmt: skip
        self.row(me, "LiteLLM_SpendLogs", "request", {
            "user": me.user, "api_key": me.key, "request_id": f"request-{me.name}", "session_id": f"session-{me.name}",
            "metadata": Jsonb({"user_api_key": me.key, "user_api_key_alias": f"alias-{me.name}"})})  # fmt: skip
        pointing = {"LiteLLM_SpendLogToolIndex": "request_id", "LiteLLM_SpendLogGuardrailIndex": "request_id",
                    "LiteLLM_ErrorLogs": "request_id", "LiteLLM_ShadowEvalAttempt": "request_id"}  # fmt: skip
        for table, column in pointing.items():
            self.row(me, table, f"path to {table}", {column: f"request-{me.name}"})
        self.row(me, "LiteLLM_AdaptiveRouterSession", "path to texts", {"session_id": f"session-{me.name}"})
        self.row(me, "LiteLLM_WorkflowRun", "workflow", {"created_by": me.key, "run_id": f"run-{me.name}"})
        for table in ("LiteLLM_WorkflowMessage", "LiteLLM_WorkflowEvent"):
            self.row(me, table, f"path to {table}", {"run_id": f"run-{me.name}"})
        self.row(me, "LiteLLM_AutoRouterBaselineComparison", "comparison", {
            "api_key": me.key, "scope": f"scope-{me.name}"})  # fmt: skip
        self.row(me, "LiteLLM_AutoRouterBaselineObservation", "path to observation", {"scope": f"scope-{me.name}"})
        # Shared with somebody else: only what is the person's may come out.
        self.row(me, "LiteLLM_TeamTable", "shared team", {
            "members": ["third-user", me.user], "admins": ["third-user"],
            "members_with_roles": Jsonb([{"user_id": "third-user", "user_email": "third@example.com"},
                                         {"user_id": me.user, "user_email": me.email}])})  # fmt: skip
        self.row(me, "LiteLLM_InvitationLink", "invited by another", {
            "user_id": me.user, "created_by": "third-user", "updated_by": me.user})  # fmt: skip


ADA, EVE = Somebody("ada", 2031), Somebody("eve", 2032)


@contextmanager
def seeded_proxy(server: servers.Postgres, name: str) -> Iterator[str]:
    """A proxy's database with a person and a bystander in every column that can name one. Gives its URL."""
    with proxy(server, name) as url, server.connect(name) as connection:
        seeding = Seeding(connection)
        for somebody in (ADA, EVE):
            seeding.person(somebody, naming_columns(seeding.tables, preset("litellm").ignored))
        yield url
