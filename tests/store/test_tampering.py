"""Ways to change history unnoticed that a careful forger would try. Each is seen: by the gateway's own check, and,
where the log itself was changed, by the verifier that has nothing but an export and the checkpoints that were kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from gateway.amending import CannotRelease, make_ready
from gateway.chain import verifier
from gateway.chain.checkpoints import Signer
from gateway.store import audit, chains, witness
from gateway.store.errors import StoreAway
from gateway.store.holds import row_name
from gateway.store.schema import audit as audit_rows
from gateway.store.schema import holds, log_links, rule_files
from gateway.store.strays import unsound
from gateway.store.versions import Version, tree_of

from .test_chains import SIGNER, alone, change, checked, checkpoint, three_mails

OCCASIONS = {
    "an outcome that lists show": ("UPDATE audit SET outcome = 'passed' WHERE id = 'm9'", "says passed"),
    "the index by policies": ("DELETE FROM audit_policies WHERE mail_id = 'm2'", "the index was changed"),
    "a policy that was never found": (
        "INSERT INTO audit_policies SELECT 'bare-refusal', at, id FROM audit WHERE id = 'm2'",
        "the index was changed",
    ),
    "an event from outside": (
        "INSERT INTO audit_events (at, run, mail_id, outcome, detail, by) SELECT at, run, 'm2', 'released', '', 'boss' "
        "FROM audit WHERE id = 'm2'",
        "is in no chain",
    ),
    "an event that borrows a link": (
        "INSERT INTO audit_events (at, run, mail_id, outcome, detail, by, seq) "
        "SELECT at, run, mail_id, 'x', '', '', seq FROM audit_events WHERE mail_id = 'm2'",
        "is there twice",
    ),
    "an entry cut loose": ("UPDATE audit SET seq = NULL WHERE id = 'm2'", "is in no chain"),
    "a chain that goes on elsewhere": ("UPDATE log_heads SET seq = seq - 1", "its links end at"),
    "a recipient of held mail": (
        "UPDATE holds SET rcpt_to = replace(rcpt_to, 'carol', 'mallory') WHERE id = 'm9'",
        "would go to others",
    ),
    "whom a fix adds": ("UPDATE holds SET fix = replace(fix, 'mary', 'mallory')", "would be shown to others"),
    "a release that nobody approved": ("UPDATE holds SET state = 'approved', action = 'send'", "nobody approved it"),
    "held mail that is no longer there": ("DELETE FROM holds", "was held, and is not there any more"),
    "held mail without its octets": ("DELETE FROM hold_bodies", "has lost its octets"),
    "which text was in force": ("UPDATE rule_versions SET version = 'v9'", "are not those that were in force"),
    "held mail that is thrown away by hand": ("UPDATE holds SET state = 'discarded'", "its history says held"),
    "held mail that nobody is reminded of": ("UPDATE holds SET next_at = '2099-01-01'", "nobody is reminded of it"),
    "a legal hold": ("DELETE FROM legal_holds", "a legal hold was taken away"),
    "who may settle held mail": (
        "UPDATE holds SET may_settle = '[\"mallory@evil.example\"]'",
        "is not as it was held",
    ),
    "the digest of held mail": ("UPDATE holds SET sha256 = 'x'", "its digest was changed"),
    "the rules that were in force": (
        "INSERT INTO rule_events (at, run, host, kind, how, by, version, tree, before, detail) "
        "SELECT at, run, '', 'in-force', 'start', '', 'v', 't', '', '' FROM audit WHERE id = 'm2'",
        "is in no chain",
    ),
}


@pytest.mark.parametrize("name", OCCASIONS)
async def test_what_stands_beside_the_chain_is_checked(store, rows, name):
    await three_mails(store, rows)
    await store.hold(rows.hold("m9"), rows.entry("m9"), [])
    files = {"policies/bare-refusal.yaml": b"why: so"}
    store.keep_version_now(Version(tree_of(files, "v1"), "v1", rows.now, files=files), None)
    store.hold_person("joe@x.example", "case 7", "legal", "command")
    store.hold_person("ann@x.example", "case 8", "legal", "command")
    store.lift_hold("ann@x.example", "over", "legal", "command")
    assert checked(store, [checkpoint(store, rows)]) == []
    statement, words = OCCASIONS[name]
    change(store, statement)
    strays = [line["words"] for line in store.proof() if line["kind"] == "stray"]
    assert any(words in each for each in strays), strays


async def test_the_text_of_a_policy_is_checked(store, rows):
    files = {"policies/bare-refusal.yaml": b"why: so"}
    store.keep_version_now(Version(tree_of(files, "v1"), "v1", rows.now, files=files), None)
    with store.database.writer.begin() as connection:
        connection.execute(update(rule_files).values(content=b"why: not"))
    strays = [line["words"] for line in store.proof() if line["kind"] == "stray"]
    assert any("a file of the policies that were in force was changed" in each for each in strays)


@pytest.mark.parametrize("statement", ["UPDATE rule_files SET content = 'x'", "UPDATE audit SET facts = '{'"])
async def test_what_cannot_be_read_is_a_finding_and_no_crash(sqlite_store, rows, statement):
    files = {"policies/bare-refusal.yaml": b"why: so"}
    sqlite_store.keep_version_now(Version(tree_of(files, "v1"), "v1", rows.now, files=files), None)
    await three_mails(sqlite_store, rows)
    change(sqlite_store, statement)
    assert "stray" in checked(sqlite_store, [])


MACHINERY = {
    "a view in place of a table": (
        "ALTER TABLE audit RENAME TO audit_real",
        "CREATE VIEW audit AS SELECT id, at, run, listener, peer, agent, team, requester, requester_grade, mail_from, "
        "rcpt_to, message_id, subject, size, sha256, lang, disposition, 'none' AS reason, policy_version, findings, "
        "facts, add_cc, notify_supervisor, outcome, basis, seq FROM audit_real",
    ),
    "a trigger that edits what comes": (
        "CREATE TRIGGER t AFTER INSERT ON audit BEGIN UPDATE audit SET reason = 'none' WHERE id = NEW.id; END",
    ),
    "a trigger that swallows events": (
        "CREATE TRIGGER t BEFORE INSERT ON audit_events WHEN NEW.outcome = 'passed' BEGIN SELECT RAISE(IGNORE); END",
    ),
}


@pytest.mark.parametrize("name", MACHINERY)
async def test_machinery_in_the_database_is_seen_by_what_it_does(sqlite_store, rows, name):
    await three_mails(sqlite_store, rows)
    change(sqlite_store, *MACHINERY[name])
    if "trigger" in name:
        await sqlite_store.intend(rows.entry("m7"))
        await sqlite_store.outcome("m7", "passed")
    assert {"edited", "missing"} & set(checked(sqlite_store, []))


async def test_a_chain_under_another_name_is_another_chain(store, rows):
    await three_mails(store, rows)
    points = [checkpoint(store, rows)]
    tables = (("log_links", "chain"), ("log_heads", "chain"), ("audit", "run"), ("audit_events", "run"))
    change(store, *(f"UPDATE {table} SET {column} = 'ffffffffffffffff'" for table, column in tables))
    assert {"edited", "truncated"} <= set(checked(store, points))


def forged(store: Any, chain: str, rows: list[dict[str, Any]]) -> None:
    """Append as the gateway does: nobody can tell it by the hashes."""
    with store.database.writer.begin() as connection:
        chains.append(connection, chain, "event/2", rows)
        connection.execute(insert(audit.audit_events), rows)


def event(rows: Any, chain: str, **changes: Any) -> dict[str, Any]:
    event = {"mail_id": "m1", "at": rows.now, "outcome": "released", "detail": "", "by": "boss", "origin": ""}
    return event | {"run": chain} | changes


@pytest.mark.parametrize("chain", ["that of the process", "one of its own"])
async def test_nothing_can_be_written_into_the_past(store, rows, chain, monkeypatch):
    await three_mails(store, rows)
    points = [checkpoint(store, rows)]
    earlier = chains.now() - timedelta(minutes=10)
    monkeypatch.setattr(chains, "now", lambda: earlier)
    name = store.run_id if chain == "that of the process" else "f" * 16
    forged(store, name, [event(rows, name)])
    assert "backdated" in checked(store, points)


async def test_nor_into_the_future(store, rows, monkeypatch):
    await three_mails(store, rows)
    now = chains.now()
    monkeypatch.setattr(chains, "now", lambda: now + timedelta(days=400))
    forged(store, "f" * 16, [event(rows, "f" * 16)])
    monkeypatch.setattr(chains, "now", lambda: now)
    assert "clock" in checked(store, [checkpoint(store, rows)])


def test_a_name_that_stands_twice_is_no_export(tmp_path: Path):
    (tmp_path / "export.jsonl").write_text('{"kind": "instance", "instance": "a", "instance": "b"}\n')
    code, said = alone("export.jsonl", folder=tmp_path)
    assert code == 2 and "export.jsonl:1: not JSON: a name stands twice" in said


async def test_a_chain_kept_from_the_checkpoints_is_seen(store, rows, monkeypatch):
    """`covered` says what checkpoints have: set too high, a chain would never be signed, and could be cut off."""
    await three_mails(store, rows)
    change(store, "UPDATE log_heads SET covered = seq")
    now = chains.now()
    monkeypatch.setattr(chains, "now", lambda: now + timedelta(minutes=10))
    await store.intend(rows.entry("m4"))
    points = [checkpoint(store, rows)]
    assert checked(store, points) == []
    change(store, "UPDATE log_heads SET covered = 99")
    await store.intend(rows.entry("m5"))
    monkeypatch.setattr(chains, "now", lambda: now + timedelta(minutes=20))
    assert checkpoint(store, rows) is None, "the forger has had their way"
    other = "e" * 16
    forged(store, other, [event(rows, other)])
    points.append(checkpoint(store, rows))
    assert {"backdated", "stray"} <= set(checked(store, points))


async def test_a_process_that_has_stopped_writes_no_more(open_store, url, rows):
    store = open_store(url)
    await store.started("1.0")
    await store.intend(rows.entry("m1"))
    chain = store.run_id
    await store.close()
    again = open_store(url)
    assert checked(again, []) == []
    forged(again, chain, [event(rows, chain)])
    assert "reopened" in checked(again, [])


ERASED = ["DELETE FROM audit_events WHERE mail_id = 'm2'"]


def erasure(store: Any, *links: tuple[str, int]) -> None:
    with store.database.writer.begin() as connection:
        chains.erase(connection, store.run_id, links, "asked for", "ada")


async def test_an_erasure_says_who_and_why_and_is_no_finding(store, rows, tmp_path: Path):
    await three_mails(store, rows)
    points = [checkpoint(store, rows)]
    change(store, *ERASED)
    erasure(store, (store.run_id, 4))
    assert checked(store, points) == []
    said = verify_alone(store, points, tmp_path)
    assert said[0] == 0 and "1 entries, by ada: asked for" in said[1] and "1 erased" in said[1]


async def test_an_erasure_is_no_licence_for_later(store, rows, monkeypatch):
    await three_mails(store, rows)
    with store.database.writer.begin() as connection:
        said = {"links": [[store.run_id, 1, 999]], "why": "", "by": ""}
        row: dict[str, Any] = {"run": store.run_id, "at": chains.now(), "said": said}
        chains.append(connection, store.run_id, verifier.ERASURE, [row])
        connection.execute(insert(chains.log_notes), row)
    now = chains.now()
    monkeypatch.setattr(chains, "now", lambda: now + timedelta(minutes=10))
    await store.outcome("m3", "released")
    change(
        store, "DELETE FROM audit_events WHERE outcome = 'released'", "UPDATE log_links SET salt = NULL WHERE seq = 8"
    )
    assert {"erasure", "missing"} <= set(checked(store, []))


async def test_an_erasure_cannot_be_erased(store, rows):
    await three_mails(store, rows)
    change(store, *ERASED)
    erasure(store, (store.run_id, 4))
    change(store, "DELETE FROM log_notes")
    erasure(store, (store.run_id, 7))
    assert "missing" in checked(store, [])


async def test_a_salt_that_stayed_is_a_finding(store, rows):
    await three_mails(store, rows)
    erasure(store, (store.run_id, 4))
    change(store, *ERASED)
    with store.database.writer.begin() as connection:
        connection.execute(update(log_links).where(log_links.c.seq == 4).values(salt=b"abc"))
    assert checked(store, []) == ["missing"]


async def test_the_old_key_is_not_believed_after_it_was_handed_over(store, rows):
    await store.intend(rows.entry())
    points = store.rotate_now(SIGNER, later := Signer(b"k" * 32), "ada", "a new machine", "command")
    assert [point["key"] for point in points] == [SIGNER.public, later.public]
    assert checked(store, points) == []
    await store.intend(rows.entry("m2"))
    with pytest.raises(StoreAway, match="rotate-key --lost"):
        store.checkpoint_now(SIGNER)
    stolen = store._writer.run_now(lambda connection: witness.make(connection, SIGNER, lost=True))
    assert checked(store, [*points, stolen]) == ["unsigned"]


async def test_a_lost_key_is_replaced_and_both_are_needed(store, rows):
    await store.intend(rows.entry())
    first = checkpoint(store, rows)
    later = Signer(b"k" * 32)
    points = [first, *store.rotate_now(None, later, "ada", "the disk died", "command")]
    assert checked(store, points) == ["unsigned"]
    check = verifier.Check()
    check.checkpoints(points, [bytes.fromhex(SIGNER.public), bytes.fromhex(later.public)])
    assert check.findings == []


async def test_a_history_that_was_forked_is_seen(open_store, sqlite_url, tmp_path: Path, rows):
    """An older database put back that goes on as if nothing had been: the same numbers a second time."""
    import shutil

    store = open_store(sqlite_url)
    await three_mails(store, rows)
    points = [checkpoint(store, rows)]
    await store.close()
    shutil.copytree(tmp_path / "state", tmp_path / "saved")
    store = open_store(sqlite_url)
    await store.intend(rows.entry("m4"))
    points.append(checkpoint(store, rows))
    await store.close()
    shutil.rmtree(tmp_path / "state")
    shutil.copytree(tmp_path / "saved", tmp_path / "state")
    store = open_store(sqlite_url)
    await store.intend(rows.entry("m5"))
    points.append(checkpoint(store, rows))
    assert "removed" in checked(store, points)


# --- held mail between review and release -----------------------------------------------------------------------------


async def held_and_approved(store: Any, rows: Any) -> None:
    await store.hold(rows.hold("m9"), rows.entry("m9"), [])
    assert await store.approve("m9", "fix", "boss@acme.example", now=rows.now)


def resealed(store: Any, raw: bytes) -> None:
    """With the key itself: the octets of m9 are others now, and its digest fits them."""
    sealed = store._sealer.seal(raw, row_name("m9"))
    with store.database.writer.begin() as connection:
        connection.execute(text("UPDATE hold_bodies SET sealed = :s"), {"s": sealed})
        connection.execute(update(holds).values(sha256=hashlib.sha256(raw).hexdigest()))


async def test_an_edit_between_review_and_release_goes_nowhere(store, rows):
    await held_and_approved(store, rows)
    resealed(store, b"Subject: access\r\n\r\nPay this instead.\r\n")
    claim = await store.claim_next("me", 60, rows.now)
    with pytest.raises(CannotRelease, match="not the one that was judged"):
        make_ready(claim.hold)
    assert any("not the one that was judged" in line["words"] for line in store.proof() if line["kind"] == "stray")


async def test_nor_when_the_entry_is_edited_with_it(store, rows):
    await held_and_approved(store, rows)
    raw = b"Subject: access\r\n\r\nPay this instead.\r\n"
    resealed(store, raw)
    with store.database.writer.begin() as connection:
        connection.execute(update(audit_rows).values(sha256=hashlib.sha256(raw).hexdigest()))
    claim = await store.claim_next("me", 60, rows.now)
    with pytest.raises(CannotRelease, match="an entry in the log that was changed"):
        make_ready(claim.hold)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rcpt_to": ["<mallory@evil.example>"]}, "would go to others"),
        ({"fix": {"add_cc": [{"address": "mallory@evil.example"}], "possible": True}}, "would be shown to others"),
        ({"mail_from": b"<mallory@evil.example>"}, "is not as it was held"),
        ({"rcpt_to": ["<carol@acme.example>", "<\xff@acme.example>"]}, "is not as it was held"),  # NOTIFY=NEVER is gone
        ({"body_type": {"received": "X: y\r\n\r\nPay this.\r\n"}}, "is not as it was held"),  # it goes in front
        ({"action": "send"}, "in another way than was approved"),
        ({"approved_by": "mallory@evil.example"}, "by somebody else's word"),
        ({"action": "amend", "plan": {"words": "Pay.", "fix": False, "sha256": "0" * 64}}, "in another way"),
    ],
)
async def test_nor_does_another_envelope_or_plan(store, rows, values, words):
    await held_and_approved(store, rows)
    with store.database.writer.begin() as connection:
        connection.execute(update(holds).values(**values))
    claim = await store.claim_next("me", 60, rows.now)
    with pytest.raises(CannotRelease, match=words):
        make_ready(claim.hold)


async def test_nor_do_other_words_or_a_forged_approval(store, rows):
    await store.hold(rows.hold("m9"), rows.entry("m9"), [])
    plan = {"words": "Because.", "fix": False, "sha256": "a" * 64}
    await store.approve("m9", "amend", "boss@acme.example", now=rows.now, plan=plan)
    with store.database.writer.begin() as connection:
        connection.execute(update(holds).values(plan=plan | {"words": "Pay.", "sha256": "b" * 64}))
        connection.execute(text("UPDATE audit_events SET detail = :d WHERE outcome = 'plan'"), {"d": "b" * 64})
    claim = await store.claim_next("me", 60, rows.now)
    with pytest.raises(CannotRelease, match="other words than were approved"):
        make_ready(claim.hold)


async def test_holds_from_before_there_was_a_digest_go_out(store, rows):
    await held_and_approved(store, rows)
    change(
        store,
        "DELETE FROM audit_events WHERE outcome = 'bound'",
        "DELETE FROM log_links",
        "DELETE FROM log_heads",
        "UPDATE audit SET seq = NULL",
        "UPDATE audit_events SET seq = NULL",
    )
    store._writer.run_now(lambda connection: chains.adopt(connection, store.run_id))
    with store.database.reader.connect() as connection:
        row = connection.execute(select(holds)).one()
        assert "is not as it was held: its envelope, its fix or who may settle it was changed" not in unsound(
            connection, row
        )


async def test_what_nobody_approved_goes_nowhere(store, rows):
    await store.hold(rows.hold("m9"), rows.entry("m9"), [])
    with store.database.writer.begin() as connection:
        connection.execute(update(holds).values(state="approved", action="send", next_try=rows.now))
    claim = await store.claim_next("me", 60, rows.now)
    with pytest.raises(CannotRelease, match="nobody approved it"):
        make_ready(claim.hold)


async def test_honest_mail_goes_out(store, rows):
    await held_and_approved(store, rows)
    claim = await store.claim_next("me", 60, rows.now)
    assert claim.hold.unsound == () and b"Cc: Mary <mary@acme.example>" in make_ready(claim.hold).raw


# --- the export alone -------------------------------------------------------------------------------------------------


def verify_alone(store: Any, points: list[Any], folder: Path, edit: Any = lambda lines: lines) -> tuple[int, str]:
    lines = edit([json.loads(json.dumps(line)) for line in store.proof()])
    (folder / "kept.jsonl").write_text("".join(json.dumps(point) + "\n" for point in points))
    (folder / "export.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return alone("--checkpoints", "kept.jsonl", "export.jsonl", folder=folder)


def _swap(lines: list[Any]) -> list[Any]:
    lines[1], lines[3] = lines[3], lines[1]
    return lines


def _change(**values: Any) -> Any:
    return lambda lines: [lines[0], lines[1] | values, *lines[2:]]


def _lie(lines: list[Any]) -> list[Any]:
    payload = lines[1]["payload"] | {"reason": "none"}
    return [lines[0], lines[1] | {"payload": payload, "left_out": True}, *lines[2:]]


EXPORTS = {
    "an entry is edited": (_change(payload={"reason": "none"}), "edited"),
    "an entry said to be left out is edited": (_lie, "edited"),
    "an entry is deleted": (lambda lines: [lines[0], *lines[2:]], "removed"),
    "the end is cut off": (lambda lines: lines[:-1], "truncated"),
    "two entries are swapped": (_swap, "removed"),
    "an entry is there twice": (lambda lines: [*lines[:2], *lines[1:]], "removed"),
    "an entry is put in": (lambda lines: [*lines, lines[-1] | {"seq": 7}], "edited"),
    "another gateway's name": (lambda lines: [lines[0] | {"instance": "0" * 32}, *lines[1:]], "foreign"),
    "a payload is gone": (_change(payload=None, salt=None), "missing"),
    "more than an entry has": (_change(remark="approved by the board"), "stray"),
    "nothing is left": (lambda lines: [], "truncated"),
}


@pytest.mark.parametrize("name", EXPORTS)
async def test_an_export_that_was_edited_is_seen_by_the_file_alone(sqlite_store, rows, tmp_path: Path, name):
    await three_mails(sqlite_store, rows)
    points = [checkpoint(sqlite_store, rows)]
    assert verify_alone(sqlite_store, points, tmp_path)[0] == 0
    edit, kind = EXPORTS[name]
    code, said = verify_alone(sqlite_store, points, tmp_path, edit)
    assert code == 1 and any(line.startswith(kind) for line in said.splitlines()), said


async def test_entries_from_before_links_are_linked_by_the_upgrade(url, open_store, rows):
    store = open_store(url)
    await three_mails(store, rows)
    change(
        store,
        "DELETE FROM log_links",
        "DELETE FROM log_heads",
        "UPDATE audit SET seq = NULL",
        "UPDATE audit_events SET seq = NULL",
    )
    assert checked(store, []) == ["stray"]
    store._writer.run_now(lambda connection: chains.adopt(connection, store.run_id))
    assert checked(store, []) == []
    change(store, "UPDATE audit_events SET origin = 'console' WHERE mail_id = 'm1'")
    assert checked(store, []) == ["stray"]
    change(store, "UPDATE audit_events SET origin = ''")
    with store.database.reader.connect() as connection:
        assert len(connection.execute(select(log_links)).all()) == 6
    await store.outcome("m1", "released")
    assert checked(store, []) == []


async def test_a_changed_entry_is_not_bound(store, rows):
    await store.intend(dataclasses.replace(rows.entry("m1"), subject="Re: \x00\ud800 " + "x" * 2000))
    with store.database.reader.connect() as connection:
        row = connection.execute(select(audit_rows)).one()
        assert chains.is_bound(connection, row)
    change(store, "UPDATE audit SET reason = 'none'")
    with store.database.reader.connect() as connection:
        assert not chains.is_bound(connection, connection.execute(select(audit_rows)).one())
