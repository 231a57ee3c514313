"""A person is erased, and then not found in any file of the store; the chain still verifies. Retention, legal hold."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from gateway.commands.person import files_naming
from gateway.follow.entries import Entry, Trail
from gateway.mail.address import Mailbox
from gateway.orders import Order
from gateway.persons import person
from gateway.store import forgetting
from gateway.store.privacy import Keep, UnderHold, Waits
from gateway.store.schema import audit, audit_events, hold_bodies, log_links, metadata, seen, seen_links
from gateway.store.versions import RuleEvent

from .test_chains import checked, checkpoint

MARY = person("mary@acme.example", names=["Mary Miller"])
DAY = timedelta(days=1)
KEEP = Keep(log=365 * DAY, mail=30 * DAY, threads=365 * DAY, followed=180 * DAY, sent=30 * DAY)


def test_who_is_meant():
    found = (
        "mary@acme.example",
        "MARY@Acme.Example",
        "<mary+acme-7@acme.example>",
        "ask Mary  Miller.",
        "\nmary@acme.example",
    )
    others = (
        "rosemary@acme.example",
        "mary@acme.example.org",
        "mary@acme.examples",
        "Mary Millerson",
        "mary-ann@acme.example",
    )
    assert all(MARY.in_text(each) for each in found)
    assert not any(MARY.in_text(each) for each in others)
    assert MARY.in_value({"a": [{"mary@acme.example": 1}]}) and MARY.in_value(b"<mary@acme.example> RET=FULL")
    for wrong in ("mary", "@acme.example", "mary@", "mary m@acme.example"):
        with pytest.raises(ValueError):
            person(wrong)


def finding(words: str) -> dict[str, Any]:
    return {
        "policy": "bare-refusal",
        "why": "no",
        "evidence": [{"text": words, "part": "1", "start": 0, "end": 9}],
        "mode": "enforce",
    }


async def everywhere(store: Any, rows: Any) -> None:
    """Mary in every place that a gateway writes to; m7 and m8 are other people's."""
    other = {"agent": "ann@acme.example", "mail_from": "ann@acme.example", "requester": "joe@x.example", "add_cc": ()}
    await store.intend(rows.entry("m1"))
    await store.outcome(
        "m1", "passed", "250 2.1.5 <mary@acme.example> ok", notices=[rows.notice(rcpt_to=("mary@acme.example",))]
    )
    await store.intend(rows.entry("m2", **other, findings=(finding("I asked Mary Miller already"),), facts={}))
    await store.intend(rows.entry("m3", **other, rcpt_to=("a@x.example", "Mary+7@acme.example"), facts={}))
    await store.intend(rows.entry("m4", **other, subject="Fwd: for mary@acme.example", facts={}))
    await store.hold(rows.hold("m5"), rows.entry("m5"), [rows.notice("n5", about="m5")])
    assert await store.discard("m5", "mary@acme.example", "mine", now=rows.now)
    raw = b"Subject: x\r\n\r\nAsk mary@acme.example about it.\r\n"
    plain = {"raw": raw, "agent": "ann@acme.example", "fix": {"add_cc": [], "possible": False}}
    digest = hashlib.sha256(raw).hexdigest()
    await store.hold(rows.hold("m6", **plain, sha256=digest), rows.entry("m6", **other, sha256=digest), [])
    assert await store.discard("m6", "ann@acme.example", now=rows.now)
    await store.intend(rows.entry("m7", **other))
    await store.outcome("m7", "passed")
    await store.log("m7", "viewed", "entry", "mary@acme.example", "console from 192.0.2.7")
    await store.log("account/mary@acme.example", "log-in", "", "mary@acme.example", "console from 192.0.2.7")
    await store.log("log", "exported", "jsonl; person mary@acme.example", "ada", "command")
    await store.intend(rows.entry("m8", **other))
    await store.remember(rows.seen("<1@x.example>"))
    await store.remember(rows.seen("<2@x.example>", "<1@x.example>", author=Mailbox("joe@x.example", "Joe")))
    promise = Entry(
        id="p1", kind="promise", at=rows.now, mail_id="m8", agent=Mailbox("ann@acme.example"), team="it",
        requester=Mailbox("mary@acme.example", "Mary Miller"), owners=(), subject="x", thread=(),
        due=rows.now, words="soon", next_at=rows.now,
    )  # fmt: skip
    await store.remember(rows.seen("<3@x.example>", author=Mailbox("joe@x.example")), Trail(rows.now, (promise,)))
    await store.tell_once("repeat/mary@acme.example/1", [])
    await store.order(Order("o1", rows.now, None, "mary@acme.example wants it", "mary@acme.example"))
    store.keep_version_now(
        None, RuleEvent(rows.now, "in-force", "command", by="mary@acme.example", version="v", tree="t")
    )


def names_her(store: Any) -> list[str]:
    """Every table that names her, asked without the code under test: each row as text."""
    with store.database.reader.connect() as connection:
        found = []
        for table in metadata.sorted_tables:
            for row in connection.execute(text(f'SELECT * FROM "{table.name}"')):
                words = " ".join(map(str, row)).lower()
                if "mary@acme" in words or "mary+7@acme" in words or "mary miller" in words:
                    found.append(table.name)
        return sorted(set(found))


async def test_a_person_is_erased_from_every_table_and_the_chain_verifies(store, rows, tmp_path: Path):
    await everywhere(store, rows)
    points = [checkpoint(store, rows)]
    assert len(names_her(store)) == 9
    assert checked(store, points) == []
    erased = store.erase_person(MARY, "request of 30 November", "ada")
    assert names_her(store) == [] and erased.left == ()
    assert erased.counts["mails"] == 6 and len(erased.receipt) == 32
    assert checked(store, points) == []
    with store.database.reader.connect() as connection:
        assert set(connection.scalars(select(audit.c.id))) == {"m7", "m8"}
        assert connection.execute(select(hold_bodies)).all() == []
        assert len(connection.execute(select(seen)).all()) == 2
        orphans = select(seen_links).where(seen_links.c.seen_id.not_in(select(seen.c.id)))
        assert connection.execute(orphans).all() == []
        assert connection.execute(select(log_links).where(log_links.c.salt.is_(None))).all()
        kept = " ".join(map(str, store.proof()))
    assert "mary" not in kept.lower() and "request of 30 November" in kept
    assert [event.by for event in store.rule_events()] == ["(erased)"]
    with pytest.raises(StopIteration):
        next(store.person_kept(MARY))


async def test_no_octet_is_left_in_any_file(sqlite_store, rows, tmp_path: Path):
    state = tmp_path / "state"
    await everywhere(sqlite_store, rows)
    for number in range(300):  # pages that fill, split and move
        await sqlite_store.intend(
            rows.entry(f"x{number}", requester="joe@x.example", add_cc=(), subject="x" * (number * 7 % 900))
        )
        if number % 3 == 0:
            await sqlite_store.intend(rows.entry(f"y{number}"))
    assert {path.name for path in files_naming(state, MARY)} >= {"gateway.db-wal"}
    sqlite_store.erase_person(MARY, "asked for", "ada")
    assert sqlite_store.compact()
    assert list(files_naming(state, MARY)) == []
    for path in state.rglob("*"):  # and without our own search
        assert b"mary@acme" not in path.read_bytes().lower() and b"mary miller" not in path.read_bytes().lower()
    assert checked(sqlite_store, []) == []
    copy = tmp_path / "copy.db"  # a backup that is made later
    with contextlib.closing(sqlite3.connect(state / "gateway.db")) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    assert b"mary@acme" not in copy.read_bytes().lower()


async def test_without_compacting_octets_do_stay(sqlite_store, rows, tmp_path: Path):
    """The test of the test: the write-ahead log still has what the tables have lost."""
    await everywhere(sqlite_store, rows)
    sqlite_store.erase_person(MARY, "asked for", "ada")
    assert list(files_naming(tmp_path / "state", MARY)) != []


async def test_a_reader_that_stays_is_told(sqlite_store, rows):
    from gateway.store.errors import StoreAway

    await everywhere(sqlite_store, rows)
    with sqlite_store.database.reader.connect() as connection:
        connection.execute(select(audit)).first()
        with pytest.raises(StoreAway):
            sqlite_store.compact()
    assert sqlite_store.compact()


async def test_a_table_of_somebody_elses_is_found_and_named(sqlite_store, rows):
    """What is added to the schema later, and forgotten here, is never erased in silence."""
    from sqlalchemy import Column, Integer, Table, Text

    later = Table("later", metadata, Column("id", Integer, primary_key=True), Column("who", Text))
    try:
        with sqlite_store.database.writer.begin() as connection:
            later.create(connection)
            connection.execute(insert(later), {"id": 1, "who": "mary@acme.example"})
        await sqlite_store.intend(rows.entry("m1"))
        assert sqlite_store.erase_person(MARY, "asked for", "ada").left == ("later",)
    finally:
        metadata.remove(later)


async def test_mail_that_waits_is_settled_first(store, rows):
    await store.hold(rows.hold("m1"), rows.entry("m1"), [])
    with pytest.raises(Waits) as waits:
        store.erase_person(MARY, "asked for", "ada")
    assert waits.value.mails == ("m1",)
    assert store.audit_show("m1") is not None


async def test_a_legal_hold_keeps_everything(store, rows):
    await store.intend(rows.entry("m1"))
    assert store.hold_person("Mary@acme.example", "case 7", "legal", "command")
    assert not store.hold_person("mary@acme.example", "again", "legal", "command")
    with pytest.raises(UnderHold, match="case 7"):
        store.erase_person(MARY, "asked for", "ada")
    assert store.retain(rows.now + 9999 * DAY, KEEP).get("entries of the log") is None
    assert store.audit_show("m1") is not None
    assert store.lift_hold("mary@acme.example", "over", "legal", "command")
    assert not store.lift_hold("mary@acme.example", "over", "legal", "command")
    store.erase_person(MARY, "asked for", "ada")
    assert names_her(store) == [] and checked(store, []) == []


async def test_a_legal_hold_keeps_discarded_mail_too(store, rows):
    for id, who in (("m1", "mary@acme.example"), ("m2", "joe@x.example")):
        fix = {"add_cc": [{"address": who, "name": ""}], "possible": True, "why_not": ""}
        await store.hold(rows.hold(id, fix=fix), rows.entry(id, requester=who, add_cc=(who,)), [])
        await store.discard(id, "boss", now=rows.now)
    store.hold_person("mary@acme.example", "case 7", "legal", "command")
    assert await store.erase_discarded(rows.now + 31 * DAY) == 1
    assert await store.erase_discarded(rows.now + 31 * DAY) == 0
    assert (await store.held("m1")).raw is not None and (await store.held("m2")).raw is None
    store.lift_hold("mary@acme.example", "over", "legal", "command")
    assert await store.erase_discarded(rows.now + 31 * DAY) == 1


async def test_what_is_older_than_it_is_kept_goes(store, rows):
    await everywhere(store, rows)
    await store.hold(rows.hold("m9"), rows.entry("m9"), [])
    points = [checkpoint(store, rows)]
    now = store._clock()
    assert store.retain(now, KEEP) == {}
    gone = store.retain(now + 400 * DAY, KEEP)
    assert gone["entries of the log"] == 8 and gone["messages in thread memory"] == 3
    with store.database.reader.connect() as connection:
        assert list(connection.scalars(select(audit.c.id))) == ["m9"], "what waits stays"
        words = set(connection.scalars(select(audit_events.c.outcome)))
    assert words == {"held", "bound", "retained"}
    assert checked(store, points) == []
    assert store.retain(now + 400 * DAY, KEEP) == {"other events": 1}, "that it was done, a year later"


async def test_held_mail_itself_goes_sooner(store, rows):
    await store.hold(rows.hold("m1"), rows.entry("m1"), [])
    await store.approve("m1", "send", "boss", now=rows.now)
    claim = await store.claim_next("me", 60, rows.now)
    await store.mark_dot(claim)
    await store.finish(claim, "released", "250", "overridden")
    now = store._clock()
    assert store.retain(now + 29 * DAY, KEEP) == {}
    assert store.retain(now + 31 * DAY, KEEP) == {"held mails": 1}
    assert (await store.held("m1")).raw is None
    assert [event[1] for event in store.audit_show("m1").history][-1] == "erased"
    assert checked(store, []) == []


async def test_batches_and_held_people_among_the_old(store, rows, monkeypatch):
    monkeypatch.setattr(forgetting, "BATCH", 3)
    for number in range(10):
        who = "mary@acme.example" if number % 4 == 0 else "joe@x.example"
        await store.intend(rows.entry(f"m{number}", requester=who, add_cc=()))
    store.hold_person("mary@acme.example", "case 7", "legal", "command")
    assert store.retain(rows.now + 400 * DAY, KEEP)["entries of the log"] == 7
    with store.database.reader.connect() as connection:
        assert set(connection.scalars(select(audit.c.id))) == {"m0", "m4", "m8"}
    assert checked(store, []) == []


async def test_what_a_person_gets(store, rows):
    await everywhere(store, rows)
    kept = list(store.person_kept(MARY, with_mail=True))
    kinds = {kind for kind, _ in kept}
    assert {"judged mail", "held mail", "event", "messages in thread memory", "hand-offs and promises"} <= kinds
    assert json.dumps(kept, default=str)
    mails = {row["id"] for kind, row in kept if kind == "judged mail"}
    assert mails == {"m1", "m2", "m3", "m4", "m5", "m6"}
    assert all("sealed" not in row and "lines" not in row for _, row in kept)
    agent = {row["id"] for kind, row in store.person_kept(person("ann@acme.example")) if kind == "judged mail"}
    assert agent == {"m2", "m3", "m4", "m6", "m7", "m8"}, "an agent sees what is kept about them"


async def test_an_erasure_broken_off_can_be_done_again(store, rows, monkeypatch):
    await everywhere(store, rows)
    whole = forgetting.forget_rows

    def fail(*_: Any) -> Any:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(forgetting, "forget_rows", fail)
    with pytest.raises(Exception, match="Input/output"):
        store.erase_person(MARY, "asked for", "ada")
    assert checked(store, []) == []
    monkeypatch.setattr(forgetting, "forget_rows", whole)
    store.erase_person(MARY, "asked for", "ada")
    assert names_her(store) == [] and checked(store, []) == []


def test_keep_has_a_setting_for_each_kind():
    from gateway.commands.retention import KEEP as names

    assert [f"keep_{field.name}" for field in dataclasses.fields(Keep)] == list(names)
