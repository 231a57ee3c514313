"""Which messages a mail is linked to; the database and the memory of `explain` must agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.mail.address import Mailbox
from gateway.reading.thread import EMPTY, SeenMessage
from gateway.store.threads import MESSAGES, NEAREST, OLDEST, MemoryThreads, insert_seen, oldest_and_newest


def ids(messages):
    return [message.message_id for message in messages]


async def test_everything_remembered_comes_back(store, rows):
    seen = rows.seen(
        "<1@x>",
        "<0@x>",
        cc=(Mailbox("a@b", "Ä \x00 \ud800"), Mailbox("", "only a name")),
        rcpt_to=("help@acme.example", "ö@acme.example"),
        sent_at=rows.now,
        subject="Größe \x1a ☂",
        tags=("ACME-7", "48213"),
        lines=frozenset({0, 1, 2**63, 2**64 - 1}),
        marks={"leave_me_out": "yes"},
    )
    await store.remember(seen)
    thread = await store.thread(["<1@x>"])
    assert thread.by_id == (seen,)


async def test_nothing_known_is_the_empty_thread(store):
    assert await store.thread([]) is EMPTY
    assert await store.thread(["<unknown@x>"], ["ACME-1"]) == EMPTY
    assert await store.thread(["", " "], [""]) == EMPTY


async def test_links_are_followed_both_ways_and_onwards(store, rows):
    """r is the first request, a answers it, b names only a, c names only r, x has nothing to do with it."""
    for message in (
        rows.seen("<r@x>"),
        rows.seen("<a@x>", "<r@x>"),
        rows.seen("<x@x>", "<other@x>"),
        rows.seen("<b@x>", "<a@x>"),
        rows.seen("<c@x>", "<r@x>"),
    ):
        await store.remember(message)
    for named in ("<r@x>", "<a@x>", "<b@x>", "<c@x>"):
        assert ids((await store.thread([named])).by_id) == ["<r@x>", "<a@x>", "<b@x>", "<c@x>"]
    assert ids((await store.thread(["<other@x>"])).by_id) == ["<x@x>"]


async def test_a_message_nobody_saw_still_links_those_that_name_it(store, rows):
    await store.remember(rows.seen("<a@x>", "<unseen@x>"))
    await store.remember(rows.seen("<b@x>", "<unseen@x>"))
    assert ids((await store.thread(["<a@x>"])).by_id) == ["<a@x>", "<b@x>"]


async def test_a_tag_links_apart_from_ids(store, rows):
    await store.remember(rows.seen("<r@x>", tags=("ACME-7",)))
    await store.remember(rows.seen("<s@x>", tags=("ACME-7",)))
    thread = await store.thread(["<r@x>"], ["ACME-7"])
    assert ids(thread.by_id) == ["<r@x>"]
    assert ids(thread.by_tag) == ["<s@x>"]
    assert ids((await store.thread([], ["ACME-7"])).by_tag) == ["<r@x>", "<s@x>"]
    assert await store.thread(["ACME-7"]) == EMPTY


async def test_order_is_the_order_of_seeing_whatever_the_date_says(store, rows):
    await store.remember(rows.seen("<r@x>", sent_at=rows.now))
    await store.remember(rows.seen("<forged@x>", "<r@x>", sent_at=rows.now - timedelta(days=900)))
    assert ids((await store.thread(["<r@x>"])).by_id) == ["<r@x>", "<forged@x>"]


async def test_the_same_message_twice_is_one_and_a_copy_to_others_is_two(store, rows):
    await store.remember(rows.seen("<r@x>", rcpt_to=("a@x", "b@x")))
    await store.remember(rows.seen("<r@x>", rcpt_to=("a@x", "b@x"), sent_at=rows.now))
    assert len((await store.thread(["<r@x>"])).by_id) == 1
    await store.remember(rows.seen("<r@x>", rcpt_to=("c@x",)))
    assert len((await store.thread(["<r@x>"])).by_id) == 2


async def test_a_long_thread_is_cut_in_the_middle(store, rows):
    for number in range(MESSAGES + 50):
        await store.remember(rows.seen(f"<{number}@x>", "<root@x>"))
    found = ids((await store.thread(["<root@x>"])).by_id)
    assert len(found) == MESSAGES
    assert found[0] == "<0@x>"
    assert found[-1] == f"<{MESSAGES + 49}@x>"


async def test_a_flood_does_not_hide_who_asked_first(store, rows):
    await store.remember(rows.seen("<first@x>"))
    await store.remember(rows.seen("<answer@x>", "<first@x>"))
    for number in range(MESSAGES + 50):
        await store.remember(rows.seen(f"<{number}@x>", "<answer@x>"))
    found = ids((await store.thread(["<answer@x>"])).by_id)
    assert found[:2] == ["<first@x>", "<answer@x>"]
    assert len(found) == MESSAGES


async def test_of_many_references_the_nearest_and_the_oldest_link(sqlite_store, rows):
    many = tuple(f"<{number}@x>" for number in range(1000))
    await sqlite_store.remember(rows.seen("<m@x>", *many))
    assert (await sqlite_store.thread([many[NEAREST - 1]])).by_id
    assert not (await sqlite_store.thread([many[NEAREST]])).by_id
    assert (await sqlite_store.thread([many[-OLDEST]])).by_id
    assert (await sqlite_store.thread([many[-1]])).by_id[0].references == many


async def test_hostile_ids_are_just_text(store, rows):
    for hostile in ("<\x00@x>", "<\ud800@x>", "<'; DROP TABLE seen@x>", "<%@x>", f"<{'a' * 5000}@x>"):
        await store.remember(rows.seen(hostile))
        assert len((await store.thread([hostile])).by_id) == 1
    assert not (await store.thread(["<_@x>"])).by_id


def test_the_blocking_form(store, rows):
    store._writer.run_now(lambda connection: None)
    assert store.thread_now(["<r@x>"]) == EMPTY


name = st.integers(0, 6).map(lambda number: f"<{number}@x>")
message = st.builds(
    lambda own, named, tags: SeenMessage(own, "inbound", Mailbox("a@x"), references=tuple(named), tags=tuple(tags)),
    name,
    st.lists(name, max_size=3),
    st.lists(st.sampled_from(["T1", "T2"]), max_size=1),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(message, max_size=10), st.lists(name, max_size=3), st.lists(st.sampled_from(["T1", "T2"]), max_size=2))
def test_memory_and_database_agree(open_store, tmp_path_factory, messages, references, tags):
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('t')}/gateway.db")
    memory = MemoryThreads(messages)

    def work(connection):
        for each in messages:
            insert_seen(connection, [(each, datetime(2026, 1, 1, tzinfo=UTC))], "r")

    store._writer.run_now(work)
    assert store.thread_now(references, tags) == memory.thread(references, tags)
    store.close_now()


@pytest.mark.parametrize("count", [0, 1, 5, 6])
def test_both_ends_of_a_list(count):
    kept = oldest_and_newest(range(count), 5)
    assert list(kept) == {0: [], 1: [0], 5: [0, 1, 2, 3, 4], 6: [0, 1, 2, 4, 5]}[count]
