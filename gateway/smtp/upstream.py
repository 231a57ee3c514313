"""The upstream: one connection to the relay behind the gateway, spoken to in lock-step.

One command, one reply, both verbatim: what the client wrote is what the upstream reads, and the other way round
(RFC 5321 §4.2). Nothing is parsed here that need not be, nothing is logged, and whatever leaves the two sides out of
step ends the connection.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterator

from gateway.smtp.gate import UpstreamLost
from gateway.smtp.replies import UPSTREAM_NO_TLS, Reply
from gateway.smtp.reply_reader import BadReply, ReplyReader
from gateway.smtp.target import Target, Timeouts

__all__ = ["Target", "Timeouts", "Upstream", "UpstreamUnavailable"]

_BLOCK = 128 * 1024  # octets a write; enough that the system calls no longer count
_FORBIDDEN = re.compile(rb"[\r\n\0]")
# What these carry belongs to one client: the connection may not be replayed or used for anybody else.
_BINDING = re.compile(rb"(?:AUTH|XFORWARD|XCLIENT)(?: |$)", re.IGNORECASE)


class UpstreamUnavailable(UpstreamLost):
    """No connection came about. `reply` is the upstream's own negative answer, or ours that names the reason."""

    def __init__(self, why: str, reply: Reply | None = None) -> None:
        super().__init__(why, in_doubt=False)
        self.reply = reply


class Upstream(asyncio.Protocol):
    """One SMTP connection as a client. Make it with `Upstream.connect`.

    `greeting` is the upstream's 220. `offers` maps the EHLO keywords (upper-case) of the last `ehlo` to their
    parameters as sent. `bound` becomes True with AUTH, XFORWARD or XCLIENT: such a connection serves one client only.
    `hung_up` is True when the upstream said goodbye or closed by itself, so that nothing of ours was to blame.
    """

    greeting: Reply

    def __init__(self, target: Target, timeouts: Timeouts) -> None:
        self.target = target
        self.timeouts = timeouts
        self.offers: dict[str, bytes] = {}
        self.bound = False
        self.hung_up = False
        self.tls = False
        self._reader = ReplyReader()
        self._transport: asyncio.Transport | None = None
        self._fault = ""  # why the connection is of no more use; "" while it is
        self._waiter: asyncio.Future[None] | None = None
        self._paused = False

    # -- connecting

    @classmethod
    async def connect(cls, target: Target, *, timeouts: Timeouts | None = None, helo: bytes = b"localhost") -> Upstream:
        """Connect, read the greeting and, where the target says so, switch TLS on.

        `helo` is the name for the EHLO before STARTTLS; the caller says its own EHLO afterwards (RFC 3207 §4.2).
        Raises UpstreamUnavailable.
        """
        self = cls(target, timeouts or Timeouts())
        try:
            await self._open()
            if target.tls == "starttls":
                await self._start_tls(helo)
        except UpstreamUnavailable:
            self.abort()
            raise
        except (OSError, TimeoutError, UpstreamLost) as why:
            self.abort()
            raise UpstreamUnavailable(f"{target}: {str(why) or type(why).__name__}") from why
        except BaseException:
            self.abort()
            raise
        return self

    async def _open(self) -> None:
        loop, target = asyncio.get_running_loop(), self.target
        implicit = target.tls == "implicit"
        async with asyncio.timeout(self.timeouts.connect):
            transport, _ = await loop.create_connection(
                lambda: self,
                target.host,
                target.port,
                ssl=target.context() if implicit else None,
                server_hostname=(target.server_name or target.host) if implicit else None,
            )
        self._adopt(transport)
        self.tls = implicit
        self.greeting = await self._reply(self.timeouts.greeting)
        if self.greeting.code != 220:
            raise UpstreamUnavailable(f"{target} greets with {self.greeting.code}", self.greeting)

    async def _start_tls(self, helo: bytes) -> None:
        hello = await self.ehlo(helo)
        if not hello.positive:
            raise UpstreamUnavailable(f"{self.target} refuses EHLO with {hello.code}", UPSTREAM_NO_TLS)
        # Somebody on the way may have taken the keyword out: never go on in the clear.
        if "STARTTLS" not in self.offers:
            raise UpstreamUnavailable(f"{self.target} does not offer STARTTLS", UPSTREAM_NO_TLS)
        ready = await self.command(b"STARTTLS")
        if ready.code != 220:
            raise UpstreamUnavailable(f"{self.target} refuses STARTTLS with {ready.code}", UPSTREAM_NO_TLS)
        # RFC 3207 §6: what came in the clear behind the 220 could be anybody's.
        self._in_step()
        assert self._transport is not None
        try:
            async with asyncio.timeout(self.timeouts.greeting):
                secure = await asyncio.get_running_loop().start_tls(
                    self._transport,
                    self,
                    self.target.context(),
                    server_hostname=self.target.server_name or self.target.host,
                )
        except ssl.SSLError as why:
            raise UpstreamUnavailable(f"{self.target}: {why}", UPSTREAM_NO_TLS) from why
        if secure is None:
            raise UpstreamLost("closed during the TLS handshake", in_doubt=False)
        self._adopt(secure)
        self._in_step()
        self.tls = True
        self.offers = {}

    def _adopt(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(high=4 * _BLOCK, low=_BLOCK)

    # -- asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
        except BadReply as why:
            self._break(str(why))
        self._wake()

    def eof_received(self) -> bool:
        self.hung_up = True
        self._fault = self._fault or "the upstream closed the connection"
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._fault:
            self.hung_up = True
            self._fault = "the upstream closed the connection" if exc is None else f"the connection broke: {exc}"
        self._wake()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _event(self, seconds: float) -> None:
        """Wait until something comes in, the way out is free again, or the connection ends. Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        waiter = self._waiter = loop.create_future()
        # Leaner than asyncio.timeout, which would be a tenth of the cost of a command.
        timer = loop.call_later(seconds, _expire, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

    # -- the dialogue

    @property
    def alive(self) -> bool:
        """True while the connection is open and both sides are in step, as far as one can know without asking."""
        return self._transport is not None and not self._fault and self._reader.is_empty

    async def ehlo(self, name: bytes) -> Reply:
        """Say EHLO and learn `offers` (RFC 5321 §4.1.1.1). Raises UpstreamLost."""
        reply = await self.command(b"EHLO " + name)
        self.offers = {}
        if reply.positive:
            for line in reply.lines[1:]:
                keyword, _, params = line.strip().partition(b" ")
                self.offers.setdefault(keyword.decode("latin-1").upper(), params)
        return reply

    async def helo(self, name: bytes) -> Reply:
        """Say HELO; `offers` is empty afterwards. Raises UpstreamLost."""
        reply = await self.command(b"HELO " + name)
        self.offers = {}
        return reply

    async def command(self, line: bytes, *, seconds: float | None = None) -> Reply:
        """Send `line` and CR LF in one write and give back the reply, its octets verbatim in `raw`.

        `seconds` replaces the usual timer. Raises ValueError for a line with CR, LF or NUL in it, which could become
        two commands, and UpstreamLost(in_doubt=False) when no reply comes within the timer or it is none.
        """
        if _FORBIDDEN.search(line):
            raise ValueError("a command with CR, LF or NUL in it")
        if _BINDING.match(line):
            self.bound = True
        self._in_step()
        try:
            self._write(line + b"\r\n")
            usual = self.timeouts.data_init if line == b"DATA" else self.timeouts.command
            return await self._reply(usual if seconds is None else seconds)
        except BaseException as why:
            self._give_up(why)
            raise

    async def data(self, prefix: bytes, chunks: Iterator[bytes]) -> Reply:
        """DATA, `prefix`, `chunks` (already dot-stuffed), the final dot: the reply to the dot, or the refusal of DATA.

        Raises UpstreamLost; `in_doubt` only when the final dot may have left.
        """
        ready = await self.command(b"DATA")
        if ready.code == 354:
            return await self.content(prefix, chunks)
        if ready.code < 400:
            self._break(f"{ready.code} in answer to DATA")
            raise UpstreamLost(self._fault, in_doubt=False)
        return ready

    async def content(self, prefix: bytes, chunks: Iterator[bytes]) -> Reply:
        """Send the message after a 354 and give back the reply to its final dot. Raises UpstreamLost.

        An upstream that refuses before the dot (a limit reached, say) has its reply given back as well; the connection
        is of no use afterwards. What `chunks` raises comes through, and the upstream never sees a dot.
        """
        self._in_step()
        try:
            deadline = asyncio.get_running_loop().time() + self.timeouts.data_total
            early, rest = await self._all_but_the_end(prefix, chunks, deadline)
            if early is not None:
                return early
            self._write(rest)
            try:
                return await self._reply(min(self.timeouts.data_done, self._left(deadline)))
            except UpstreamLost as why:
                raise UpstreamLost(str(why), in_doubt=True) from why
        except BaseException as why:
            self._give_up(why)
            raise

    async def _all_but_the_end(
        self, prefix: bytes, chunks: Iterator[bytes], deadline: float
    ) -> tuple[Reply | None, bytes]:
        """Send all but the last octets, which are given back with the final dot: (early refusal, last octets)."""
        block, size, tail = [prefix], len(prefix), prefix[-2:]
        for chunk in chunks:
            if len(chunk) >= _BLOCK:  # goes out as it is, without another copy
                self._write(b"".join(block))
                block = []
            block.append(chunk)
            size += len(chunk)
            tail = (tail + chunk[-2:])[-2:]
            if size >= _BLOCK:
                self._write(block[0] if len(block) == 1 else b"".join(block))
                block, size = [], 0
                early = await self._drained(deadline)
                if early is not None:
                    return early, b""
        # RFC 5321 §4.1.1.4: the dot stands on a line of its own, whatever came before it.
        block.append(b".\r\n" if tail in (b"", b"\r\n") else b"\r\n.\r\n")
        return None, b"".join(block)

    async def _drained(self, deadline: float) -> Reply | None:
        """Wait until the way out is free; the upstream's refusal, when it does not want to read on."""
        await asyncio.sleep(0)  # a long message must not keep the loop for itself
        while not self._fault and self._reader.is_empty:
            if not self._paused:
                return None
            try:
                await self._event(min(self.timeouts.data_block, self._left(deadline)))
            except TimeoutError as why:
                raise UpstreamLost("the upstream does not take the message in time", in_doubt=False) from why
        early = await self._reply(min(self.timeouts.data_block, self._left(deadline)))
        if early.code < 400:
            raise UpstreamLost(f"{early.code} before the final dot", in_doubt=False)
        self._break("refused before the final dot")
        return early

    @staticmethod
    def _left(deadline: float) -> float:
        return max(0.0, deadline - asyncio.get_running_loop().time())

    def _in_step(self) -> None:
        """Make sure that nothing stands in the buffer that nobody asked for. Raises UpstreamLost."""
        pending = self._reader.pending
        if pending and not self._fault:
            # RFC 5321 §3.8: a 421 may come at any time, and says that the upstream closes.
            self.hung_up = pending.startswith(b"421")
            self._break("the upstream spoke out of turn")
        if self._fault:
            raise UpstreamLost(self._fault, in_doubt=False)

    async def _reply(self, seconds: float) -> Reply:
        """The next reply. Raises UpstreamLost(in_doubt=False), and then the connection is dropped."""
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            while (reply := self._reader.take()) is None:
                if self._fault:
                    raise UpstreamLost(self._fault, in_doubt=False)
                await self._event(self._left(deadline))
            return reply
        except TimeoutError as why:
            self._break(f"no reply within {seconds:.0f} s")
            raise UpstreamLost(self._fault, in_doubt=False) from why
        except BadReply as why:
            self._break(str(why))
            raise UpstreamLost(self._fault, in_doubt=False) from why

    def _write(self, data: bytes) -> None:
        if self._fault or self._transport is None:
            raise UpstreamLost(self._fault or "not connected", in_doubt=False)
        self._transport.write(data)

    def _give_up(self, why: BaseException) -> None:
        """A step left half done (by a fault, by a cancelled task) leaves the two sides out of step."""
        self._break(f"given up: {type(why).__name__}")

    def _break(self, why: str) -> None:
        self._fault = self._fault or why
        if self._transport is not None:
            self._transport.abort()

    # -- the end

    async def quit(self) -> None:
        """Say QUIT, wait a moment for the answer, close. Never raises for what the upstream does."""
        if self.alive:
            try:
                await self.command(b"QUIT", seconds=self.timeouts.quit)
            except UpstreamLost:
                pass
        self._fault = self._fault or "closed by the gateway"
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection at once; nothing more goes out."""
        self._break("dropped by the gateway")


def _expire(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())
