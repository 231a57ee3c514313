"""The budget in the store: exact while many write at once, also from several nodes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from gateway.policy.budget import Ceiling

DAY = "2026-11-20"


def ceiling(rows, most, agent="bob@acme.example"):
    return Ceiling("agent" if agent else "day", agent, rows.now - timedelta(hours=9), most, DAY)


async def test_a_hold_that_is_one_too_many_is_not_written(store, rows):
    within = (ceiling(rows, 2),)
    for id in ("a", "b"):
        assert await store.hold(rows.hold(id), rows.entry(id), (), within=within) is None
    notice = rows.notice("n", about="c")
    assert await store.hold(rows.hold("c"), rows.entry("c"), (notice,), within=within) == within[0]
    assert [hold.new.id for hold in await store.held_list()] == ["a", "b"]
    assert store.audit_show("c") is None and store.outbox_count() == {}


async def test_rejects_count_and_what_is_no_stop_does_not(store, rows):
    within = (ceiling(rows, 1),)
    for number, changes in enumerate(
        (
            {"disposition": "pass"},
            {"disposition": "rewrite"},
            {"agent": "eve@acme.example"},
            {"at": rows.now - timedelta(hours=10)},
            {"agent": ""},
        )
    ):
        await store.intend(rows.entry(f"other{number}", **changes))
    assert await store.reject(rows.entry("r", disposition="reject"), within) is None
    assert await store.reject(rows.entry("s", disposition="reject"), within) == within[0]
    assert store.audit_show("s") is None


async def test_the_whole_site_counts_every_agent(store, rows):
    within = (ceiling(rows, 3, ""),)
    for number in range(3):
        id = f"a{number}"
        assert await store.hold(rows.hold(id), rows.entry(id, agent=f"{id}@acme.example"), (), within=within) is None
    assert await store.hold(rows.hold("late"), rows.entry("late"), (), within=within) == within[0]


async def test_several_nodes_together_keep_to_the_ceiling(url, open_store, rows):
    nodes = [open_store(url) for _ in range(3)]
    within = (ceiling(rows, 7),)

    async def hold(number):
        id = f"m{number}"
        return await nodes[number % 3].hold(rows.hold(id), rows.entry(id), (), within=within)

    reached = await asyncio.gather(*(hold(number) for number in range(60)))
    assert reached.count(None) == 7
    assert len(await nodes[0].held_list()) == 7


async def test_what_is_told_once_is_told_by_one_node(url, open_store, rows):
    nodes = [open_store(url) for _ in range(3)]
    told = await asyncio.gather(
        *(node.tell_once("budget/agent/x", (rows.notice(f"n{number}"),)) for number, node in enumerate(nodes * 4))
    )
    assert told.count(True) == 1
    assert nodes[0].outbox_count() == {"waiting": 1}
