"""TLS on the client's side: STARTTLS, TLS from the first octet, and those who try to get in between."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from gateway.smtp.server import ListenerConfig, Timers
from gateway.smtp.sink import Sink
from tests.smtp.certificates import server_context


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder: Path = tmp_path_factory.mktemp("tls")
    return server_context(folder)[0]


def trusting() -> ssl.SSLContext:
    client = ssl.create_default_context()
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    return client


def starttls(context: ssl.SSLContext, **more: object) -> ListenerConfig:
    return ListenerConfig(tls="starttls", tls_context=context, **more)  # type: ignore[arg-type]


async def secure(client) -> None:
    await client.writer.start_tls(trusting())


async def test_starttls(house, context: ssl.SSLContext) -> None:
    await house.open(listener=starttls(context), sink=Sink(users={"ann": "pw"}))
    client = await house.client()
    hello = await client.hello()
    assert b"STARTTLS" in hello and b"AUTH" not in hello
    assert (await client.say(b"AUTH PLAIN AGFubgBwdw==")).startswith(b"538")
    assert (await client.say(b"STARTTLS now")).startswith(b"501")
    assert (await client.say(b"STARTTLS")).startswith(b"220")
    await secure(client)
    assert (await client.say(b"MAIL FROM:<a@x.example> SIZE=1")).startswith(b"555"), "the first EHLO counts no more"
    hello = await client.say(b"EHLO client.example")
    assert b"STARTTLS" not in hello and b"AUTH PLAIN" in hello
    assert (await client.say(b"STARTTLS")).startswith(b"503")
    assert (await client.say(b"AUTH PLAIN AGFubgBwdw==")).startswith(b"235")
    body = b"x" * 100_000 + b"\r\n" + b"..y\r\n" * 50_000
    assert (await client.mail(body)).startswith(b"250")
    [seen] = house.gate.seen
    assert seen.tls and seen.auth_identity == "ann"
    assert house.sink.messages[0].raw == body.replace(b"\r\n.", b"\r\n")
    assert (await client.say(b"QUIT")).startswith(b"221")
    assert await client.closed()


async def test_tls_from_the_first_octet(house, context: ssl.SSLContext) -> None:
    await house.open(listener=ListenerConfig(tls="implicit", tls_context=context))
    client = await house.client(ssl=trusting())
    hello = await client.hello()
    assert b"STARTTLS" not in hello
    assert (await client.mail(b"x\r\n")).startswith(b"250")
    assert house.gate.seen[0].tls


async def test_tls_octet_by_octet(house, context: ssl.SSLContext) -> None:
    """The handshake, a mail and the goodbye through a pipe that gives one octet at a time."""
    server = await house.open(listener=ListenerConfig(tls="implicit", tls_context=context))

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, step: int) -> None:
        while data := await reader.read(4096):
            for at in range(0, len(data), step):
                writer.write(data[at : at + step])
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(trickle(reader, outer, 1), trickle(inner, writer, 7), return_exceptions=True)

    middle = await asyncio.start_server(pipe, "127.0.0.1", 0)
    house.server, real = type("Port", (), {"port": middle.sockets[0].getsockname()[1]})(), house.server
    client = await house.client(ssl=trusting())
    await client.hello()
    assert (await client.mail(b"..x\r\n" * 20)).startswith(b"250")
    assert (await client.say(b"QUIT")).startswith(b"221")
    client.writer.close()
    middle.close()
    house.server = real
    assert house.sink.messages[0].raw == b".x\r\n" * 20


async def test_commands_put_behind_starttls_are_never_run(house, context: ssl.SSLContext) -> None:
    await house.open(listener=starttls(context))
    client = await house.client()
    await client.hello()
    client.send(b"STARTTLS\r\nMAIL FROM:<evil@x.example>\r\n")
    assert (await client.reply()).startswith(b"554")
    assert await client.closed()
    assert not any(line.startswith(b"MAIL") for line in house.sink.commands)


async def test_plain_commands_instead_of_a_handshake_end_the_connection(house, context: ssl.SSLContext) -> None:
    await house.open(listener=starttls(context))
    client = await house.client()
    await client.hello()
    assert (await client.say(b"STARTTLS")).startswith(b"220")
    client.send(b"MAIL FROM:<evil@x.example>\r\n")
    await client.closed()
    assert not any(line.startswith(b"MAIL") for line in house.sink.commands)


async def test_a_stalled_handshake_is_ended(house, context: ssl.SSLContext) -> None:
    await house.open(listener=ListenerConfig(tls="implicit", tls_context=context), timers=Timers(handshake=0.2))
    client = await house.client()
    client.send(b"\x16\x03\x01")
    assert await client.closed()
    assert house.server.open_connections == 0


async def test_no_mail_before_tls_where_it_is_required(house, context: ssl.SSLContext) -> None:
    await house.open(listener=starttls(context, require_tls=True))
    client = await house.client()
    await client.hello()
    assert (await client.say(b"MAIL FROM:<a@x.example>")).startswith(b"530 5.7.0")
    await client.say(b"STARTTLS")
    await secure(client)
    await client.say(b"EHLO client.example")
    assert (await client.mail(b"x\r\n")).startswith(b"250")


def test_tls_and_certificate_go_together() -> None:
    with pytest.raises(ValueError):
        ListenerConfig(tls="starttls")
