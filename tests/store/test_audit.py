"""The audit: what is written comes back, filtered and paged."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest
from sqlalchemy import exc, text

from gateway.store.errors import Ambiguous, StoreRefused, Unknown


async def test_an_entry_comes_back_as_it_was_given(store, rows):
    entry = rows.entry(
        subject="Größe \x00 \ud800 ☂ \x1a",
        reason="why\nnot",
        rcpt_to=("a@x", "ö@x"),
        add_cc=("mary@acme.example",),
        notify_supervisor=True,
        size=5 * 1024**3,
        facts={"eta": {"value": "2026-11-23", "evidence": [{"text": "\x00\udfff", "part": "1", "start": 0, "end": 2}]}},
    )
    await store.intend(entry)
    row = store.audit_show("m1")
    assert row.entry == entry
    assert (row.outcome, row.history) == ("pending", ())


async def test_the_history_keeps_every_word_and_the_entry_the_last(store, rows):
    await store.intend(rows.entry())
    await store.outcome("m1", "in-doubt", "reply lost")
    await store.outcome("m1", "passed", "found in the upstream's log", "lead@acme.example")
    row = store.audit_show("m1")
    assert row.outcome == row.entry.outcome == "passed"
    assert [event[1:] for event in row.history] == [
        ("in-doubt", "reply lost", ""),
        ("passed", "found in the upstream's log", "lead@acme.example"),
    ]


async def test_outcome_thread_memory_and_notices_are_one_transaction(store, rows):
    await store.intend(rows.entry())
    await store.outcome("m1", "rewritten", "250", seen=rows.seen("<m1@x>"), notices=[rows.notice("n1")])
    assert len((await store.thread(["<m1@x>"])).by_id) == 1
    assert store.outbox_count() == {"waiting": 1}
    with pytest.raises(StoreRefused):
        await store.outcome("m1", "passed", seen=rows.seen("<m2@x>"), notices=[rows.notice("n1")])
    assert not (await store.thread(["<m2@x>"])).by_id
    assert store.audit_show("m1").outcome == "rewritten"


async def test_an_outcome_without_its_intent_is_kept_in_the_history(store):
    await store.outcome("unknown", "passed", "250")
    assert store.audit_show("unknown") is None


async def test_filters(store, rows):
    east = timezone(timedelta(hours=9))
    for number in range(6):
        await store.intend(
            rows.entry(
                f"m{number}",
                at=(rows.now + timedelta(hours=number)).astimezone(east),
                agent=("bob@acme.example", "eve@acme.example", "sam@other.example")[number % 3],
                disposition="hold" if number % 2 else "pass",
                findings=({"policy": "bare-refusal"}, {"policy": "terse-reply"}) if number % 2 else (),
            )
        )
    await store.outcome("m0", "passed")

    def found(**filters):
        return [row.entry.id for row in store.audit_list(**filters)]

    assert found() == ["m5", "m4", "m3", "m2", "m1", "m0"]
    assert found(since=rows.now + timedelta(hours=2), until=rows.now + timedelta(hours=4)) == ["m3", "m2"]
    assert found(agent="BOB@acme.example".lower()) == ["m3", "m0"]
    assert found(agent="@OTHER.example") == ["m5", "m2"]
    assert found(policy="terse-reply") == ["m5", "m3", "m1"]
    assert found(policy="terse-reply", since=rows.now + timedelta(hours=2), limit=1) == ["m5"]
    assert found(policy="no-such") == []
    assert found(disposition="pass") == ["m4", "m2", "m0"]
    assert found(outcome="passed") == ["m0"]
    assert found(outcome="pending", disposition="hold", agent="eve@acme.example") == ["m1"]


@pytest.mark.parametrize("filters", [{}, {"policy": "dropped-requester"}])
async def test_pages_miss_nothing_even_within_one_instant(store, rows, filters):
    for number in range(10):
        await store.intend(rows.entry(f"m{number}", at=rows.now + timedelta(seconds=number // 4)))
    pages, before = [], ""
    while page := store.audit_list(limit=3, before=before, **filters):
        pages += [row.entry.id for row in page]
        before = pages[-1]
    assert pages == [f"m{number}" for number in reversed(range(10))]
    with pytest.raises(Unknown):
        store.audit_list(before="unknown")


async def test_show_by_prefix(store, rows):
    for id in ("Abc", "abc", "abd"):
        await store.intend(rows.entry(id))
    assert store.audit_show("A").entry.id == "Abc"
    assert store.audit_show("abd").entry.id == "abd"
    assert store.audit_show("zz") is None
    with pytest.raises(Ambiguous):
        store.audit_show("ab")


async def test_what_is_far_too_long_is_cut_and_not_refused(store, rows):
    long = "x" * 100_000
    await store.intend(rows.entry(agent=long, subject=long, reason=long, requester=long, policy_version=long))
    await store.outcome("m1", "passed", long, long)
    row = store.audit_show("m1")
    assert len(row.entry.agent) == 300
    assert row.entry.subject.endswith("…")
    assert len(row.history[0][2]) == 4000


async def test_readers_cannot_write(store):
    with store.database.reader.connect() as connection, pytest.raises(exc.DBAPIError):
        connection.execute(text("DELETE FROM audit"))
