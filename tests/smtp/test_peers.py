"""PROXY, XCLIENT and XFORWARD: believed from listed peers, and from nobody else."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import struct
from pathlib import Path

import pytest

from gateway.smtp.grammar import BadArgument
from gateway.smtp.peers import XFORWARD_NAMES, client_address, is_listed, read_attributes
from gateway.smtp.server import Limits, ListenerConfig
from gateway.smtp.sink import Sink
from tests.smtp.certificates import server_context

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
ELSEWHERE = (ipaddress.ip_network("192.0.2.0/24"),)
V1 = b"PROXY TCP4 203.0.113.7 198.51.100.1 4711 25\r\n"
V1_6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 25\r\n"
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
V2 = SIGNATURE + b"\x21\x11\x00\x0c" + bytes((203, 0, 113, 7, 198, 51, 100, 1)) + struct.pack("!HH", 4711, 25)
V2_LOCAL = SIGNATURE + b"\x20\x00\x00\x00"
PROXIED = ListenerConfig(proxy_protocol=True)


@pytest.mark.parametrize(
    ("header", "peer"),
    [
        (V1, ("203.0.113.7", 4711)),
        (V1_6, ("2001:db8::7", 4711)),
        (V2, ("203.0.113.7", 4711)),
        (V2_LOCAL, None),
        (b"PROXY UNKNOWN\r\n", None),
    ],
)
async def test_proxy_header(house, header: bytes, peer: tuple[str, int] | None) -> None:
    await house.open(listener=PROXIED, listed=LOOPBACK)
    client = await house.client()
    client.send(header)
    await client.hello()
    assert (await client.mail(b"x\r\n")).startswith(b"250")
    seen = house.gate.seen[0]
    assert seen.peer == peer or (peer is None and seen.peer[0] == "127.0.0.1")
    assert seen.peer_listed == (peer is None)


@pytest.mark.parametrize(
    "header",
    [b"EHLO client.example\r\n", b"PROXY\r\n", b"PROXY TCP4 x y z\r\n", b"PROXY " + b"x" * 200 + b"\r\n",
     b"\x16\x03\x01\x00" * 4, SIGNATURE + b"\x31\x11\x00\x00",
     SIGNATURE + b"\x21\x11\x00\x02ab", b"PROXY TCP4 1.1.1.1 1.1.1.1 99999 1\r\n"],
)  # fmt: skip
async def test_no_proxy_header_no_service(house, header: bytes) -> None:
    await house.open(listener=PROXIED, listed=LOOPBACK)
    client = await house.client()
    client.send(header)
    client.writer.write_eof()
    assert await client.closed()
    assert house.sink.connections == 0


async def test_the_limit_of_an_address_counts_who_is_behind_the_balancer(house) -> None:
    await house.open(listener=PROXIED, listed=LOOPBACK, limits=Limits(connections_per_address=2))
    clients = [await house.client() for _ in range(4)]
    for client, last in zip(clients, (b"7", b"7", b"7", b"8"), strict=True):
        client.send(V1.replace(b"113.7", b"113." + last))
    codes = [(await client.reply())[:3] for client in clients]
    assert codes == [b"220", b"220", b"421", b"220"]
    for client in clients:
        client.writer.close()
    await asyncio.sleep(0.05)
    assert house.server.house.connections.total == 0
    assert house.server.house.connections.from_address("203.0.113.7") == 0


async def test_proxy_header_only_from_listed_peers(house) -> None:
    await house.open(listener=PROXIED, listed=ELSEWHERE)
    client = await house.client()
    client.send(V1)
    assert await client.closed()


async def test_proxy_header_in_front_of_tls_and_kept_after_starttls(house, tmp_path: Path) -> None:
    context, _ = server_context(tmp_path)
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    for tls in ("implicit", "starttls"):
        await house.open(listener=ListenerConfig(proxy_protocol=True, tls=tls, tls_context=context), listed=LOOPBACK)
        client = await house.client()
        client.send(V1)
        if tls == "starttls":
            await client.hello()
            await client.say(b"STARTTLS")
        await client.writer.start_tls(trusting)
        if tls == "implicit":
            await client.reply()
        await client.say(b"EHLO client.example")
        assert (await client.mail(b"x\r\n")).startswith(b"250")
        assert house.gate.seen[-1].peer == ("203.0.113.7", 4711) and house.gate.seen[-1].tls


@pytest.mark.parametrize("kind", ["smtp", "proxy-filter"])
async def test_xforward_goes_on_and_is_believed(house, kind) -> None:
    sink = Sink(offers=(b"XFORWARD NAME ADDR PORT PROTO HELO", b"PIPELINING"))
    await house.open(listener=ListenerConfig(kind=kind), listed=LOOPBACK, sink=sink)
    client = await house.client()
    assert b"XFORWARD NAME ADDR PORT PROTO HELO\r\n" in await client.hello()
    line = b"XFORWARD NAME=spike.example ADDR=203.0.113.7 PORT=[UNAVAILABLE] PROTO=ESMTP"
    assert (await client.say(line)).startswith(b"250")
    assert (await client.say(b"XFORWARD ADDR=nonsense")).startswith(b"501")
    assert (await client.say(b"XFORWARD SECRET=1")).startswith(b"501")
    assert (await client.mail(b"x\r\n")).startswith(b"250")
    assert line in house.sink.commands and b"XFORWARD ADDR=nonsense" not in house.sink.commands
    assert house.gate.seen[0].peer == ("203.0.113.7", 0)
    assert not house.gate.seen[0].peer_listed
    assert (await client.mail(b"y\r\n")).startswith(b"250")
    assert house.gate.seen[1].peer[0] == "127.0.0.1", "it was for one mail"


async def test_xforward_for_a_filter_may_end_here(house) -> None:
    await house.open(listener=ListenerConfig(kind="proxy-filter"), listed=LOOPBACK)
    client = await house.client()
    assert b"XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n" in await client.hello()
    assert (await client.say(b"XFORWARD ADDR=203.0.113.7")).startswith(b"250")
    assert (await client.mail(b"x\r\n")).startswith(b"250")
    assert house.gate.seen[0].peer[0] == "203.0.113.7"
    assert not any(line.startswith(b"XFORWARD") for line in house.sink.commands)


async def test_xforward_is_hidden_from_others(house) -> None:
    sink = Sink(offers=(b"XFORWARD NAME ADDR", b"PIPELINING"))
    await house.open(listener=ListenerConfig(kind="proxy-filter"), listed=ELSEWHERE, sink=sink)
    client = await house.client()
    assert b"XFORWARD" not in await client.hello()
    assert (await client.say(b"XFORWARD ADDR=192.0.2.7")).startswith(b"550")
    assert not any(line.startswith(b"XFORWARD") for line in house.sink.commands)


async def test_xclient_begins_a_session_anew(house) -> None:
    await house.open(listener=ListenerConfig(xclient=True), listed=LOOPBACK)
    client = await house.client()
    assert b"XCLIENT NAME ADDR PORT PROTO HELO\r\n" in await client.hello()
    assert (await client.say(b"XCLIENT ADDR=IPV6:2001:db8::7 PORT=99 LOGIN=ann")).startswith(b"220")
    assert (await client.say(b"MAIL FROM:<a@x.example> SIZE=1")).startswith(b"555")
    await client.say(b"EHLO client.example")
    assert (await client.mail(b"x\r\n")).startswith(b"250")
    seen = house.gate.seen[0]
    assert (seen.peer, seen.auth_identity) == (("2001:db8::7", 99), "ann")
    assert not any(line.startswith(b"XCLIENT") for line in house.sink.commands)


def test_attributes() -> None:
    assert read_attributes(b"name=a+2Bb ADDR=[unavailable] HELO=x", XFORWARD_NAMES) == {
        "NAME": "a+b", "ADDR": None, "HELO": "x"
    }  # fmt: skip
    for bad in (b"", b"NAME", b"NAME=a+0Ab", b"X=1", b"NAME=\xff"):
        with pytest.raises(BadArgument):
            read_attributes(bad, XFORWARD_NAMES)
    assert client_address({"NAME": "x"}, ("192.0.2.1", 5)) == ("192.0.2.1", 5)


def test_listed_networks() -> None:
    assert is_listed("127.0.0.1", LOOPBACK)
    assert is_listed("::ffff:127.0.0.1", LOOPBACK)
    assert is_listed("fe80::1%eth0", (ipaddress.ip_network("fe80::/10"),))
    assert not is_listed("2001:db8::1", LOOPBACK)
    assert not is_listed("", LOOPBACK)
