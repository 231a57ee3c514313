"""`person` and `retention` as people run them, and looks at the log that are in the log."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.checkup_log import check_log
from gateway.orders import Order, write_order
from gateway.settings_file import load_settings
from gateway.store.crypto import load_or_create_key
from gateway.store.store import Store
from gateway.store.versions import RuleEvent

from .conftest import Run
from .test_held_and_audit import entry, hold

FIONA = "fiona.walsh@acme.example"
SECRET = {"confidential_recipient": {"value": True, "evidence": [{"text": "hr@acme.example", "part": "h"}]}}


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    settings = load_settings()
    key = load_or_create_key(settings.key_file, state=settings.state)
    store = Store.open(settings.database_url, key)
    store.upgrade()

    async def fill() -> None:
        await store.intend(entry("AAA1", "=HYPERLINK(1)"))
        await store.outcome("AAA1", "passed", "250 2.0.0 Ok")
        await store.intend(replace(entry("BBB2", "Sick leave of Fiona"), facts=SECRET))
        await store.outcome("BBB2", "passed")
        await store.hold(replace(hold("CCC3", possible=True), told={"confidential": True}), entry("CCC3", "Pay"), [])
        await store.discard("CCC3", "dana.cole@acme.example", "mine")

    asyncio.run(fill())
    yield store
    store.close_now()


def events(store: Store, subject: str) -> list[tuple[str, str, str]]:
    return [(what, detail, by) for _, what, detail, by in store.history_of(subject)]


def test_erase_says_what_went_and_proves_it(run: Run, store: Store) -> None:
    folder = load_settings().state
    write_order(folder, Order("o1", datetime.now(UTC), None, "for a test", FIONA))
    dry = run("person", "erase", FIONA, "--why", "request", "--dry-run")
    assert dry.code == 0 and dry.out.startswith("3 mails")
    said = run("person", "erase", FIONA, "--name", "Fiona Walsh", "--why", "request of 30 November")
    assert said.code == 0, said.err
    assert said.out.startswith("3 mails") and "receipt " in said.out and "backups" in said.out
    assert all(FIONA.encode() not in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    verified = run("audit", "verify")
    assert verified.code == 0 and "by ada (command line): request of 30 November" in verified.out
    assert run("person", "export", FIONA).err == f"nothing is kept about {FIONA}\n"
    again = run("person", "erase", FIONA, "--why", "request")
    assert again.code == 0 and again.out.startswith("nothing was kept")


def test_what_cannot_be_erased_is_named(run: Run, store: Store) -> None:
    (load_settings().state / "notes.txt").write_text(f"ask {FIONA}")
    said = run("person", "erase", FIONA, "--why", "request")
    assert said.code == 1 and "still named in " in said.out and "notes.txt" in said.out


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("erase", "fiona", "--why", "x"), '"fiona" is no address'),
        (("erase", FIONA, "--why", " "), "needs a reason"),
        (("erase", FIONA, "--why", f"{FIONA} asked"), "must not name the person"),
        (("erase", FIONA, "--why", "x", "--by", FIONA), "must not name the person"),
        (("hold", FIONA, "--why", " "), "needs a reason"),
        (("lift", FIONA, "--why", "x"), "under no legal hold"),
        (("export", "a b@x"), "is no address"),
    ],
)
def test_bad_input(run: Run, store: Store, words: tuple[str, ...], wrong: str) -> None:
    said = run("person", *words)
    assert said.code == 2 and wrong in said.err


def test_a_legal_hold_from_beginning_to_end(run: Run, store: Store) -> None:
    assert run("person", "holds").out == "no legal hold stands\n"
    assert run("person", "hold", FIONA, "--why", "case 7").code == 0
    assert "already" in run("person", "hold", FIONA, "--why", "case 7").err
    refused = run("person", "erase", FIONA, "--why", "request")
    assert refused.code == 2 and "case 7" in refused.err and f"person lift {FIONA}" in refused.err
    assert json.loads(run("person", "holds", "--json").out)["address"] == FIONA
    assert run("person", "lift", FIONA, "--why", "over").code == 0
    assert run("person", "erase", FIONA, "--why", "request").code == 0


def test_mail_that_waits_comes_first(run: Run, store: Store) -> None:
    asyncio.run(store.hold(replace(hold("DDD4", possible=True)), entry("DDD4", "x"), []))
    said = run("person", "erase", FIONA, "--why", "request")
    assert said.code == 2 and "1 mails of theirs still wait: DDD4" in said.err


def test_export_gives_it_all_with_pseudonyms_for_others(run: Run, store: Store) -> None:
    said = [json.loads(line) for line in run("person", "export", FIONA).out.splitlines()]
    assert [row["kept"] for row in said] == ["judged mail", "judged mail", "judged mail", "held mail"]
    assert said[0]["agent"] == "dana.cole@acme.example"
    veiled = run("person", "export", FIONA, "--hide-others").out
    assert "dana.cole" not in veiled and FIONA in veiled and "person-" in veiled
    assert "mail" in json.loads(run("person", "export", FIONA, "--with-mail").out.splitlines()[3])
    assert [what for what, detail, _ in events(store, "log") if FIONA in detail] == ["exported"] * 3


def test_retention_shows_and_does(run: Run, store: Store) -> None:
    shown = run("retention", "show")
    assert shown.code == 0 and "keep_log          365 days" in shown.out
    gone = run("retention", "apply")
    assert gone.code == 0 and gone.out.startswith("erased 3 entries of the log"), "they are of June 2025"
    assert run("audit", "list").out == "no mail fits\n"
    assert run("retention", "apply").out == "nothing is older than it is kept\n"
    assert run("audit", "verify").code == 0


# --- looks ------------------------------------------------------------------------------------------------------------


def test_every_look_is_in_the_log(run: Run, store: Store) -> None:
    run("audit", "list", "--agent", "@acme.example")
    run("audit", "show", "AAA1", "--why", "a complaint")
    run("held", "show", "CCC3")
    run("held", "show", "CCC3", "--confidential", "--why", "the works council asks", "--raw")
    assert ("viewed", "entry: a complaint", "ada (command line)") in events(store, "AAA1")
    assert ("listed", "3 entries; agent @acme.example", "ada (command line)") in events(store, "log")
    assert [each[:2] for each in events(store, "CCC3")][-2:] == [
        ("view-refused", "hold"), ("viewed", "mail, confidential: the works council asks"),
    ]  # fmt: skip
    with sqlite3.connect(load_settings().state / "gateway.db") as database:
        places = set(database.execute("SELECT origin FROM audit_events WHERE outcome IN ('viewed', 'listed')"))
    assert len(places) == 1 and places.pop()[0].startswith("command on ")
    assert run("audit", "show", "log").code == 0


def test_words_of_confidential_mail_are_for_its_circle(run: Run, store: Store) -> None:
    for words in (("audit", "list"), ("audit", "list", "--json"), ("audit", "show", "BBB2"), ("audit", "export")):
        said = run(*words)
        assert said.code == 0 and "Sick leave" not in said.out and "hr@acme" not in said.out, words
    assert run("audit", "show", "BBB2", "--confidential").code == 2
    assert "Sick leave" in run("audit", "show", "BBB2", "--confidential", "--why", "asked by Fiona").out
    refused = run("held", "show", "CCC3")
    assert refused.code == 2 and "it is for dana.cole@acme.example, priya.raman@acme.example" in refused.err
    assert run("audit", "export", "--confidential").code == 2
    assert "Sick leave" in run("audit", "export", "--confidential", "--why", "the court asks").out


# --- export -----------------------------------------------------------------------------------------------------------


def test_nothing_is_a_clear_answer(run: Run, store: Store) -> None:
    for form in ("jsonl", "csv", "ecs", "syslog"):
        said = run("audit", "export", "--form", form, "--team", "nobody", "--disposition", "reject")
        assert (said.code, said.out) == (0, "")
        assert said.err == "nothing in the log fits: disposition reject, team nobody\n"


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("--form", "josnl"), "jsonl"),
        (("--disposition", "hodl"), "hold"),
        (("--outcome", "pased"), "passed"),
        (("--since", "yesterday"), "a date like"),
        (("--since", "2026-02-02", "--until", "2026-01-01"), "--since is not before --until"),
        (("--person", "fiona"), "the whole address"),
        (("--proof", "--pseudonyms"), "--proof or --pseudonyms"),
    ],
)
def test_a_wrong_filter_says_what_to_write(run: Run, store: Store, words: tuple[str, ...], wrong: str) -> None:
    said = run("audit", "export", *words)
    assert said.code == 2 and wrong in said.err and said.out == ""


def test_a_csv_that_no_spreadsheet_runs(run: Run, store: Store) -> None:
    said = run("audit", "export", "--form", "csv").out.splitlines()
    assert said[0].startswith('"time","kind","what"')
    assert '"\'=HYPERLINK(1)"' in said[1]


def test_a_proof_with_filters_leaves_the_rest_out_and_still_verifies(run: Run, store: Store, tmp_path: Path) -> None:
    from gateway.chain import verifier

    (tmp_path / "kept").write_text(run("audit", "checkpoint").out)
    key = run("audit", "key").out.strip()
    (tmp_path / "export").write_text(run("audit", "export", "--proof", "--subject", "hyper").out)
    assert "HYPERLINK" in (tmp_path / "export").read_text() and "Sick" not in (tmp_path / "export").read_text()
    assert verifier.main(["--key", key, "--checkpoints", str(tmp_path / "kept"), str(tmp_path / "export")]) == 0


def test_keys_rotate_by_command(run: Run, store: Store, tmp_path: Path) -> None:
    old = run("audit", "key").out.strip()
    assert run("audit", "checkpoint").code == 0
    assert run("audit", "rotate-key", "--why", " ").code == 2
    said = run("audit", "rotate-key", "--why", "every year", "--by", "ada")
    new = run("audit", "key").out.strip()
    assert said.code == 0 and new in said.out and new != old
    assert run("audit", "verify", "--key", old).code == 0
    assert "unsigned" in run("audit", "verify", "--key", new).out
    lost = run("audit", "rotate-key", "--lost", "--why", "the disk died")
    last = run("audit", "key").out.strip()
    assert lost.code == 0 and "both keys" in lost.out
    assert run("audit", "verify", "--key", old).code == 1
    assert run("audit", "verify", "--key", old, "--key", last).code == 0
    assert {what for what, *_ in events(store, "log")} >= {"key-rotated", "key-replaced", "key-in-use", "verified"}


def test_doctor_looks_at_the_checkpoints(run: Run, store: Store, tmp_path: Path) -> None:
    def state(**flags: str) -> tuple[str, str]:
        [check] = check_log(load_settings(flags), datetime.now(UTC))
        return check.state, check.found

    file = tmp_path / "kept.jsonl"
    assert state()[0] == "warn" and "this database" in state()[1]
    assert state(checkpoint_file=str(file)) == ("warn", "none was made yet")
    assert run("audit", "checkpoint", "--checkpoint-file", file).code == 0
    assert len(file.read_text().splitlines()) == 1
    assert state(checkpoint_file=str(file))[0] == "ok"
    store.log_now("gateway", "started")
    assert state(checkpoint_file=str(file))[0] == "ok"
    [late] = check_log(load_settings({"checkpoint_file": str(file)}), datetime.now(UTC) + timedelta(hours=2))
    assert late.state == "warn" and late.found.startswith("the newest is number 1")
    file.write_text(file.read_text().replace('"n": 1', '"n": 7'))
    assert state(checkpoint_file=str(file))[0] == "bad"
    said = run("audit", "checkpoint", "--checkpoint-file", file)
    assert said.code == 3 and "an older database was put back" in said.err


def test_what_happened_to_the_rules_and_to_the_log_is_shown(run: Run, store: Store) -> None:
    now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    event = RuleEvent(now, "in-force", "start", by="", version="v1", tree="t")
    store.keep_version_now(None, event)
    assert run("person", "erase", FIONA, "--why", "request of 30 November").code == 0
    rules, log = run("audit", "show", "rules"), run("audit", "show", "log")
    assert rules.code == 0 and "in-force: start; nothing -> v1" in rules.out
    assert log.code == 0 and "erasure" in log.out and "request of 30 November" in log.out
    assert run("audit", "show", "rules", "--json").out.startswith('{"id": "rules", "history": [{"at":')


def test_a_table_beside_the_log_that_was_edited_is_told(run: Run, store: Store) -> None:
    assert run("audit", "verify").code == 0
    with sqlite3.connect(str(store.database.file)) as database:
        database.execute("UPDATE tokens SET used_at = NULL, dead_at = NULL")
    told = run("audit", "verify")
    assert told.code == 1 and "a token of CCC3 works, and the mail was settled after it was given out" in told.out
