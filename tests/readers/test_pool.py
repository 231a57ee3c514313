"""Readers read as the gateway does; what a mail does to one of them, the gateway and the next mail never feel."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.mail.address import Mailbox
from gateway.policy.model import PolicySet
from gateway.readers import pool, results
from gateway.readers.pool import Readers, ReadersAway, ReadingFault, TooMuch
from gateway.readers.work import work
from gateway.reading.thread import SeenMessage, Thread
from tests.readers.conftest import DANA, JILL, NO, NOW, STARTED, setup_of, task
from tests.readers.hostile import Hostile


def alive(pid: int) -> bool:
    """A zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def gone(*pids: int) -> None:
    async with asyncio.timeout(10):
        while any(map(alive, pids)):
            await asyncio.sleep(0.01)


def nursery(readers: Readers) -> int:
    return readers._nurseries[-1]._process.pid


@STARTED
async def test_a_reader_finds_what_we_find(readers: Readers, rules: PolicySet) -> None:
    seen = SeenMessage(
        "<q@t>", "inbound", Mailbox(JILL, "Jill Amory"), (Mailbox(DANA),), sent_at=NOW, lines=frozenset({7})
    )
    for known in ({}, {"thread": Thread((seen,) * 30)}, {"auth_identity": "somebody"}, {"unread": "too much to read"}):
        found = await readers.read(task(**known), NO, rules)
        assert found == work(task(**known), NO, setup_of(rules))
    assert (await readers.read(task(), NO, rules)).decision.disposition == "hold"
    assert (await readers.read(replace(task(), purpose="remember", direction="inbound"), NO, rules)).decision is None
    assert (await readers.read(replace(task(), purpose="answer"), NO, rules)).said == "No."


async def test_what_is_no_agents_mail_is_not_read(readers: Readers, rules: PolicySet) -> None:
    found = await readers.read(task(), NO.replace(DANA.encode(), b"mary@customer.example"), rules)
    assert found.gist is not None  # the envelope names Dana
    other = replace(task(), envelope=replace(task().envelope, mail_from=task().envelope.rcpt_to[0]))
    found = await readers.read(other, NO.replace(DANA.encode(), b"mary@customer.example"), rules)
    assert found.gist is None and found.decision.disposition == "pass" and found.seen is not None


@pytest.mark.parametrize("how", ["endless", "greedy", "recursive", "abort"])
async def test_too_much(readers: Readers, rules: PolicySet, how: str) -> None:
    """Time by the processor's clock, memory, depth, a crash in a library: the mail is too much, the next one is not."""
    await readers.warm(rules)
    [first] = readers.processes
    begun = time.process_time(), time.monotonic()
    with pytest.raises(TooMuch):
        await readers.read(task(Hostile(how)), NO, rules)
    assert time.process_time() - begun[0] < 0.5 and time.monotonic() - begun[1] < pool.STUCK_SECONDS
    await gone(first)
    assert (await readers.read(task(), NO, rules)).decision.disposition == "hold"
    assert first not in readers.processes


async def test_a_reader_that_hangs(readers: Readers, rules: PolicySet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "STUCK_SECONDS", 0.3)
    await readers.warm(rules)
    [first] = readers.processes
    with pytest.raises(TooMuch):
        await readers.read(task(Hostile("stuck")), NO, rules)
    await gone(first)
    assert (await readers.read(task(), NO, rules)).decision.disposition == "hold"


async def test_a_fault_of_ours_is_told_without_words_of_the_mail(readers: Readers, rules: PolicySet) -> None:
    await readers.warm(rules)
    before = readers.processes
    with pytest.raises(ReadingFault) as raised:
        await readers.read(task(Hostile("faulty")), NO, rules)
    assert raised.value.kind == "ValueError" and "hostile.py:" in raised.value.at
    assert "words" not in str(raised.value) + raised.value.at
    assert readers.processes == before  # nothing wrong with the reader


@pytest.mark.parametrize("whom", ["reader", "nursery"])
async def test_killed_amid_a_mail(readers: Readers, rules: PolicySet, whom: str) -> None:
    """By SIGKILL, as when memory runs out: not the mail's fault, so another reader reads it."""
    await readers.warm(rules)
    [first] = readers.processes
    os.kill(first, signal.SIGSTOP)
    under_way = asyncio.create_task(readers.read(task(), NO, rules))
    await asyncio.sleep(0.1)
    os.kill(first if whom == "reader" else nursery(readers), signal.SIGKILL)
    assert (await under_way).decision.disposition == "hold"
    await gone(first)


async def test_killed_while_idle(readers: Readers, rules: PolicySet) -> None:
    await readers.warm(rules)
    for victim in (*readers.processes, nursery(readers)):
        os.kill(victim, signal.SIGKILL)
        await gone(victim)
        assert (await readers.read(task(), NO, rules)).decision.disposition == "hold"


@STARTED
async def test_signals_for_the_whole_group_end_no_mail(readers: Readers, rules: PolicySet) -> None:
    await readers.warm(rules)
    before = (nursery(readers), *readers.processes)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        for process in before:
            os.kill(process, number)
    assert (await readers.read(task(), NO, rules)).decision.disposition == "hold"
    assert (nursery(readers), *readers.processes) == before


async def test_new_rules_reach_the_readers(readers: Readers, rules: PolicySet) -> None:
    """Mail under way keeps the rules it began with; the readers of the old ones end with it."""
    await readers.warm(rules)
    [first] = readers.processes
    old_nursery = nursery(readers)
    os.kill(first, signal.SIGSTOP)
    under_way = asyncio.create_task(readers.read(task(), NO, rules))
    await asyncio.sleep(0.05)
    fresh = replace(rules, policies=(), version="fresh")
    await readers.warm(fresh)
    os.kill(first, signal.SIGCONT)
    assert (await under_way).decision.policy_version == rules.version
    found = await readers.read(task(), NO, fresh)
    assert (found.decision.policy_version, found.decision.disposition) == ("fresh", "pass")
    await gone(first, old_nursery)


async def test_many_at_a_time(rules: PolicySet) -> None:
    """No more processes than asked for, each mail its own answer, bombs among them."""
    readers = Readers(2, setup_of)
    try:
        mails = [NO.replace(b"<no@t>", b"<no%d@t>" % number) for number in range(40)]
        bombs = [readers.read(task(Hostile(how)), NO, rules) for how in ("greedy", "abort", "faulty", "recursive")]
        found = await asyncio.gather(
            *(readers.read(task(), raw, rules) for raw in mails), *bombs, return_exceptions=True
        )
        assert [each.seen.message_id for each in found[:40]] == [f"<no{number}@t>" for number in range(40)]
        assert [type(each) for each in found[40:]] == [TooMuch, TooMuch, ReadingFault, TooMuch]
        assert len(readers.processes) <= 2
    finally:
        await readers.close()


async def test_closing_leaves_no_process(rules: PolicySet) -> None:
    readers = Readers(2, setup_of)
    await readers.warm(rules)
    processes = (nursery(readers), *readers.processes)
    assert len(processes) == 3 and all(map(alive, processes))
    under_way = asyncio.create_task(readers.read(task(Hostile("endless")), NO, rules))
    await asyncio.sleep(0.1)
    under_way.cancel()
    await asyncio.gather(under_way, return_exceptions=True)
    await readers.close()
    await gone(*processes)
    with pytest.raises(ReadersAway):
        await readers.read(task(), NO, rules)


DIES = """
import asyncio, os, signal
from tests.readers.conftest import *
from tests.readers.hostile import Hostile
async def main():
    rules = load_policies(shipped("policies"), None, shipped=shipped("policies"), run=False)
    readers = Readers(2, setup_of)
    await readers.warm(rules)
    busy = asyncio.create_task(readers.read(task(Hostile("stuck")), NO, rules))
    await asyncio.sleep(0.1)
    print(readers._nurseries[0]._process.pid, *readers.processes, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


async def test_readers_die_with_the_gateway() -> None:
    """By whatever it dies, and though one of them is in the midst of a mail."""
    root = Path(__file__).parents[2]
    ran = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", DIES], cwd=root, env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE, timeout=60,
    )  # fmt: skip
    processes = [int(word) for word in ran.stdout.split()]
    assert ran.returncode == -signal.SIGKILL and len(processes) == 3
    await gone(*processes)


@STARTED
async def test_no_process_can_be_had(readers: Readers, rules: PolicySet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool.sys, "executable", "/nowhere/python")
    with pytest.raises(ReadersAway):
        await readers.read(task(), NO, rules)
    monkeypatch.undo()
    monkeypatch.setattr(pool, "_environment", lambda: {"PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere"})
    with pytest.raises(ReadersAway):
        await readers.read(task(), NO, rules)
    monkeypatch.undo()
    assert (await readers.read(task(), NO, rules)).decision.disposition == "hold"


@STARTED
async def test_readers_have_no_secrets(readers: Readers, rules: PolicySet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFERRAL_GATEWAY_UPSTREAM_PASSWORD", "swordfish")
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/notify")
    await readers.warm(rules)
    for process in (nursery(readers), *readers.processes):
        environment = Path(f"/proc/{process}/environ").read_bytes()
        assert b"swordfish" not in environment and b"NOTIFY_SOCKET" not in environment
        async with asyncio.timeout(5):  # one link each, and nothing of the gateway's
            while sockets(process) != 1:
                await asyncio.sleep(0.01)


def sockets(process: int) -> int:
    return sum(os.readlink(each).startswith("socket:") for each in Path(f"/proc/{process}/fd").iterdir())


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("echo owned",)


@pytest.mark.parametrize("said", [Evil(), print, "a text", (1, 2), NOW])
def test_a_reader_can_say_results_and_nothing_else(said: object) -> None:
    with pytest.raises((pickle.UnpicklingError, TypeError)):
        results.loads(pickle.dumps(said))
