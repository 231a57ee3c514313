"""One connection to the sink: its octets, and its dialogue."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import socket
import struct
from typing import TYPE_CHECKING, cast

from gateway.smtp.sunk import SunkMail

if TYPE_CHECKING:
    from gateway.smtp.sink import Sink

_END = re.compile(rb"\r\n\.\r\n")
_LENIENT_END = re.compile(rb"(?:\r\n|\r|\n)\.(?:\r\n|\r|\n)")


class _Closed(Exception):
    """The connection is over."""


class _Cancelled(Exception):
    """The client gave AUTH up."""


class Wire(asyncio.Protocol):
    """Octets in, octets out."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.buffer = bytearray()
        self.transport: asyncio.Transport | None = None
        self._over = False
        self._more = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._sink.begin(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self._more.set()

    def eof_received(self) -> bool:
        self._over = True
        self._more.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._over = True
        self._more.set()

    async def stall(self, seconds: float) -> None:
        """Neither read nor answer for a while."""
        assert self.transport is not None
        self.transport.pause_reading()
        await asyncio.sleep(seconds)
        if not self.transport.is_closing():
            self.transport.resume_reading()

    async def more(self) -> None:
        """Wait for more octets. Raises _Closed."""
        if self._over:
            raise _Closed
        self._more.clear()
        await self._more.wait()

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def close(self, reset: bool = False) -> None:
        if self.transport is None:
            return
        if reset:
            raw = self.transport.get_extra_info("socket")
            if raw is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        else:
            self.transport.close()


class Session:
    """One connection's dialogue."""

    def __init__(self, sink: Sink, wire: Wire) -> None:
        self.sink, self.wire = sink, wire
        self.helo = b""
        self.auth: str | None = None
        self.tls = sink.implicit
        self.mail_from: bytes | None = None
        self.rcpt: list[bytes] = []

    async def run(self) -> None:
        try:
            await self._say("CONNECT", b"", b"220 sink ESMTP\r\n")
            while await self._turn(await self._line()):
                pass
        except _Closed:
            pass
        finally:
            self.wire.close()

    async def _line(self) -> bytes:
        buffer, end = self.wire.buffer, b"\n" if self.sink.lenient else b"\r\n"
        while (at := buffer.find(end)) < 0:
            await self.wire.more()
        line = bytes(buffer[:at]).rstrip(b"\r") if self.sink.lenient else bytes(buffer[:at])
        del buffer[: at + len(end)]
        return line

    async def _say(self, at: str, line: bytes, usual: bytes) -> bool:
        """Reply, or do what a fault says; True when the usual (positive) outcome holds."""
        fault = self.sink.take_fault(at, line)
        if fault is None:
            self.wire.write(usual)
            return True
        if fault.delay:
            await self.wire.stall(fault.delay)
        if fault.drop == "before":
            self.wire.close(fault.reset)
            raise _Closed
        said = usual if fault.reply is None else fault.reply
        self.wire.write((said[: len(said) // 2] if fault.half else said) + fault.injected)
        if fault.half or fault.drop == "after":
            self.wire.close(fault.reset)
            raise _Closed
        return fault.reply is None or fault.reply[:1] in b"23"

    async def _turn(self, line: bytes) -> bool:
        verb, _, rest = line.partition(b" ")
        name = verb.upper().decode("latin-1")
        self.sink.note(verb + b" " + rest.partition(b" ")[0] + b" *" if name == "AUTH" else line)
        match name:
            case "EHLO" | "HELO":
                if await self._say(name, line, self._hello() if name == "EHLO" else b"250 sink\r\n"):
                    self.helo = rest
                    self._reset()
            case "MAIL":
                if self.mail_from is not None or not rest.upper().startswith(b"FROM:"):
                    await self._say(name, line, b"503 5.5.1 Not now\r\n")
                elif await self._say(name, line, b"250 2.1.0 Sender OK\r\n"):
                    self.mail_from = rest[5:]
            case "RCPT":
                if self.mail_from is None or not rest.upper().startswith(b"TO:"):
                    await self._say(name, line, b"503 5.5.1 MAIL first\r\n")
                elif await self._say(name, line, b"250 2.1.5 Recipient OK\r\n"):
                    self.rcpt.append(rest[3:])
            case "DATA":
                if not self.rcpt:
                    await self._say(name, line, b"554 5.5.1 No valid recipients\r\n")
                elif await self._say(name, line, b"354 Go on\r\n"):
                    await self._data()
            case "RSET":
                self._reset()
                await self._say(name, line, b"250 2.0.0 Reset\r\n")
            case "NOOP" | "XFORWARD":
                await self._say(name, line, b"250 2.0.0 OK\r\n")
            case "QUIT":
                await self._say(name, line, b"221 2.0.0 Bye\r\n")
                return False
            case "STARTTLS" if self.sink.tls is not None and not self.tls:
                await self._start_tls(line)
            case "AUTH" if self.sink.users is not None and self.auth is None:
                try:
                    await self._auth(line)
                except _Cancelled:
                    await self._say("AUTH", line, b"501 5.7.0 Cancelled\r\n")
            case _:
                await self._say(name, line, b"502 5.5.1 Unknown command\r\n")
        return True

    def _hello(self) -> bytes:
        lines = [b"sink", *self.sink.offers]
        if self.sink.users is not None:
            lines.append(b"AUTH PLAIN LOGIN XOAUTH2")
        if self.sink.tls is not None and not self.tls:
            lines.append(b"STARTTLS")
        return b"".join(b"250-" + line + b"\r\n" for line in lines[:-1]) + b"250 " + lines[-1] + b"\r\n"

    def _reset(self) -> None:
        self.mail_from = None
        self.rcpt = []

    async def _data(self) -> None:
        """Read up to the end of data and answer the dot."""
        end = _LENIENT_END if self.sink.lenient else _END
        buffer = self.wire.buffer
        buffer[:0] = b"\r\n"  # so that a dot on the first line is an end like any other
        seen = 0
        while (found := end.search(buffer, max(0, seen - 8))) is None:
            seen = len(buffer)
            if seen > self.sink.most_octets:
                self.wire.write(b"552 5.3.4 Too big\r\n")
                raise _Closed
            await self.wire.more()
            await self._say("BODY", b"", b"")
        # the line end before the dot belongs to the message; the one put in front does not
        cut = found.end() - len(found.group().lstrip(b"\r\n"))
        stuffed = bytes(buffer[:cut])
        del buffer[: found.end()]
        raw = stuffed.replace(b"\r\n.", b"\r\n")[2:]
        digest = hashlib.sha256(raw).hexdigest()
        mail = SunkMail(self.mail_from or b"", tuple(self.rcpt), raw, digest, self.auth, self.helo, self.tls)
        fault = next((f for f in self.sink.faults if f.at == "DOT" and f.times != 0), None)
        kept = fault is None or fault.keep
        if kept:  # before the reply, so that whoever has the 250 finds the mail
            self.sink.keep(mail)
        if await self._say("DOT", b"", b"250 2.0.0 Taken\r\n") and not kept:
            self.sink.keep(mail)
        self._reset()

    async def _start_tls(self, line: bytes) -> None:
        if not await self._say("STARTTLS", line, b"220 2.0.0 Go\r\n"):
            return
        self.wire.buffer.clear()  # RFC 3207 §4.2
        assert self.sink.tls is not None and self.wire.transport is not None
        try:
            secure = await asyncio.get_running_loop().start_tls(
                self.wire.transport, self.wire, self.sink.tls, server_side=True
            )
        except (OSError, ConnectionError) as why:
            raise _Closed from why
        if secure is None:
            raise _Closed
        self.wire.transport = secure
        self.tls = True
        self._reset()

    async def _auth(self, line: bytes) -> None:
        words = line.split(b" ")
        mechanism = words[1].upper() if len(words) > 1 else b""
        first = words[2] if len(words) > 2 else None
        if mechanism == b"LOGIN":
            user = await self._answer(b"VXNlcm5hbWU6", first)
            password = await self._answer(b"UGFzc3dvcmQ6", None)
        elif mechanism in (b"PLAIN", b"XOAUTH2"):
            parts = (await self._answer(b"", first)).split(b"\0" if mechanism == b"PLAIN" else b"\1")
            if mechanism == b"PLAIN":
                user, password = parts[1:3] if len(parts) == 3 else (b"", b"")
            else:
                user = parts[0].removeprefix(b"user=")
                password = parts[1].removeprefix(b"auth=Bearer ") if len(parts) > 1 else b""
        else:
            await self._say("AUTH", line, b"504 5.5.4 Unknown mechanism\r\n")
            return
        name = user.decode("utf-8", "replace")
        if self.sink.users is not None and self.sink.users.get(name) == password.decode("utf-8", "replace"):
            if await self._say("AUTH", line, b"235 2.7.0 Authenticated\r\n"):
                self.auth = name
            return
        if mechanism == b"XOAUTH2":  # the error comes as a challenge that the client answers with nothing
            await self._answer(base64.b64encode(b'{"status":"401"}'), None)
        await self._say("AUTH", line, b"535 5.7.8 No\r\n")

    async def _answer(self, prompt: bytes, given: bytes | None) -> bytes:
        if given is None:
            self.wire.write(b"334 " + prompt + b"\r\n")
            given = await self._line()
        if given == b"*":  # RFC 4954 §4
            raise _Cancelled
        try:
            return b"" if given == b"=" else base64.b64decode(given, validate=True)
        except ValueError:
            return b""
