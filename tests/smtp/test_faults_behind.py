"""What the client hears when the upstream is away, goes away, or says odd things."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gateway.smtp.server import ListenerConfig
from gateway.smtp.sink import Fault, Sink
from gateway.smtp.target import Target
from tests.smtp.scripted import Scripted

FILTER = ListenerConfig(kind="proxy-filter")


def nowhere() -> Target:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Target("127.0.0.1", free.getsockname()[1])


async def test_upstream_away_is_421(house) -> None:
    await house.open(upstream=nowhere())
    client = await house.client()
    assert (await client.reply()).startswith(b"421 4.4.1")
    assert await client.closed()


@pytest.mark.parametrize("greeting", [b"554 5.7.1 Go away\r\n", b"421-4.7.0 busy\r\n421 4.7.0 later\r\n"])
async def test_a_refusing_greeting_comes_back(house, greeting: bytes) -> None:
    upstream = await house.enter(Scripted({b"": greeting}))
    await house.open(upstream=Target(upstream.host, upstream.port))
    client = await house.client()
    assert await client.reply() == greeting
    assert await client.closed()


async def test_proxy_filter_speaks_while_the_upstream_is_away_and_recovers(house) -> None:
    target = nowhere()
    await house.open(upstream=target, listener=FILTER)
    client = await house.client()
    assert (await client.reply()).startswith(b"220")
    hello = await client.say(b"EHLO front.example")
    assert b"PIPELINING" in hello and b"DSN" in hello
    assert (await client.say(b"MAIL FROM:<a@x.example>")).startswith(b"451 4.4.1")
    sink = await house.enter(Sink(port=target.port))
    assert (await client.mail(b"x\r\n")).startswith(b"250")
    assert [mail.helo for mail in sink.messages] == [b"front.example"]


async def test_proxy_filter_leaves_the_upstream_when_it_rejects(house) -> None:
    upstream = await house.enter(Scripted())
    await house.open(upstream=Target(upstream.host, upstream.port), listener=FILTER)
    client = await house.client()
    await client.hello()
    assert (await client.mail(b"a\nb\r\n")).startswith(b"550")
    assert upstream.got[-1] == b"RCPT TO:<b@y.example>"
    await asyncio.wait_for(upstream.closed.wait(), 5)
    assert (await client.mail(b"x\r\n", b"a@x.example", b"b@y.example")).startswith(b"250")
    assert upstream.connections == 2
    assert upstream.data == [b"x\r\n.\r\n"]


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reset", [False, True])
async def test_a_connection_lost_once_is_made_again_unseen(house, at: str, reset: bool) -> None:
    await house.open()
    client = await house.client()
    await client.hello()
    house.sink.faults.append(Fault(at=at, drop="before", reset=reset))
    assert (await client.mail(b"x\r\n")).startswith(b"250")
    assert len(house.sink.messages) == 1 and house.sink.connections == 2


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA", "DOT"])
async def test_a_connection_lost_for_good_is_451(house, at: str) -> None:
    await house.open()
    client = await house.client()
    await client.hello()
    house.sink.faults.append(Fault(at=at, drop="before", reset=True, times=None))
    answers = [await client.say(b"MAIL FROM:<a@x.example>"), await client.say(b"RCPT TO:<b@y.example>")]
    if not answers[-1].startswith(b"250"):
        assert answers[-1][:4] in (b"451 ", b"503 ")
        house.sink.faults.clear()
        assert (await client.say(b"DATA"))[:3] in (b"554", b"503")
        await client.say(b"RSET")
    else:
        assert (await client.say(b"DATA")).startswith(b"354")
        assert (await client.say(b"x\r\n.")).startswith(b"451")
        house.sink.faults.clear()
    assert (await client.mail(b"y\r\n")).startswith(b"250")
    assert [mail.raw for mail in house.sink.messages] == [b"y\r\n"]


async def test_an_upstream_lost_between_recipients_spoils_the_mail_only(house) -> None:
    await house.open()
    client = await house.client()
    await client.hello()
    await client.envelope()
    house.sink.faults.append(Fault(at="RCPT", reply=b"banana\r\n"))
    assert (await client.say(b"RCPT TO:<c@y.example>")).startswith(b"451")
    assert (await client.say(b"RCPT TO:<d@y.example>")).startswith(b"451")
    assert (await client.say(b"DATA")).startswith(b"451")
    assert (await client.mail(b"y\r\n")).startswith(b"250")


@pytest.mark.parametrize("at", ["EHLO", "MAIL", "RCPT", "DATA", "DOT"])
async def test_421_from_behind_comes_through_and_ends_the_session(house, at: str) -> None:
    await house.open()
    client = await house.client()
    await client.reply()
    house.sink.faults.append(Fault(at=at, reply=b"421-4.3.2 closing\r\n421 4.3.2 now\r\n", drop="after"))
    for line in (b"EHLO c.example", b"MAIL FROM:<a@x.example>", b"RCPT TO:<b@y.example>", b"DATA", b"x\r\n."):
        answer = await client.say(line)
        if answer.startswith(b"421"):
            break
    assert answer == b"421-4.3.2 closing\r\n421 4.3.2 now\r\n"
    assert await client.closed()
    assert house.sink.messages == []


@pytest.mark.parametrize("refusal", [b"452 4.2.2 full\r\n", b"554-5.7.1 no\r\n554 5.7.1 never\r\n"])
@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA", "DOT"])
async def test_refusals_come_back_as_they_are(house, at: str, refusal: bytes) -> None:
    await house.open()
    client = await house.client()
    await client.hello()
    house.sink.faults.append(Fault(at=at, reply=refusal))
    answers = [
        await client.say(line)
        for line in (b"MAIL FROM:<a@x.example>", b"RCPT TO:<b@y.example>", b"DATA", b"x\r\n.")
    ] if at in ("DATA", "DOT") else [
        await client.say(line) for line in (b"MAIL FROM:<a@x.example>", b"RCPT TO:<b@y.example>")
    ]  # fmt: skip
    assert refusal in answers
    await client.say(b"RSET")
    assert (await client.mail(b"y\r\n")).startswith(b"250")
    assert house.sink.connections == 1


async def test_an_upstream_that_idles_out_before_hello_is_met_again(house) -> None:
    await house.open()
    client = await house.client()
    await client.reply()
    house.sink.faults.append(Fault(at="EHLO", drop="before"))
    assert (await client.say(b"EHLO client.example")).startswith(b"250")
    assert (await client.mail(b"x\r\n")).startswith(b"250")


async def test_a_client_that_leaves_takes_its_mail_along(house) -> None:
    upstream = await house.enter(Scripted())
    await house.open(upstream=Target(upstream.host, upstream.port))
    client = await house.client()
    await client.hello()
    await client.envelope()
    await client.say(b"DATA")
    client.send(b"half a mail\r\n")
    await client.writer.drain()
    client.writer.close()
    await asyncio.wait_for(upstream.closed.wait(), 5)
    assert upstream.data == [] and b"DATA" not in upstream.got and house.gate.seen == []
