"""Reminders and the ledger on both databases: each step once, with its letter, and nothing forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from gateway.follow.entries import Entry, Trail
from gateway.mail.address import Mailbox
from gateway.store.schema import holds


async def hold(store, rows, **values):
    await store.hold(rows.hold(), rows.entry(), ())
    await store._write(lambda connection: connection.execute(update(holds).values(**values)))


async def test_of_two_that_remind_one_does_and_its_letter_alone_goes_out(store, rows):
    await hold(store, rows, next_at=rows.now)
    assert await store.holds_due(rows.now) == [("m1", 0)]
    later = rows.now + timedelta(hours=4)
    tries = [store.remind("m1", 0, later, (rows.notice(f"o{n}"),), f"{n}" * 64, rows.now) for n in range(2)]
    assert sorted(await asyncio.gather(*tries)) == [False, True]
    assert store.outbox_count() == {"waiting": 1}
    assert await store.holds_due(rows.now) == [] and await store.holds_due(later) == [("m1", 1)]


async def test_mail_that_was_held_before_there_were_reminders_has_its_deadline(store, rows):
    await hold(store, rows, next_at=None)
    deadline = (await store.held("m1")).new.deadline
    assert await store.holds_due(deadline - timedelta(seconds=1)) == []
    assert await store.holds_due(deadline) == [("m1", 0)]


async def test_mail_in_doubt_is_spoken_of_and_settled_mail_is_not(store, rows):
    await hold(store, rows, next_at=rows.now, state="in-doubt")
    assert await store.holds_due(rows.now) == [("m1", 0)]
    assert await store.remind("m1", 0, rows.now, (), "a" * 64, rows.now)
    await store._write(lambda connection: connection.execute(update(holds).values(state="released")))
    assert await store.holds_due(rows.now) == []
    assert not await store.remind("m1", 1, rows.now, (), "b" * 64, rows.now)


@pytest.mark.parametrize("state", ["held", "in-doubt"])
async def test_what_could_not_be_told_now_does_not_stand_before_the_others(store, rows, state):
    await hold(store, rows, next_at=rows.now, state=state)
    later = rows.now + timedelta(hours=1)
    await store.put_off("m1", 0, later)
    assert await store.holds_due(rows.now) == []
    assert await store.holds_due(later) == [("m1", 0)]


async def test_what_was_told_meanwhile_is_not_put_off(store, rows):
    await hold(store, rows, next_at=rows.now)
    assert await store.remind("m1", 0, rows.now, (), "a" * 64, rows.now)
    await store.put_off("m1", 0, rows.now + timedelta(hours=1))
    assert await store.holds_due(rows.now) == [("m1", 1)]


def entry(now):
    return Entry(
        id="m1-h", kind="handoff", at=now, mail_id="m1", agent=Mailbox("bob@acme.example", "Bob"), team="it",
        requester=Mailbox("mary@acme.example"), owners=(Mailbox("carol@acme.example", "Çarol"),), subject="access",
        thread=("<m1@acme.example>",), due=now, next_at=now,
    )  # fmt: skip


async def test_an_entry_is_opened_once_stepped_once_and_closed_once(store, rows):
    await store.intend(rows.entry())
    for _ in range(2):
        await store.outcome("m1", "passed", trail=Trail(rows.now, (entry(rows.now),)))
    [found] = await store.ledger_due(rows.now)
    assert found == entry(rows.now)
    later = rows.now + timedelta(hours=8)
    tries = [store.ledger_step(found, "asked", later, (rows.notice(f"o{n}"),), rows.now) for n in range(2)]
    assert sorted(await asyncio.gather(*tries)) == [False, True]
    assert store.outbox_count() == {"waiting": 1}
    assert store.ledger_close(found, "ada", "by phone", rows.now, "here")
    assert not store.ledger_close(found, "ada", "again", rows.now, "here")
    [asked] = store.ledger_list(kinds=["handoff"], closed=True)
    assert (asked.state, asked.closed_by, asked.why, asked.next_at) == ("closed", "ada", "by phone", None)
    assert not await store.ledger_step(asked, "escalated", None, (rows.notice("o9"),), rows.now)
    assert store.outbox_count() == {"waiting": 1}
    events = [(outcome, detail) for _, outcome, detail, _ in store.audit_show("m1").history]
    assert ("handoff-closed", "by phone") in events and any(outcome == "handoff-asked" for outcome, _ in events)
