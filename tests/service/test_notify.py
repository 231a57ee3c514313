"""What the service tells its manager: ready, alive, reloading, stopping (sd_notify(3)), and when it is silent."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from gateway.resources import shipped
from gateway.smtp.sink import Sink
from gateway.supervision import Notifier
from tests.e2e.house import connection, mail
from tests.service.manager import Manager, manager, serve

WATCHDOG = 6.0
"""WatchdogSec of these tests, in seconds; long enough for a busy machine."""

NO_PROBLEM = mail(
    "Dana Cole <dana.cole@acme.example>", "Jill Amory <jill.amory@acme.example>", "Re: Chair", "It is in room 4 now.\n"
)


def supervised(listener: Manager) -> dict[str, str]:
    return {"NOTIFY_SOCKET": listener.address, "WATCHDOG_USEC": str(int(WATCHDOG * 1_000_000))}


async def refused(port: int) -> None:
    """Wait until nothing listens there any more."""
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionRefusedError):
            while True:
                _, newcomer = await asyncio.open_connection("127.0.0.1", port)
                newcomer.close()
                await asyncio.sleep(0.05)


async def test_from_ready_to_stopped(tmp_path: Path, sink: Sink, listener: Manager) -> None:
    """One life: ready, alive, a good reload, a broken one, and a stop that lets a mail under way come to its end."""
    policies = tmp_path / "policies"
    shutil.copytree(shipped("policies"), policies)
    flags = ("--listen", "127.0.0.1:0", "--policies", str(policies))
    async with serve(tmp_path, sink.port, *flags, environ=supervised(listener)) as served:
        ready = await listener.hear("READY")
        status = listener.status(ready)
        assert status.startswith("listening on 127.0.0.1:") and "; enforcing policies " in status
        port = int(status.split(";")[0].rpartition(":")[2])

        # a good reload: RELOADING=1 with the moment it began, then READY=1 with the new version
        before = time.monotonic_ns() // 1000
        (policies / "executive-refusal.yaml").unlink()
        served.signal(signal.SIGHUP)
        reloading = await listener.hear("RELOADING", ready + 1)
        assert before <= int(listener.heard[reloading][1]["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        again = await listener.hear("READY", reloading + 1)
        assert listener.status(again) != status

        # a broken file: ready again with the old rules, and the log names the file
        (policies / "bare-refusal.yaml").write_text("no: policy\n")
        served.signal(signal.SIGHUP)
        reloading = await listener.hear("RELOADING", again + 1)
        kept = await listener.hear("READY", reloading + 1)
        assert listener.status(kept) == listener.status(again)
        assert "bare-refusal.yaml" in served.log.read_text()

        # a stop in the middle of a mail's data: nothing new is let in, this one gets its 250
        async with connection(port) as talk:
            await talk.command(b"EHLO client.example")
            await talk.command(b"MAIL FROM:<dana.cole@acme.example>")
            await talk.command(b"RCPT TO:<jill.amory@acme.example>")
            assert (await talk.command(b"DATA"))[0] == 354
            talk.writer.write(NO_PROBLEM[:40])
            await talk.writer.drain()
            served.signal(signal.SIGTERM)
            stopping = await listener.hear("STOPPING", kept + 1)
            assert "READY" not in listener.heard[stopping][1]
            await refused(port)
            assert (await talk.content(NO_PROBLEM[40:]))[0] == 250
        assert await served.ended() == 0
    assert len(sink.messages) == 1 and sink.messages[0].raw.endswith(NO_PROBLEM)

    # signs of life came all the time: while it stood, while it reloaded and while it stopped
    signs = [*listener.times("WATCHDOG"), listener.times("STOPPING")[0]]
    assert len(signs) > 1
    assert max(later - sooner for sooner, later in itertools.pairwise(signs)) < WATCHDOG


async def test_signs_of_life_are_three_in_each_period(tmp_path: Path, sink: Sink) -> None:
    """Also over an abstract address, which is what systemd gives in some containers."""
    async with manager(f"@referral-gateway-test-{os.getpid()}") as listener:
        environ = {**supervised(listener), "WATCHDOG_USEC": "1500000"}
        async with serve(tmp_path, sink.port, "--listen", "127.0.0.1:0", environ=environ) as served:
            ready = await listener.hear("READY")
            await asyncio.sleep(3.0)
            came = [at for at in listener.times("WATCHDOG") if at <= listener.heard[ready][0] + 3.0]
            assert 3 <= len(came) <= 7
            served.signal(signal.SIGTERM)
            assert await served.ended() == 0


HANGING = """
import asyncio, signal, time
from gateway import cli
from gateway.service import Service

started = Service.start

async def start(self):
    await started(self)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, time.sleep, 120)

Service.start = start
cli.main()
"""
"""A gateway whose loop hangs at SIGUSR1, as it would in code of ours that never ends; its other threads go on."""


async def test_a_loop_that_hangs_gives_no_sign_of_life(tmp_path: Path, sink: Sink, listener: Manager) -> None:
    program = (sys.executable, "-c", HANGING)
    environ = {**supervised(listener), "WATCHDOG_USEC": "900000"}
    async with serve(tmp_path, sink.port, "--listen", "127.0.0.1:0", program=program, environ=environ) as served:
        sign = await listener.hear("WATCHDOG", await listener.hear("READY"))
        await listener.hear("WATCHDOG", sign + 1)
        served.signal(signal.SIGUSR1)
        await asyncio.sleep(0.5)
        count = len(listener.heard)
        await asyncio.sleep(2 * 0.9)
        assert len(listener.heard) == count and served.process.returncode is None
        served.signal(signal.SIGABRT)  # what systemd sends then (WatchdogSignal=)
        assert await served.ended() == -signal.SIGABRT


async def test_a_broken_start_never_says_ready(tmp_path: Path, sink: Sink, listener: Manager) -> None:
    (tmp_path / "site.yaml").write_text("agents: what?\n")
    flags = ("--listen", "127.0.0.1:0", "--site", str(tmp_path / "site.yaml"))
    async with serve(tmp_path, sink.port, *flags, environ=supervised(listener)) as served:
        assert await served.ended() == 2
    assert listener.heard == [] and "site.yaml:1:" in served.log.read_text()


def test_the_watchdog_of_another_process_is_not_ours(tmp_path: Path) -> None:
    assert Notifier({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(os.getpid())}).watchdog_seconds == 2.0
    assert Notifier({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}).watchdog_seconds is None
    assert Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).send("READY=1") is False
    assert Notifier({}).send("READY=1") is False
