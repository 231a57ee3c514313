"""JSON schemas for editors, made from the models: policies/policy.schema.json and policies/site.schema.json."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.policy.file import PolicyFile
from gateway.policy.names import ABOUT_MEANINGS, NAMES
from gateway.reading.vocabulary import MEANINGS
from gateway.site.file import SiteFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> Mapping[str, str]:
    """File name -> text of every schema that stands in policies/."""
    policy = PolicyFile.model_json_schema(by_alias=True)
    policy["$defs"]["Condition"] = _condition()
    for properties in (policy["properties"], policy["$defs"]["ProfilePart"]["properties"]):
        for key in ("when", "unless", "exempt"):
            told = properties[key].get("description", f"instead of the policy's own `{key}`")
            properties[key] = {"$ref": "#/$defs/Condition", "description": told}
    policy["properties"]["examples"] |= {"allOf": [_one_that(kind) for kind in ("hit", "miss")]}
    site = SiteFile.model_json_schema(by_alias=True)
    return {
        "policy.schema.json": _text("A policy of the referral gateway", policy),
        "site.schema.json": _text("A site of the referral gateway", site),
    }


def _one_that(expect: str) -> dict[str, Any]:
    """A list with an example that expects this."""
    return {"contains": {"properties": {"expect": {"const": expect}}, "required": ["expect"]}}


def _condition() -> dict[str, Any]:
    """A condition, so that editors complete the names of facts and their values."""
    inner = {"$ref": "#/$defs/Condition"}
    groups = {kind: {"type": "array", "items": inner, "minItems": 1} for kind in ("all", "any", "none")}
    bounds = {
        "type": "object",
        "properties": {"at_least": {"type": "number"}, "at_most": {"type": "number"}},
        "additionalProperties": False,
    }
    return {
        "description": "A fact; all:, any: or none: with a list; or a fact with the value it must have.",
        "anyOf": [
            {"type": "null"},
            {
                "oneOf": [
                    {"const": name, "description": MEANINGS.get(name) or ABOUT_MEANINGS[name]} for name in sorted(NAMES)
                ]
            },
            {"type": "array", "items": inner},
            {
                "type": "object",
                "properties": groups | {name: _value(NAMES[name], bounds) for name in sorted(NAMES)},
                "additionalProperties": False,
                "minProperties": 1,
            },
        ],
    }


def _value(values: Any, bounds: dict[str, Any]) -> dict[str, Any]:
    one: dict[str, Any] = {"enum": list(values)} if values else {"type": ["string", "number", "boolean", "null"]}
    return {"anyOf": [one, {"type": "array", "items": one}, bounds]}


def _text(title: str, schema: dict[str, Any]) -> str:
    return json.dumps({"$schema": DIALECT, "title": title} | schema, indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> None:
    """Write the schemas into a folder of policies."""
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
