"""Links under the audit: whatever is done to the rows afterwards is seen, from an export and kept checkpoints alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.chain import verifier
from gateway.chain.checkpoints import Signer
from gateway.store import chains, witness

SIGNER = Signer(bytes(range(32)))
KEY = SIGNER.public


async def three_mails(store: Any, rows: Any) -> None:
    for number in (1, 2, 3):
        await store.intend(rows.entry(f"m{number}"))
        await store.outcome(f"m{number}", "passed", "250 2.0.0 Taken")


def checkpoint(store: Any, rows: Any) -> Any:
    return store._writer.run_now(lambda connection: witness.make(connection, SIGNER))


def checked(store: Any, points: list[Any], key: str = KEY) -> list[str]:
    """The kinds of what is found, by way of JSON as an export has it."""
    check = verifier.Check()
    check.checkpoints(json.loads(json.dumps(points)), [bytes.fromhex(key)])
    for line in store.proof():
        check.line(json.loads(json.dumps(line)))
    check.end()
    return sorted({kind for kind, _ in check.findings})


def change(store: Any, *statements: str) -> None:
    with store.database.writer.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


async def test_an_honest_log_has_no_findings(store, rows):
    await three_mails(store, rows)
    points = [checkpoint(store, rows)]
    assert checkpoint(store, rows) is None, "nothing new, no checkpoint"
    await store.intend(rows.entry("m4"))
    points.append(checkpoint(store, rows))
    await store.hold(rows.hold("m5"), rows.entry("m5"), [])
    assert checked(store, points) == []


TAMPERING = {
    "an entry is edited": (["UPDATE audit SET reason = 'none' WHERE id = 'm2'"], ["edited"]),
    "a fact is edited": (["UPDATE audit SET facts = '{}' WHERE id = 'm2'"], ["edited"]),
    "an event is edited": (["UPDATE audit_events SET detail = 'x' WHERE mail_id = 'm2'"], ["edited"]),
    "who did it is edited": (["UPDATE audit_events SET \"by\" = 'x' WHERE mail_id = 'm1'"], ["edited"]),
    "a time is edited": (["UPDATE audit SET at = '2026-01-01 00:00:00' WHERE id = 'm2'"], ["edited"]),
    "an entry is deleted": (["DELETE FROM audit_events WHERE mail_id = 'm2'"], ["missing"]),
    "a salt is deleted too": (
        ["DELETE FROM audit_events WHERE mail_id = 'm2'", "UPDATE log_links SET salt = NULL WHERE seq = 4"],
        ["missing"],
    ),
    "entry and link are deleted": (
        ["DELETE FROM audit_events WHERE mail_id = 'm2'", "DELETE FROM log_links WHERE seq = 4"],
        ["removed"],
    ),
    "the end is cut off": (
        ["DELETE FROM audit_events WHERE mail_id = 'm3'", "DELETE FROM log_links WHERE seq = 6"],
        ["truncated"],
    ),
    "everything is deleted": (["DELETE FROM log_links"], ["truncated"]),
    "two entries are swapped": (
        [
            "UPDATE audit SET seq = 99 WHERE id = 'm1'",
            "UPDATE audit SET seq = 1 WHERE id = 'm2'",
            "UPDATE audit SET seq = 3 WHERE id = 'm1'",
        ],
        ["edited"],
    ),
    "a link is edited": (["UPDATE log_links SET at = '2026-01-01T00:00:00.000000+00:00' WHERE seq = 3"], ["edited"]),
}


@pytest.mark.parametrize("name", TAMPERING)
async def test_tampering_is_seen(store, rows, name):
    await three_mails(store, rows)
    points = [checkpoint(store, rows)]
    statements, kinds = TAMPERING[name]
    change(store, *statements)
    assert set(kinds) <= set(found := checked(store, points)), found


async def test_a_chain_that_was_made_again_is_not_what_the_checkpoint_saw(store, rows):
    await three_mails(store, rows)
    points = [checkpoint(store, rows)]
    with store.database.writer.begin() as connection:
        connection.execute(text("UPDATE audit SET reason = 'none' WHERE id = 'm2'"))
        links = [link for link in chains.proof(connection) if "seq" in link]
        connection.execute(text("DELETE FROM log_links"))
        connection.execute(text("DELETE FROM log_heads"))
        for link in links:  # as good a forgery as can be made without the key
            row = {name: value for name, value in link["payload"].items() if name != "at"} | {
                "at": datetime.fromisoformat(link["payload"]["at"])
            }
            chains.append(connection, link["chain"], link["kind"], [row])
    assert checked(store, []) == [], "the forgery is well made"
    assert "remade" in checked(store, points)


async def test_an_older_database_that_was_put_back_is_seen(open_store, sqlite_url, tmp_path, rows):
    store = open_store(sqlite_url)
    await three_mails(store, rows)
    points = [checkpoint(store, rows)]
    await store.close()
    shutil.copytree(tmp_path / "state", tmp_path / "saved")
    store = open_store(sqlite_url)
    await store.intend(rows.entry("m4"))
    points.append(checkpoint(store, rows))
    assert checked(store, points) == []
    await store.close()
    shutil.rmtree(tmp_path / "state")
    shutil.copytree(tmp_path / "saved", tmp_path / "state")
    assert checked(open_store(sqlite_url), points) == ["truncated"]


async def test_rows_of_another_gateway_are_seen(open_store, tmp_path, rows):
    ours, theirs = (open_store(f"sqlite:///{tmp_path}/{name}/gateway.db") for name in ("ours", "theirs"))
    for each in (ours, theirs):
        await three_mails(each, rows)
    points = [checkpoint(ours, rows)]
    assert "foreign" in checked(theirs, points)


async def test_checkpoints_are_signed_and_in_their_order(store, rows):
    points = []
    for number in (1, 2, 3):
        await store.intend(rows.entry(f"m{number}"))
        points.append(checkpoint(store, rows))
    assert checked(store, points) == []
    assert checked(store, [points[0], points[2]]) == ["removed"]
    assert checked(store, [points[0] | {"heads": []}, *points[1:]]) == ["unsigned"]
    assert checked(store, points, key=Signer(bytes(32)).public) == ["unsigned"]


async def test_a_new_key_is_believed_when_the_old_one_names_it(store, rows):
    later = Signer(b"k" * 32)
    await store.intend(rows.entry())
    handed_over = store._writer.run_now(lambda c: witness.make(c, SIGNER, next_key=later.public))
    await store.intend(rows.entry("m2"))
    signed = store._writer.run_now(lambda c: witness.make(c, later))
    assert checked(store, [handed_over, signed]) == []
    assert checked(store, [signed]) == ["unsigned"]


async def test_a_clock_that_goes_back_is_seen(store, rows, monkeypatch):
    for back, found in ((0, []), (2, []), (3600, ["clock"])):
        monkeypatch.setattr(chains, "now", lambda back=back: rows.now - timedelta(seconds=back))
        await store.intend(rows.entry(f"m{back}"))
        assert checked(store, []) == found


async def test_chains_of_several_processes_are_joined_by_the_checkpoint(url, open_store, rows):
    one, other = open_store(url), open_store(url)
    await one.intend(rows.entry("m1"))
    await other.intend(rows.entry("m2"))
    await one.outcome("m1", "passed")
    points = [checkpoint(other, rows)]
    assert len(points[0]["heads"]) == 2
    assert checked(one, points) == []
    change(one, f"DELETE FROM log_links WHERE chain = '{other.run_id}'")
    assert checked(one, points) == ["stray", "truncated"]


LEAVES = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@given(words=st.text(max_size=400), value=VALUES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_a_link_binds_is_what_comes_back(words, value, sqlite_store, rows):
    """Whatever mail contains: cut, escaped and decoded on its way, the row that is read is the row that was bound."""
    entry = rows.entry(
        f"m{chains.secrets.token_hex(6)}", subject=words, reason=words * 20, facts={"x": {"value": value}}
    )
    sqlite_store._writer.run_now(lambda c: sqlite_store._insert_entries(c, [entry]))
    assert checked(sqlite_store, []) == []


def alone(*arguments: str, folder: Path) -> tuple[int, str]:
    """The verifier run as an auditor would: one file, nothing of the package within reach."""
    command = [sys.executable, "-I", verifier.__file__, "--key", KEY, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder)
    return done.returncode, done.stdout + done.stderr


async def test_the_verifier_alone_reads_an_export(store, rows, tmp_path: Path):
    await three_mails(store, rows)
    kept, export = tmp_path / "kept.jsonl", tmp_path / "export.jsonl"
    kept.write_text(json.dumps(checkpoint(store, rows)) + "\n")

    def run() -> tuple[int, str]:
        with store.database.reader.connect() as connection:
            export.write_text("".join(json.dumps(line) + "\n" for line in chains.proof(connection)))
        return alone("--checkpoints", str(kept), str(export), folder=tmp_path)

    head = "6 entries, 0 erased, 0 left out, 0 newer than the last checkpoint"
    assert run() == (0, f"{head}, 3 written down over an hour late: nothing wrong\n")
    change(store, "UPDATE audit SET disposition = 'pass' WHERE id = 'm2'")
    code, said = run()
    assert code == 1 and "what the entry says was changed" in said


@pytest.mark.parametrize("text", ["{}\nno\n", "[]\n", '{"hash": 1}\n'])
def test_what_is_no_export_is_named(tmp_path: Path, text):
    (tmp_path / "export.jsonl").write_text(text)
    code, said = alone("export.jsonl", folder=tmp_path)
    assert code == 2 and ("export.jsonl:" in said or "not a log" in said)
