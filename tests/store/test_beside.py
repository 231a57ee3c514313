"""Tables beside the log, each edited by hand: a row gone, edited, put in. `audit verify` tells of every one, and an
export alone of each that is gone or edited in what never changes.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from gateway.chain import verifier
from gateway.follow.entries import Entry, Trail
from gateway.mail.address import Mailbox
from gateway.orders import Order
from gateway.persons import ERASED, person
from gateway.store import chains
from gateway.store.accounts import Account
from gateway.store.schema import audit_events, ledger, outbox, seen, tokens
from gateway.store.strays import strays as strays_of

from .test_chains import SIGNER, change, checked, checkpoint
from .test_privacy import KEEP
from .test_tampering import verify_alone

DAY = timedelta(days=1)


def handoff(now: Any, mail: str = "m1", kind: Any = "handoff") -> Entry:
    return Entry(
        id=f"{mail}-{kind[0]}", kind=kind, at=now, mail_id="" if kind == "request" else mail,
        agent=Mailbox("bob@acme.example", "Bob"), team="it", requester=Mailbox("mary@acme.example"),
        owners=(Mailbox("carol@acme.example", "Çarol"),), subject="access", thread=("<m1@acme.example>",), due=now,
        next_at=None if kind == "request" else now,
    )  # fmt: skip


async def everything(store: Any, rows: Any) -> None:
    """One of each: what waits, what is over, what was put off."""
    now = store._clock()
    message = rows.seen("<1@x.example>", "<0@x.example>")
    await store.intend(rows.entry("m1"))
    opened = (handoff(now), handoff(now, kind="promise"))
    await store.outcome("m1", "passed", seen=message, trail=Trail(now, opened), notices=[rows.notice("n1", due=now)])
    await store.remember(rows.seen("<2@x.example>", "<1@x.example>"), Trail(now, (handoff(now, "r1", "request"),)))
    await store.remember(message)  # seen twice, kept once
    both = store.ledger_list(kinds=["handoff", "promise"], closed=True)
    one, other = sorted(both, key=lambda entry: entry.kind)
    assert await store.ledger_step(one, "asked", now + DAY, [rows.notice("n2", due=now)], now)
    assert store.ledger_close(other, "ada", "by phone", now, "here")
    await store.outbox_sent("n2")
    await store.hold(rows.hold("m2", at=now), rows.entry("m2"), [rows.notice("n3", about="m2", due=now)])
    await store.hold(rows.hold("m3", at=now), rows.entry("m3"), [])
    assert await store.approve("m3", "send", "bob@acme.example", "urgent", "token-of-m3")
    await store.order(Order("b1", now, now + timedelta(hours=2), "every mail is held", "ada"))
    await store.fall_back("bare-refusal", "6 of 10", now, [])
    await store.fall_back("dismissive", "6 of 10", now, [])
    store.arm_now("dismissive", "mended", "ada", now)
    store.add_account(Account("rita", "Rita", "", "reviewer", ("it",), now, "hash"), "root", "here")
    store.set_password("rita", "other", "root", now, "here")
    store.set_code("rita", b"secret", "rita", now, "here")


EDITED: dict[str, tuple[str, str]] = {
    "thread memory: a message is gone": ("DELETE FROM seen WHERE message_id = '<1@x.example>'", "missing"),
    "thread memory: who wrote it": ("UPDATE seen SET record = replace(record, 'mary@', 'mallory@')", "edited"),
    "thread memory: when it was seen": ("UPDATE seen SET seen_at = '2020-01-01 00:00:00'", "edited"),
    "thread memory: a message that nobody wrote": (
        "INSERT INTO seen (digest, seen_at, message_id, author_address, record, lines) SELECT lines, seen_at, 'x', "
        "author_address, record, lines FROM seen WHERE message_id = '<1@x.example>'",
        "is in no chain",
    ),
    "thread memory: a message is no longer found": ("DELETE FROM seen_links", "is not found by its thread"),
    "thread memory: somebody is put into a thread": (
        "INSERT INTO seen_links (key, seen_id) SELECT digest, id FROM seen",
        "somebody was put into a thread",
    ),
    "ledger: a line is gone": ("DELETE FROM ledger WHERE kind = 'handoff'", "missing"),
    "ledger: who waits": ("UPDATE ledger SET requester = 'mallory@evil.example'", "edited"),
    "ledger: until when": ("UPDATE ledger SET due = '2099-01-01 00:00:00'", "edited"),
    "ledger: closed by hand": (
        "UPDATE ledger SET state = 'closed', closed_at = at, closed_by = 'ada', why = 'rung' WHERE kind = 'handoff'",
        "handoff m1-h is closed, and its history says asked",
    ),
    "ledger: opened again": ("UPDATE ledger SET state = 'open' WHERE kind = 'promise'", "its history says closed"),
    "ledger: who closed it": ("UPDATE ledger SET closed_by = 'bob' WHERE kind = 'promise'", "was closed otherwise"),
    "ledger: when it was closed": (
        "UPDATE ledger SET closed_at = '2020-01-01 00:00:00' WHERE kind = 'promise'",
        "was closed otherwise",
    ),
    "ledger: nobody is reminded": ("UPDATE ledger SET next_at = NULL", "nobody is reminded of it"),
    "ledger: reminded in a year": (
        "UPDATE ledger SET next_at = '2099-01-01 00:00:00' WHERE kind = 'handoff'",
        "nobody is reminded of it before 2099-01-01",
    ),
    "ledger: a line that no mail opened": (
        "INSERT INTO ledger SELECT 'x' || id, kind, at, mail_id, agent, agent_name, team, requester, requester_name, "
        "owners, subject, thread, due, words, state, next_at, closed_at, closed_by, why, run, NULL FROM ledger",
        "is in no chain",
    ),
    "our own mail: gone": ("DELETE FROM outbox WHERE id = 'n1'", "missing"),
    "our own mail: sent and gone": ("DELETE FROM outbox WHERE id = 'n2'", "missing"),
    "our own mail: to somebody else": ("UPDATE outbox SET rcpt_to = replace(rcpt_to, 'bob', 'mallory')", "edited"),
    "our own mail: said to be sent": (
        "UPDATE outbox SET state = 'sent', sealed = NULL WHERE id = 'n1'",
        "our own mail n1 about m1 is sent, and the history says waiting",
    ),
    "our own mail: sent again": ("UPDATE outbox SET state = 'waiting'", "n2 about m1 is waiting"),
    "our own mail: not before 2099": ("UPDATE outbox SET due = '2099-01-01 00:00:00'", "is not sent before 2099"),
    "our own mail: not before 2099, as if it had been tried": (
        "UPDATE outbox SET due = '2099-01-01 00:00:00', attempts = 3",
        "is not sent before 2099",
    ),
    "our own mail: somebody sends it until 2099": (
        "UPDATE outbox SET lease_until = '2099-01-01 00:00:00'",
        "is not sent before 2099",
    ),
    "held mail: goes out in 2099": (
        "UPDATE holds SET next_try = '2099-01-01 00:00:00'",
        "m3 is approved, and does not go out before 2099",
    ),
    "held mail: somebody sends it until 2099": (
        "UPDATE holds SET state = 'releasing', lease_until = '2099-01-01 00:00:00'",
        "m3 is releasing, and does not go out before 2099",
    ),
    "our own mail: other octets": (
        "UPDATE outbox SET sealed = (SELECT sealed FROM outbox WHERE id = 'n3') WHERE id = 'n1'",
        "has not the octets",
    ),
    "our own mail: put in": (
        "INSERT INTO outbox SELECT 'x' || id, at, kind, about, mail_from, rcpt_to, sealed, state, due, attempts, "
        "lease_owner, lease_until, sent_at, detail, sha256, run, NULL FROM outbox",
        "is in no chain",
    ),
    "tokens: gone": ("DELETE FROM tokens WHERE hold_id = 'm2'", "missing"),
    "tokens: for another mail": ("UPDATE tokens SET hold_id = 'm2' WHERE hold_id = 'm3'", "edited"),
    "tokens: works again": ("UPDATE tokens SET used_at = NULL, dead_at = NULL", "a token of m3 works"),
    "tokens: works no longer": ("UPDATE tokens SET dead_at = at WHERE hold_id = 'm2'", "the mail was not settled"),
    "tokens: who used it": ("UPDATE tokens SET used_by = 'mallory' WHERE hold_id = 'm3'", "the log says otherwise"),
    "tokens: what was answered": ("UPDATE tokens SET answer = 'fix' WHERE hold_id = 'm3'", "the log says otherwise"),
    "tokens: put in": (
        "INSERT INTO tokens (hash, hold_id, at, used_by, answer) SELECT 'x', hold_id, at, '', '' FROM tokens "
        "WHERE hold_id = 'm2'",
        "is in no chain",
    ),
    "bypass: an order that nobody gave": (
        "INSERT INTO bypasses SELECT 'x', '2099-01-01 00:00:00', '2099-01-02 00:00:00', why, by FROM bypasses",
        "an order that the log does not know",
    ),
    "bypass: for longer": ("UPDATE bypasses SET until = '2099-01-01 00:00:00'", "the log says another time"),
    "bypass: taken away": ("DELETE FROM bypasses", "the newest order about a bypass was taken away"),
    "policies: armed by hand": ("DELETE FROM policy_states", "bare-refusal is armed, and the log says observe"),
    "policies: observes by hand": (
        "UPDATE policy_states SET state = 'observe'",
        "dismissive is observe, and the log says armed",
    ),
    "policies: another one observes": (
        "INSERT INTO policy_states SELECT 'terse-reply', at, 'observe', why, by FROM policy_states "
        "WHERE policy = 'dismissive'",
        "terse-reply is observe, and the log says armed",
    ),
    "accounts: another role": ("UPDATE console_accounts SET role = 'admin'", "its history says reviewer: it"),
    "accounts: another password": ("UPDATE console_accounts SET password = 'mine'", "is not as it was set"),
    "accounts: no code": ("UPDATE console_accounts SET totp = NULL", "is not as it was set"),
    "accounts: put in": (
        "INSERT INTO console_accounts SELECT 'eve', shown, address, 'admin', teams, password, totp, totp_used, at, "
        "seen_at FROM console_accounts",
        "the account eve was added by nobody",
    ),
}


def strays(store: Any) -> list[str]:
    return [line["words"] for line in store.proof() if line["kind"] == "stray"]


async def test_what_is_edited_beside_the_log_is_told(store, rows):
    await everything(store, rows)
    points = [checkpoint(store, rows)]
    assert checked(store, points) == [] and strays(store) == []
    untold = []
    with store.database.writer.connect() as connection:
        for name, (statement, told) in EDITED.items():
            connection.execute(text(statement))
            check = verifier.Check()
            check.checkpoints(points, [bytes.fromhex(SIGNER.public)])
            for line in json.loads(json.dumps(list(chains.proof(connection)))):
                check.line(line)
            check.end()
            found = [kind for kind, _ in check.findings]
            found += [words for words in strays_of(connection, store._digest) if told in words]
            if not any(told in each for each in found):
                untold.append(name)
            connection.rollback()
    assert untold == []
    assert checked(store, points) == [] and strays(store) == []


@pytest.mark.parametrize("name", [name for name, (_, told) in EDITED.items() if told in ("missing", "edited")][::4])
async def test_an_export_alone_tells_of_rows_that_are_gone_or_edited(sqlite_store, rows, tmp_path: Path, name):
    await everything(sqlite_store, rows)
    points = [checkpoint(sqlite_store, rows)]
    change(sqlite_store, EDITED[name][0])
    code, said = verify_alone(sqlite_store, points, tmp_path)
    assert code == 1 and EDITED[name][1] in said


async def test_a_proof_hands_over_digests_and_no_names(store, rows):
    """Whoever checks a log is not to learn from it who writes to whom."""
    await everything(store, rows)
    kinds = {"seen/1", "ledger/1", "outbox/1", "token/1"}
    lines = [line for line in store.proof() if line["kind"] in kinds]
    assert {line["kind"] for line in lines} == kinds
    assert all(line["payload"].keys() == {"sha256"} for line in lines)


async def test_a_checkpoint_by_mail_is_nothing_new_itself(store, rows):
    """Else each would be the reason for the next."""
    await everything(store, rows)
    await store.enqueue([rows.notice("c1", kind="checkpoint", about="log")])
    points = [checkpoint(store, rows)]
    await store.enqueue([rows.notice("c2", kind="checkpoint", about="log")])
    await store.outbox_sent("c2")
    assert checkpoint(store, rows) is None
    assert (checked(store, points), strays(store)) == ([], [])


async def test_who_is_erased_leaves_a_log_that_fits_its_tables(store, rows):
    """Also where only the word of somebody else rests on them: who was told, who gave an order, who closed."""
    await everything(store, rows)
    now = store._clock()
    [one] = [entry for entry in store.ledger_list(kinds=["handoff"], closed=False)]
    told = [rows.notice("n9", rcpt_to=("boss@acme.example",), due=now)]
    assert await store.ledger_step(one, "escalated", None, told, now)
    await store.order(Order("b2", now + timedelta(seconds=1), now + DAY, "as before", "boss@acme.example"))
    store.arm_now("bare-refusal", "mended", "boss@acme.example", now)
    store.change_account("rita", "admin", (), "boss@acme.example", now, "here")
    points = [checkpoint(store, rows)]
    assert checked(store, points) == []
    erased = store.erase_person(person("boss@acme.example"), "asked for", "ada")
    assert erased.left == ()
    points.append(checkpoint(store, rows))
    assert checked(store, points) == [] and strays(store) == []
    with store.database.reader.connect() as connection:
        [event] = connection.execute(select(audit_events).where(audit_events.c.outcome == "handoff-escalated"))
        assert (event.detail, event.run) == (ERASED, store.run_id)
        assert connection.scalar(select(ledger.c.state).where(ledger.c.kind == "handoff")) == "escalated"
    assert not store.find_person(person("boss@acme.example"))


async def test_everybody_is_erased_and_the_log_still_verifies(store, rows):
    await everything(store, rows)
    assert await store.discard("m2", "bob@acme.example")
    points = [checkpoint(store, rows)]
    await store.finish(await store.claim("m3", "me", 60, store._clock()), "released", "250 ok", "overridden")
    store.erase_person(person("mary@acme.example"), "asked for", "ada")
    points.append(checkpoint(store, rows))
    assert checked(store, points) == []
    with store.database.reader.connect() as connection:
        for table in (seen, ledger, outbox, tokens):
            assert connection.execute(select(table)).first() is None, table.name


async def test_what_is_kept_no_longer_leaves_a_log_that_fits(store, rows):
    await everything(store, rows)
    now = store._clock()
    await store.order(Order("b2", now + timedelta(seconds=1), None, "mended", "ada"))
    for at in (now + 40 * DAY, now + 200 * DAY, now + 400 * DAY):
        store.retain(at, KEEP)
        assert (checked(store, []), strays(store)) == ([], []), at
    short = dataclasses.replace(KEEP, log=timedelta())
    store.retain(now + DAY, short)
    assert checked(store, []) == []


async def test_another_node_that_writes_the_same_in_that_moment_leaves_no_link_behind(store, rows, monkeypatch):
    """Both have looked, and neither saw the other's row: PostgreSQL lets one in."""
    message = rows.seen()
    await store.remember(message)
    looked = chains.select

    def blind(*columns: Any) -> Any:
        query = looked(*columns)
        return query.where(text("1 = 0")) if columns[0] is seen.c.digest else query

    monkeypatch.setattr(chains, "select", blind)
    await store.remember(message)
    monkeypatch.undo()
    assert checked(store, []) == []
    with store.database.reader.connect() as connection:
        assert len(connection.execute(select(seen)).all()) == 1


async def test_rows_from_before_there_were_links_are_linked_by_the_upgrade(url, open_store, rows):
    store = open_store(url)
    await everything(store, rows)
    kinds = "('seen/1', 'ledger/1', 'outbox/1', 'token/1')"
    change(
        store,
        "DELETE FROM audit_events WHERE outcome IN ('notice-sent', 'bound') AND mail_id <> 'm2' AND mail_id <> 'm3'",
        "UPDATE outbox SET sha256 = ''",
        *(f"UPDATE {table} SET run = '', seq = NULL" for table in ("seen", "ledger", "outbox", "tokens")),
        f"DELETE FROM log_links WHERE kind IN {kinds}",
    )
    with store.database.writer.begin() as connection:
        chains.adopt(connection, store.run_id)
        store._bind_accounts(connection)
    assert strays(store) == []
    change(store, "UPDATE ledger SET requester = 'mallory@evil.example'")
    check = verifier.Check()
    for line in store.proof():
        check.line(line)
    assert any(kind == "edited" for kind, _ in check.findings)
    with store.database.writer.begin() as connection:
        connection.execute(update(tokens).values(hold_id="m2"))
    assert len([1 for kind, _ in check.findings if kind == "edited"]) == 3
