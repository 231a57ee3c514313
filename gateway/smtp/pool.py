"""The pool: upstream connections that served one client well and may serve the next.

A connection is kept only after sessions that ended in order, in which the upstream refused nothing, and never when it
carried AUTH, XFORWARD or XCLIENT (`Upstream.bound`): what one client was allowed must not reach another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from gateway.smtp.upstream import Upstream

Connect = Callable[[bytes], Awaitable[Upstream]]
"""Connect to the upstream, given the name for an EHLO before its STARTTLS. Raises UpstreamUnavailable."""


class Pool:
    """Idle connections to one upstream, the youngest used first.

    `size` is how many are kept (0: none), `idle` for how many seconds, `uses` how many sessions each serves at most:
    servers count mails and errors by the connection.
    """

    def __init__(self, connect: Connect, *, size: int = 20, idle: float = 20.0, uses: int = 20) -> None:
        self.connect = connect
        self._size = size
        self._idle_seconds = idle
        self._most_uses = uses
        self._idle: list[tuple[float, Upstream]] = []
        self._uses: WeakKeyDictionary[Upstream, int] = WeakKeyDictionary()
        self._goodbyes: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._idle)

    async def take(self, helo: bytes) -> Upstream:
        """A connection that is ready for EHLO: an idle one, else a new one. Raises UpstreamUnavailable."""
        limit = asyncio.get_running_loop().time() - self._idle_seconds
        while self._idle:
            since, upstream = self._idle.pop()
            if upstream.alive and since > limit:
                return upstream
            self._end(upstream)
        return await self.connect(helo)

    def is_used(self, upstream: Upstream) -> bool:
        """True when `upstream` has served somebody before, so that a fault of it may be old age."""
        return upstream in self._uses

    def give(self, upstream: Upstream) -> bool:
        """Keep a connection on which no mail is open. False when it is not wanted: the caller ends it."""
        uses = self._uses.get(upstream, 0) + 1
        if not upstream.alive or upstream.bound or uses >= self._most_uses or len(self._idle) >= self._size:
            return False
        loop = asyncio.get_running_loop()
        self._uses[upstream] = uses
        self._idle.append((loop.time(), upstream))
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._idle_seconds, self._sweep)
        return True

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        limit = loop.time() - self._idle_seconds
        kept = [entry for entry in self._idle if entry[0] > limit and entry[1].alive]
        for entry in self._idle:
            if entry not in kept:
                self._end(entry[1])
        self._idle = kept
        self._sweeper = loop.call_later(self._idle_seconds, self._sweep) if kept else None

    def _end(self, upstream: Upstream) -> None:
        goodbye = asyncio.get_running_loop().create_task(upstream.quit())
        self._goodbyes.add(goodbye)
        goodbye.add_done_callback(self._goodbyes.discard)

    async def close(self) -> None:
        """Say goodbye on all idle connections. A given-back connection is not kept afterwards."""
        self._size = 0
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for _, upstream in self._idle:
            self._end(upstream)
        self._idle.clear()
        if self._goodbyes:
            await asyncio.wait(self._goodbyes)
