"""The bypass over SMTP: what is there for an emergency works in one, and ends by itself."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway import pipeline
from gateway.mail.message import read_message
from gateway.orders import file_of, new_order, read_order, write_order
from gateway.readers.pool import Readers
from tests.e2e.house import House, house, mail
from tests.e2e.ledgers import until
from tests.e2e.limits import ADMIN, DANA, JILL, Clock, beside, no, words

WHY = "every mail is held since the update"


async def command(gateway: House, *words: str) -> tuple[int, str, str]:
    return await beside(gateway, "bypass", *words)


def is_on(gateway: House) -> Any:
    return gateway.service.bypass.order(gateway.service._clock()) is not None


async def test_on_and_off_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(tmp_path) as gateway:
        code, out, err = await command(gateway, "on", "--for", "2h", "--why", WHY, "--by", "priya")
        assert (code, err) == (0, "") and out.startswith("bypass on until ")
        await until(lambda: is_on(gateway), "the gateway follows", seconds=2)
        assert "bypass on until" in gateway.service.status()

        with monkeypatch.context() as broken:

            def fault(*_: Any, **__: Any) -> Any:
                raise RuntimeError("reading is broken")

            broken.setattr(Readers, "work", fault)
            broken.setattr(pipeline, "read_headers", fault)
            refusal = no()
            assert await gateway.send(DANA, [JILL], refusal) == (250, "2.0.0 Taken")
        [through] = await gateway.wait_to(JILL)
        assert re.fullmatch(rb"Received: from .*\r\n(\t.*\r\n)*" + re.escape(refusal), through.raw)
        await until(lambda: gateway.audit()[0].outcome == "bypassed", "recorded")
        entry = gateway.audit()[0].entry
        assert entry.reason == f"bypass, by priya: {WHY}; passed unread"
        assert (entry.mail_from, entry.rcpt_to, entry.size) == (DANA, (JILL,), len(refusal))
        [told] = await gateway.wait_to(ADMIN)
        assert "priya has let all mail pass until" in words(told.raw) and WHY in words(told.raw)

        code, out, _ = await command(gateway, "status", "--json")
        said = json.loads(out)
        assert said["on"] and said["why"] == WHY and said["by"] == "priya" and said["database"]
        assert (await command(gateway, "off"))[1].startswith("bypass off")
        await until(lambda: not is_on(gateway), "the gateway follows", seconds=2)
        assert "Held" in (await gateway.send(DANA, [JILL], no()))[1]
        _, ended = await gateway.wait_to(ADMIN, 2)
        assert "has ended the bypass" in words(ended.raw)
        assert (await command(gateway, "off"))[1] == "it is off already\n"
        _, out, _ = await beside(gateway, "audit", "show", "bypass", "--json")
        decided = [(event["outcome"], event["by"]) for event in json.loads(out)["history"]]
        assert decided[0] == ("bypass-on", "priya") and [what for what, _ in decided] == ["bypass-on", "bypass-off"]


async def test_it_ends_by_itself_and_is_told_once(tmp_path: Path) -> None:
    clock = Clock()
    async with house(tmp_path, clock=clock) as gateway:
        service = gateway.service
        await service.store.order(new_order(clock(), timedelta(hours=2), WHY, "priya"))
        await service.watch.step()
        assert (await gateway.send(DANA, [JILL], no()))[1] == "2.0.0 Taken"
        clock.move(minutes=119)
        assert (await gateway.send(DANA, [JILL], no()))[1] == "2.0.0 Taken"
        clock.move(minutes=1)
        assert "Held" in (await gateway.send(DANA, [JILL], no()))[1]
        await service.watch.step()
        service.dispatcher.wake()
        notes = [words(each.raw) for each in await gateway.wait_to(ADMIN, 2)]
        assert "has let all mail pass" in notes[0] and "has ended by itself" in notes[1]
    async with house(tmp_path, clock=clock) as gateway:  # after a restart nobody is told again
        await gateway.service.watch.step()
        assert gateway.service.store.outbox_count().get("waiting", 0) == 0


async def test_a_locked_database_does_not_keep_mail_from_passing(tmp_path: Path) -> None:
    async with house(tmp_path) as gateway:
        lock = sqlite3.connect(gateway.state / "gateway.db", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        try:
            code, out, err = await command(gateway, "on", "--for", "1h", "--why", WHY)
            assert code == 0 and out.startswith("bypass on until"), err
            assert "the database cannot be reached" in err and "this machine's gateway alone follows" in err
            await until(lambda: is_on(gateway), "the file is enough", seconds=3)
            for _ in range(5):
                assert (await gateway.send(DANA, [JILL], no()))[0] == 250
            assert len(gateway.to(JILL)) == 5
        finally:
            lock.execute("ROLLBACK")
            lock.close()
        await until(lambda: gateway.service.store.governed_now()[0], "the order is carried over", seconds=10)
        outcomes = [row.outcome for row in gateway.audit()]
        assert (await gateway.send(DANA, [JILL], no()))[0] == 250
        await until(lambda: [row.outcome for row in gateway.audit()][:1] == ["bypassed"], "recorded again")
        assert set(outcomes) <= {"bypassed", "pending"}


async def test_a_database_that_hangs_does_not_hide_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house(tmp_path) as gateway:

        async def hangs(*_: Any, **__: Any) -> Any:
            await asyncio.sleep(60)

        for name in ("governed", "order", "intend", "outcome"):
            monkeypatch.setattr(gateway.service.store, name, hangs)
        now = gateway.service._clock()
        await asyncio.sleep(0.6)  # a look at the store is under way, and never ends
        write_order(gateway.state, new_order(now, timedelta(hours=1), WHY, "priya"))
        await until(lambda: is_on(gateway), "the file is looked at all the same", seconds=2)
        monkeypatch.setattr("gateway.bypass.RECORD_SECONDS", 0.2)
        assert (await gateway.send(DANA, [JILL], no()))[1] == "2.0.0 Taken"
        write_order(gateway.state, new_order(now + timedelta(seconds=1), None, "", "priya"))
        await until(lambda: not is_on(gateway), "and again", seconds=2)


async def test_what_the_gateway_takes_for_itself_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers work as always; a copy for the feed keeps no mail back; inbound mail passes unread."""
    clock = Clock()
    async with house(tmp_path, clock=clock) as gateway:
        await gateway.send(DANA, [JILL], no())
        [notice] = await gateway.wait_to(DANA)
        await gateway.service.store.order(new_order(clock(), timedelta(hours=2), WHY, "priya"))
        await gateway.service.watch.step()
        to = read_message(notice.raw).reply_to[0].address
        said = mail(f"Dana Cole <{DANA}>", to, "Re: Before your mail goes out", "DISCARD\n")
        assert (await gateway.send(DANA, [to], said))[0] == 250
        [hold] = await gateway.service.store.held_list()
        assert hold.state == "discarded"

        async def fault(*_: Any, **__: Any) -> Any:
            raise RuntimeError("reading is broken")

        monkeypatch.setattr(Readers, "work", fault)
        assert (await gateway.send(DANA, [JILL, "journal@gateway.acme.example"], no()))[0] == 250
        [through] = gateway.to(JILL)
        assert all(b"journal" not in argument for argument in through.rcpt_args)
        asked = mail(f"Jill Amory <{JILL}>", "it-support@acme.example", "Monitor", "May I?\n")
        assert (await gateway.send(JILL, ["it-support@acme.example"], asked, port=gateway.tap))[0] == 250


async def test_a_gateway_that_starts_under_an_order_passes_its_first_mail(tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "state").mkdir(mode=0o700)
    write_order(tmp_path / "state", new_order(clock(), timedelta(hours=1), WHY, "priya"))
    async with house(tmp_path, clock=clock) as gateway:
        assert (await gateway.send(DANA, [JILL], no()))[1] == "2.0.0 Taken"
        assert "bypass on until 2026-11-30 10:00 UTC" in gateway.service.status()


async def test_without_a_site_nobody_of_the_example_is_written_to(tmp_path: Path) -> None:
    clock = Clock()
    async with house(tmp_path, site=None, clock=clock) as gateway:
        await gateway.service.store.order(new_order(clock(), timedelta(hours=1), WHY, "priya"))
        await gateway.service.watch.step()
        assert (await gateway.send(DANA, [JILL], no()))[0] == 250
        await gateway.service.watch.step()
        assert gateway.service.store.outbox_count() == {} and not gateway.to(ADMIN)
        assert gateway.audit()[0].outcome == "bypassed"


async def test_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    clock = Clock()
    async with house(tmp_path, clock=clock) as gateway:
        for text in ("{", "[]", '{"id": 1}', json.dumps({"id": "x", "at": "2026", "until": None, "why": "", "by": ""})):
            file_of(gateway.state).write_text(text)
            await gateway.service.watch.step()
            assert not is_on(gateway)
        write_order(gateway.state, new_order(clock(), timedelta(hours=1), WHY, "priya"))
        await gateway.service.watch.step()
        assert is_on(gateway)
        file_of(gateway.state).write_text("{")
        await gateway.service.watch.step()
        assert is_on(gateway), "what was seen last stands"


def test_an_order_as_a_file(tmp_path: Path) -> None:
    order = new_order(Clock()(), timedelta(days=30), "ä \u2028 why", "priya")
    write_order(tmp_path, order)
    assert read_order(tmp_path) == order
    assert order.until == order.at + timedelta(days=7), "never longer than a week"
    assert [path.name for path in tmp_path.iterdir()] == ["bypass.json"]
    assert file_of(tmp_path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("on", "--for", "8d", "--why", "x"), "not between one minute and seven days"),
        (("on", "--for", "soon", "--why", "x"), "is not a length of time"),
        (("on", "--for", "2h", "--why", " "), "no reason is given"),
        (("on", "--for", "2h"), "Missing option '--why'"),
        (("on", "--why", "x"), "Missing option '--for'"),
    ],
)
async def test_bad_arguments(tmp_path: Path, given: tuple[str, ...], said: str) -> None:
    from gateway.smtp.sink import Sink

    (tmp_path / "state").mkdir()
    nobody = House(None, Sink(), 0, 0, tmp_path / "state")  # type: ignore[arg-type]
    code, _, err = await command(nobody, *given)
    assert code == 2 and said in err
    assert list((tmp_path / "state").iterdir()) == []
