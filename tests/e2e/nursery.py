"""Gateways in processes of their own, to be killed. One process loads everything once and forks a gateway at a word.

As a program (`python -m tests.e2e.nursery`) it reads one JSON object a line, forks, and writes one a line: a gateway
is ready, or a process has ended. `Nursery` is the tests' end of that conversation.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import json
import os
import select
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]


@dataclass
class Gateway:
    """A running gateway process: `port` takes outgoing mail, `tap` inbound mail."""

    pid: int
    port: int
    tap: int
    ended: asyncio.Future[int] = field(repr=False)

    async def died(self) -> None:
        """Wait until it was killed at its point."""
        async with asyncio.timeout(15):
            status = await self.ended
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"it ended with status {status}"

    async def stop(self) -> None:
        """SIGTERM; it must end in order."""
        os.kill(self.pid, signal.SIGTERM)
        async with asyncio.timeout(15):
            status = await self.ended
        assert status == 0, f"it ended with status {status}"


class Nursery:
    """Starts gateways. Each sees a clock `ahead` of ours."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ready: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._ended: dict[int, asyncio.Future[int]] = {}
        self._listener = asyncio.create_task(self._listen())

    def _end_of(self, pid: int) -> asyncio.Future[int]:
        return self._ended.setdefault(pid, asyncio.get_running_loop().create_future())

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            if "status" in said:
                self._end_of(said["pid"]).set_result(said["status"])
            else:
                await self._ready.put(said)

    async def start(self, folder: Path, upstream: int, *, stop_at: str = "", ahead: timedelta = timedelta()) -> Gateway:
        assert self._process.stdin is not None
        order = {"folder": str(folder), "upstream": upstream, "stop_at": stop_at, "ahead": ahead.total_seconds()}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(30):
            said = await self._ready.get()
        return Gateway(said["pid"], said["port"], said["tap"], self._end_of(said["pid"]))

    async def close(self) -> None:
        for pid, ended in self._ended.items():
            if not ended.done():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        self._listener.cancel()


@contextlib.asynccontextmanager
async def nursery() -> AsyncIterator[Nursery]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.e2e.nursery", cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OPENBLAS_NUM_THREADS": "1"},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    found = Nursery(process)
    try:
        yield found
    finally:
        await found.close()


# --- the program -----------------------------------------------------------------------------------------------------


@functools.cache
def site() -> str:
    """The shipped site, and as many stops as the tests like; written once, by the process that forks."""
    from tests.e2e.limits import NO_LIMITS, site_with

    folder, owner = Path(tempfile.mkdtemp(prefix="rg-site-")), os.getpid()
    atexit.register(lambda: shutil.rmtree(folder, ignore_errors=True) if os.getpid() == owner else None)
    return site_with(folder, NO_LIMITS)


def flags(folder: Path, upstream: int) -> dict[str, Any]:
    return {
        "listen": ["127.0.0.1:0"],
        "tap": ["127.0.0.1:0"],
        "tap_upstream": f"127.0.0.1:{upstream}",
        "upstream": f"127.0.0.1:{upstream}",
        "state": str(folder / "state"),
        "site": site(),
        "hostname": "gw.acme.example",
        "reload_watch": False,
        "shutdown_grace": "2s",
    }


def settings_for(folder: Path, upstream: int) -> Any:
    from gateway.settings_file import load_settings

    environ = {"REFERRAL_GATEWAY_KEY_FILE": str(folder / "keys" / "hold.key"), "HOME": str(folder)}
    return load_settings(flags(folder, upstream), environ, None)


def main() -> None:
    import structlog

    from gateway import service
    from tests import databases
    from tests.e2e.mother import address

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    files = service.files_of(settings_for(Path("/nowhere"), 25))
    service.files_of = lambda _: files
    databases.tables()
    address()  # before the first fork, so that all gateways have the same mother
    bell, ring = os.pipe()
    os.set_blocking(ring, False)
    signal.set_wakeup_fd(ring, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    waiting = b""
    while True:
        ready, _, _ = select.select([0, bell], [], [])
        if bell in ready:
            os.read(bell, 4096)
            _reap()
        if 0 in ready:
            octets = os.read(0, 65536)
            if not octets:
                return
            *orders, waiting = (waiting + octets).split(b"\n")
            for order in orders:
                if os.fork() == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    os._exit(_gateway(json.loads(order)))


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _say({"pid": pid, "status": status})


def _say(what: dict[str, Any]) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def _gateway(order: dict[str, Any]) -> int:
    from tests.e2e.stops import STOPS

    if order["stop_at"]:
        STOPS[order["stop_at"]]()
    try:
        asyncio.run(_serve(order))
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return 3
    return 0


async def _serve(order: dict[str, Any]) -> None:
    from gateway import service as module
    from gateway.service import Service
    from gateway.store.engine import Database
    from tests import databases
    from tests.e2e.house import quick_load
    from tests.e2e.mother import ForkedNursery

    module.load_policies = quick_load
    Database.create = databases.create  # type: ignore[method-assign]
    ahead = timedelta(seconds=order["ahead"])
    service = Service(settings_for(Path(order["folder"]), order["upstream"]), clock=lambda: datetime.now(UTC) + ahead)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await service.start()
    service.readers._new = ForkedNursery
    port, tap = (server.port for server in service.doors.servers)
    _say({"pid": os.getpid(), "port": port, "tap": tap})
    await told.wait()
    await service.close()


if __name__ == "__main__":
    main()
