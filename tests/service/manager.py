"""Plays the service manager: listens on NOTIFY_SOCKET, starts the gateway as its unit would, hands sockets over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gateway.resources import shipped

ROOT = Path(__file__).parents[2]


@dataclass
class Manager:
    """What the service said: `heard` holds (monotonic seconds, {name: value}) of each message, oldest first."""

    address: str
    heard: list[tuple[float, dict[str, str]]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, channel: socket.socket) -> None:
        message = channel.recv(4096).decode()
        self.heard.append((time.monotonic(), dict(line.split("=", 1) for line in message.splitlines())))
        self._news.set()

    async def hear(self, name: str, after: int = 0, seconds: float = 60.0) -> int:
        """Wait for a message with this name=1 from index `after` on; its index. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                for index in range(after, len(self.heard)):
                    if self.heard[index][1].get(name) == "1":
                        return index
                self._news.clear()
                await self._news.wait()

    def status(self, index: int) -> str:
        return self.heard[index][1]["STATUS"]

    def times(self, name: str) -> list[float]:
        return [at for at, said in self.heard if said.get(name) == "1"]


@contextlib.asynccontextmanager
async def manager(address: Path | str) -> AsyncIterator[Manager]:
    """Listen at a path, or at an abstract address that begins with @."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
        channel.bind("\0" + str(address)[1:] if str(address).startswith("@") else str(address))
        listening = Manager(str(address))
        loop = asyncio.get_running_loop()
        loop.add_reader(channel, listening.take, channel)
        try:
            yield listening
        finally:
            loop.remove_reader(channel)


@dataclass
class Served:
    """A running `referral-gateway serve`; `log` is its standard error."""

    process: asyncio.subprocess.Process
    log: Path

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self, seconds: float = 60.0) -> int:
        async with asyncio.timeout(seconds):
            return await self.process.wait()


@contextlib.asynccontextmanager
async def serve(
    folder: Path,
    upstream: int,
    *flags: str,
    program: Sequence[str] = (sys.executable, "-m", "gateway"),
    through: Sequence[str] = (),
    environ: dict[str, str] | None = None,
) -> AsyncIterator[Served]:
    """The program as a process, with a state folder of its own. `through` are the words before it: what starts it."""
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "PYTHONPATH": str(ROOT),
        "REFERRAL_GATEWAY_KEY_FILE": str(folder / "keys" / "hold.key"),
        **(environ or {}),
    }
    words = [*through, *program, "serve", "--upstream", f"127.0.0.1:{upstream}", "--state", str(folder / "state")]
    words += ["--hostname", "gw.acme.example", "--site", str(shipped("policies") / "site.yaml"), "--no-reload-watch"]
    log = folder / "serve.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *words, *flags, env=variables, cwd=folder, stdin=asyncio.subprocess.DEVNULL, stderr=errors
        )
    try:
        yield Served(process, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
