"""What leaves the log: filters, forms, pseudonyms, groups. On both databases where a query is involved."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import circle
from gateway.export_forms import COLUMNS, EXTRA, HIDDEN, SCHEMA, csv_lines, ecs_lines, json_lines, safe_cell
from gateway.persons import person
from gateway.pseudonyms import Pseudonyms
from gateway.store.exporting import LogFilter
from gateway.store.reporting import Group, suppressed
from gateway.store.versions import RuleEvent
from gateway.witnesses import syslog_line

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


async def some(store: Any, rows: Any) -> None:
    await store.intend(rows.entry("m1", subject="Re: 100% sure_", rcpt_to=("Lena@client.example",)))
    await store.outcome("m1", "passed", "250 ok")
    await store.intend(
        rows.entry("m2", at=rows.now + timedelta(days=1), team="hr", agent="ann@acme.example", mail_from="")
    )
    await store.outcome("m2", "overridden", "250 ok", "boss@acme.example")
    secret = {"confidential": {"value": True, "evidence": [{"text": "between us", "part": "1", "start": 0, "end": 10}]}}
    await store.intend(rows.entry("m3", at=rows.now + timedelta(days=2), disposition="pass", findings=(), facts=secret))
    await store.log("account/ada", "log-in-refused", "wrong password", "ada", "console from 192.0.2.7")
    store.keep_version_now(None, RuleEvent(rows.now, "in-force", "start", by="", version="v2", tree="t"))


FILTERS = {
    "nothing": (LogFilter(), ["m1", "m1", "m2", "m2", "m3", "account/ada", "rules"]),
    "a person in any case": (LogFilter(person="LENA@client.example"), ["m1", "m1"]),
    "a part of an address is no person": (LogFilter(person="ena@client.example"), []),
    "who acted": (LogFilter(person="boss@acme.example"), ["m2", "m2"]),
    "who logged in": (LogFilter(person="ada"), ["account/ada"]),
    "a requester": (LogFilter(person="mary@acme.example", team="hr"), ["m2", "m2"]),
    "a part of the subject, literally": (LogFilter(subject="100% SURE_"), ["m1", "m1"]),
    "no wildcard": (LogFilter(subject="100%%"), []),
    "a policy": (LogFilter(policy="dropped-requester"), ["m1", "m1", "m2", "m2"]),
    "a disposition": (LogFilter(disposition="pass"), ["m3"]),
    "an outcome": (LogFilter(outcome="passed"), ["m1", "m1"]),
    "a team": (LogFilter(team="hr"), ["m2", "m2"]),
    "overrides": (LogFilter(override=True), ["m2", "m2"]),
    "no overrides": (LogFilter(override=False), ["m1", "m1", "m3"]),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_filters(store, rows, name):
    await some(store, rows)
    wanted, about = FILTERS[name]
    assert [record.subject for record in store.records(wanted)] == about


async def test_times_from_up_to_without(store, rows):
    await some(store, rows)
    one = LogFilter(since=rows.now + timedelta(days=1), until=rows.now + timedelta(days=2), team="hr")
    assert {record.subject for record in store.records(one)} == {"m2"}
    assert not [*store.records(replace(one, until=one.since))]


async def test_pages_of_any_size_are_one_list(store, rows, monkeypatch):
    await some(store, rows)
    whole = [*store.records(LogFilter())]
    monkeypatch.setattr("gateway.store.exporting.PAGE", 2)
    assert [*store.records(LogFilter())] == whole


async def lines(store: Any, rows: Any, form: Any = json_lines, **more: Any) -> list[Any]:
    await some(store, rows)
    return [json.loads(line) for line in form(store.records(LogFilter()), **more)]


async def test_json_lines_have_every_field_that_the_readme_names(sqlite_store, rows):
    found = await lines(sqlite_store, rows)
    assert all(set(line) >= {"schema", *COLUMNS} for line in found)
    assert {name for line in found for name in line} == set(COLUMNS) | set(EXTRA)
    assert all(line["schema"] == SCHEMA for line in found)
    assert found[0]["time"] == rows.now.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert [(line["kind"], line["what"], line["result"]) for line in found] == [
        ("decision", "hold", "success"), ("delivery", "passed", "success"), ("decision", "hold", "success"),
        ("override", "overridden", "success"), ("decision", "pass", "success"),
        ("account", "log-in-refused", "failure"), ("policy", "in-force", "success"),
    ]  # fmt: skip
    assert (found[5]["who"], found[5]["origin"]) == ("ada", "console from 192.0.2.7")
    assert all(line["chain"] and line["seq"] for line in found), "each line can be proved"
    for name in (*COLUMNS, *EXTRA):
        assert re.search(rf"(?m)^\| `{name}` \|", README), f"the README lacks the field {name}"
    assert SCHEMA in README


async def test_confidential_words_are_left_out_unless_asked_for(sqlite_store, rows):
    secret = (await lines(sqlite_store, rows))[4]
    assert secret["subject"] == secret["requester"] == secret["why"] == HIDDEN and secret["recipients"] == [HIDDEN]
    assert secret["facts"] == ["confidential"]
    [shown] = [
        json.loads(line) for line in json_lines(sqlite_store.records(LogFilter(disposition="pass")), confidential=True)
    ]
    assert shown["subject"] == "Re: [ACME-7] access" and "between us" in json.dumps(shown["facts"])


FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "＝1",
    "=cmd|'/c calc'!A1",
    '=HYPERLINK("http://x")',
)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text):
    assert safe_cell(text).startswith("'")
    assert "\n" not in safe_cell(text) and "\r" not in safe_cell(text)


async def test_csv_is_one_row_a_record_whatever_mail_says(sqlite_store, rows):
    nasty = 'a"b,c\r\n=1;\x00\x1b[31m\u2028'
    await sqlite_store.intend(rows.entry("m1", subject=f"={nasty}", reason=nasty, agent="-x@acme.example"))
    text = "\r\n".join(csv_lines(sqlite_store.records(LogFilter())))
    head, row = csv.reader(io.StringIO(text))
    assert head == list(COLUMNS) and len(row) == len(head)
    cells = dict(zip(head, row, strict=True))
    assert cells["subject"].startswith("'=") and cells["agent"] == "'-x@acme.example"
    assert cells["policies"] == "dropped-requester" and cells["override"] == "false"
    assert all(ch.isprintable() for cell in row for ch in cell)
    assert list(csv_lines(iter(()))) == list(json_lines(iter(()))) == []


async def test_ecs(sqlite_store, rows):
    found = await lines(sqlite_store, rows, ecs_lines, instance="i1")
    assert all(set(line) >= {"@timestamp", "ecs", "event", "message", "observer"} for line in found)
    decision, login = found[0], found[5]
    assert decision["event"]["category"] == ["email"] and decision["event"]["kind"] == "alert"
    assert decision["email"]["from"]["address"] == ["bob@acme.example"] and decision["rule"]["name"] == [
        "dropped-requester"
    ]
    assert login["event"]["category"] == ["authentication"] and login["event"]["outcome"] == "failure"
    assert login["source"]["address"] == "192.0.2.7" and login["user"]["name"] == "ada"
    assert "email" not in login
    assert syslog_line(json.dumps(login), kind="log", at=rows.now).startswith(b"<109>1 2026-11-20T09:00:00.000000Z ")


async def test_pseudonyms_tell_people_apart_and_name_nobody(sqlite_store, rows):
    veil = Pseudonyms(rows.key)
    found = await lines(sqlite_store, rows, change=veil.line)
    text = json.dumps(found).lower()
    assert not re.search(r"bob|ann@|mary|lena|boss|ada|@|192\.0\.2|access|100%|between us", text), text
    assert found[0]["agent"] == veil.of("BOB@acme.example") != found[2]["agent"]
    assert veil.of("bob@acme.example") != Pseudonyms(b"another key of 32 octets, and more").of("bob@acme.example")
    assert [line["team"] for line in found[:3]] == ["it", "it", "hr"] and found[5]["about"].startswith(
        "account/person-"
    )


async def test_a_timeline_says_from_where(store, rows):
    await store.hold(rows.hold("m9"), rows.entry("m9"), [])
    await store.approve("m9", "send", "boss@acme.example", origin="console from 192.0.2.9", now=rows.now)
    await store.log("m9", "viewed", "mail", "boss@acme.example", "console from 192.0.2.9")
    assert [(each.what, each.by, each.origin) for each in store.timeline("m9")] == [
        ("held", "", ""), ("approved", "boss@acme.example", "console from 192.0.2.9"),
        ("viewed", "boss@acme.example", "console from 192.0.2.9"),
    ]  # fmt: skip
    store.log_now("account/ada", "log-in", "", "ada", "console from 192.0.2.9")
    assert [each.what for each in store.timeline("account/ada")] == ["log-in"]


# --- circle, groups ---------------------------------------------------------------------------------------------------


async def test_words_of_confidential_mail_are_veiled_and_the_rest_is_as_it_was(sqlite_store, rows):
    await sqlite_store.intend(rows.entry("m2", facts={"confidential_recipient": {"value": True, "evidence": []}}))
    await sqlite_store.intend(rows.entry("m3"))
    veiled, plain = circle.veiled(sqlite_store.audit_show("m2")), sqlite_store.audit_show("m3")
    assert veiled.entry.subject == veiled.entry.requester == veiled.entry.reason == HIDDEN
    assert veiled.entry.agent == plain.entry.agent and veiled.entry.disposition == plain.entry.disposition
    assert circle.veiled(plain) is plain
    await sqlite_store.hold(rows.hold("m1", told={"confidential": True}), rows.entry("m1"), [])
    assert circle.is_confidential(sqlite_store.audit_show("m1").entry, await sqlite_store.held("m1"))
    assert not circle.is_confidential(plain.entry)


def group(name: str, people: int) -> Group:
    return Group(name, people, people * 10, people, 0)


def test_small_groups_and_one_that_would_tell_them_are_hidden():
    found = suppressed([group("a", 4), group("b", 9), group("c", 6)])
    assert [each.hidden for each in found] == [True, False, True]
    assert [each.hidden for each in suppressed([group("a", 4), group("b", 4), group("c", 6)])] == [True, True, False]
    assert [each.hidden for each in suppressed([group("a", 5), group("b", 6)])] == [False, False]
    assert [each.hidden for each in suppressed([group("a", 1)])] == [True]
    assert found[0] == Group("a", None, None, None, None)


@pytest.mark.parametrize("by", ["team", "policy", "month"])
async def test_reports_count_and_name_no_agent(store, rows, by):
    for number in range(12):
        team = "it" if number % 2 else "hr"
        await store.intend(rows.entry(f"m{number}", agent=f"a{number}@acme.example", team=team))
        await store.outcome(f"m{number}", "overridden" if number == 1 else "passed")
    await store.intend(rows.entry("x", agent="", team=""))
    found = store.report(by)
    assert [each.name for each in found] == {
        "team": ["hr", "it"], "policy": ["dropped-requester"], "month": ["2026-11"],
    }[by]  # fmt: skip
    assert sum(each.mails for each in found) == 12 and sum(each.overridden for each in found) == 1
    assert store.report(by, LogFilter(person="a1@acme.example"))[0].hidden
    assert (
        person("a1@acme.example").in_value([vars(each) if hasattr(each, "__dict__") else str(each) for each in found])
        is False
    )
