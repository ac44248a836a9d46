"""The JSON Schemas of the two files, for editors that complete and check while one writes."""

from __future__ import annotations

from typing import Any

from dsr.policy.model import RIGHTS, Policy
from dsr.policy.systems import Systems

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MARK = {"type": "boolean", "description": "true: the published policy does not say this; it is assumed"}
NOTES = ("title", "description", "default")


def policy_schema() -> dict[str, Any]:
    """The schema of the policy file, where any fact may be marked as assumed."""
    schema = Policy.model_json_schema(by_alias=True)
    for definition in (schema, *schema["$defs"].values()):
        if definition.get("type") == "object":
            _allow_marks(definition)
    schema["properties"]["rights"] = _rights()
    return {"$schema": DIALECT, **schema, "title": "Policy file"}


def systems_schema() -> dict[str, Any]:
    """The schema of the systems file. Where a preset says the rest, less has to stand in it."""
    schema = Systems.model_json_schema(by_alias=True)
    system, collection = schema["$defs"]["System"], schema["$defs"]["Collection"]
    whole = {
        "required": system["required"],
        "properties": {"collection": {"items": {"required": collection["required"]}}},
    }
    system.update({"required": ["name"], "if": {"required": ["preset"]}, "then": {}, "else": whole})
    collection["required"] = ["name"]
    return {"$schema": DIALECT, **schema, "title": "Systems file"}


def _allow_marks(table: dict[str, Any]) -> None:
    """Let a table carry `assumed = true`, and each of its values be `{ value = ..., assumed = true }`."""
    for name, value in table.get("properties", {}).items():
        table["properties"][name] = value if _is_table(value) else _marked(value)
    table["properties"]["assumed"] = MARK


def _is_table(value: dict[str, Any]) -> bool:
    """Whether a value is a table of its own, or a list of them: those carry the mark inside."""
    return "$ref" in value or "$ref" in value.get("items", {}) or any("$ref" in each for each in value.get("anyOf", ()))


def _marked(value: dict[str, Any]) -> dict[str, Any]:
    notes: dict[str, Any] = {key: value[key] for key in NOTES if key in value}
    plain = {key: entry for key, entry in value.items() if key not in notes}
    wrapped = {
        "type": "object",
        "properties": {"value": plain, "assumed": MARK},
        "required": ["value", "assumed"],
        "additionalProperties": False,
    }
    return {**notes, "anyOf": [plain, wrapped]}


def _rights() -> dict[str, Any]:
    names: dict[str, Any] = {name: {"$ref": "#/$defs/RightEntry"} for name in RIGHTS}
    return {
        "type": "object",
        "title": "Rights",
        "minProperties": 1,
        "properties": {**names, "assumed": MARK},
        "additionalProperties": False,
    }
