"""The pool: an upstream connection serves the next client only after a session in which nothing was said against it."""

from __future__ import annotations

import asyncio
import base64

import pytest

from gateway.smtp.server import Limits
from gateway.smtp.sink import Fault, Sink
from gateway.smtp.target import Target
from tests.smtp.scripted import Scripted


async def session(house, *before: bytes, name: bytes = b"client.example") -> bytes:
    client = await house.client()
    await client.reply()
    await client.say(b"EHLO " + name)
    for line in before:
        await client.say(line)
    answer = await client.mail(b"x\r\n")
    await client.say(b"QUIT")
    await client.closed()
    await asyncio.sleep(0.02)
    return answer


async def test_a_connection_serves_the_next_client_under_its_own_name(house) -> None:
    await house.open()
    for name in (b"one.example", b"two.example", b"three.example"):
        assert (await session(house, name=name)).startswith(b"250")
    assert house.sink.connections == 1
    assert [mail.helo for mail in house.sink.messages] == [b"one.example", b"two.example", b"three.example"]


@pytest.mark.parametrize(
    "line",
    [b"VRFY nobody", b"AUTH PLAIN " + base64.b64encode(b"\0ann\0pw"), b"AUTH PLAIN " + base64.b64encode(b"\0ann\0x")],
)
async def test_a_connection_with_a_past_is_not_kept(house, line: bytes) -> None:
    await house.open(sink=Sink(users={"ann": "pw"}))
    assert (await session(house, line)).startswith(b"250")
    assert (await session(house)).startswith(b"250")
    assert house.sink.connections == 2
    assert house.sink.commands.count(b"QUIT") == 1
    assert [mail.auth for mail in house.sink.messages][1] is None


async def test_a_client_that_leaves_in_the_middle_spoils_its_connection(house) -> None:
    await house.open()
    client = await house.client()
    await client.hello()
    await client.envelope()
    client.writer.close()
    await asyncio.sleep(0.05)
    assert (await session(house)).startswith(b"250")
    assert house.sink.connections == 2 and len(house.sink.messages) == 1


@pytest.mark.parametrize(
    "fault", [Fault("EHLO", drop="before"), Fault("EHLO", reply=b"421 4.4.2 enough\r\n", drop="after")]
)
async def test_a_kept_connection_that_has_died_is_replaced_unseen(house, fault: Fault) -> None:
    await house.open()
    assert (await session(house)).startswith(b"250")
    house.sink.faults.append(fault)
    assert (await session(house)).startswith(b"250")
    assert house.sink.connections == 2


async def test_how_long_and_how_often_a_connection_is_kept(house) -> None:
    await house.open()
    pool = house.server.house.pool
    pool._most_uses, pool._idle_seconds = 2, 0.1
    for _ in range(3):
        await session(house)
    assert house.sink.connections == 2
    assert len(pool) == 1
    await asyncio.sleep(0.3)
    assert len(pool) == 0
    assert house.sink.commands.count(b"QUIT") == 2


async def test_no_pool_and_a_closed_one(house) -> None:
    upstream = await house.enter(Scripted())
    await house.open(upstream=Target(upstream.host, upstream.port), limits=Limits(idle_upstreams=0))
    await session(house)
    await session(house)
    assert upstream.connections == 2 and upstream.got.count(b"QUIT") == 2
