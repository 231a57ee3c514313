"""Whole gateways beside one another on one database: what is decided on one holds on all."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

from gateway.orders import new_order, read_order, write_order
from tests.e2e.house import house
from tests.e2e.ledgers import until
from tests.e2e.limits import ADMIN, DANA, JILL, Clock, no, site_with

BOTH = ("bare-refusal", "terse-reply")
"""What a one-word no is found by."""


async def two(stack, tmp_path, url, clock, **settings):
    """Two nodes with folders and a mail server of their own; the key of held mail is one."""
    nodes = []
    for name in "ab":
        folder = tmp_path / name
        folder.mkdir()
        key = str(tmp_path / "keys" / "hold.key")
        nodes.append(
            await stack.enter_async_context(house(folder, clock=clock, database=url, key_file=key, **settings))
        )
    return nodes


async def test_a_bypass_holds_on_all_nodes_and_is_told_once(url, tmp_path):
    clock = Clock()
    async with AsyncExitStack() as stack:
        one, other = await two(stack, tmp_path, url, clock)
        # the file of one node is enough: it carries the order into the database, and the other follows
        write_order(one.state, new_order(clock(), timedelta(hours=1), "an emergency", "priya"))
        await until(lambda: other.service.bypass.order(clock()), "the other node follows", seconds=4)
        for node in (one, other):
            assert (await node.send(DANA, [JILL], no()))[1] == "2.0.0 Taken"
        assert {row.outcome for row in one.audit()} == {"bypassed"}
        assert read_order(other.state) is None
        clock.move(minutes=5)
        await other.service.store.order(new_order(clock(), None, "", "priya"))
        await until(lambda: not one.service.bypass.order(clock()), "the newest order counts", seconds=4)
        assert "Held" in (await one.send(DANA, [JILL], no()))[1]
        await until(lambda: len(one.to(ADMIN) + other.to(ADMIN)) == 2, "on and off are told")
        await asyncio.gather(one.service.watch.step(), other.service.watch.step())
        assert len(one.to(ADMIN) + other.to(ADMIN)) == 2


async def test_nodes_share_one_budget(url, tmp_path):
    clock = Clock()
    async with AsyncExitStack() as stack:
        nodes = await two(stack, tmp_path, url, clock, site=site_with(tmp_path, "{holds_per_agent: 3}"))
        await asyncio.gather(*(node.send(DANA, [JILL], no()) for node in nodes * 5))
        outcomes = [row.outcome for row in nodes[0].audit()]
        assert sorted(outcomes) == ["advised"] * 7 + ["held"] * 3


async def test_a_policy_that_fell_back_observes_on_all_nodes_until_it_is_armed(url, tmp_path):
    clock = Clock()
    async with AsyncExitStack() as stack:
        one, other = await two(stack, tmp_path, url, clock, site=site_with(tmp_path, "{holds_per_agent: null}"))
        for policy in BOTH:
            assert await one.service.store.fall_back(policy, "a test", clock(), ())
            assert not await other.service.store.fall_back(policy, "a test", clock(), ())
        await asyncio.gather(one.service.watch.step(), other.service.watch.step())
        for node in (one, other):
            assert (await node.send(DANA, [JILL], no()))[1] == "2.0.0 Taken"
        [row, _] = one.audit()
        assert row.entry.findings[0]["mode"] == "observe"
        assert one.service.rules.current.version == other.service.rules.current.version == row.entry.policy_version
        await one.service.reload()
        assert one.service.rules.current.version == row.entry.policy_version, "a reload changes nothing about it"
        for policy in BOTH:
            assert other.service.store.arm_now(policy, "mended", "priya", clock())
            assert not one.service.store.arm_now(policy, "mended", "priya", clock())
        await one.service.watch.step()
        assert "Held" in (await one.send(DANA, [JILL], no()))[1]
        assert one.service.rules.current.version != row.entry.policy_version
