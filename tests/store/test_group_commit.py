"""One transaction for many, each answered for itself."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from sqlalchemy import event, text

from gateway.store.audit import insert_entries
from gateway.store.errors import StoreAway, StoreFull, StoreRefused
from gateway.store.store import Store
from gateway.store.writer import Lane


@pytest.fixture
def commits(store: Store) -> list[int]:
    """Counts the commits of the writer."""
    counted: list[int] = []
    event.listen(store.database.writer, "commit", lambda connection: counted.append(1))
    return counted


class Gate:
    """Keeps the writing thread busy until it is opened, so that what comes meanwhile is one group."""

    def __init__(self, store: Store) -> None:
        self._open = threading.Event()
        self.passed = asyncio.ensure_future(store._writer.run(lambda connection: self._open.wait(20)))

    async def __aenter__(self) -> Gate:
        await asyncio.sleep(0.05)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0.05)
        self._open.set()
        await self.passed


async def test_many_callers_share_one_commit(store, rows, commits):
    async with Gate(store):
        waiting = [asyncio.create_task(store.intend(rows.entry(f"m{number}"))) for number in range(100)]
    await asyncio.gather(*waiting)
    assert len(store.audit_list(limit=1000)) == 100
    assert len(commits) == 2


async def test_a_bad_row_fails_only_its_own_caller(store, rows, commits):
    await store.intend(rows.entry("m3"))
    commits.clear()
    async with Gate(store):
        good = [asyncio.create_task(store.intend(rows.entry(f"m{number}"))) for number in (1, 2, 4, 5)]
        bad = [
            asyncio.create_task(store.intend(rows.entry("m3"))),
            asyncio.create_task(store.intend(rows.entry("m6", at=rows.now.replace(tzinfo=None)))),
            asyncio.create_task(store.intend(rows.entry("m7", facts={"nan": float("nan")}))),
            asyncio.create_task(store.intend(rows.entry("m8", size=2**70))),
        ]
    assert await asyncio.gather(*good) == [None] * 4
    for failed in await asyncio.gather(*bad, return_exceptions=True):
        assert type(failed) is StoreRefused
    assert sorted(row.entry.id for row in store.audit_list()) == ["m1", "m2", "m3", "m4", "m5"]
    assert len(commits) == 2


async def test_an_operation_that_fails_half_way_leaves_nothing(store, rows):
    await store.intend(rows.entry("m1"))

    def work(connection):
        connection.execute(text("UPDATE audit SET subject = 'changed'"))
        raise KeyError("half way")

    async with Gate(store):
        other = asyncio.create_task(store.outcome("m1", "passed"))
        half = asyncio.create_task(store._writer.run(work))
    await other
    with pytest.raises(StoreRefused):
        await half
    row = store.audit_show("m1")
    assert (row.entry.subject, row.outcome) == ("Re: [ACME-7] access", "passed")


async def test_when_the_disk_fails_everybody_hears_it(sqlite_store, rows):
    store = sqlite_store

    def refuse(connection):
        raise OSError(5, "Input/output error")

    async with Gate(store):
        waiting = [asyncio.create_task(store.intend(rows.entry(f"m{number}"))) for number in range(10)]
        await asyncio.sleep(0.05)
        fault = asyncio.create_task(store._writer.run(refuse))
    results = await asyncio.gather(*waiting, fault, return_exceptions=True)
    assert {type(result) for result in results} == {StoreAway}
    assert len({id(result) for result in results}) == 11
    assert store.audit_list() == []
    await store.intend(rows.entry("later"))


async def test_the_commit_itself_fails(sqlite_store, rows):
    """A deferred constraint breaks only at COMMIT: nobody of the group may believe that their row is there."""
    store = sqlite_store

    def break_at_commit(connection):
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        connection.execute(text("INSERT INTO hold_bodies (hold_id, sealed) VALUES ('nothing', x'00')"))

    async with Gate(store):
        waiting = [asyncio.create_task(store.intend(rows.entry(f"m{number}"))) for number in range(5)]
        waiting.append(asyncio.create_task(store._writer.run(break_at_commit)))
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, StoreAway) for result in results)
    assert store.audit_list() == []
    await store.intend(rows.entry("later"))
    assert len(store.audit_list()) == 1


async def test_of_a_group_that_does_not_fit_the_small_ones_are_written(store, rows):
    def too_big(connection):
        raise StoreFull("database or disk is full")

    async with Gate(store):
        small = [asyncio.create_task(store.intend(rows.entry(f"m{number}"))) for number in range(3)]
        big = asyncio.create_task(store._writer.run(too_big))
    await asyncio.gather(*small)
    with pytest.raises(StoreFull):
        await big
    assert len(store.audit_list()) == 3


async def test_a_caller_whose_time_ran_out_before_its_turn_leaves_no_row(store, rows):
    async with Gate(store):
        with pytest.raises(StoreAway, match="in time"):
            late = rows.entry("late")
            await store._writer.run(lambda connection: insert_entries(connection, [late], "run"), patience=0.05)
    await store.ping()
    assert store.audit_list() == []


async def test_a_cancelled_caller_does_not_stop_its_row(store, rows):
    async with Gate(store):
        task = asyncio.create_task(store.intend(rows.entry("m1")))
        await asyncio.sleep(0)
        task.cancel()
    await store.ping()
    assert [row.entry.id for row in store.audit_list()] == ["m1"]


async def test_the_queue_is_bounded(sqlite_store):
    lane = Lane("small", sqlite_store.database.writer, waiting=2)
    release = threading.Event()
    try:
        busy = asyncio.create_task(lane.run(lambda connection: release.wait(20)))
        await asyncio.sleep(0.05)
        waiting = [asyncio.create_task(lane.run(lambda connection: 1)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(StoreAway, match="too much"):
            await lane.run(lambda connection: 1)
        release.set()
        assert await asyncio.gather(busy, *waiting) == [True, 1, 1]
    finally:
        release.set()
        lane.close()


async def test_closing_finishes_what_waits_and_takes_no_more(store, rows):
    waiting = [asyncio.create_task(store.intend(rows.entry(f"m{number}"))) for number in range(20)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*waiting)
    with pytest.raises(StoreAway, match="closed"):
        await store.intend(rows.entry("late"))
    await store.close()


def test_several_threads_each_with_a_loop(store, rows):
    def loop(name: str) -> None:
        async def all_of_them() -> None:
            await asyncio.gather(*(store.intend(rows.entry(f"{name}-{number}")) for number in range(50)))

        asyncio.run(all_of_them())

    threads = [threading.Thread(target=loop, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.audit_list(limit=1000)) == 200


async def test_the_loop_turns_while_the_disk_works(store):
    turned = 0

    async def turn() -> None:
        nonlocal turned
        while True:
            turned += 1
            await asyncio.sleep(0.005)

    turning = asyncio.create_task(turn())
    await store._writer.run(lambda connection: time.sleep(0.3))
    turning.cancel()
    assert turned > 20
