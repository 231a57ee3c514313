"""The link: one client session's side towards the upstream, made anew when the upstream has hung up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from gateway.smtp.gate import UpstreamLost
from gateway.smtp.house import House
from gateway.smtp.replies import Reply
from gateway.smtp.transaction import Transaction
from gateway.smtp.upstream import Upstream, UpstreamUnavailable


class Link:
    """The upstream connection of one session, and what to say first on a new one (EHLO, XFORWARD).

    Every coroutine raises UpstreamLost, or its kind UpstreamUnavailable when there is no connection to be had.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._upstream: Upstream | None = None
        self._connecting: asyncio.Task[Upstream] | None = None
        self._hello = b""
        self._esmtp = True
        self._xforward: list[bytes] = []
        self.authenticated = False  # the connection has rights that a new one would not have
        self.refused = False  # the upstream said no to something in this session

    @property
    def offers(self) -> Mapping[str, bytes]:
        return self._upstream.offers if self._upstream is not None else {}

    @property
    def tls(self) -> bool:
        return self._upstream is not None and self._upstream.tls

    def begin(self) -> None:
        """Start connecting; whoever needs the connection waits for it then."""
        self._connecting = self._house.keep(self._connect())
        self._connecting.add_done_callback(lambda task: task.cancelled() or task.exception())  # asked for later

    async def open(self) -> Upstream:
        """The connection, connected now if need be; nothing is said on it."""
        if self._upstream is None or not self._upstream.alive:
            if self.authenticated:
                raise UpstreamLost("the upstream closed a connection that had been authenticated", in_doubt=False)
            if self._upstream is not None:
                self._upstream.abort()
            connecting, self._connecting = self._connecting, None
            self._upstream = await (connecting or self._connect())
        return self._upstream

    async def _connect(self) -> Upstream:
        return await self._house.pool.take(self._name)

    async def _connect_anew(self) -> Upstream:
        return await self._house.pool.connect(self._name)

    @property
    def _name(self) -> bytes:
        return self._hello or self._house.hostname.encode("ascii")

    async def hello(self, name: bytes, *, esmtp: bool) -> Reply:
        """EHLO or HELO with the client's own name. The upstream's reply."""
        self._hello, self._esmtp = name, esmtp
        upstream = await self.open()
        try:
            answer = await self._say_hello(upstream)
        except UpstreamLost:
            if self.authenticated or not upstream.hung_up:
                raise
        else:
            if answer.code != 421 or not self._house.pool.is_used(upstream):
                return answer
        # It idled out while the client was silent, or has served for long enough: nobody's fault, so once more.
        upstream.abort()
        self._upstream = None
        self._upstream = await self._connect_anew()
        return await self._say_hello(self._upstream)

    async def _say_hello(self, upstream: Upstream) -> Reply:
        return await (upstream.ehlo(self._hello) if self._esmtp else upstream.helo(self._hello))

    async def fresh(self) -> Upstream:
        """A new connection, as far along as the client's session is."""
        upstream = await self._connect_anew()
        try:
            if self._hello and not (answer := await self._say_hello(upstream)).positive:
                raise UpstreamUnavailable(f"the upstream now answers {answer.code} to our greeting", answer)
            for line in self._xforward:
                if "XFORWARD" in upstream.offers:
                    await upstream.command(line)
        except BaseException:
            upstream.abort()
            raise
        return upstream

    async def forward(self, line: bytes) -> Reply:
        """One command as it is."""
        return await (await self._ready()).command(line)

    async def xforward(self, line: bytes) -> Reply | None:
        """Pass XFORWARD on and remember it; None where the upstream does not take it or is away."""
        self._xforward.append(line)
        if self._upstream is None or not self._upstream.alive or "XFORWARD" not in self._upstream.offers:
            return None
        return await self._upstream.command(line)

    async def _ready(self) -> Upstream:
        if self._upstream is None or not self._upstream.alive:
            if self.authenticated:
                raise UpstreamLost("the upstream closed a connection that had been authenticated", in_doubt=False)
            if self._upstream is not None:
                self._upstream.abort()
            self._upstream = None
            self._upstream = await self.fresh()
        return self._upstream

    async def transaction(self) -> Transaction:
        """A transaction on a connection that is ready for MAIL."""
        return Transaction(await self._ready(), self.fresh)

    def end_of_mail(self) -> None:
        """What was forwarded about a client was for one mail."""
        self._xforward.clear()

    def keep(self, transaction: Transaction) -> None:
        """Go on with the connection that `transaction` ended on: it may have made a new one."""
        self._upstream = transaction.upstream

    def let_go(self) -> None:
        """Somebody else has the connection now and will end it."""
        self._upstream = None

    def forget(self) -> None:
        """Back to the beginning of a session (STARTTLS, XCLIENT): nothing said before may count any more."""
        self._hello = b""
        self._xforward.clear()
        if self._upstream is not None and self._upstream.bound:
            self.drop()

    def drop(self) -> None:
        """End the connection at once, so that an unfinished mail never becomes one."""
        if self._upstream is not None:
            self._upstream.abort()
            self._upstream = None

    def goodbye(self, *, in_order: bool) -> None:
        """The session is over: keep the connection for the next, or QUIT behind the client's back, or drop it."""
        if self._connecting is not None:
            self._connecting.add_done_callback(_abort)
            self._connecting.cancel()
        if not in_order or self._upstream is None or not self._upstream.alive:
            self.drop()
        elif self.refused or not self._house.pool.give(self._upstream):
            self._house.keep(self._upstream.quit())


def _abort(task: asyncio.Task[Upstream]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().abort()
