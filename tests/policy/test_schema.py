"""The schemas that editors use are made from the models and are current.

To renew them: python -m gateway.policy.schema FOLDER
"""

from __future__ import annotations

import json

import pytest

from gateway.policy.names import NAMES
from gateway.policy.schema import schemas
from gateway.resources import shipped


@pytest.mark.parametrize("name", schemas())
def test_the_shipped_schemas_are_current(name: str) -> None:
    assert (shipped() / name).read_text(encoding="utf-8") == schemas()[name]


def test_the_policy_schema_completes_every_fact() -> None:
    condition = json.loads(schemas()["policy.schema.json"])["$defs"]["Condition"]
    words = {option["const"] for form in condition["anyOf"] for option in form.get("oneOf", ())}
    keys = next(form["properties"] for form in condition["anyOf"] if form.get("type") == "object")
    assert words == set(NAMES)
    assert set(keys) == set(NAMES) | {"all", "any", "none"}
    assert keys["referral"]["anyOf"][0] == {"enum": list(NAMES["referral"])}


@pytest.mark.parametrize("name", ["policy.schema.json", "site.schema.json"])
def test_unknown_keys_are_refused_by_the_schema_too(name: str) -> None:
    assert json.loads(schemas()[name])["additionalProperties"] is False
