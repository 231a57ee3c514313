"""The watch: what admins have decided, looked at twice a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from gateway.bypass import Bypass
from gateway.store.errors import StoreAway
from gateway.store.store import Store

log = structlog.get_logger("gateway.watch")

EVERY_SECONDS = 0.5
PATIENCE_SECONDS = 1.0
"""How long a look at the store may take before the file alone counts."""


class Watch:
    """Keeps one process in step with the decisions in store and state folder."""

    def __init__(self, store: Store, bypass: Bypass, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._bypass = bypass
        self._clock = clock
        self._away = False

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.step()
            except Exception:
                log.exception("fault while watching; will look again")

    async def step(self) -> None:
        """One look. A store that is away leaves everything as it was seen last."""
        self._bypass.look_at_file()
        try:
            order, _ = await self._store.governed(PATIENCE_SECONDS)
            await self._bypass.see(order)
        except StoreAway as away:
            if not self._away:
                log.error("store away; the last orders stand", why=str(away))
            self._away = True
        else:
            self._away = False
        self._bypass.say()
        if not self._away:
            await self._bypass.tell()
