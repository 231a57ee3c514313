"""Whoever acts at the same time, one wins."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest


@pytest.fixture
def two(url, open_store):
    return open_store(url), open_store(url)


async def hold_many(store, rows, count):
    for number in range(count):
        await store.hold(rows.hold(f"m{number}"), rows.entry(f"m{number}"), [rows.notice(f"n{number}")])


async def test_of_many_answers_one_wins(two, rows):
    await hold_many(two[0], rows, 1)
    answers = []
    for number in range(10):
        for store in two:
            answers.append(store.approve("m0", "send", f"p{number}", "", "token-of-m0", rows.now))
            answers.append(store.discard("m0", f"d{number}", "", None, rows.now))
    assert (await asyncio.gather(*answers)).count(True) == 1
    settled = [e for e in two[1].audit_show("m0").history if e[1] in ("approved", "discarded")]
    assert len(settled) == 1


async def test_of_many_tokens_users_one_wins(two, rows):
    await hold_many(two[0], rows, 1)
    used = await asyncio.gather(*(two[n % 2].use_token("token-of-m0", str(n), "send") for n in range(20)))
    assert used.count(True) == 1


async def test_every_hold_is_claimed_once(two, rows):
    await hold_many(two[0], rows, 20)
    for number in range(20):
        assert await two[0].approve(f"m{number}", "send", "bob", "", None, rows.now)
    claims = await asyncio.gather(*(two[n % 2].claim_next(f"w{n}", 600, rows.now) for n in range(40)))
    claimed = [claim.hold.new.id for claim in claims if claim is not None]
    assert sorted(claimed) == sorted(f"m{number}" for number in range(20))


async def test_one_hold_asked_for_by_name_is_claimed_once(two, rows):
    await hold_many(two[0], rows, 1)
    await two[0].approve("m0", "send", "bob", "", None, rows.now)
    claims = await asyncio.gather(*(two[n % 2].claim("m0", f"w{n}", 600, rows.now) for n in range(20)))
    assert len([claim for claim in claims if claim is not None]) == 1


async def test_every_notice_is_leased_once(two, rows):
    await hold_many(two[0], rows, 30)
    leased = await asyncio.gather(*(two[n % 2].outbox_due(rows.now, 4, f"w{n}", 60) for n in range(20)))
    ids = [mail.id for mails in leased for mail in mails]
    assert sorted(ids) == sorted(f"n{number}" for number in range(30))


def test_claims_from_many_threads(two, rows):
    asyncio.run(hold_many(two[0], rows, 10))

    async def approve() -> None:
        for number in range(10):
            await two[0].approve(f"m{number}", "send", "bob", "", None, rows.now)

    asyncio.run(approve())
    claimed: list[str] = []

    def work(number: int) -> None:
        async def take() -> None:
            while (claim := await two[number % 2].claim_next(f"w{number}", 600, rows.now)) is not None:
                claimed.append(claim.hold.new.id)
                await two[number % 2].mark_dot(claim)
                await two[number % 2].finish(claim, "released", "250", "overridden", "bob")

        asyncio.run(take())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(f"m{number}" for number in range(10))


async def test_a_lease_that_just_ran_out_goes_to_one(two, rows):
    await hold_many(two[0], rows, 1)
    await two[0].approve("m0", "send", "bob", "", None, rows.now)
    await two[0].claim_next("dead", 60, rows.now)
    late = rows.now + timedelta(seconds=61)
    claims = await asyncio.gather(*(two[n % 2].claim_next(f"w{n}", 600, late) for n in range(20)))
    assert len([claim for claim in claims if claim is not None]) == 1
