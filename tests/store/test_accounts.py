"""Accounts, sessions and claims of the console, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from gateway.store.accounts import Account, account_subject, session_id
from gateway.store.errors import StoreAway
from gateway.store.store import Store

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
IDLE, MOST = timedelta(minutes=30), timedelta(hours=10)


def account(name: str, role: str = "auditor", *teams: str) -> Account:
    return Account(name, name.title(), f"{name}@acme.example", role, teams, NOW, "hash")  # type: ignore[arg-type]


def test_accounts_and_what_is_written_of_them(url: str, open_store: Callable[..., Store]) -> None:
    store = open_store(url)
    assert store.accounts() == []
    assert store.add_account(account("rita", "reviewer", "it", "hr"), "root", "here") and not store.add_account(
        account("rita"), "root", "here"
    )
    assert store.add_account(account("ada", "admin"), "root", "here")
    assert [each.name for each in store.accounts()] == ["ada", "rita"]
    found = store.account("rita")
    assert found is not None and found.teams == ("it", "hr") and found.password == "hash" and not found.has_code
    assert store.change_account("rita", "admin", (), "ada", NOW, "here") and not store.change_account(
        "x", "admin", (), "ada", NOW, "here"
    )
    assert store.remove_account("ada", "rita", NOW, "here") and not store.remove_account("ada", "rita", NOW, "here")
    assert not store.remove_account("rita", "rita", NOW, "here"), "the last admin"
    assert not store.change_account("rita", "auditor", (), "rita", NOW, "here")
    assert [event[1:4] for event in reversed(store.noted(account_subject("rita"), 9))] == [
        ("account-added", "reviewer: it, hr", "root"), ("account-changed", "admin", "ada"),
    ]  # fmt: skip


def test_what_is_written_is_linked(url: str, open_store: Callable[..., Store]) -> None:
    store = open_store(url)
    store.add_account(account("ada", "admin"), "root", "here")
    store.note("console", "exported", "csv", "ada", NOW, "console from 192.0.2.1")
    kinds = [line["payload"]["outcome"] for line in store.proof() if line.get("payload")]
    assert kinds == ["account-added", "bound", "exported"]
    assert store.chain_states()[0].seq == 3


def test_sessions(url: str, open_store: Callable[..., Store]) -> None:
    store = open_store(url)
    store.add_account(account("ada", "admin"), "root", "here")
    first = store.begin_session("ada", NOW, "192.0.2.1")
    second = store.begin_session("ada", NOW, "192.0.2.1", before=first)
    assert store.session(first, NOW, IDLE, MOST) is None and store.session("", NOW, IDLE, MOST) is None
    session = store.session(second, NOW, IDLE, MOST)
    assert session is not None and session.account.name == "ada" and store.same_csrf(session, session.csrf)
    assert not store.same_csrf(session, "") and not store.same_csrf(session, "\udcff")
    store.set_password("ada", "new", "ada", NOW, "here", keep=session.id)
    assert store.session(second, NOW, IDLE, MOST) is not None
    store.set_password("ada", "newer", "ada", NOW, "here")
    assert store.session(second, NOW, IDLE, MOST) is None
    third = store.begin_session("ada", NOW, "")
    store.add_account(account("eve", "admin"), "root", "here")
    store.remove_account("ada", "eve", NOW, "here")
    assert store.session(third, NOW, IDLE, MOST) is None


def test_codes_are_sealed_to_their_account(url: str, open_store: Callable[..., Store]) -> None:
    store = open_store(url)
    store.add_account(account("ada", "admin"), "root", "here")
    assert store.code_secret("ada") is None
    store.set_code("ada", b"s" * 20, "ada", NOW, "here", step=7)
    assert store.code_secret("ada") == b"s" * 20 and store.account("ada").has_code  # type: ignore[union-attr]
    assert not store.use_code("ada", 7) and store.use_code("ada", 8) and not store.use_code("ada", 8)
    other = Store.open(url, bytes(32), create=False)
    with pytest.raises(StoreAway, match="key"):
        other.code_secret("ada")
    other.close_now()
    store.set_code("ada", None, "ada", NOW, "here")
    assert store.code_secret("ada") is None


async def test_who_looks_after_a_held_mail(url: str, open_store: Callable[..., Store], rows: type) -> None:
    store = open_store(url)
    await store.hold(rows.hold(), rows.entry(), [])
    assert store.hold_claims(NOW) == {}
    assert store.claim_hold("m1", "rita", NOW, "here").by == "rita"
    assert store.claim_hold("m1", "ron", NOW, "here").by == "rita", "whoever was first"
    assert store.claim_hold("m1", "ron", NOW, "here", over="ada").by == "rita", "not over somebody else's head"
    assert store.claim_hold("m1", "ron", NOW, "here", over="rita").by == "ron"
    assert not store.unclaim_hold("m1", "rita", NOW, "here")
    later = NOW + timedelta(minutes=31)
    assert store.hold_claims(later) == {} and store.claim_hold("m1", "rita", later, "here").by == "rita"
    assert store.unclaim_hold("m1", "rita", later, "here") and store.hold_claims(later) == {}
    row = store.audit_show("m1")
    assert row is not None
    assert [event[1:] for event in row.history[1:]] == [
        ("claimed", "", "rita"), ("claimed", "from rita", "ron"), ("claimed", "", "rita"), ("unclaimed", "", "rita"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE console_sessions SET account = 'ada'",
        "UPDATE console_sessions SET at = '2026-11-20 08:59:00'",
        "INSERT INTO console_sessions SELECT 'ID', 'ada', csrf, at, seen_at FROM console_sessions",
    ],
)
def test_a_session_cannot_be_made_or_given_away_in_the_database(
    url: str, open_store: Callable[..., Store], statement: str
) -> None:
    """An auditor who can write to the database, and has no key, does not become an admin."""
    store = open_store(url)
    for name, role in (("ada", "admin"), ("otto", "auditor")):
        store.add_account(account(name, role), "root", "here")
    cookie = store.begin_session("otto", NOW, "here")
    day = timedelta(days=1)
    assert store.session(cookie, NOW, day, day) is not None
    with store.database.writer.begin() as connection:
        connection.execute(text(statement.replace("ID", session_id("mine"))))
    assert store.session(cookie if "UPDATE" in statement else "mine", NOW, day, day) is None
