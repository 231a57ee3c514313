"""Draws are fair, repeatable and never twice; the estimate counts only what was drawn."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.policy.decide import NOTHING_FOUND
from gateway.store.errors import Ambiguous, Unknown


async def passed(store, rows, number, start=0, **changes):
    """So many mails in which nothing was found, a minute apart."""
    for each in range(start, start + number):
        at = rows.now + timedelta(minutes=each)
        values = {"disposition": "pass", "reason": NOTHING_FOUND, "findings": (), "outcome": "passed", "at": at}
        await store.intend(rows.entry(f"p{each:04}", **{**values, **changes}))


def times(rows):
    return rows.now - timedelta(days=1), rows.now + timedelta(days=1)


async def test_a_draw_is_of_passed_mail_without_findings(store, rows):
    await passed(store, rows, 5)
    await passed(store, rows, 1, start=10, outcome="advised")
    await passed(store, rows, 1, start=11, agent="")
    await passed(store, rows, 1, start=12, reason="observed only: bare-refusal")
    await passed(store, rows, 1, start=13, at=rows.now - timedelta(days=2))
    await passed(store, rows, 1, start=14, outcome="pending")
    drawn = store.draw(100, *times(rows), 7, "priya", rows.now)
    assert sorted(row.entry.id for row in drawn) == [f"p{number:04}" for number in range(5)]
    assert all(row.history == ((rows.now, "sampled", "seed 7", "priya"),) for row in drawn)
    assert {row.outcome for row in drawn} == {"passed"}


async def test_the_seed_decides_and_nothing_is_drawn_twice(store, rows):
    await passed(store, rows, 60)
    first = [row.entry.id for row in store.draw(20, *times(rows), 1, "priya", rows.now)]
    second = [row.entry.id for row in store.draw(20, *times(rows), 1, "priya", rows.now)]
    assert len(set(first + second)) == 40
    third = [row.entry.id for row in store.draw(100, *times(rows), 2, "priya", rows.now)]
    assert len(third) == 20 and store.draw(5, *times(rows), 3, "priya", rows.now) == []
    assert sorted(row.entry.id for row in store.drawn(100)) == sorted(first + second + third)


async def test_the_same_seed_draws_the_same_mail_elsewhere(url, open_store, rows, tmp_path):
    here, there = open_store(url), open_store(f"sqlite:///{tmp_path}/other.db")
    for store in (here, there):
        await passed(store, rows, 50)
    draws = [[row.entry.id for row in store.draw(10, *times(rows), 42, "x", rows.now)] for store in (here, there)]
    assert draws[0] == draws[1]


async def test_reviews_make_the_estimate(store, rows):
    await passed(store, rows, 30)
    drawn = [row.entry.id for row in store.draw(10, *times(rows), 1, "priya", rows.now)]
    for id in drawn[:8]:
        assert store.review(id, id == drawn[0], "the requester is gone", "sam", rows.now) == id
    estimate = store.estimate(*times(rows))
    assert (estimate.passed, estimate.drawn, estimate.reviewed, estimate.missed) == (30, 10, 8, 1)
    store.review(drawn[0], False, "looked again", "sam", rows.now)
    assert store.estimate(*times(rows)).missed == 0
    history = [event[1:] for event in store.audit_show(drawn[0]).history]
    assert history[1:] == [
        ("reviewed", "missed: the requester is gone", "sam"),
        ("reviewed", "fine: looked again", "sam"),
    ]
    assert len(store.drawn(100)) == 2


async def test_only_drawn_mail_is_reviewed(store, rows):
    await passed(store, rows, 3)
    with pytest.raises(Unknown):
        store.review("p0001", True, "", "sam", rows.now)
    store.draw(3, *times(rows), 1, "priya", rows.now)
    with pytest.raises(Ambiguous):
        store.review("p00", True, "", "sam", rows.now)
    assert store.review("p0001", True, "", "sam", rows.now) == "p0001"


async def test_matches_page_by_page_are_each_there_once(store, rows, monkeypatch):
    monkeypatch.setattr("gateway.store.judging.PAGE", 3)
    for number in range(10):  # several at the same time, so that pages end between equal times
        at = rows.now + timedelta(minutes=number // 4)
        await store.hold(rows.hold(f"h{number}", at=at), rows.entry(f"h{number}", at=at), ())
    await store.discard("h4", "bob@acme.example", "sent twice", None, rows.now)
    found = list(store.matches("dropped-requester", *times(rows)))
    assert sorted(match.mail_id for match in found) == sorted(f"h{number}" for number in range(10))
    assert all(match.stopped for match in found) and store.policies_seen(rows.now) == ["dropped-requester"]
    [one] = [match for match in found if match.mail_id == "h4"]
    assert [event[1] for event in one.history] == ["held", "bound", "discarded"]
    assert [match.mail_id for match in await store.holds_of("dropped-requester", rows.now, 5)] == ["h4"]
    assert await store.holds_of("bare-refusal", rows.now, 5) == []
    assert await store.holds_of("dropped-requester", rows.now + timedelta(minutes=2), 5) == []
