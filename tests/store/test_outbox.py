"""The gateway's own mail waits until it is taken."""

from __future__ import annotations

from datetime import timedelta


async def test_due_sent_and_gone(store, rows):
    await store.enqueue([rows.notice("n1"), rows.notice("n2", due=rows.now + timedelta(hours=1))])
    due = await store.outbox_due(rows.now, 10, "me", 60)
    assert due == [rows.notice("n1")]
    await store.outbox_sent("n1")
    assert store.outbox_count() == {"sent": 1, "waiting": 1}
    assert await store.outbox_due(rows.now, 10, "me", 60) == []
    assert [mail.id for mail in await store.outbox_due(rows.now + timedelta(hours=1), 10, "me", 60)] == ["n2"]


async def test_nothing_to_enqueue_is_fine(store):
    await store.enqueue([])
    assert store.outbox_count() == {}


async def test_oldest_first_and_no_more_than_asked(store, rows):
    await store.enqueue([rows.notice(f"n{number}", due=rows.now - timedelta(minutes=number)) for number in range(5)])
    assert [mail.id for mail in await store.outbox_due(rows.now, 3, "me", 60)] == ["n4", "n3", "n2"]
    assert [mail.id for mail in await store.outbox_due(rows.now, 3, "you", 60)] == ["n1", "n0"]


async def test_a_lease_that_ran_out_makes_it_due_again(store, rows):
    await store.enqueue([rows.notice()])
    assert await store.outbox_due(rows.now, 10, "crashed", 60)
    assert not await store.outbox_due(rows.now + timedelta(seconds=59), 10, "me", 60)
    assert await store.outbox_due(rows.now + timedelta(seconds=60), 10, "me", 60)


async def test_a_failed_attempt_counts_and_waits(store, rows):
    await store.enqueue([rows.notice()])
    await store.outbox_due(rows.now, 10, "me", 60)
    later = rows.now + timedelta(minutes=5)
    await store.outbox_failed("n1", later, "451 busy")
    assert not await store.outbox_due(rows.now, 10, "me", 60)
    [mail] = await store.outbox_due(later, 10, "me", 60)
    assert (mail.attempts, mail.raw) == (1, rows.notice().raw)


async def test_given_up_is_kept_to_be_seen(store, rows):
    await store.enqueue([rows.notice()])
    await store.outbox_failed("n1", None, "550 no such user")
    assert store.outbox_count() == {"failed": 1}
    assert not await store.outbox_due(rows.now + timedelta(days=9), 10, "me", 60)
