"""The search of the console and its counts, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from gateway.store.looking import Filters
from gateway.store.schema import audit
from gateway.store.store import Store
from tests.bench.console import rows as many

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
async def full(url: str, open_store: Callable[..., Store], rows: Any) -> Store:
    store = open_store(url)
    for number in range(24):
        found = rows.entry(
            f"m{number:02d}", at=NOW + timedelta(hours=6 * number), subject=f"Re: Chair 100% {number}_a",
            agent=("bob@acme.example", "Eve@acme.example")[number % 2], team=("it", "hr", "")[number % 3],
            requester=f"mary{number % 4}@customer.example",
            disposition=("pass", "hold", "rewrite", "reject")[number % 4],
            outcome=("passed", "overridden", "rewritten", "rejected")[number % 4],
        )  # fmt: skip
        if number % 4 == 0:
            found = replace(found, findings=())
        await store.intend(found)
    return store


@pytest.mark.parametrize("learnt", [False, True], ids=["", "with the subjects in memory"])
@pytest.mark.parametrize(
    ("filters", "fitting"),
    [
        (Filters(), range(24)),
        (Filters(person="bob@acme.example"), range(0, 24, 2)),
        (Filters(person="BOB"), range(0, 24, 2)),
        (Filters(person="Eve@acme.example"), range(1, 24, 2)),
        (Filters(person="mary1"), range(1, 24, 4)),
        (Filters(person="%"), ()),
        (Filters(subject="chair"), range(24)),
        (Filters(subject="100%"), range(24)),
        (Filters(subject="3_a"), (3, 13, 23)),
        (Filters(subject="3%a"), ()),
        (Filters(policy="dropped-requester"), [n for n in range(24) if n % 4]),
        (Filters(policy="dropped-requester", team="it"), [n for n in range(0, 24, 3) if n % 4]),
        (Filters(disposition="hold"), range(1, 24, 4)),
        (Filters(override=True, person="eve@acme.example"), ()),
        (Filters(override=True), range(1, 24, 4)),
        (Filters(within=("it",)), range(0, 24, 3)),
        (Filters(within=()), ()),
        (Filters(team="hr", within=("it",)), ()),
        (Filters(since=NOW + timedelta(hours=12), until=NOW + timedelta(hours=24)), (2, 3)),
    ],
)  # fmt: skip
def test_what_fits_page_by_page_in_both_directions(full: Store, filters: Filters, fitting: Any, learnt: bool) -> None:
    if learnt:
        full.learn_subjects()
    wanted = [f"m{number:02d}" for number in sorted(fitting, reverse=True)]
    found, mark = [], None
    while lines := full.look(filters, older=mark, limit=5):
        found += [line.id for line in lines]
        mark = lines[-1].mark
    assert found == wanted
    back: list[str] = []
    mark = (NOW - timedelta(days=1), "")
    while lines := full.look(filters, newer=mark, limit=5):
        back = [line.id for line in lines] + back
        mark = lines[0].mark
    assert back == wanted


def test_counts(full: Store) -> None:
    counts = full.counts(NOW, NOW + timedelta(days=30))
    assert counts.mails == 24 and sum(counts.days.values()) == 18
    assert counts.days[("2026-11-20", "hold")] == 1 and counts.outcomes == {
        "overridden": 6,
        "rewritten": 6,
        "rejected": 6,
    }
    assert sum(n for (policy, _), n in counts.policies.items() if policy == "dropped-requester") == 18
    assert counts.teams["it"] == (6, 2)
    of_it = full.counts(NOW, NOW + timedelta(days=30), ("it",))
    assert of_it.mails == 8 and set(of_it.teams) == {"it"} and sum(of_it.policies.values()) == 6


def test_a_subject_is_looked_for_in_the_index(sqlite_url: str, open_store: Callable[..., Store]) -> None:
    full = open_store(sqlite_url)
    for filters in (Filters(subject="x"), Filters(subject="x", team="it"), Filters(subject="x", within=("it",))):
        query = full._page(filters, None, None, 50).compile(
            full.database.reader, compile_kwargs={"literal_binds": True}
        )
        with full.database.reader.connect() as connection:
            plan = " ".join(str(row) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}")))
        assert "COVERING INDEX ix_audit_at_id_subject_team" in plan and "TEMP B-TREE" not in plan


@pytest.mark.parametrize("analysed", [False, True], ids=["", "analysed"])
def test_the_overview_reads_indexes_and_no_rows(
    sqlite_url: str, open_store: Callable[..., Store], analysed: bool
) -> None:
    full = open_store(sqlite_url)
    if analysed:  # with figures at hand, a database may prefer another way
        with full.database.writer.begin() as connection:
            connection.execute(insert(audit), list(many(3000, NOW)))
            connection.execute(text("ANALYZE"))
    asked: list[tuple[str, Any]] = []
    event.listen(full.database.reader, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    full.counts(NOW, NOW + timedelta(days=30))
    questions = [(query, given) for query, given in asked if query.startswith("SELECT")]
    assert len(questions) == 4
    with full.database.reader.connect() as connection:
        for query, given in questions:
            plan = [str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", given)]
            tables = [step for step in plan if " audit" in step]
            assert tables and all("COVERING INDEX" in step for step in tables), (query, plan)
