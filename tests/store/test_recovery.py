"""After a crash: what was not sent is sent again, what may have been sent is in doubt, what lives is left alone."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from gateway.store.process_schema import runs
from gateway.store.runs import PENDING, SILENT, describe_process
from gateway.store.store import Store


@pytest.fixture
def gone() -> str:
    """The process table's words for a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    words = describe_process(process.pid)
    process.communicate(b"\n")
    return words


async def crash(store: Store, process: str) -> None:
    """Make the rows look as if `store` had been another process."""
    await store._writer.run(
        lambda connection: connection.execute(update(runs).where(runs.c.id == store.run_id).values(process=process))
    )


@pytest.fixture
def crashed(url, open_store):
    return open_store(url)


@pytest.fixture
def alive(url, open_store):
    return open_store(url)


async def release(store, rows, id, *, dot):
    await store.hold(rows.hold(id), rows.entry(id), [])
    await store.approve(id, "send", "bob", "", None, rows.now)
    claim = await store.claim(id, "crashed", 600, rows.now)
    if dot:
        await store.mark_dot(claim)
    return claim


async def test_a_dead_process_is_recovered_at_once(crashed, alive, gone, rows):
    await crashed.recover(rows.now)
    await crashed.intend(rows.entry("pending"))
    await crashed.intend(rows.entry("done"))
    await crashed.outcome("done", "passed")
    await release(crashed, rows, "dotted", dot=True)
    await release(crashed, rows, "undotted", dot=False)
    await crash(crashed, gone)

    found = await alive.recover(rows.now)
    assert found.mails_in_doubt == ("pending",)
    assert found.holds_in_doubt == ("dotted",)
    assert found.holds_again == ("undotted",)
    assert (await alive.held("dotted")).state == "in-doubt"
    assert (await alive.held("undotted")).state == "approved"
    assert (await alive.claim_next("me", 60, rows.now)).hold.new.id == "undotted"
    for id in ("pending", "dotted"):
        row = alive.audit_show(id)
        assert row.outcome == "in-doubt"
        assert row.history[-1][2] == "the gateway stopped between the final dot and the reply"
    assert alive.audit_show("done").outcome == "passed"
    assert not await alive.recover(rows.now)


async def test_a_living_process_is_left_alone(crashed, alive, rows):
    await crashed.recover(rows.now)
    await crashed.intend(rows.entry("pending"))
    claim = await release(crashed, rows, "dotted", dot=True)
    assert not await alive.recover(rows.now)
    await crashed.finish(claim, "released", "250", "overridden", "bob")
    await crashed.outcome("pending", "passed")
    assert alive.audit_show("pending").outcome == "passed"


async def test_a_process_that_signed_off_is_not_waited_for(url, open_store, alive, rows):
    closing = open_store(url)
    await closing.recover(rows.now)
    await closing.intend(rows.entry("pending"))
    await closing.close()
    assert (await alive.recover(rows.now)).mails_in_doubt == ("pending",)


async def test_a_lease_that_ran_out_is_recovered_whoever_had_it(crashed, alive, rows):
    dotted = await release(crashed, rows, "dotted", dot=True)
    await release(crashed, rows, "undotted", dot=False)
    assert not await alive.recover(rows.now + timedelta(seconds=599))
    found = await alive.recover(rows.now + timedelta(seconds=600))
    assert (found.holds_in_doubt, found.holds_again) == (("dotted",), ("undotted",))
    # It lived after all, and knows: that is better than a doubt.
    await crashed.finish(dotted, "released", "250 2.0.0", "overridden", "bob")
    assert (await alive.held("dotted")).state == "released"


async def test_silence_elsewhere_means_death_in_the_end(crashed, alive, rows):
    await crashed.recover(rows.now)
    await crashed.intend(rows.entry("pending"))
    boot, _, number, started = describe_process(1).split(" ") if describe_process(1) else ("b", "s", "1", "1")
    await crash(crashed, f"{boot} pid:[0] {number} {started}")
    assert not await alive.recover(rows.now + SILENT)
    assert (await alive.recover(rows.now + SILENT + timedelta(seconds=1))).mails_in_doubt == ("pending",)


async def test_another_boot_of_the_one_machine_is_dead_and_of_another_is_not(crashed, alive, rows):
    await crashed.recover(rows.now)
    await crashed.intend(rows.entry("pending"))
    await crash(crashed, "another-boot pid:[1] 1 1")
    one_machine = alive.database.is_sqlite
    assert bool(await alive.recover(rows.now)) is one_machine


async def test_an_intent_that_nobody_owns_is_in_doubt_when_no_transaction_lasts_that_long(crashed, alive, rows):
    await crashed.intend(rows.entry("pending"))
    assert not await alive.recover(rows.now + PENDING)
    assert (await alive.recover(rows.now + PENDING + timedelta(seconds=1))).mails_in_doubt == ("pending",)


async def test_recovered_runs_are_forgotten(crashed, alive, gone, rows):
    await crashed.recover(rows.now)
    await crash(crashed, gone)
    await alive.recover(rows.now)
    left = await alive._writer.run(lambda connection: connection.scalars(text("SELECT id FROM runs")).all())
    assert left == [alive.run_id]
    await crashed.ping()
    left = await alive._writer.run(lambda connection: connection.scalars(text("SELECT id FROM runs")).all())
    assert sorted(left) == sorted([alive.run_id, crashed.run_id])


async def test_two_recoveries_at_once_count_everything_once(url, open_store, gone, rows):
    import asyncio

    first = open_store(url)
    await first.recover(rows.now)
    for number in range(20):
        await first.intend(rows.entry(f"m{number}"))
    await crash(first, gone)
    found = await asyncio.gather(*(open_store(url).recover(rows.now) for _ in range(4)))
    ids = [id for each in found for id in each.mails_in_doubt]
    assert sorted(ids) == sorted(f"m{number}" for number in range(20))
