"""An auditor keeps the key and the checkpoints, and sees what is done to the log afterwards."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

from gateway.chain import verifier

from .conftest import Run
from .test_follow import state

__all__ = ["state"]


def test_an_honest_log_and_one_that_was_changed(run: Run, state: Path) -> None:
    key = run("audit", "key", "--state", state).out.strip()
    assert len(bytes.fromhex(key)) == 32 and run("audit", "key", "--state", state).out.strip() == key
    bare = run("audit", "verify", "--state", state)
    assert bare.code == 0 and "no checkpoint" in bare.out
    kept = run("audit", "checkpoint", "--state", state)
    assert json.loads(kept.out)["key"] == key and run("audit", "checkpoint", "--state", state).out == ""
    (state.parent / "kept.jsonl").write_text(kept.out)
    words = ("audit", "verify", "--state", state, "--checkpoints", state.parent / "kept.jsonl", "--key", key)
    found = run(*words)  # with the check before the checkpoint, which the log has too
    assert found.code == 0
    assert found.out.startswith("7 entries, 0 erased, 0 left out, 0 newer than the last checkpoint")

    export = run("audit", "export", "--proof", "--state", state)
    (state.parent / "export.jsonl").write_text(export.out)
    command = [sys.executable, "-I", verifier.__file__, "--key", key, "--checkpoints", "kept.jsonl", "export.jsonl"]
    done = subprocess.run(command, cwd=state.parent, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "nothing wrong" in done.stdout

    with sqlite3.connect(state / "gateway.db") as database:
        database.execute("UPDATE audit SET reason = 'nothing to see'")
    changed = run(*words)
    assert changed.code == 1 and "what the entry says was changed" in changed.out


def test_checkpoints_of_somebody_with_the_database_and_without_the_key(run: Run, state: Path, home: Path) -> None:
    """They make all of it anew under a key of their own: the key at hand is another."""
    run("audit", "checkpoint", "--state", state)
    key = home / "home" / ".config" / "referral-gateway" / "checkpoint.key"
    ours = key.read_bytes()
    with sqlite3.connect(state / "gateway.db") as database:
        database.execute("DELETE FROM checkpoints")
        database.execute("UPDATE log_heads SET covered = 0")
    key.write_bytes(b"k" * 32)
    run("audit", "checkpoint", "--state", state)
    key.write_bytes(ours)
    said = run("audit", "verify", "--state", state)
    assert said.code == 1 and "not signed with the key at hand" in said.out


def test_a_file_that_is_no_checkpoint_is_named(run: Run, state: Path) -> None:
    (state.parent / "kept.jsonl").write_text("no\n")
    said = run("audit", "verify", "--state", state, "--checkpoints", state.parent / "kept.jsonl")
    assert said.code == 2 and "kept.jsonl:1: not JSON" in said.err
