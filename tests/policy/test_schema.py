"""The schemas that editors use are made from the models and are current.

To renew them: python -m gateway.policy.schema FOLDER
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from gateway.located import load_yaml
from gateway.policy.loader import policy_files
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


def refused(name: str, data: Any) -> Iterator[str]:
    """The places that an editor would mark."""
    validator = jsonschema.Draft202012Validator(json.loads(schemas()[name]))
    return (error.json_path for error in validator.iter_errors(data))


def test_the_shipped_files_fit_their_schemas() -> None:
    for path in policy_files(shipped()):
        assert list(refused("policy.schema.json", load_yaml(path).data)) == [], path.name
    assert list(refused("site.schema.json", load_yaml(shipped() / "site.yaml").data)) == []


POLICY = """
title: A no
why: A no.
when: [refusal]
do: hold
deadline: 4h
scope: {languages: [en], active_from: 2026-01-01, domains: [internal, customer.example]}
examples:
  - {name: a, expect: hit, from: Ann Ek <ann@x.example>, to: [bob@x.example], lang: en}
  - {name: b, expect: miss, from: ann@x.example, to: bob@x.example}
"""


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("", "", None),
        ("[en]", "[english]", "$.scope.languages[0]"),
        ("2026-01-01", "soon", "$.scope.active_from"),
        ("4h", "3 moons", "$.deadline"),
        ("[internal, ", "[everywhere, ", "$.scope.domains[0]"),
        ("expect: hit", "expect: miss", "$.examples"),
        ("Ann Ek <ann@x.example>", "ann", "$.examples[0].from"),
        ("lang: en", "lang: EN", "$.examples[0].lang"),
    ],
)
def test_the_policy_schema_marks_what_check_refuses(old: str, new: str, place: str | None) -> None:
    data = load_yaml(POLICY.replace(old, new, 1) if old else POLICY, "p.yaml").data
    assert list(refused("policy.schema.json", data)) == ([place] if place else [])
    assert list(refused("policy.schema.json", {**data, "examples": []})) != []


SITE = """
lang: en
zone: Europe/Brussels
agents: ["*@x.example", {address: ann@x.example, lang: de}]
hours: {mon: ["08:00-17:30"], holidays: [2026-12-24]}
gateway: {notices: gateway@gw.example}
ticket_tags: ["[#<number>]"]
ticket_systems: [{senders: [rt@x.example], peers: [192.0.2.0/24], headers: [X-RT-Originator]}]
"""


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("", "", None),
        ("lang: en", "lang: english", "$.lang"),
        ("Europe/Brussels", "Brussels time", "$.zone"),
        ("08:00-17:30", "8-18", "$.hours.mon[0]"),
        ("2026-12-24", "Christmas", "$.hours.holidays[0]"),
        ("gateway@gw.example", "gateway", "$.gateway.notices"),
        ("[#<number>]", "[#12]", "$.ticket_tags[0]"),
        ("192.0.2.0/24", "rt.x.example", "$.ticket_systems[0].peers[0]"),
        ("X-RT-Originator]", "'X-RT-Originator:']", "$.ticket_systems[0].headers[0]"),
    ],
)
def test_the_site_schema_marks_what_check_refuses(old: str, new: str, place: str | None) -> None:
    data = load_yaml(SITE.replace(old, new, 1) if old else SITE, "s.yaml").data
    assert list(refused("site.schema.json", data)) == ([place] if place else [])
