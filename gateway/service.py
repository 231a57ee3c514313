"""The running gateway: opens the store, the rules and the doors, keeps them, and closes them in order.

    start   store ▸ rules ▸ own sending ▸ pipeline ▸ doors ▸ READY=1
    reload  SIGHUP or a changed file: new rules as a whole, or the old ones stay
    stop    SIGTERM: doors close to newcomers, running mails finish, own sending stops, store closes
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog

from gateway.assembly import doors_of, hold_key, memory_key, postbox_of
from gateway.config import Settings
from gateway.desk import Desk
from gateway.dispatch import Dispatcher
from gateway.located import BadFiles, Problem
from gateway.pipeline import Pipeline
from gateway.policy.loader import load_policies
from gateway.policy.model import PolicySet
from gateway.resources import shipped
from gateway.rules import Rules
from gateway.smtp.server import Doors
from gateway.store.errors import StoreAway
from gateway.store.store import Store
from gateway.template_files import Templates, load_templates
from gateway.supervision import Notifier, passed_sockets

log = structlog.get_logger("gateway.service")

SWEEP_SECONDS = 60.0
"""How often leases that ran out are looked for."""


class Service:
    """One process of the gateway. `start` raises BadFiles or StoreAway with nothing left open."""

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.settings = settings
        self._clock = clock
        self._notifier = Notifier()
        self._tasks: list[asyncio.Task[None]] = []
        self._stop = asyncio.Event()
        self.store: Store
        self.rules: Rules
        self.desk: Desk
        self.dispatcher: Dispatcher
        self.pipeline: Pipeline
        self.doors: Doors

    async def start(self) -> None:
        """Open everything, doors last, so that the first client finds a gateway that can answer for its mail."""
        settings = self.settings
        key = hold_key(settings)
        self.rules = Rules(lambda: files_of(settings), judging=settings.site is not None, key=memory_key(key))
        doors = doors_of(settings, passed_sockets())
        self.store = Store.open(
            settings.database_url, key, password=settings.secret("database_password"), clock=self._clock
        )
        try:
            await self.store.start()
            await self.store.recover(self._clock())
            self.desk = Desk(
                self.rules,
                self.store,
                lambda: self.rules.templates,
                notices_address=settings.notices_address,
                notices_from=settings.notices_from,
                hold_deadline=settings.hold_deadline,
                clock=self._clock,
            )
            self.dispatcher = Dispatcher(
                self.store, postbox_of(settings), on_settled=self.desk.on_settled, clock=self._clock
            )
            self.desk.wake = self.dispatcher.wake
            self.pipeline = Pipeline(
                rules=self.rules,
                store=self.store,
                desk=self.desk,
                hostname=settings.hostname,
                add_received=settings.received_line,
                observe=settings.observe,
                clock=self._clock,
            )
            self.doors = Doors(self.pipeline, doors)
            await self.doors.open()
        except BaseException:
            await self.store.close()
            raise
        self._tasks = [
            asyncio.create_task(self.dispatcher.run(), name="dispatcher"),
            asyncio.create_task(self._sweep(), name="sweep"),
            asyncio.create_task(self._sign_of_life(), name="watchdog"),
        ]
        if settings.reload_watch:
            self._tasks.append(asyncio.create_task(self._watch_files(), name="watch"))
        log.info("started", listening=[str(place) for place in self.doors.places], judging=self.rules.judging)
        self._notifier.ready(self.status())

    def status(self) -> str:
        """One line for people: where it listens and what it does."""
        places = ", ".join(str(place) for place in self.doors.places)
        if not self.rules.judging:
            return f"listening on {places}; judging nothing: name your site file (setting site)"
        mode = "observing" if self.settings.observe else "enforcing"
        return f"listening on {places}; {mode} policies {self.rules.current.version[:12]}"

    async def serve(self) -> None:
        """Run until SIGTERM or SIGINT; SIGHUP reloads."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: loop.create_task(self.reload()))
        await self.start()
        try:
            await self._stop.wait()
        finally:
            await self.close()

    async def reload(self) -> None:
        """New files as a whole, or the old ones stay; either way the service manager hears that we are ready."""
        self._notifier.reloading(time.monotonic_ns() // 1000)
        await asyncio.to_thread(self.rules.reload)
        self._notifier.ready(self.status())

    async def close(self) -> None:
        """Let running mails finish, then stop. Bounded by the setting shutdown_grace."""
        self._notifier.stopping()
        await self.doors.close(self.settings.shutdown_grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.store.close()
        log.info("stopped")

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            with contextlib.suppress(StoreAway):
                await self.store.sweep(self._clock())

    async def _sign_of_life(self) -> None:
        """Only a loop that still turns says so; that is the whole point of a watchdog."""
        if self._notifier.watchdog_seconds is None:
            return
        while True:
            self._notifier.alive()
            await asyncio.sleep(self._notifier.watchdog_seconds / 3)

    async def _watch_files(self) -> None:
        from watchfiles import awatch

        async for _ in awatch(*self._watched(), stop_event=self._stop, debounce=400, rust_timeout=2_000):
            await self.reload()

    def _watched(self) -> list[Path]:
        settings = self.settings
        named = (settings.policies or shipped("policies"), settings.templates or shipped("templates"), settings.site)
        return [path for path in named if path is not None]


def files_of(settings: Settings) -> tuple[PolicySet, Templates]:
    """Read the files that the settings name. Raises BadFiles with every problem of all of them at once."""
    problems: list[Problem] = []
    policies = templates = None
    try:
        policies = load_policies(
            settings.policies or shipped("policies"),
            settings.site,
            shipped=shipped("policies"),
            templates=settings.templates,
        )
    except BadFiles as bad:
        problems += bad.problems
    try:
        templates = load_templates(shipped("templates"), *([settings.templates] if settings.templates else []))
    except BadFiles as bad:
        problems += bad.problems
    if policies is None or templates is None:
        raise BadFiles(problems)
    return policies, templates
