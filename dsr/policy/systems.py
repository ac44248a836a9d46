"""The systems file as objects: where personal data lives, and how one person is found in it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from dsr.policy.text import Text
from dsr.policy.values import (
    STEP,
    CollectionName,
    Id,
    JsonPath,
    Line,
    OptionalEnvName,
    OptionalLine,
    SystemName,
    Table,
    Words,
    wrong,
)

Transform = Literal["none", "casefold", "sha256", "hmac-sha256"]
TRANSFORMS: tuple[Transform, ...] = get_args(Transform)

# Known before any system is read: a typed address, and a privacy receipt. All others must be taught by a collection.
KNOWN_FIRST = frozenset({"email", "receipt"})


class Named(Table):
    """A place in a row that names somebody: a column, or with `path` a place inside its array or JSON."""

    column: Line
    identifier: Id | None = None
    transform: Transform = "none"
    key_env: OptionalEnvName = ""
    path: JsonPath = ""

    @model_validator(mode="before")
    @classmethod
    def _email_ignores_case(cls, found: Any) -> Any:
        if isinstance(found, dict) and found.get("identifier") == "email" and "transform" not in found:
            return {**found, "transform": "casefold"}
        return found

    @model_validator(mode="after")
    def _has_its_key(self) -> Named:
        if (self.transform == "hmac-sha256") != bool(self.key_env):
            raise wrong('transform "hmac-sha256" and key_env not together', "both, or neither of them")
        return self

    def steps(self) -> tuple[str, ...]:
        """The way into the value: "*" for each entry of an array, otherwise the name of a field. Empty without path."""
        return tuple("*" if step == "[*]" else step[1:] for step in STEP.findall(self.path))


class Way(Named):
    """One way to whoever a row names: an identifier in it, or a row of another collection that it points at."""

    collection: str = ""
    key: OptionalLine = ""

    @model_validator(mode="after")
    def _is_one_way(self) -> Way:
        if bool(self.identifier) == bool(self.collection):
            raise wrong("neither or both of identifier and collection", "exactly one of identifier and collection")
        if bool(self.collection) != bool(self.key):
            raise wrong("collection and key not together", "collection with key, the column there that is pointed at")
        if self.collection and self.transform != "none":
            raise wrong("a transform on a path", "transform beside identifier only")
        if self.collection and self.path:
            raise wrong("path beside collection", "path beside identifier only")
        return self


class Find(Way):
    """One way to a person's rows. `unless`: not a row that names somebody else in one of these ways."""

    unless: tuple[Way, ...] = ()


class Teach(Table):
    """An identifier that a person's rows hold, by which other systems know the person."""

    column: Line
    identifier: Id


class ChannelColumns(Table):
    """Where a collection holds a way to reach the person, and the day it became known."""

    column: Line
    since: OptionalLine = ""
    kind: Literal["email", "phone"] = "email"


class FileColumns(Table):
    """A column that holds a file, with the columns that hold its name and its media type."""

    column: Line
    name: OptionalLine = ""
    media_type: OptionalLine = ""


class Collection(Table):
    """A table of personal data, its category in the policy, and the way to one person's rows."""

    name: CollectionName
    table: Line
    title: Words
    sentence: Text = Text()
    category: str
    key: tuple[Line, ...] = ()
    time: OptionalLine = ""
    find: Annotated[tuple[Find, ...], Field(min_length=1)]
    only: Annotated[dict[str, Line], Field(default_factory=dict)]
    filled: tuple[Line, ...] = ()
    others: tuple[Named, ...] = ()
    teaches: tuple[Teach, ...] = ()
    channel: ChannelColumns | None = None
    secret: tuple[Line, ...] = ()
    omit: Annotated[dict[str, Words], Field(default_factory=dict)]
    files: tuple[FileColumns, ...] = ()
    columns: Annotated[dict[str, Words], Field(default_factory=dict)]
    model: OptionalLine = ""
    missing: Text = Text()
    may_lack: Literal["nothing", "columns", "table"] = "nothing"

    @model_validator(mode="after")
    def _others_are_known_by_something(self) -> Collection:
        if not all(place.identifier for place in self.others):
            raise wrong("others without identifier", "what the column names people by: { column, identifier }")
        return self

    def places(self) -> tuple[Named, ...]:
        """Where its rows may name other people than the one who asks: all that `others` says, and every path."""
        return (*self.others, *(find for find in self.find if find.path))


class System(Table):
    """One place where personal data lives. Credentials stand in the environment; here are only the names."""

    name: SystemName
    title: Words
    kind: Id
    url_env: OptionalEnvName = ""
    change_url_env: OptionalEnvName = ""
    schema_name: Annotated[OptionalLine, Field(alias="schema")] = ""
    ignore: tuple[Line, ...] = ()
    nobody: tuple[Line, ...] = ()
    preset: OptionalLine = ""
    categories: Annotated[dict[Id, Line], Field(default_factory=dict)]
    known_as: Annotated[dict[Id, Id], Field(default_factory=dict)]
    leave_out: tuple[Line, ...] = ()
    collections: Annotated[tuple[Collection, ...], Field(alias="collection")] = ()

    @model_validator(mode="after")
    def _has_an_address(self) -> System:
        if self.kind == "sql" and not self.url_env:
            raise wrong("no url_env", "url_env with the name of the variable that holds the database's URL")
        return self

    def collection(self, name: str) -> Collection:
        """The collection of this name. Raises KeyError."""
        return {collection.name: collection for collection in self.collections}[name]


class Systems(Table):
    """All systems. Built by `dsr.policy.load_systems`, which also checks it against the policy."""

    systems: Annotated[tuple[System, ...], Field(min_length=1, alias="system")]

    def system(self, name: str) -> System:
        """The system of this name. Raises KeyError."""
        return {system.name: system for system in self.systems}[name]

    def categories(self) -> frozenset[str]:
        """The ids of the categories that some collection holds."""
        return frozenset(collection.category for system in self.systems for collection in system.collections)
