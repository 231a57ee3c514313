"""A gateway of doors only: a real listener, a real sink behind it, and a gate that records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from gateway.smtp.gate import Incoming, Relay, UpstreamLost
from gateway.smtp.replies import UPSTREAM_LOST, Reply, reply
from gateway.smtp.server import Limits, ListenerConfig, Server, Timers, listen
from gateway.smtp.sink import Sink
from gateway.smtp.target import Target


class RecordingGate:
    """Lets everything pass, unless told otherwise; keeps what it saw."""

    def __init__(self) -> None:
        self.seen: list[Incoming] = []
        self.raw: list[bytes] = []
        self.sha256: list[str] = []
        self.own: set[str] = {"notices@gateway.example"}
        self.answer: Reply | None = None
        self.act: Callable[[Incoming, Relay | None], Any] | None = None

    def takes_recipient(self, address: str) -> bool:
        return address.lower() in self.own

    async def mail(self, mail: Incoming, relay: Relay | None) -> Reply:
        self.seen.append(mail)
        self.raw.append(mail.content.raw())
        self.sha256.append(mail.content.sha256)
        if self.act is not None:
            answer: Reply = await self.act(mail, relay)
            return answer
        if self.answer is not None:
            return self.answer
        if relay is None:
            return reply(250, "2.0.0 Taken")
        try:
            return await relay.deliver(b"", mail.content)
        except UpstreamLost:
            return UPSTREAM_LOST


class Client:
    """A raw socket that speaks SMTP as it is told, and normalises nothing."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def reply(self) -> bytes:
        """One reply, all its lines; b"" at the end of the connection."""
        lines = b""
        async with asyncio.timeout(10):
            while line := await self.reader.readline():
                lines += line
                if line[3:4] != b"-":
                    break
        return lines

    async def say(self, line: bytes) -> bytes:
        self.send(line + b"\r\n")
        return await self.reply()

    async def closed(self) -> bool:
        """True when the server closes without another word."""
        async with asyncio.timeout(10):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True

    async def hello(self) -> bytes:
        await self.reply()
        return await self.say(b"EHLO client.example")

    async def envelope(self, sender: bytes = b"<a@x.example>", *recipients: bytes) -> None:
        assert (await self.say(b"MAIL FROM:" + sender)).startswith(b"250")
        for recipient in recipients or (b"<b@y.example>",):
            assert (await self.say(b"RCPT TO:" + recipient)).startswith(b"250")

    async def mail(self, stuffed: bytes, sender: bytes = b"<a@x.example>", *recipients: bytes) -> bytes:
        """One mail; `stuffed` as it goes on the wire, without the final dot line."""
        await self.envelope(sender, *recipients)
        assert (await self.say(b"DATA")).startswith(b"354")
        return await self.say(stuffed + b".")


class House:
    """What a test needs to open doors."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.gate = RecordingGate()
        self.sink: Sink
        self.server: Server

    async def enter(self, context: Any) -> Any:
        """Have `context` closed at the end of the test."""
        return await self._stack.enter_async_context(context)

    async def open(self, *, sink: Sink | None = None, upstream: Any = None, **settings: Any) -> Server:
        """Open a listener (and a sink behind it unless `upstream` says where to relay to)."""
        if upstream is None:
            self.sink = await self._stack.enter_async_context(sink or Sink())
            upstream = Target(self.sink.host, self.sink.port)
        settings.setdefault("listener", ListenerConfig())
        settings.setdefault("hostname", "gw.example")
        self.server = await listen(settings.pop("listener"), self.gate, upstream, **settings)
        self._stack.push_async_callback(self.server.close, 0.2)
        return self.server

    async def client(self, **how: Any) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.server.port, **how))
        self._stack.callback(client.writer.close)
        return client


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield House(stack)


__all__ = ["Client", "House", "Limits", "RecordingGate", "Timers"]
