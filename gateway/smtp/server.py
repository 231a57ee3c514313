"""The server: listening addresses, and one door for each connection.

aiosmtpd's SMTP protocol is the base; how it reads, checks and answers is replaced throughout (its own reading accepts
what this gateway must refuse, see the modules beside this one).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from gateway.smtp import replies
from gateway.smtp.dialogue import Dialogue
from gateway.smtp.gate import Gate
from gateway.smtp.house import House, ListenerConfig
from gateway.smtp.limits import Connections, Limits, Timers
from gateway.smtp.peers import Network, read_proxy_header
from gateway.smtp.pool import Connect, Pool
from gateway.smtp.target import Target, Timeouts
from gateway.smtp.upstream import Upstream
from gateway.smtp.wire import Expired, Gone, Wire

__all__ = [
    "Connections",
    "Door",
    "Doors",
    "DoorsConfig",
    "Limits",
    "ListenerConfig",
    "Server",
    "Timers",
    "listen",
    "timeouts_for",
]

log = logging.getLogger(__name__)

_NOWHERE = ("", 0)


class Door(SMTP):
    """One client connection.

    The base's __init__ is left out on purpose: it inspects the whole class and looks up the host's name for every
    connection, and nothing that it prepares is used here.
    """

    def __init__(self, house: House, doors: set[Door]) -> None:
        self.house = house
        self.dialogue: Dialogue | None = None
        self.task: asyncio.Task[None] | None = None
        self._doors = doors

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        name = transport.get_extra_info("peername")
        self.peer: tuple[str, int] = (name[0], name[1]) if isinstance(name, tuple) else _NOWHERE
        self.loop = asyncio.get_running_loop()
        self.wire = Wire(self.loop, transport)  # type: ignore[arg-type]
        self._doors.add(self)
        self.house.connections.enter(self.peer[0])
        self.task = self.loop.create_task(self._handle_client())

    def data_received(self, data: bytes) -> None:
        self.wire.feed(data)

    def eof_received(self) -> bool:
        self.wire.eof()
        return True  # a client that has said all it wants still gets its replies

    def connection_lost(self, error: Exception | None) -> None:
        self.wire.lost()

    def pause_writing(self) -> None:
        self.wire.pause()

    def resume_writing(self) -> None:
        self.wire.resume()

    # -- the connection's life

    async def _handle_client(self) -> None:
        try:
            await self._serve()
        except (Gone, Expired):
            pass  # before a dialogue began: nothing was promised, nobody to tell
        except asyncio.CancelledError:
            pass  # the server stops, and this connection had not got as far as a dialogue
        finally:
            self.wire.close()
            self.house.connections.leave(self.peer[0])
            self._doors.discard(self)

    async def _serve(self) -> None:
        house, listener = self.house, self.house.listener
        if self._too_many():
            if listener.tls != "implicit":
                self.wire.write(replies.TOO_MANY_CONNECTIONS.encode())
            return
        if listener.proxy_protocol:
            if not house.is_listed(self.peer[0]):
                log.warning("a connection from a peer that is not listed to a listener with PROXY protocol: closed")
                return
            client = await read_proxy_header(self.wire, self.peer, house.timers.handshake)
            house.connections.leave(self.peer[0])
            house.connections.enter(client[0])
            self.peer = client
        if listener.tls == "implicit" and listener.tls_context is not None:
            await self.wire.start_tls(listener.tls_context, house.timers.handshake, keep=True)
        if listener.proxy_protocol and self._too_many():
            self.wire.write(replies.TOO_MANY_CONNECTIONS.encode())
            return
        self.dialogue = Dialogue(house, self.wire, self.peer)
        await self.dialogue.run()

    def _too_many(self) -> bool:
        limits, connections = self.house.limits, self.house.connections
        if connections.total > limits.connections:
            return True
        if connections.from_address(self.peer[0]) <= limits.connections_per_address:
            return False
        return not self.house.is_listed(self.peer[0])

    @property
    def is_committing(self) -> bool:
        return self.dialogue is not None and self.dialogue.committing


class Server:
    """One listening address at work. Made by `listen`."""

    def __init__(self, house: House, doors: set[Door], server: asyncio.Server) -> None:
        self.house = house
        self._doors = doors
        self._server = server
        self._name: Any = server.sockets[0].getsockname()

    @property
    def port(self) -> int:
        """The port it listens on; 0 for a socket without one."""
        return int(self._name[1]) if isinstance(self._name, tuple) else 0

    @property
    def place(self) -> str:
        """Where it listens, for people: HOST:PORT and the kind."""
        where = str(self._name)
        if isinstance(self._name, tuple):
            host = f"[{self._name[0]}]" if ":" in self._name[0] else self._name[0]
            where = f"{host}:{self._name[1]}"
        return where if self.house.listener.kind == "smtp" else f"{where} ({self.house.listener.kind})"

    @property
    def open_connections(self) -> int:
        return len(self._doors)

    async def close(self, grace: float = 30.0) -> None:
        """Stop: no new connections, 421 to the idle ones, and mails under way may end.

        After `grace` seconds uploads are cut off with 421; a mail whose end was read has as long again to be settled.
        """
        self._server.close()
        for door in self._doors:
            door.wire.interrupt()
        await self._ended(grace)
        await self.house.pool.close()
        for door in self._doors:
            if not door.is_committing and door.task is not None:
                door.task.cancel()
        await self._ended(grace)
        for task in (*self.house.tasks, *(door.task for door in self._doors if door.task is not None)):
            task.cancel()
        await self._ended(1.0)
        for door in tuple(self._doors):
            door.wire.abort()

    async def _ended(self, seconds: float) -> None:
        """Until every connection and every commit has ended, at most `seconds`."""
        tasks: set[asyncio.Task[Any]] = {door.task for door in self._doors if door.task is not None}
        tasks |= self.house.tasks
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)


def timeouts_for(listener: ListenerConfig, usual: Timeouts | None = None) -> Timeouts:
    """How long the upstream is waited for. Postfix gives its proxy filter 100 s for any answer.

    One answer of ours may need several of the upstream's: a new connection, its EHLO and the command itself.
    """
    timeouts = usual or Timeouts()
    if listener.kind != "proxy-filter":
        return timeouts
    return replace(
        timeouts,
        connect=min(timeouts.connect, 10.0),
        greeting=min(timeouts.greeting, 20.0),
        command=min(timeouts.command, 30.0),
        data_init=min(timeouts.data_init, 30.0),
        data_block=min(timeouts.data_block, 30.0),
        data_done=min(timeouts.data_done, 80.0),
        data_total=min(timeouts.data_total, 80.0),
    )


@dataclass(frozen=True, slots=True)
class DoorsConfig:
    """What `Doors` opens. `hostname` is the name in the banner; `listed` peers may say PROXY, XFORWARD and XCLIENT.

    `spool` is the folder for large mails (None: the system's). With `normalise`, loose line ends and NULs in a message
    are mended instead of refused.
    """

    listeners: tuple[ListenerConfig, ...]
    upstream: Target | Connect
    hostname: str
    limits: Limits = field(default_factory=Limits)
    timers: Timers = field(default_factory=Timers)
    listed: tuple[Network, ...] = ()
    spool: Path | None = None
    normalise: bool = False
    timeouts: Timeouts | None = None  # for the upstream; each listener's kind may bound them further


class Doors:
    """All listening addresses of one process, with common limits."""

    def __init__(self, gate: Gate, config: DoorsConfig) -> None:
        self._gate = gate
        self._config = config
        self._connections = Connections()
        self.servers: tuple[Server, ...] = ()

    @property
    def places(self) -> tuple[str, ...]:
        """Where it listens, for people."""
        return tuple(server.place for server in self.servers)

    async def open(self) -> None:
        """Listen everywhere, or nowhere. Raises OSError when an address cannot be listened on."""
        config, servers = self._config, list[Server]()
        try:
            for listener in config.listeners:
                servers.append(
                    await listen(
                        listener,
                        self._gate,
                        listener.upstream or config.upstream,
                        hostname=config.hostname,
                        limits=config.limits,
                        timers=config.timers,
                        listed=config.listed,
                        spool=config.spool,
                        normalise=config.normalise,
                        timeouts=config.timeouts,
                        connections=self._connections,
                    )
                )
        except BaseException:
            for server in servers:
                await server.close(0.0)
            raise
        self.servers = tuple(servers)

    async def close(self, grace: float = 30.0) -> None:
        """Stop all listeners at once; see `Server.close`."""
        await asyncio.gather(*(server.close(grace) for server in self.servers))


async def listen(
    listener: ListenerConfig,
    gate: Gate,
    upstream: Target | Connect,
    *,
    hostname: str,
    limits: Limits | None = None,
    timers: Timers | None = None,
    listed: Iterable[Network] = (),
    spool: Path | None = None,
    normalise: bool = False,
    timeouts: Timeouts | None = None,
    connections: Connections | None = None,
) -> Server:
    """Open one listening address and serve it until `Server.close`.

    `upstream` is where to relay to, or a coroutine function that connects. `hostname` is the name in the banner.
    `listed` peers may say PROXY, XFORWARD and XCLIENT. `spool` is the folder for large mails. With `normalise`, loose
    line ends in a message are mended instead of refused. `connections` may be shared by several listeners.
    Raises OSError when the address cannot be listened on.
    """
    limits = limits or Limits()
    connect = _connector(upstream, timeouts_for(listener, timeouts)) if isinstance(upstream, Target) else upstream
    house = House(
        listener=listener,
        gate=gate,
        pool=Pool(connect, size=limits.idle_upstreams),
        hostname=hostname.encode("idna").decode("ascii"),
        limits=limits,
        timers=timers or Timers(),
        listed=tuple(listed),
        spool=spool,
        normalise=normalise,
        connections=connections or Connections(),
    )
    doors: set[Door] = set()
    loop = asyncio.get_running_loop()

    def door() -> Door:
        return Door(house, doors)

    if listener.sock is not None:
        server = await loop.create_server(door, sock=listener.sock, backlog=1024)
    else:
        server = await loop.create_server(door, listener.host, listener.port, backlog=1024)
    return Server(house, doors, server)


def _connector(target: Target, timeouts: Timeouts) -> Connect:
    async def connect(helo: bytes) -> Upstream:
        return await Upstream.connect(target, timeouts=timeouts, helo=helo)

    return connect
