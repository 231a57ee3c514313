"""The wire: the octets of one client connection, in and out, with or without TLS.

Reading is by whole chunks; nothing is copied that need not be. All waiting for the client happens here, each wait
has its deadline, and all of them end with one of the exceptions below.
"""

from __future__ import annotations

import asyncio
import ssl

from gateway.smtp.tls import TlsLayer

_READ_AHEAD = 128 * 1024  # octets that may wait to be read before the client is slowed down
_LAST_WORDS = 10.0  # seconds for a client to take the last of our replies


class Gone(Exception):
    """The client is not there any more."""


class Expired(Exception):
    """The client took too long."""


class Interrupted(Exception):
    """The server wants this connection to end."""


class LineTooLong(Exception):
    """The line was longer than allowed; all of it has been read and thrown away."""


class Wire:
    """One connection. The protocol calls `feed`, `eof`, `lost`, `pause` and `resume`, the dialogue all the rest."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._buffer = b""
        self._tls: TlsLayer | None = None
        self._eof = False
        self._lost = False
        self._fault: ssl.SSLError | None = None
        self._reading_paused = False
        self._writing_paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._interrupt = False

    # -- from the protocol

    def feed(self, data: bytes) -> None:
        if self._tls is not None:
            try:
                data = self._tls.receive(data)
            except ssl.SSLError as why:
                self._fault, self._eof, data = why, True, b""
            self._flush()
            if self._tls.closed:
                self._eof = True
        self._buffer = self._buffer + data if self._buffer else data
        self._wake()
        # A fast client's octets come piece after piece before whoever waits for them has its turn.
        if len(self._buffer) > _READ_AHEAD and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def eof(self) -> None:
        self._eof = True
        self._wake()

    def lost(self) -> None:
        self._eof = self._lost = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake()

    def pause(self) -> None:
        self._writing_paused = True

    def resume(self) -> None:
        self._writing_paused = False
        self._wake()

    # -- waiting

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def interrupt(self) -> None:
        """Let the next wait for a command line, also one under way, end with Interrupted."""
        self._interrupt = True
        self._wake()

    async def _wait(self, deadline: float) -> None:
        """Until something changes. Raises Expired."""
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
        if self._loop.time() >= deadline:
            raise Expired
        self._deadline = deadline
        # One timer a connection, moved only when it goes off: most waits end long before their deadline.
        if self._timer is None or self._timer.when() > deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(deadline, self._ring)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _ring(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() >= self._deadline - 0.001:
            self._waiter.set_exception(Expired())
        else:
            self._timer = self._loop.call_at(self._deadline, self._ring)

    # -- reading

    @property
    def pending(self) -> bool:
        """True when the client has sent more than was read."""
        return bool(self._buffer)

    @property
    def is_lost(self) -> bool:
        return self._lost

    async def line(self, limit: int, seconds: float, *, interruptible: bool = False) -> bytes:
        """The next line with its LF, whatever is in it. Raises LineTooLong, Gone, Expired, Interrupted."""
        at, too_long, deadline = 0, False, 0.0
        while True:
            end = self._buffer.find(b"\n", at)
            if end >= 0:
                line, self._buffer = self._buffer[: end + 1], self._buffer[end + 1 :]
                if too_long or len(line) > limit:
                    raise LineTooLong
                return line
            if len(self._buffer) > limit:
                # What it is does not matter any more: only its end does.
                too_long, self._buffer = True, b""
            at = len(self._buffer)
            if self._eof:
                raise Gone
            if self._interrupt and interruptible:
                raise Interrupted
            deadline = deadline or self._loop.time() + seconds
            await self._wait(deadline)

    async def chunk(self, seconds: float) -> bytes:
        """Whatever has come, at least one octet. Raises Gone, Expired."""
        deadline = 0.0
        while not self._buffer:
            if self._eof:
                raise Gone
            deadline = deadline or self._loop.time() + seconds
            await self._wait(deadline)
        data, self._buffer = self._buffer, b""
        return data

    async def exactly(self, count: int, seconds: float) -> bytes:
        """The next `count` octets. Raises Gone, Expired."""
        deadline = self._loop.time() + seconds
        while len(self._buffer) < count:
            if self._eof:
                raise Gone
            await self._wait(deadline)
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def give_back(self, data: bytes) -> None:
        """Put octets back in front: they were read ahead."""
        self._buffer = data + self._buffer

    # -- writing

    def write(self, data: bytes) -> None:
        """Send `data` in one piece. A connection that is gone takes it silently: reading will tell."""
        if self._lost or not data:
            return
        if self._tls is None:
            self._transport.write(data)
        else:
            self._tls.send(data)
            self._flush()

    def _flush(self) -> None:
        assert self._tls is not None
        out = self._tls.outgoing()
        if out and not self._lost:
            self._transport.write(out)

    @property
    def is_stuffed(self) -> bool:
        """True while the client does not take our replies as fast as it makes us write them."""
        return self._writing_paused

    async def drained(self, seconds: float) -> None:
        """Until the client has taken most of what was written. Raises Expired, Gone."""
        deadline = self._loop.time() + seconds
        while self._writing_paused:
            if self._lost:
                raise Gone
            await self._wait(deadline)

    # -- TLS

    @property
    def tls(self) -> bool:
        return self._tls is not None

    async def start_tls(self, context: ssl.SSLContext, seconds: float, *, keep: bool = False) -> None:
        """Do the server's side of a handshake. What waits in the clear is thrown away (RFC 3207 §5) unless `keep`,
        for the first octets of a connection that is TLS from the start.

        Raises Gone when the handshake fails, Expired.
        """
        waiting, self._buffer = self._buffer, b""
        layer = self._tls = TlsLayer(context)
        if keep and waiting:
            self.feed(waiting)
        deadline = self._loop.time() + seconds
        while not layer.established:
            if self._eof:
                raise Gone(str(self._fault or "closed during the TLS handshake"))
            await self._wait(deadline)

    # -- the end

    def close(self) -> None:
        """Close once everything written is out."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._lost:
            return
        if self._tls is not None:
            self._tls.close()
            self._flush()
        if self._writing_paused:
            self._transport.abort()  # it does not read, so waiting for that would be for ever
            return
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._loop.call_later(_LAST_WORDS, self._transport.abort)

    def abort(self) -> None:
        if not self._lost:
            self._transport.abort()
