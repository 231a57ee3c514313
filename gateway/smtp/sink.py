"""The sink: a small SMTP server that takes every mail and keeps its octets, for `demo` and the tests.

Its faults are programmable, so that the tests can show what the gateway makes of them. It is no mail server.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable

from gateway.smtp.sink_session import Session, Wire
from gateway.smtp.sunk import Drop, Fault, SunkMail

__all__ = ["Drop", "Fault", "Sink", "SunkMail"]

_OFFERS = (b"PIPELINING", b"SIZE 67108864", b"8BITMIME", b"SMTPUTF8", b"DSN", b"ENHANCEDSTATUSCODES")


class Sink:
    """The server. `messages` holds what arrived, oldest first, bounded by `most_messages`; `commands` every line.

    `users` switches AUTH PLAIN, LOGIN and XOAUTH2 (password = token) on; `tls` STARTTLS, or TLS from the first octet
    with `implicit`. `lenient` ends lines and data at bare CR and LF too, as a server that can be smuggled into.
    `broken` says 250 and keeps nothing: what `demo --once` must notice.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        offers: Iterable[bytes] = _OFFERS,
        users: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        lenient: bool = False,
        broken: bool = False,
        most_messages: int = 10_000,
        most_octets: int = 64 * 1024 * 1024,
    ) -> None:
        self.host, self.port = host, port
        self.offers = tuple(offers)
        self.users = users
        self.tls, self.implicit = tls, implicit
        self.lenient, self.broken = lenient, broken
        self.most_messages, self.most_octets = most_messages, most_octets
        self.messages: list[SunkMail] = []
        self.commands: list[bytes] = []
        self.faults: list[Fault] = []
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Event()

    async def start(self) -> Sink:
        """Listen; `port` is the real one afterwards."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Wire(self), self.host, self.port, ssl=self.tls if self.implicit else None
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Close the listener and every connection."""
        if self._server is not None:
            self._server.close()
        for session in tuple(self._sessions):
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def __aenter__(self) -> Sink:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def wait_for(self, count: int, seconds: float = 10.0) -> list[SunkMail]:
        """Wait until `count` messages have arrived. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while len(self.messages) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.messages

    def take_fault(self, at: str, line: bytes) -> Fault | None:
        """The first fault that applies at this step, counted down."""
        for fault in self.faults:
            if fault.at == at and fault.match.lower() in line.lower() and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def keep(self, mail: SunkMail) -> None:
        if not self.broken:
            self.messages.append(mail)
            del self.messages[: -self.most_messages]
        self._arrived.set()

    def note(self, line: bytes) -> None:
        self.commands.append(line)
        del self.commands[: -50 * self.most_messages]

    def begin(self, wire: Wire) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(Session(self, wire).run())
        self._sessions.add(task)
        task.add_done_callback(self._sessions.discard)
