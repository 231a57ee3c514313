"""The gateway's own doors between a real client and a real server, in a thread, with a gate that lets all pass."""

from __future__ import annotations

import asyncio
import ipaddress
import threading
from pathlib import Path
from types import TracebackType

from gateway.smtp.gate import Incoming, Relay, UpstreamLost
from gateway.smtp.house import ListenerConfig
from gateway.smtp.replies import OK, UPSTREAM_LOST, Reply, reply
from gateway.smtp.server import Server, listen
from gateway.smtp.target import Target
from tests.smtp.certificates import server_context

REJECTED = reply(550, "5.7.1 Please add the person who asked (test)")


class Glass:
    """A gate through which everything passes as it is, but a mail that says `X-Test: reject`. Remembers what it saw."""

    def __init__(self) -> None:
        self.seen: list[Incoming] = []
        self.raw: list[bytes] = []

    def takes_recipient(self, address: str) -> bool:
        return address == "notices@gateway.example"

    async def mail(self, mail: Incoming, relay: Relay | None) -> Reply:
        self.seen.append(mail)
        self.raw.append(mail.content.raw())
        if relay is None:
            return OK
        if b"X-Test: reject" in self.raw[-1]:
            await relay.abandon()
            return REJECTED
        try:
            return await relay.deliver(b"Received: by gateway.example\r\n", mail.content)
        except UpstreamLost:
            return UPSTREAM_LOST


class Between:
    """Listeners of every kind (`ports` by name: plain, starttls, implicit, proxy-filter) in front of `upstream`."""

    def __init__(self, upstream: Target, folder: Path, *, normalise: bool = False) -> None:
        self.gate = Glass()
        self.ports: dict[str, int] = {}
        self._upstream, self._normalise = upstream, normalise
        context, self.ca_file = server_context(folder)
        self._listeners = {
            "plain": ListenerConfig(),
            "starttls": ListenerConfig(tls="starttls", tls_context=context),
            "implicit": ListenerConfig(tls="implicit", tls_context=context),
            "proxy-filter": ListenerConfig(kind="proxy-filter"),
        }
        self._servers: list[Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="between", daemon=True)

    def __enter__(self) -> Between:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> None:
        for name, listener in self._listeners.items():
            server = await listen(
                listener,
                self.gate,
                self._upstream,
                hostname="gateway.example",
                listed=(ipaddress.IPv4Network("127.0.0.0/8"),),
                normalise=self._normalise,
            )
            self._servers.append(server)
            self.ports[name] = server.port

    async def _close(self) -> None:
        await asyncio.gather(*(server.close(grace=1.0) for server in self._servers))
