"""A store that is locked, gone, read-only or full: 451 or 452, nothing lost, and work again without a restart."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.smtp.sink import Fault
from gateway.store import engine
from gateway.store.errors import StoreAway
from tests.e2e.house import House, house
from tests.e2e.ledgers import BOB, JILL, Ledgers, Sent, answer, explained, forwarded, question, refusal, until

pytestmark = pytest.mark.usefixtures("files_once", "short_waits")


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LOCK_SECONDS", 0.2)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes for the state folder."""
    folder = tmp_path / "state"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@contextlib.asynccontextmanager
async def scene(tmp_path: Path, **settings: object) -> AsyncIterator[tuple[House, Ledgers]]:
    async with house(tmp_path, **settings) as gateway:
        yield gateway, Ledgers(gateway.sink, gateway.state, tmp_path / "keys" / "hold.key")


@contextlib.contextmanager
def locked(gateway: House) -> Iterator[None]:
    other = sqlite3.connect(gateway.state / "gateway.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextlib.contextmanager
def vanished(gateway: House) -> Iterator[None]:
    """Gone, and a folder where it was."""
    names = [path.name for path in gateway.state.glob("gateway.db*")]
    aside = gateway.state / "aside"
    aside.mkdir()
    for name in names:
        (gateway.state / name).rename(aside / name)
    (gateway.state / "gateway.db").mkdir()
    try:
        yield
    finally:
        (gateway.state / "gateway.db").rmdir()
        for name in names:
            (aside / name).rename(gateway.state / name)


@contextlib.contextmanager
def read_only(gateway: House) -> Iterator[None]:
    """As Linux does with a failing disk (errors=remount-ro); root is refused too."""
    gateway.service.store.database.dispose()
    subprocess.run(["mount", "-o", "remount,ro", gateway.state], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", gateway.state], check=True)


@contextlib.contextmanager
def full(gateway: House) -> Iterator[None]:
    ballast = gateway.state / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    try:
        yield
    finally:
        ballast.unlink()


async def everything_waits(gateway: House, ledgers: Ledgers, trouble, code: int, text: str) -> None:
    """Before, during and after: passing, holding, rewriting, answering; the inbound tap goes on as if nothing were."""
    assert await ledgers.send(gateway.tap, question("r", JILL, "Jill Amory")) == 250
    assert await ledgers.send(gateway.port, refusal("waits")) == 250
    to = await ledgers.notice("<waits@t>")
    await until(lambda: not ledgers.waiting().get("waiting"), "the notice is gone")
    mails = [explained("p"), refusal("h"), forwarded("r", JILL, "Jill Amory"), answer(to, "SEND: because")]
    before = len(gateway.sink.messages)
    with trouble(gateway):
        for sent in mails:
            said = await gateway.send(sent.mail_from, list(sent.rcpt_to), sent.raw)
            assert said[0] == code and said[1].startswith(text), (sent, said)
        inbound = question("during", JILL, "Jill Amory")
        assert (await gateway.send(inbound.mail_from, list(inbound.rcpt_to), inbound.raw, port=gateway.tap))[0] == 250
        assert len(gateway.sink.messages) == before + 1
    for sent in mails:
        assert await ledgers.send(gateway.port, sent) == 250
    await until(lambda: ledgers.outcomes("<waits@t>") == ["overridden"], "released")
    assert [ledgers.outcomes(f"<{name}@t>") for name in "phr"] == [["passed"], ["held"], ["rewritten"]]
    ledgers.check()


@pytest.mark.parametrize("trouble", [locked, vanished])
async def test_store_away(tmp_path, trouble):
    async with scene(tmp_path) as (gateway, ledgers):
        await everything_waits(gateway, ledgers, trouble, 451, "4.3.0 The gateway's store is not available")


async def test_store_read_only(tmp_path, small_disk):
    async with scene(tmp_path) as (gateway, ledgers):
        await everything_waits(gateway, ledgers, read_only, 451, "4.3.0 The gateway's store is not available")


async def test_disk_full(tmp_path, small_disk):
    async with scene(tmp_path) as (gateway, ledgers):
        await everything_waits(gateway, ledgers, full, 452, "4.3.1 Not enough storage")


async def test_disk_full_for_the_spool(tmp_path, small_disk):
    """A mail too large for memory and for the disk is refused at its end; the next small one is not concerned."""
    large = Sent(JILL, (BOB,), b"Message-ID: <large@t>\r\n\r\n" + b"0123456789abcdef\r\n" * 300_000)
    async with scene(tmp_path, memory_limit="256K") as (gateway, ledgers):
        said = await gateway.send(large.mail_from, list(large.rcpt_to), large.raw)
        assert said == (452, "4.3.1 Not enough storage; try again later")
        assert await ledgers.send(gateway.port, explained("small")) == 250
        fits = Sent(JILL, (BOB,), large.raw[:1_500_000].rpartition(b"\r\n")[0] + b"\r\n")
        assert await ledgers.send(gateway.port, fits) == 250
        assert len(gateway.sink.messages) == 2
        assert {path.name for path in small_disk.iterdir()} <= {"gateway.db", "gateway.db-wal", "gateway.db-shm"}
        ledgers.check()


# --- after the upstream's 250 ----------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def away_at_the_dot(gateway: House) -> AsyncIterator[None]:
    """The store goes away after the intent is written and before the upstream's 250 comes."""
    gateway.sink.faults.append(Fault("DOT", delay=0.3, keep=True))
    before = len(gateway.sink.messages)

    async def lock() -> None:
        while len(gateway.sink.messages) == before:
            await asyncio.sleep(0.005)
        with locked(gateway):
            await asyncio.sleep(1.0)

    task = asyncio.create_task(lock())
    yield
    await task


@pytest.mark.parametrize("kind", ["passed", "rewritten"])
async def test_store_away_after_the_upstreams_250(tmp_path, kind: str):
    """The client hears 250, since the mail is on its way; what is not written is in doubt, by sweep or restart."""
    ahead = timedelta()
    async with scene(tmp_path, clock=lambda: datetime.now(UTC) + ahead) as (gateway, ledgers):
        if kind == "rewritten":
            assert await ledgers.send(gateway.tap, question("doubt", JILL, "Jill Amory")) == 250
        sent = explained("doubt") if kind == "passed" else forwarded("doubt", JILL, "Jill Amory")
        async with away_at_the_dot(gateway):
            assert await ledgers.send(gateway.port, sent) == 250
        assert ledgers.outcomes(sent.message_id) == ["pending"]
        await gateway.service.sweep()
        assert ledgers.outcomes(sent.message_id) == ["pending"]  # it could still be under way
        if kind == "passed":
            ahead = timedelta(minutes=31)
            await gateway.service.sweep()
            assert ledgers.outcomes(sent.message_id) == ["in-doubt"]
    async with scene(tmp_path) as (again, _):
        assert [row.outcome for row in again.audit()] == ["in-doubt"]
    ledgers.check()


async def test_any_fault_after_the_upstreams_250(tmp_path, monkeypatch):
    """Not only the store: whatever breaks now, the mail is on its way."""
    async with scene(tmp_path) as (gateway, ledgers):

        def breaks(*_: object, **__: object) -> None:
            raise RuntimeError("broken")

        monkeypatch.setattr(gateway.service.store, "outcome", breaks)
        assert await ledgers.send(gateway.port, explained("broken")) == 250
        monkeypatch.undo()
        assert len(ledgers.copies("<broken@t>")) == 1


async def test_database_replaced_by_an_older_one_at_the_dot(tmp_path):
    """The intent is gone with the newer file; the client hears 250 all the same."""
    async with scene(tmp_path) as (gateway, ledgers):
        store = gateway.service.store
        older = tmp_path / "older.db"
        with sqlite3.connect(gateway.state / "gateway.db") as source, sqlite3.connect(older) as target:
            source.backup(target)
        gateway.sink.faults.append(Fault("DOT", delay=0.3, keep=True))

        async def replace() -> None:
            await gateway.sink.wait_for(1)
            for path in gateway.state.glob("gateway.db*"):
                path.unlink()
            shutil.copy(older, gateway.state / "gateway.db")
            os.chmod(gateway.state / "gateway.db", 0o600)

        task = asyncio.create_task(replace())
        assert await ledgers.send(gateway.port, explained("older")) == 250
        await task
        assert store.audit_list() == []
        assert await ledgers.send(gateway.port, refusal("after")) == 250
        assert ledgers.outcomes("<after@t>") == ["held"]


async def test_a_release_whose_end_cannot_be_written_at_once(tmp_path, monkeypatch):
    """The store is asked again: sent for certain is better than in doubt."""
    async with scene(tmp_path) as (gateway, ledgers):
        assert await ledgers.send(gateway.port, refusal("end")) == 250
        to = await ledgers.notice("<end@t>")
        store, tries = gateway.service.store, []
        finish = store.finish

        async def away_once(*args: object, **named: object) -> None:
            tries.append(1)
            if len(tries) == 1:
                raise StoreAway("locked")
            await finish(*args, **named)

        monkeypatch.setattr(store, "finish", away_once)
        assert await ledgers.send(gateway.port, answer(to, "SEND: because I said so")) == 250
        await until(lambda: ledgers.outcomes("<end@t>") == ["overridden"], "released")
        assert len(tries) == 2
        ledgers.check()


async def test_store_away_when_the_dot_is_to_be_marked(tmp_path):
    """Nothing goes out that is not written down; with the lease the next try comes."""
    ahead = timedelta()
    async with scene(tmp_path, clock=lambda: datetime.now(UTC) + ahead) as (gateway, ledgers):
        assert await ledgers.send(gateway.port, refusal("mark")) == 250
        to = await ledgers.notice("<mark@t>")
        await until(lambda: not ledgers.waiting().get("waiting"), "the notice is gone")
        gateway.sink.faults.append(Fault("MAIL", delay=0.3, match=b"dana.cole"))
        lost = len(gateway.sink.commands)
        gateway.sink.faults[0].times = 2  # the answer's own MAIL is the first

        async def lock() -> None:
            while sum(line.startswith(b"MAIL FROM:<dana") for line in gateway.sink.commands[lost:]) < 2:
                await asyncio.sleep(0.005)
            with locked(gateway):
                await asyncio.sleep(0.8)

        task = asyncio.create_task(lock())
        assert await ledgers.send(gateway.port, answer(to, "SEND: because I said so")) == 250
        await task
        assert ledgers.copies("<mark@t>") == []
        assert list(ledgers.states().values()) == ["releasing"]
        ahead = timedelta(minutes=11)
        gateway.service.dispatcher.wake()
        await until(lambda: ledgers.outcomes("<mark@t>") == ["overridden"], "released")
        ledgers.check()
