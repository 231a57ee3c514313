"""A gateway in a process of its own that tells how long its loop stood still: `python -m tests.e2e.heartbeat`.

Its arguments are a folder and the port of what is behind it. It writes JSON lines: first its ports, then, at each
line that it reads, the longest stall since the last one: by the clock of the loop's own thread, so that a busy machine
does not count, and by the wall clock, where all counts.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

BEAT = 0.002


class Heart:
    """Beats on the loop. `stall`: the most that its thread worked between two beats; `wall`: by the clock. Seconds."""

    def __init__(self) -> None:
        self.stall = self.wall = 0.0

    async def beat(self) -> None:
        wall, used = time.monotonic(), time.thread_time()
        while True:
            await asyncio.sleep(BEAT)
            self.stall = max(self.stall, time.thread_time() - used)
            self.wall = max(self.wall, time.monotonic() - wall - BEAT)
            wall, used = time.monotonic(), time.thread_time()


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


async def main(folder: Path, upstream: int) -> None:
    from gateway import service as module
    from gateway.service import Service
    from gateway.settings_file import load_settings
    from tests.e2e.house import quick_load
    from tests.e2e.nursery import flags

    module.load_policies = quick_load

    environ = {"REFERRAL_GATEWAY_KEY_FILE": str(folder / "keys" / "hold.key"), "HOME": str(folder)}
    service = Service(load_settings({**flags(folder, upstream), "readers": 1}, environ, None))
    await service.start()
    await service.readers.warm(service.rules.current)
    heart = Heart()
    beating = asyncio.create_task(heart.beat())
    port, tap = (server.port for server in service.doors.servers)
    say(port=port, tap=tap)
    while await asyncio.to_thread(sys.stdin.readline):
        say(stall=heart.stall, wall=heart.wall)
        heart.stall = heart.wall = 0.0
    beating.cancel()
    await service.close()


if __name__ == "__main__":
    import structlog

    from gateway.commands.serve import event_loop

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with asyncio.Runner(loop_factory=event_loop) as runner:
        runner.run(main(Path(sys.argv[1]), int(sys.argv[2])))
