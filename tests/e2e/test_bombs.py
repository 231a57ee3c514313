"""Bombs through the whole gateway: an answer in time, little memory, a loop that never stalls, a policy's result.

SMTP.md E, "bombs": 2 s, 64 MiB in the reader, 100 ms.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.readers.worker import PROCESSOR_SECONDS
from gateway.smtp.sink import Sink
from tests.e2e.bombs import LONG, SHORT, Bomb
from tests.e2e.house import connection, mail
from tests.e2e.ledgers import DANA, JILL, MARY, Ledgers
from tests.e2e.nursery import REPOSITORY

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECONDS, MEMORY, STALL = 2.0, 64 << 20, 0.1


@dataclass
class Gateway:
    """A gateway with one reader, whose loop and reader are watched."""

    process: asyncio.subprocess.Process
    port: int
    tap: int
    ledgers: Ledgers

    async def told(self) -> dict[str, float]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(b"\n")
        return json.loads(await self.process.stdout.readline())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    tmp_path = tmp_path_factory.mktemp("bombs")
    async with Sink() as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.e2e.heartbeat", str(tmp_path), str(sink.port), cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            assert process.stdout is not None and process.stdin is not None
            ready = json.loads(await process.stdout.readline())
            ledgers = Ledgers(sink, tmp_path / "state", tmp_path / "keys" / "hold.key")
            yield Gateway(process, ready["port"], ready["tap"], ledgers)
            process.stdin.close()
            assert await asyncio.wait_for(process.wait(), 20) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def octets(pid: int, what: str) -> int:
    """A line of /proc/PID/status, in octets; 0 for a process that is gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(what):
                return int(line.split()[1]) << 10
    except (OSError, IndexError):
        pass
    return 0


def processor_seconds(pid: int) -> float:
    """What a process has used; what it was at last for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class Watch:
    """Follows the memory and processor time of a gateway's readers, also of those that come meanwhile."""

    def __init__(self, gateway: int) -> None:
        self._gateway = gateway
        self._base: dict[int, tuple[int, float]] = {}
        self.peak, self.used = 0, 0.0
        for pid in self._readers():
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak of memory begins anew (proc(5))
        self.look()
        self._task = asyncio.create_task(self._watch())

    def _readers(self) -> list[int]:
        return [reader for nursery in children(self._gateway) for reader in children(nursery)]

    async def _watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(0.004)

    def look(self) -> None:
        for pid in self._readers():
            memory, used = self._base.setdefault(pid, (octets(pid, "VmRSS"), processor_seconds(pid)))
            self.peak = max(self.peak, octets(pid, "VmHWM") - memory)
            self.used = max(self.used, processor_seconds(pid) - used)

    def stop(self) -> None:
        self._task.cancel()
        self.look()


_numbers = itertools.count()


async def explode(gateway: Gateway, name: str, bomb: Bomb, *, port: int = 0) -> str:
    """Send one bomb and check all that is promised. Gives the figures."""
    make, unreadable = bomb
    message_id = f"<bomb{next(_numbers)}@bombs>"
    raw = f"Message-ID: {message_id}\r\n".encode() + make()
    inbound = port == gateway.tap
    await gateway.told()
    async with connection(port or gateway.port) as talk:
        sender, recipient = (MARY, DANA) if inbound else (DANA, JILL)
        for line in ("EHLO client.example", f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"):
            code, text = await talk.command(line.encode())
        assert code == 354, text
        content = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:]
        talk.writer.write(content + (b"" if content.endswith(b"\r\n") else b"\r\n"))
        await talk.writer.drain()
        watch = Watch(gateway.process.pid)
        begun = time.monotonic()
        talk.writer.write(b".\r\n")
        code, text = await talk.reply()
        taken = time.monotonic() - begun
        watch.stop()
    told = await gateway.told()
    stall = told["stall"]
    figures = f"{name}: {len(raw) / 1e6:.1f} MB, {taken:.2f} s ({watch.used:.2f} of a processor), "
    figures += (
        f"{watch.peak / (1 << 20):.0f} MiB, stall {stall * 1000:.0f} ms (by the wall {told['wall'] * 1000:.0f}): {code}"
    )
    assert code == 250, f"{figures} {text}"
    assert watch.used < SECONDS, figures
    assert taken < SECONDS * (1 + 2 * os.getloadavg()[0]), figures  # by the wall clock other processes count, too
    # A mail's own octets are a reader's, too, up to the size of mail; what it makes of them is bounded.
    assert watch.peak < MEMORY + len(raw), figures
    assert stall < STALL, figures
    if not inbound:
        rows = [row for row in gateway.ledgers.rows() if row.entry.message_id == message_id]
        if not rows:  # its Message-ID stood beyond what is read
            rows = gateway.ledgers.rows()[-1:]
        [row] = rows
        fact = row.entry.facts.get("unreadable", {}).get("value")
        assert row.outcome in ("passed", "held") and row.entry.policy_version, figures
        assert (fact is not None) == (unreadable is not None), (fact, figures)
        # A slow machine comes to the end of a reader's processor time before the end of what is read.
        spent = ("too much to read",) if watch.used > PROCESSOR_SECONDS else ()
        assert not unreadable or fact in (unreadable, *spent), (fact, figures)
    return figures


@pytest.mark.parametrize("name", SHORT)
async def test_bomb(gateway: Gateway, name: str) -> None:
    print(await explode(gateway, name, SHORT[name]))


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_all_bombs_one_after_the_other(gateway: Gateway) -> None:
    """In both directions, with an ordinary mail after each: it is judged as ever."""
    for number, (name, bomb) in enumerate({**SHORT, **LONG}.items()):
        for port in (gateway.port, gateway.tap):
            print(await explode(gateway, name, bomb, port=port))
        await ordinary(gateway, number)


async def ordinary(gateway: Gateway, number: int) -> None:
    """A mail that the policies hold, and that is long enough for a reader."""
    text = "No.\n\n" + f"On Mon, 2 Mar 2026 at 09:00, Jill Amory <{JILL}> wrote:\n" + "> Can I have a screen?\n" * 400
    raw = mail(f"Dana Cole <{DANA}>", JILL, f"Re: Screen {number}", text, message_id=f"<ordinary{number}@bombs>")
    async with connection(gateway.port) as talk:
        for line in ("EHLO client.example", f"MAIL FROM:<{DANA}>", f"RCPT TO:<{JILL}>", "DATA"):
            await talk.command(line.encode())
        code, text = await talk.content(raw)
    assert code == 250 and "Held" in text, text


async def test_bombs_at_once_keep_nobody_waiting(gateway: Gateway) -> None:
    """Small mail passes while all readers are with bombs, and the bombs are answered."""
    bombs = [SHORT[name][0]() for name in ("html, 5 MB of text", "a line of 10 MB", "pages")]

    async def send(raw: bytes) -> tuple[int, float]:
        async with connection(gateway.port) as talk:
            for line in ("EHLO client.example", f"MAIL FROM:<{DANA}>", f"RCPT TO:<{JILL}>", "DATA"):
                await talk.command(line.encode())
            begun = time.monotonic()
            code, _ = await talk.content(raw)
            return code, time.monotonic() - begun

    under_way = [asyncio.create_task(send(raw)) for raw in bombs]
    await asyncio.sleep(0.3)
    small = mail(DANA, JILL, "Re: Chair", "The chair stands in room 4 now.\n")
    found = [await send(small) for _ in range(10)]
    assert all(code == 250 for code, _ in found) and max(seconds for _, seconds in found) < 1 + os.getloadavg()[0], (
        found
    )
    assert [code for code, _ in await asyncio.gather(*under_way)] == [250] * 3
    assert (await gateway.told())["stall"] < STALL
