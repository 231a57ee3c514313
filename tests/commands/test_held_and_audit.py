"""`held` and `audit` on a store with one held mail and one in doubt."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway import cli
from gateway.settings_file import load_settings
from gateway.store.crypto import load_or_create_key
from gateway.store.records import AuditEntry, NewHold
from gateway.store.store import Store

from .conftest import Run

NOW = datetime(2025, 6, 2, 8, 0, tzinfo=UTC)
RAW = b"From: Dana Cole <dana.cole@acme.example>\r\nSubject: Fwd: VPN\r\n\r\nYours, please.\r\n"


def entry(id: str, subject: str) -> AuditEntry:
    finding = {
        "policy": "dropped-requester",
        "why": "Fiona asked and is not in the mail.",
        "evidence": [{"text": "Yours, please.", "part": "1", "start": 0, "end": 14}],
        "mode": "enforce",
    }
    return AuditEntry(
        id=id,
        at=NOW,
        listener="smtp",
        peer="127.0.0.1",
        agent="dana.cole@acme.example",
        team="it-support",
        requester="fiona.walsh@acme.example",
        requester_grade="quoted",
        mail_from="dana.cole@acme.example",
        rcpt_to=("network-team@acme.example",),
        message_id="<fwd@acme.example>",
        subject=subject,
        size=len(RAW),
        sha256=hashlib.sha256(RAW).hexdigest(),
        lang="en",
        disposition="hold",
        reason="dropped-requester: Fiona asked and is not in the mail.",
        policy_version="0123456789abcdef",
        findings=(finding,),
        add_cc=("fiona.walsh@acme.example",),
    )


def hold(id: str, *, possible: bool) -> NewHold:
    return NewHold(
        id=id,
        at=NOW,
        agent="dana.cole@acme.example",
        raw=RAW,
        sha256=hashlib.sha256(RAW).hexdigest(),
        mail_from=b"<dana.cole@acme.example>",
        rcpt_to=(b"<network-team@acme.example> NOTIFY=FAILURE",),
        fix={
            "add_cc": [{"address": "fiona.walsh@acme.example", "name": "Fiona Walsh"}],
            "possible": possible,
            "why_not": "" if possible else "the mail is signed",
        },
        token_hash=hashlib.sha256(id.encode()).hexdigest(),
        may_settle=("dana.cole@acme.example", "priya.raman@acme.example"),
        deadline=NOW + timedelta(hours=8),
    )


@pytest.fixture
def store(home: Path) -> Store:
    """The store that the commands find in this test's home: AAA1 can be fixed, BBB2 cannot, CCC3 is in doubt."""
    settings = load_settings()
    key = load_or_create_key(settings.key_file, state=settings.state)
    store = Store.open(settings.database_url, key, clock=lambda: NOW)
    store.upgrade()

    async def fill() -> None:
        for id, possible in (("AAA1", True), ("BBB2", False), ("CCC3", True)):
            await store.hold(hold(id, possible=possible), entry(id, f"Fwd: VPN \x1b[31m{id}"), [])
        await store.approve("CCC3", "send", "dana.cole@acme.example", "she knows", now=NOW)
        claim = await store.claim("CCC3", "worker", 60, NOW)
        assert claim is not None
        await store.mark_dot(claim)
        await store.finish(claim, "in-doubt", "the reply was lost", "in-doubt")

    asyncio.run(fill())
    return store


def state(store: Store, id: str) -> tuple[str, str | None, str, str]:
    found = asyncio.run(store.held(id))
    assert found is not None
    return found.state, found.action, found.approved_by, found.why


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("held-list", ["held", "list"]),
        ("held-show", ["held", "show", "AAA"]),
        ("held-show-no-fix", ["held", "show", "BBB2"]),
        ("audit-list", ["audit", "list"]),
        ("audit-show", ["audit", "show", "CCC3"]),
    ],
)
def test_what_people_see(
    name: str, words: list[str], store: Store, run: Run, pinned: Callable[[str, str], None]
) -> None:
    ran = run(*words)
    assert (ran.code, ran.err) == (0, "") and "\x1b" not in ran.out
    pinned(name, ran.out)


def test_json(store: Store, run: Run) -> None:
    held = [json.loads(line) for line in run("held", "list", "--json").out.splitlines()]
    assert [(each["id"], each["state"]) for each in held] == [("AAA1", "held"), ("BBB2", "held"), ("CCC3", "in-doubt")]
    assert held[0]["rcpt_to"] == ["network-team@acme.example"] and held[0]["at"] == "2025-06-02T08:00:00+00:00"
    shown = json.loads(run("held", "show", "AAA1", "--json").out)
    assert shown["findings"][0]["policy"] == "dropped-requester"
    audit = json.loads(run("audit", "show", "CCC3", "--json").out)
    assert audit["outcome"] == "in-doubt" and audit["history"][-1]["detail"] == "the reply was lost"
    assert [json.loads(line)["id"] for line in run("audit", "list", "--json", "--limit", "1").out.splitlines()]


def test_a_mail_is_shown_octet_for_octet(store: Store, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["held", "show", "AAA1", "--raw"])
    assert capfdbinary.readouterr().out == RAW


def test_filters(store: Store, run: Run) -> None:
    assert run("held", "list", "--state-is", "in-doubt").out.count("CCC3") == 2
    assert run("held", "list", "--agent", "tom.becker@acme.example").out == "nothing fits\n"
    assert run("audit", "list", "--policy", "bare-refusal").out == "no mail fits\n"
    assert run("audit", "list", "--since", "2025-06-03").out == "no mail fits\n"
    assert "AAA1" in run("audit", "list", "--until", "2025-06-03", "--agent", "@acme.example").out


def test_release_with_the_fix(store: Store, run: Run) -> None:
    ran = run("held", "release", "AAA1", "--fix", "--by", "priya")
    assert (ran.code, ran.out) == (0, "AAA1 goes out with the fix\n")
    assert state(store, "AAA1") == ("approved", "fix", "priya", "")


def test_without_the_key_of_serve_nothing_is_written(store: Store, run: Run) -> None:
    """Its acknowledgement, sealed with another key, could be sent by nobody."""
    key = load_settings().key_file
    mine = key.with_name("mine")
    key.rename(mine)
    ran = run("held", "release", "AAA1", "--fix", "--by", "priya")
    assert ran.code == 2 and ran.err.startswith(f"the key is not there: {key}. Name the one of serve")
    assert not key.exists(), "none is made by looking"
    load_or_create_key(key)
    ran = run("held", "release", "AAA1", "--fix", "--by", "priya")
    assert ran.code == 2 and "this database was written with another key" in ran.err
    assert state(store, "AAA1")[0] == "held"
    mine.replace(key)
    assert run("held", "release", "AAA1", "--fix", "--by", "priya").code == 0


def test_release_as_it_is_keeps_the_reason(store: Store, run: Run) -> None:
    assert run("held", "release", "BBB2", "--as-it-is", "--why", "she\nasked so").code == 0
    assert state(store, "BBB2") == ("approved", "send", "ada (command line)", "she asked so")
    again = run("held", "discard", "BBB2", "--why", "late")
    assert (again.code, again.err) == (2, "BBB2 is approved already by ada (command line)\n")


def test_discard_tells_the_sender(store: Store, run: Run) -> None:
    assert run("held", "discard", "AAA1", "--why", "sent anew").out == "AAA1 is discarded\n"
    assert state(store, "AAA1")[0] == "discarded"
    assert store.outbox_count()["waiting"] == 1


def test_a_discarded_mail_can_be_sent_while_it_is_there(store: Store, run: Run) -> None:
    for id in ("AAA1", "BBB2"):
        assert run("held", "discard", id, "--why", "sent anew").code == 0
    assert run("held", "release", "AAA1", "--as-it-is", "--why", "he asks again").out == "AAA1 goes out as it is\n"
    assert state(store, "AAA1")[:2] == ("approved", "send")
    asyncio.run(store.erase_discarded(datetime.now(UTC) + timedelta(days=1)))
    gone = run("held", "release", "BBB2", "--as-it-is", "--why", "he asks again")
    assert (gone.code, gone.err) == (2, "BBB2 cannot be sent: its octets are erased\n")
    assert state(store, "BBB2")[0] == "discarded" and state(store, "AAA1")[0] == "approved"


def test_a_mail_in_doubt_that_waits_again_is_told_of(store: Store, run: Run) -> None:
    before = store.outbox_count().get("waiting", 0)
    assert run("held", "release", "CCC3", "--again", "--why", "in no log").out == "CCC3 is held now\n"
    assert store.outbox_count()["waiting"] == before + 1


def test_a_mail_in_doubt_is_settled_by_a_person(store: Store, run: Run) -> None:
    ran = run("held", "release", "CCC3", "--arrived", "--why", "Bob has it")
    assert (ran.code, ran.out) == (0, "CCC3 is released now\n")
    assert run("held", "release", "AAA1", "--again", "--why", "x").err == (
        "AAA1 is held, not in doubt\n  Write: --fix or --as-it-is\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["held", "show", "ZZZ"], "no held mail has an id that begins with ZZZ\n  Write: referral-gateway held list\n"),
        (
            ["audit", "show", "ZZZ"],
            "no audit entry has an id that begins with ZZZ\n  Write: referral-gateway audit list\n",
        ),
        (
            ["held", "release", "AAA1"],
            "how shall it go?\n  Write: one of --fix, --as-it-is, or, for a mail in doubt, --again or --arrived\n",
        ),
        (["held", "release", "AAA1", "--as-it-is"], 'this needs a reason\n  Write: --why "…"\n'),
        (
            ["held", "release", "BBB2", "--fix"],
            'there is no fix for this mail: the mail is signed\n  Write: --as-it-is --why "…"\n',
        ),
        (
            ["held", "list", "--state-is", "gone"],
            '"gone" is no state of a held mail\n'
            "  Write: held or approved or releasing or released or discarded or in-doubt\n",
        ),
        (
            ["audit", "list", "--since", "yesterday"],
            '--since: "yesterday" is no date\n  Write: a date like 2026-11-30, or a time like 2026-11-30T08:30\n',
        ),
    ],
)
def test_wrong_arguments(words: list[str], said: str, store: Store, run: Run) -> None:
    ran = run(*words)
    assert (ran.code, ran.err, ran.out) == (2, said, "")


def test_without_a_database_the_state_folder_is_asked_for(run: Run, tmp_path: Path) -> None:
    ran = run("held", "list", "--state", tmp_path / "none")
    assert ran.code == 2 and ran.err.startswith(f"there is no database in {tmp_path}/none\n  Write: --state")


def test_db_upgrade_makes_the_database(run: Run, tmp_path: Path) -> None:
    ran = run("db", "upgrade", "--state", tmp_path / "s")
    assert ran.code == 0 and ran.out.startswith("the database is at version ")
    assert run("held", "list", "--state", tmp_path / "s").out == "nothing waits\n"


def test_what_was_only_observed_is_marked_as_such(store: Store, run: Run) -> None:
    seen = replace(entry("DDD4", "Re: Chair"), findings=({**entry("x", "x").findings[0], "mode": "observe"},))
    asyncio.run(store.intend(seen))
    asyncio.run(store.outcome("DDD4", "passed"))
    assert "Re: Chair  [dropped-requester (observed)]\n" in run("audit", "list").out


def test_a_filter_that_can_fit_nothing_is_an_error(store: Store, run: Run) -> None:
    ran = run("audit", "list", "--outcome", "relesed")
    assert (ran.code, ran.err) == (2, '--outcome: "relesed" is not one of them\n  Write: released\n')
    assert run("audit", "list", "--disposition", "no").code == 2
