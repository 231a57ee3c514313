"""The console on its sockets: HTTP by uvicorn, on the loop that it is started on."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog
import uvicorn
from starlette.types import ASGIApp

from gateway.values import Endpoint

log = structlog.get_logger("gateway.console")

GRACE_SECONDS = 5


class Server(uvicorn.Server):
    """One listening address. Signals are whoever's who runs the loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server_of(app: ASGIApp, cert: Path | None, key: Path | None, *, tls: bool) -> Server:
    """A server that says nothing of itself, and keeps no log of addresses and queries beside ours."""
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,  # `place` reads X-Forwarded-For, and believes listed proxies only
        lifespan="off",
        limit_concurrency=200,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=32 * 1024,
        ssl_certfile=str(cert) if tls and cert else None,
        ssl_keyfile=str(key) if tls and key else None,
    )
    return Server(config)


class Console:
    """All listening addresses of the console."""

    def __init__(
        self, app: ASGIApp, places: Sequence[Endpoint], cert: Path | None = None, key: Path | None = None
    ) -> None:
        self._app, self._places, self._cert, self._key = app, places, cert, key
        self._running: list[tuple[Server, asyncio.Task[None]]] = []
        self.ports: list[int] = []

    async def open(self) -> None:
        """Listen. Raises OSError where an address cannot be had; then nothing listens."""
        sockets = []
        try:
            for place in self._places:
                sockets.append(_bound(place))
        except OSError:
            for each in sockets:
                each.close()
            raise
        for place, sock in zip(self._places, sockets, strict=True):
            server = server_of(self._app, self._cert, self._key, tls=place.tls == "implicit")
            task = asyncio.create_task(server.serve(sockets=[sock]), name="console")
            self._running.append((server, task))
            self.ports.append(sock.getsockname()[1])
        for server, task in self._running:
            for _ in range(500):  # uvicorn has no event for it
                if server.started or task.done():
                    break
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        """Finish what is under way."""
        for server, _ in self._running:
            server.should_exit = True
        for _, task in self._running:
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _bound(place: Endpoint) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((place.host, place.port))
        sock.listen(128)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"{place}: {error.strerror}") from error
    return sock
