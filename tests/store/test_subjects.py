"""The subjects in memory: they narrow a search down, and never change what it finds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.persons import Person
from gateway.store.looking import Filters
from gateway.store.recalling import FEW_DAYS, KEPT
from gateway.store.store import Store
from gateway.store.subjects import Subjects, folded

NOW = datetime(2026, 11, 26, 9, 0, 0, 123456, tzinfo=UTC)
TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("aAßẞsSİiı\u0307σςΣ\0\x1a "), max_size=12)


def at(number: int) -> datetime:
    return NOW + timedelta(microseconds=number)


@given(st.lists(TEXT, max_size=20), st.lists(TEXT, max_size=5), TEXT)
def test_it_knows_every_mail_that_a_database_may_find(first: list[str], later: list[str], words: str) -> None:
    """Whatever a database holds for the same: ASCII letters in any case (SQLite), lower case (PostgreSQL)."""
    kept = Subjects({}, NOW)
    kept.add([(at(n), each) for n, each in enumerate(first)])
    kept.add([(at(n), each) for n, each in enumerate(later, len(first))], {"run": 7})
    found = kept.times(words, 1000)
    if not folded(words) or "\0" in words:
        assert found is None
        return
    assert found is not None and len(kept) == len(first) + len(later) and kept.heads == {"run": 7}
    for number, each in enumerate([*first, *later]):
        if words in each or words.lower() in each.lower():
            assert at(number) in found, (words, each)
    assert found == [
        at(n) for n, each in enumerate([*first, *later]) if folded(words) in folded(each.replace("\0", " "))
    ]


def test_what_is_frequent_is_left_to_the_database() -> None:
    kept = Subjects({}, NOW)
    kept.add((at(n), f"Invoice {n}") for n in range(10))
    assert kept.times("invoice", 9) is None and kept.times("invoice", 10) == [at(n) for n in range(10)]
    assert kept.times("nothing", 0) == [] and kept.times("e 7", 1) == [at(7)]


async def test_a_search_finds_the_same(store: Store, rows: Any) -> None:
    """Before the subjects are learnt, after, what came since, and what was written by another process."""
    for number in range(30):
        await store.intend(
            rows.entry(id=f"m{number}", subject=f"Chair {number}", at=rows.now + timedelta(hours=number))
        )

    def found(**filters: Any) -> list[str]:
        return [line.id for line in store.look(Filters(**filters))]

    asked: list[dict[str, Any]] = [
        {"subject": "chair 7"}, {"subject": "CHAIR 2"}, {"subject": "table"}, {"subject": "chair"}, {"subject": "%"},
        {"subject": "chair 1", "since": rows.now + timedelta(hours=12), "until": rows.now + timedelta(hours=15)},
        {"subject": "chair 7", "team": "nobody's"}, {"subject": "\0"},
    ]  # fmt: skip
    before = [found(**each) for each in asked]
    assert before[0] == ["m7"] and len(before[1]) == 11 and before[2] == [] and len(before[3]) == 30
    assert store.learn_subjects() == 30
    assert [found(**each) for each in asked] == before
    await store.intend(rows.entry(id="late", subject="Chair 77", at=rows.now - timedelta(days=30)))
    assert found(subject="chair 77") == ["late"], "also one whose time lies before all others"
    assert found(subject="chair 7") == ["m7", "late"]


async def test_mail_of_another_process_is_found_too(url: str, open_store: Callable[..., Store], rows: Any) -> None:
    here, there = open_store(url), open_store(url)
    await here.intend(rows.entry(id="m1", subject="Chair"))
    assert here.learn_subjects() == 1 and here.look(Filters(subject="table")) == []
    await there.intend(rows.entry(id="m2", subject="Table", at=rows.now - timedelta(days=1)))
    assert [line.id for line in here.look(Filters(subject="table"))] == ["m2"]


async def test_what_is_erased_is_not_found_and_soon_not_in_memory(
    url: str, open_store: Callable[..., Store], rows: Any
) -> None:
    """Nobody has to search for it: a timer looks, also at what another process erased."""
    here, there = open_store(url), open_store(url)
    await here.intend(rows.entry(id="m1", agent="fiona@acme.example", subject="Chair of Fiona"))
    await here.intend(rows.entry(id="m2", agent="ann@acme.example", subject="Chair of Ann"))
    here.learn_subjects()
    kept = here._subjects
    here.watch_subjects()
    assert kept is not None and here._subjects is kept, "nothing has happened"
    there.erase_person(Person(("fiona@acme.example",)), "request", "ada")
    here.watch_subjects()
    assert here._subjects is kept and len(kept) == 1, "the others need not be read anew"
    assert b"fiona" not in kept._octets and b"ann" in kept._octets
    assert [line.id for line in here.look(Filters(subject="chair"))] == ["m2"]


async def test_a_search_sees_that_something_was_erased(store: Store, rows: Any) -> None:
    await store.intend(rows.entry(id="m1", agent="fiona@acme.example", subject="Chair of Fiona"))
    store.learn_subjects()
    kept = store._subjects
    store.erase_person(Person(("fiona@acme.example",)), "request", "ada")
    assert store.look(Filters(subject="fiona")) == []
    assert kept is not None and len(kept) == 0 and b"fiona" not in kept._octets


@pytest.mark.parametrize("days", [1, FEW_DAYS + 1])
async def test_only_the_days_of_what_was_erased_are_read_anew(store: Store, rows: Any, days: int) -> None:
    """As retention does each hour; where many days are concerned all are read."""
    for number in range(days):
        for who in ("fiona", "ann"):
            when = rows.now - timedelta(days=number)
            await store.intend(
                rows.entry(id=f"{who}{number}", agent=f"{who}@acme.example", subject=f"Chair of {who}", at=when)
            )
    await store.intend(rows.entry(id="old", subject="Table", at=rows.now - timedelta(days=400)))
    store.learn_subjects()
    kept = store._subjects
    store.erase_person(Person(("fiona@acme.example",)), "request", "ada")
    await store.intend(rows.entry(id="late", subject="Chair of a late comer", at=rows.now))
    store.watch_subjects()
    assert store._subjects is not None and (store._subjects is kept) is (days == 1)
    assert len(store._subjects) == days + 2 and b"fiona" not in store._subjects._octets
    assert [line.id for line in store.look(Filters(subject="table"))] == ["old"]
    assert {line.id for line in store.look(Filters(subject="CHAIR"), limit=99)} == {
        "late", *(f"ann{number}" for number in range(days))
    }  # fmt: skip
    store.watch_subjects()
    assert len(store._subjects) == days + 2


async def test_after_a_day_all_are_read_anew(url: str, open_store: Callable[..., Store], rows: Any) -> None:
    """Whatever has taken a row out, and how."""
    now = [NOW]
    store = open_store(url, clock=lambda: now[0])
    await store.intend(rows.entry(id="m1", subject="Chair"))
    store.watch_subjects()
    assert store._subjects is None, "who has not learnt them does not need them"
    store.learn_subjects()
    with store.database.writer.begin() as connection:
        connection.exec_driver_sql("DELETE FROM audit")
    now[0] += KEPT + timedelta(seconds=1)
    store.watch_subjects()
    assert store._subjects is not None and len(store._subjects) == 0


async def test_a_database_that_is_lost_and_comes_back_older(
    tmp_path: Path, open_store: Callable[..., Store], rows: Any
) -> None:
    """A copy of before under the same name: its own subjects are learnt, and none of the lost ones is kept."""
    url = f"sqlite:///{tmp_path}/gateway.db"
    file, copy = tmp_path / "gateway.db", tmp_path / "copy.db"
    first = open_store(url)
    await first.intend(rows.entry(id="m1", subject="Chair"))
    first.close_now()
    shutil.copy(file, copy)
    store = open_store(url)
    await store.intend(rows.entry(id="m2", subject="Table"))
    assert store.learn_subjects() == 2
    for each in tmp_path.glob("gateway.db*"):
        each.unlink()
    store.watch_subjects()
    assert store._subjects is None, "what is away is not remembered"
    shutil.copy(copy, file)
    store.watch_subjects()
    assert store._subjects is not None and len(store._subjects) == 1
    assert [line.id for line in store.look(Filters(subject="chair"))] == ["m1"]
