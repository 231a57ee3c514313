"""The watch: what was decided beside the files, twice a second; twice a minute, the policies on trial."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from gateway.bypass import Bypass
from gateway.canary import Canaries
from gateway.rules import Rules
from gateway.store.errors import StoreAway
from gateway.store.governing import PolicyState
from gateway.store.store import Store

log = structlog.get_logger("gateway.watch")

EVERY_SECONDS = 0.5
TRIALS_EVERY = 60
"""Looks after which the policies on trial are looked at: twice a minute."""

PATIENCE_SECONDS = 1.0
"""How long a look at the store may take before the file alone counts."""

FIRST_PATIENCE_SECONDS = 10.0
"""The same before the first mail, which must find what was decided."""


class Watch:
    """Keeps one process in step with the decisions in store and state folder. `changed` follows other rules."""

    def __init__(
        self, rules: Rules, store: Store, bypass: Bypass, canaries: Canaries, changed: Callable[[], Awaitable[None]]
    ) -> None:
        self._rules = rules
        self._store = store
        self._bypass = bypass
        self._canaries = canaries
        self._changed = changed
        self._away = False
        self._looks = 0

    async def run(self) -> None:
        """Until cancelled. The file has a loop of its own: a database that hangs must not keep an order from it."""
        await asyncio.gather(self._again_and_again(self._look_at_file), self._again_and_again(self.step))

    async def _again_and_again(self, look: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await look()
            except Exception:
                log.exception("fault while watching; will look again")

    async def _look_at_file(self) -> None:
        self._bypass.look_at_file()
        self._bypass.say()

    async def step(self, patience: float = PATIENCE_SECONDS) -> None:
        """One look. A store that is away, or slower than `patience` seconds, leaves everything as it was seen last."""
        await self._look_at_file()
        try:
            order, states = await self._store.governed(patience)
            await self._bypass.see(order)
            await self._obey(states)
            self._looks += 1
            if self._looks % TRIALS_EVERY == 0:
                await self.trials(states)
        except StoreAway as away:
            if not self._away:
                log.error("store away; the last orders stand", why=str(away))
            self._away = True
        else:
            self._away = False
        self._bypass.say()
        if not self._away:
            await self._bypass.tell()

    async def trials(self, states: Mapping[str, PolicyState] | None = None) -> None:
        """Look at the policies on trial now. Raises StoreAway."""
        if states is None:
            _, states = await self._store.governed(PATIENCE_SECONDS)
        if await self._canaries.step(states):
            _, states = await self._store.governed(PATIENCE_SECONDS)
            await self._obey(states)

    async def _obey(self, states: Mapping[str, PolicyState]) -> None:
        fallen = frozenset(state.policy for state in states.values() if state.state == "observe")
        if self._rules.fall_back(fallen):
            log.warning("these policies observe, whatever their files say", policies=sorted(fallen))
            await self._changed()
