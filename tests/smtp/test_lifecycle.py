"""Beginnings and ends: clients that vanish, a server that stops, sockets handed over."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest
from aiosmtpd.smtp import SMTP

from gateway.smtp.replies import reply
from gateway.smtp.server import Door, Doors, DoorsConfig, ListenerConfig
from gateway.smtp.sink import Sink
from gateway.smtp.target import Target


class Slow:
    """A gate that waits to be let go on."""

    def __init__(self, house) -> None:
        self.entered, self.go, self.left = asyncio.Event(), asyncio.Event(), asyncio.Event()
        house.gate.act = self

    async def __call__(self, mail, relay):
        self.entered.set()
        await self.go.wait()
        answer = await relay.deliver(b"", mail.content)
        self.left.set()
        return answer


@pytest.mark.parametrize("how", ["close", "reset", "half-close"])
async def test_a_client_gone_after_the_final_dot_stops_nothing(house, how: str) -> None:
    await house.open()
    slow = Slow(house)
    client = await house.client()
    await client.hello()
    await client.envelope()
    await client.say(b"DATA")
    client.send(b"x\r\n.\r\n")
    await slow.entered.wait()
    if how == "half-close":
        client.writer.write_eof()
    else:
        if how == "reset":
            raw = client.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.writer.close()
    await asyncio.sleep(0.05)
    slow.go.set()
    await asyncio.wait_for(slow.left.wait(), 5)
    assert len(house.sink.messages) == 1
    if how == "half-close":
        assert (await client.reply()).startswith(b"250")
    await asyncio.sleep(0.05)
    assert house.server.open_connections == 0


async def test_half_closed_clients_get_all_their_replies(house) -> None:
    await house.open()
    client = await house.client()
    await client.hello()
    client.send(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nRSET\r\nNOOP\r\n")
    client.writer.write_eof()
    assert [(await client.reply())[:3] for _ in range(4)] == [b"250"] * 4
    assert await client.closed()


async def test_stopping_says_421_to_the_idle_and_lets_the_busy_finish(house) -> None:
    await house.open()
    slow = Slow(house)
    idle, busy, uploading = await house.client(), await house.client(), await house.client()
    for client in (idle, busy, uploading):
        await client.hello()
    for client in (busy, uploading):
        await client.envelope()
        await client.say(b"DATA")
    busy.send(b"x\r\n.\r\n")
    await slow.entered.wait()
    stop = asyncio.create_task(house.server.close(5.0))
    assert (await idle.reply()).startswith(b"421 4.3.2")
    with pytest.raises(OSError):
        await house.client()
    slow.go.set()
    assert (await busy.reply()).startswith(b"250")
    assert (await busy.reply()).startswith(b"421")
    assert (await uploading.say(b"y\r\n.")).startswith(b"250")
    assert (await uploading.reply()).startswith(b"421")
    await asyncio.wait_for(stop, 2)
    assert len(house.sink.messages) == 2


async def test_stopping_is_bounded(house) -> None:
    await house.open()
    slow = Slow(house)
    settling, uploading = await house.client(), await house.client()
    for client in (settling, uploading):
        await client.hello()
        await client.envelope()
        await client.say(b"DATA")
    settling.send(b"x\r\n.\r\n")
    await slow.entered.wait()
    await asyncio.wait_for(house.server.close(0.2), 3)
    assert (await uploading.reply()).startswith(b"421")
    assert house.server.open_connections == 0 and house.sink.messages == []


async def test_doors_share_their_limits_and_name_their_places(house) -> None:
    sink = await house.enter(Sink())
    passed = socket.create_server(("127.0.0.1", 0))
    passed.setblocking(False)
    doors = Doors(
        house.gate,
        DoorsConfig(
            listeners=(ListenerConfig(), ListenerConfig(kind="tap"), ListenerConfig(sock=passed)),
            upstream=Target(sink.host, sink.port),
            hostname="gw.example",
        ),
    )
    await doors.open()
    try:
        assert doors.places[0] == f"127.0.0.1:{doors.servers[0].port}" and doors.places[1].endswith("(tap)")
        for house.server in doors.servers:
            client = await house.client()
            await client.hello()
            assert (await client.mail(b"x\r\n")).startswith(b"250")
        assert [mail.listener for mail in house.gate.seen] == ["smtp", "tap", "smtp"]
        with pytest.raises(OSError):
            await Doors(
                house.gate,
                DoorsConfig(
                    listeners=(ListenerConfig(), ListenerConfig(port=doors.servers[0].port)),
                    upstream=Target(sink.host, sink.port),
                    hostname="gw.example",
                ),
            ).open()
    finally:
        await doors.close(0.2)


async def test_five_hundred_idle_connections(house) -> None:
    await house.open(upstream=None, limits=None)
    house.server.house.limits = type(house.server.house.limits)(connections=600, connections_per_address=600)
    clients = [await house.client() for _ in range(500)]
    assert all([(await client.reply()).startswith(b"220") for client in clients])
    assert (await clients[250].say(b"EHLO c.example")).startswith(b"250")
    assert (await clients[250].mail(b"x\r\n")).startswith(b"250")


async def test_under_uvloop(house) -> None:
    """The same door on the event loop that serves in earnest: a large mail, a loose line end, a goodbye."""
    uvloop = pytest.importorskip("uvloop")

    def run() -> list[bytes]:
        async def main() -> list[bytes]:
            from contextlib import AsyncExitStack

            from tests.smtp.conftest import House

            async with AsyncExitStack() as stack:
                inner = House(stack)
                await inner.open()
                client = await inner.client()
                await client.hello()
                answers = [await client.mail(b"..line\r\n" * 200_000), await client.mail(b"a\nb\r\n")]
                answers.append(await client.say(b"QUIT"))
                assert inner.sink.messages[0].raw == b".line\r\n" * 200_000
                return answers

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(main())

    answers = await asyncio.to_thread(run)
    assert [answer[:3] for answer in answers] == [b"250", b"550", b"221"]


def test_the_door_is_aiosmtpds() -> None:
    assert issubclass(Door, SMTP)
    assert reply(250, "x\r\n250 y").encode().count(b"\r\n") == 1
