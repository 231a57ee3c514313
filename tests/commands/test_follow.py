"""`follow` on a store with one hand-off, one promise that is kept, and what was asked."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.follow.entries import Entry, Trail
from gateway.mail.address import Mailbox
from gateway.settings_file import load_settings
from gateway.store.crypto import load_or_create_key
from gateway.store.store import Store

from .conftest import Run
from .test_held_and_audit import entry as audit_entry

NOW = datetime.now(UTC).replace(microsecond=0)
HANDOFF = Entry(
    id="01JX2Z-h", kind="handoff", at=NOW, mail_id="01JX2Z", agent=Mailbox("dana.cole@acme.example", "Dana Cole"),
    team="it-support", requester=Mailbox("mary@acme.example", "Mary \x1b[31mJones"),
    owners=(Mailbox("bob@acme.example", "Bob Nilsson"),), subject="Fwd: VPN", thread=("<h@x>",),
    due=NOW + timedelta(hours=16), next_at=NOW + timedelta(hours=16),
)  # fmt: skip
KEPT = Entry(
    id="01JX30-p", kind="promise", at=NOW, mail_id="01JX30", agent=HANDOFF.agent, team="it-support",
    requester=HANDOFF.requester, owners=(), subject="Re: Monitor", thread=("<p@x>",), due=NOW, words="by Friday",
    next_at=NOW,
)  # fmt: skip


@pytest.fixture
def state(home: Path) -> Path:
    folder = home / "state"
    settings = load_settings({"state": str(folder)}, {"HOME": str(home / "home")}, None)
    store = Store.open(settings.database_url, load_or_create_key(settings.key_file, state=settings.state))
    store.upgrade()

    async def fill() -> None:
        await store.intend(audit_entry("01JX2Z", "Fwd: VPN"))
        await store.outcome("01JX2Z", "passed", trail=Trail(NOW, (HANDOFF, KEPT)))
        await store.ledger_step(HANDOFF, "asked", NOW + timedelta(hours=32), (), NOW)

    asyncio.run(fill())
    assert store.ledger_close(KEPT, "dana.cole@acme.example", "kept", NOW, "mail")
    store.close_now()
    return folder


def test_list_shows_what_is_open(run: Run, state: Path) -> None:
    said = run("follow", "list", "--state", state)
    assert said.code == 0 and "01JX2Z-h  hand-off" in said.out and "asked" in said.out and "Bob Nilsson" in said.out
    assert "\x1b" not in said.out and "01JX30" not in said.out
    every = [
        json.loads(line) for line in run("follow", "list", "--closed", "--json", "--state", state).out.splitlines()
    ]
    assert {each["id"]: each["state"] for each in every} == {"01JX2Z-h": "asked", "01JX30-p": "closed"}
    assert run("follow", "list", "--kind", "no", "--state", state).code == 2


def test_show_tells_the_history(run: Run, state: Path) -> None:
    said = run("follow", "show", "01JX2Z", "--state", state)
    assert said.code == 0 and "handoff-asked" in said.out and "mary@acme.example" in said.out
    assert run("follow", "show", "zzz", "--state", state).code == 2


def test_close_needs_a_reason_and_is_kept(run: Run, state: Path) -> None:
    assert run("follow", "close", "01JX2Z", "--why", " ", "--state", state).code == 2
    assert run("follow", "close", "01JX2Z", "--why", "Bob rang her", "--state", state).code == 0
    again = run("follow", "close", "01JX2Z", "--why", "once more", "--state", state)
    assert again.code == 2 and "Bob rang her" in again.err
    said = run("follow", "show", "01JX2Z", "--json", "--state", state)
    last = json.loads(said.out)["history"][-1]
    assert (last["what"], last["detail"]) == ("handoff-closed", "Bob rang her") and last["by"].startswith("ada")


def test_report_counts_and_names_no_agent(run: Run, state: Path) -> None:
    said = run("follow", "report", "--state", state)
    assert said.code == 0 and "1 kept" in said.out and "open 1" in said.out and "dana" not in said.out.lower()
    assert json.loads(run("follow", "report", "--json", "--state", state).out)["promise"]["closed"] == {"kept": 1}
