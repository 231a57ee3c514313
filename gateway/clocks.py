"""The clock of this machine: who sets it, and when it jumps. Times in the log are worth what the clock is."""

from __future__ import annotations

import asyncio
import ctypes
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from gateway.store.errors import StoreAway
from gateway.store.store import Store

log = structlog.get_logger("gateway.clocks")

JUMP_SECONDS = 5.0
"""What a clock may gain or lose in one look: a correction by slewing is below it (500 ppm)."""
LOOK_SECONDS = 30.0
_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
_UNSYNCHRONISED = 5
"""TIME_ERROR, what adjtimex(2) answers where nobody sets the clock."""


def source() -> str:
    """Where the time comes from, in words: "tsc, synchronised"."""
    try:
        name = _SOURCE.read_text().strip()
    except OSError:
        name = "system clock"
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))  # modes 0: it only asks
    except (OSError, AttributeError):
        return f"{name}, not known whether synchronised"
    return f"{name}, {'not synchronised' if state in (-1, _UNSYNCHRONISED) else 'synchronised'}"


def steady() -> float:
    """Seconds that nobody sets; they go on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ClockWatch:
    """Writes every jump of the wall clock into the log."""

    def __init__(
        self, store: Store, wall: Callable[[], float] = time.time, steady: Callable[[], float] = steady
    ) -> None:
        self._store, self._wall, self._steady = store, wall, steady
        self._ahead = wall() - steady()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.step()

    async def step(self) -> None:
        """Compare, and write down. A jump that cannot be written is found again by the next look."""
        ahead = self._wall() - self._steady()
        jump = ahead - self._ahead
        if abs(jump) <= JUMP_SECONDS:
            self._ahead = ahead
            return
        try:
            await self._store.log("gateway", "clock-jumped", f"{jump:+.1f} s; {source()}")
        except StoreAway as away:
            log.error("a jump of the clock is not recorded", seconds=round(jump, 1), why=str(away))
        else:
            log.warning("the clock jumped", seconds=round(jump, 1))
            self._ahead = ahead
