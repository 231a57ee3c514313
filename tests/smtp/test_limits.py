"""Limits and timers: reached, answered, and the next client served as ever."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.smtp.server import Limits, Timers


async def test_recipients(house) -> None:
    await house.open(limits=Limits(recipients=3))
    client = await house.client()
    await client.hello()
    await client.envelope(b"<a@x.example>", b"<b@y.example>", b"<notices@gateway.example>", b"<c@y.example>")
    assert (await client.say(b"RCPT TO:<d@y.example>")).startswith(b"452 4.5.3")
    await client.say(b"DATA")
    assert (await client.say(b"x\r\n.")).startswith(b"250")
    assert house.sink.messages[0].rcpt_args == (b"<b@y.example>", b"<c@y.example>")


async def test_connections(house) -> None:
    await house.open(limits=Limits(connections=3, connections_per_address=2))
    first, second = await house.client(), await house.client()
    assert (await first.reply()).startswith(b"220") and (await second.reply()).startswith(b"220")
    third = await house.client()
    assert (await third.reply()).startswith(b"421 4.7.0")
    assert await third.closed()
    await first.say(b"QUIT")
    await first.closed()
    await asyncio.sleep(0.05)
    fourth = await house.client()
    assert (await fourth.reply()).startswith(b"220")
    assert house.server.open_connections == 2


async def test_errors_and_idle_commands(house) -> None:
    await house.open(limits=Limits(errors=3, idle_commands=4))
    client = await house.client()
    await client.hello()
    assert [(await client.say(b"FROB"))[:3] for _ in range(3)] == [b"500", b"500", b"421"]
    assert await client.closed()
    client = await house.client()
    await client.hello()
    for _ in range(3):
        assert (await client.say(b"NOOP")).startswith(b"250")
    assert (await client.mail(b"x\r\n")).startswith(b"250")
    for _ in range(4):
        assert (await client.say(b"RSET")).startswith(b"250")
    assert (await client.say(b"VRFY a")).startswith(b"421")
    assert await client.closed()


async def test_refusals_of_the_upstream_are_not_the_clients_errors(house) -> None:
    await house.open(limits=Limits(errors=2))
    client = await house.client()
    await client.hello()
    for _ in range(5):
        assert (await client.say(b"VRFY nobody")).startswith(b"502")


async def test_endless_lines_cost_nothing(house) -> None:
    await house.open()
    client = await house.client()
    await client.hello()
    for _ in range(20):
        client.send(b"x" * 1_000_000)
        await client.writer.drain()
    client.send(b"\r\n")
    assert (await client.reply()).startswith(b"500 5.5.2")
    assert (await client.mail(b"x\r\n")).startswith(b"250")


async def test_a_client_that_reads_no_replies_is_held_back_and_dropped(house) -> None:
    await house.open(timers=Timers(write=0.3), limits=Limits(idle_commands=10**9))
    client = await house.client()
    await client.hello()
    client.writer.transport.pause_reading()
    with pytest.raises((ConnectionError, TimeoutError)):
        async with asyncio.timeout(10):
            while True:
                client.send(b"HELP\r\n" * 5000)
                await client.writer.drain()
                await asyncio.sleep(0)
    await asyncio.sleep(0.1)
    assert house.server.open_connections == 0


@pytest.mark.parametrize("phase", ["banner", "command", "mail", "data", "trickle"])
async def test_silence_is_421(house, phase: str) -> None:
    await house.open(timers=Timers(command=0.2, data_block=0.2, data_total=0.5))
    client = await house.client()
    await client.reply()
    if phase != "banner":
        await client.say(b"EHLO client.example")
    if phase in ("mail", "data", "trickle"):
        await client.envelope()
    if phase in ("data", "trickle"):
        await client.say(b"DATA")
        client.send(b"half a line")
    if phase == "command":
        for _ in range(4):
            client.send(b"N")
            await asyncio.sleep(0.04)
    if phase == "trickle":
        for _ in range(4):
            client.send(b"x")
            await asyncio.sleep(0.1)
    assert (await client.reply()).startswith(b"421 4.4.2")
    assert await client.closed()
    await asyncio.sleep(0.05)
    assert house.sink.messages == [] and house.server.open_connections == 0


async def test_a_slow_gate_is_answered_for(house) -> None:
    await house.open(timers=Timers(answer=0.2))
    done = asyncio.Event()

    async def slowly(mail, relay):
        await asyncio.sleep(0.5)
        answer = await relay.deliver(b"", mail.content)
        done.set()
        return answer

    house.gate.act = slowly
    client = await house.client()
    await client.hello()
    assert (await client.mail(b"x\r\n")).startswith(b"451 4.4.2")
    assert await client.closed()
    await asyncio.wait_for(done.wait(), 5)
    assert len(house.sink.messages) == 1


@contextmanager
def small_files(octets: int) -> Iterator[None]:
    """Every write beyond `octets` of a file fails, as on a disk that is full (setrlimit(2), EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_452_and_heals(house, tmp_path: Path) -> None:
    await house.open(limits=Limits(memory=100_000), spool=tmp_path)
    client = await house.client()
    await client.hello()
    big = b"..words\r\n" * 300_000
    with small_files(1_000_000):
        assert (await client.mail(big)).startswith(b"452 4.3.1")
        assert (await client.mail(b"small\r\n")).startswith(b"250")
    assert (await client.mail(big)).startswith(b"250")
    assert [mail.raw for mail in house.sink.messages] == [b"small\r\n", b".words\r\n" * 300_000]
    assert os.listdir(tmp_path) == []


async def test_a_missing_spool_folder_is_452(house, tmp_path: Path) -> None:
    await house.open(limits=Limits(memory=1000), spool=tmp_path / "gone")
    client = await house.client()
    await client.hello()
    assert (await client.mail(b"x" * 5000 + b"\r\n")).startswith(b"452 4.3.1")
    (tmp_path / "gone").mkdir()
    assert (await client.mail(b"x" * 5000 + b"\r\n")).startswith(b"250")
