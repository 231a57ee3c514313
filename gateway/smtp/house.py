"""The house: what all connections of one listener share."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import Any, Literal

from gateway.smtp.gate import Gate, Listener
from gateway.smtp.limits import Connections, Limits, Timers
from gateway.smtp.peers import Network, is_listed
from gateway.smtp.pool import Connect, Pool
from gateway.smtp.target import Target


@dataclass(frozen=True, slots=True)
class ListenerConfig:
    """One listening address.

    `kind` "proxy-filter" stands behind a Postfix `smtpd_proxy_filter`, "tap" takes inbound mail to be recorded.
    `tls` other than "none" needs `tls_context`; with `require_tls` no mail is taken before STARTTLS. With
    `proxy_protocol` every connection must come from a listed peer and begin with a PROXY header; with `xclient` listed
    peers may say XCLIENT. `sock` is a socket that listens already (socket activation). `upstream` is where this one
    relays to, if not where all do.
    """

    kind: Listener = "smtp"
    host: str = "127.0.0.1"
    port: int = 0
    tls: Literal["none", "starttls", "implicit"] = "none"
    tls_context: ssl.SSLContext | None = field(default=None, compare=False)
    require_tls: bool = False
    proxy_protocol: bool = False
    xclient: bool = False
    sock: socket | None = field(default=None, compare=False)
    upstream: Target | Connect | None = None

    def __post_init__(self) -> None:
        if (self.tls != "none") != (self.tls_context is not None):
            raise ValueError("a listener with TLS needs a certificate, and one without needs none")


@dataclass(eq=False, slots=True)
class House:
    """What the connections of one listener share. `hostname` is the name in our banner, ASCII."""

    listener: ListenerConfig
    gate: Gate
    pool: Pool
    hostname: str
    limits: Limits = field(default_factory=Limits)
    timers: Timers = field(default_factory=Timers)
    listed: tuple[Network, ...] = ()
    spool: Path | None = None
    normalise: bool = False
    connections: Connections = field(default_factory=Connections)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)  # commits and goodbyes that outlive their connection

    def is_listed(self, address: str) -> bool:
        return is_listed(address, self.listed)

    def keep(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` whatever becomes of the connection that asked for it."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task
