"""The running gateway: opens the store, the rules and the doors, keeps them, and closes them in order.

start   store ▸ rules ▸ own sending ▸ pipeline ▸ doors ▸ READY=1 ▸ readers
reload  SIGHUP or a changed file: new rules as a whole, or the old ones stay
stop    SIGTERM: doors close to newcomers, running mails finish, readers and own sending stop, store closes
"""

from __future__ import annotations

import asyncio
import contextlib
import platform
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from gateway import __version__, clocks, digest
from gateway.admins import Admins
from gateway.assembly import doors_of, hold_key, keep_of, letters_of, memory_key, places_of, postbox_of, signer_of
from gateway.bypass import RECORD_SECONDS, Bypass
from gateway.canary import Canaries
from gateway.clockwork import Clockwork
from gateway.config import Settings
from gateway.correspondence import Correspondence
from gateway.desk import Desk
from gateway.dispatch import Dispatcher
from gateway.file_watch import watches
from gateway.located import BadFiles, Problem
from gateway.pipeline import Pipeline
from gateway.policy.loader import load_policies
from gateway.policy.model import PolicySet
from gateway.readers.pool import Readers, ReadersAway
from gateway.readers.work import Setup
from gateway.resources import shipped
from gateway.rule_history import How, RuleHistory
from gateway.rules import Rules
from gateway.settling import Settling
from gateway.smtp.server import Doors
from gateway.store.errors import StoreAway
from gateway.store.records import RESEND_DAYS, Recovered
from gateway.store.store import Store
from gateway.supervision import Notifier, passed_sockets
from gateway.template_files import FALLBACK, Templates, load_templates
from gateway.trails import Trails, patience_of
from gateway.watch import FIRST_PATIENCE_SECONDS, Watch
from gateway.witnesses import Witnesses

if TYPE_CHECKING:
    pass

log = structlog.get_logger("gateway.service")

SWEEP_SECONDS = 60.0
"""How often leases that ran out are looked for."""
LAST_CHECKPOINT_SECONDS = 5.0
RETAIN_SECONDS = 3600.0
"""How often what is older than it is kept is erased."""


class Service:
    """One process of the gateway. `start` raises BadFiles or StoreAway with nothing left open."""

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.settings = settings
        self._clock = clock
        self._notifier = Notifier()
        self._tasks: list[asyncio.Task[None]] = []
        self._stop = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._retain_at = 0.0
        self.store: Store
        self.rules: Rules
        self.letters: Correspondence
        self.history: RuleHistory
        self.desk: Desk
        self.admins: Admins
        self.bypass: Bypass
        self.watch: Watch
        self.settling: Settling
        self.dispatcher: Dispatcher
        self.readers: Readers
        self.pipeline: Pipeline
        self.clockwork: Clockwork
        self.witnesses: Witnesses
        self.doors: Doors

    async def start(self) -> None:
        """Open everything, doors last, so that the first client finds a gateway that can answer for its mail."""
        settings = self.settings
        key = hold_key(settings)
        with contextlib.suppress(OSError):  # where nothing can be written, what needs it says so
            settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        own = settings.policies or shipped("policies")
        self.history = RuleHistory(
            own, settings.templates, shipped=shipped("policies"), clock=self._clock, site=settings.site
        )
        self.rules = Rules(
            lambda: self.history.load(lambda: files_of(settings)),
            judging=settings.site is not None,
            key=memory_key(key),
        )
        doors = doors_of(settings, passed_sockets())
        self.store = Store.open(
            settings.database_url,
            key,
            password=settings.secret("database_password"),
            clock=self._clock,
            origin=f"serve on {platform.node()}",
        )
        try:
            await self.store.start()
            left = await self.store.recover(self._clock())
            self.letters = letters_of(settings, self.rules, self._clock)
            daily = settings.rewrite_notices == "daily"
            patience = patience_of(settings.handoff_deadline, settings.promise_reminder, settings.hold_deadline)
            trails = Trails(self.rules, patience, clock=self._clock) if settings.follow else None
            await self.history.took(self.rules.loaded, self.store, "start")
            self.desk = Desk(
                self.letters,
                hold_deadline=settings.hold_deadline,
                daily_digest=daily,
                **({"opens": trails.held} if trails else {}),
            )
            self.settling = Settling(self.rules, self.store, self.letters)
            self.admins = Admins(self.rules, self.store, self.letters, wake=lambda: self.desk.wake())
            self.bypass = Bypass(self.store, self.admins, settings.state, self._clock)
            canaries = Canaries(self.rules, self.store, self.admins, self._clock)
            self.watch = Watch(self.rules, self.store, self.bypass, canaries, self._new_rules)
            self.readers = Readers(
                settings.readers,
                lambda rules: Setup(rules, self.rules.key, self.rules.judging, settings.observe),
            )
            self.clockwork = Clockwork(
                self.rules,
                self.store,
                self.letters,
                self.admins,
                hold_deadline=timedelta(seconds=settings.hold_deadline),
                patience=patience,
                repeat_requests=settings.repeat_requests,
                overdue=settings.promise_overdue,
                wake=lambda: self.desk.wake(),
            )
            self.pipeline = Pipeline(
                rules=self.rules,
                store=self.store,
                desk=self.desk,
                settling=self.settling,
                readers=self.readers,
                admins=self.admins,
                bypass=self.bypass,
                trails=trails,
                count_request=self.clockwork.count_request,
                hostname=settings.hostname,
                add_received=settings.received_line,
                observe=settings.observe,
                clock=self._clock,
            )
            self.dispatcher = Dispatcher(
                self.store,
                postbox_of(settings),
                on_settled=self.settling.on_settled,
                seen=self.pipeline.seen,
                trail=trails.released if trails else None,
                clock=self._clock,
            )
            places = places_of(settings, self.letters.address)
            self.witnesses = Witnesses(self.store, lambda: signer_of(settings), places, settings.checkpoint_every)
            self.desk.wake = self.settling.wake = self.witnesses.wake = self.dispatcher.wake
            self.settling.judge = self.pipeline.judge_again
            await self.watch.step(FIRST_PATIENCE_SECONDS)
            await self._tell(left)
            self.doors = Doors(self.pipeline, doors)
            await self.store.started(self._as_started())
            await self.doors.open()
        except BaseException:
            await self.store.close()
            raise
        self._tasks = [
            asyncio.create_task(self.dispatcher.run(), name="dispatcher"),
            asyncio.create_task(self._sweep(), name="sweep"),
            asyncio.create_task(self._sign_of_life(), name="watchdog"),
            asyncio.create_task(self.clockwork.run(), name="clockwork"),
            asyncio.create_task(self.watch.run(), name="watch orders"),
            asyncio.create_task(self.witnesses.run(), name="checkpoints"),
            asyncio.create_task(clocks.ClockWatch(self.store).run(), name="clock"),
        ]
        if settings.reload_watch:
            self._tasks += [asyncio.create_task(each, name="watch") for each in watches(settings, self.reload)]
        log.info("started", listening=[str(place) for place in self.doors.places], judging=self.rules.judging)
        self._notifier.ready(self.status())

    def status(self) -> str:
        """One line for people: where it listens and what it does."""
        places = ", ".join(str(place) for place in self.doors.places)
        if not self.rules.judging:
            return f"listening on {places}; judging nothing: name your site file (setting site)"
        order = self.bypass.order(self._clock())
        if order is not None:
            return f"listening on {places}; bypass on until {order.until:%Y-%m-%d %H:%M %Z}: everything passes unread"
        mode = "observing" if self.settings.observe else "enforcing"
        return f"listening on {places}; {mode} policies {self.rules.current.version[:12]}"

    def _as_started(self) -> str:
        """What the log says of a start: whoever sets the gateway to look away, or to forget soon, is seen."""
        mode = "observing" if self.settings.observe else "enforcing" if self.rules.judging else "judging nothing"
        days = self.settings.keep_log / 86400
        version = f"{__version__}, policies {self.rules.current.version[:16]}, {mode}"
        return f"{version}, the log is kept {days:g} days, clock {clocks.source()}"

    async def serve(self) -> None:
        """Run until SIGTERM or SIGINT; SIGHUP reloads."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: loop.create_task(self.reload()))
        await self.start()
        self._tasks.append(asyncio.create_task(self._warm(), name="readers"))
        try:
            await self._stop.wait()
        finally:
            await self.close()

    async def reload(self, how: How = "signal") -> None:
        """New files as a whole, or the old ones stay; either way the service manager hears that we are ready."""
        async with self._reloading:  # one after the other, so that the newest files win
            self._notifier.reloading(time.monotonic_ns() // 1000)
            try:
                await self.history.settled()
                fresh = await asyncio.to_thread(self.rules.reload)
                if not fresh and (how == "signal" or self.history.was_refused):
                    log.info("policies are as they were", version=self.rules.current.version)
                await self.history.took(self.rules.loaded, self.store, how)
            except BadFiles as bad:
                if await self.history.refused(bad, self.rules.loaded, self.store, how):
                    for problem in bad.problems:
                        log.error("policies not reloaded; the old ones stay", problem=str(problem))
            except Exception:  # a file that is swapped at this moment, a folder that may not be read
                log.exception("policies not reloaded; the old ones stay")
            else:
                await self._new_rules()
            finally:
                self._notifier.ready(self.status())

    async def _new_rules(self) -> None:
        if self.readers.started:
            await self._warm()

    async def _warm(self) -> None:
        """Have readers and notices ready for the rules in force; a mail that comes before finds them anyway."""
        languages = {FALLBACK, self.rules.site.lang, *(team.lang for team in self.rules.site.teams.values())}
        await asyncio.to_thread(self.rules.templates.warm, languages)
        try:
            await self.readers.warm(self.rules.current)
        except ReadersAway as away:
            log.error("no readers; large mail is not judged until there are some", why=str(away))

    async def close(self) -> None:
        """Let running mails finish, then stop. Bounded by the setting shutdown_grace."""
        self._notifier.stopping()
        await self.doors.close(self.settings.shutdown_grace)
        self.dispatcher.stop()
        await asyncio.wait(self._tasks[:1], timeout=self.settings.shutdown_grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.readers.close()
        await self.bypass.close(RECORD_SECONDS)
        await asyncio.to_thread(self.store.sign_off_now)
        with contextlib.suppress(TimeoutError):  # a last checkpoint, where the store can be had
            await asyncio.wait_for(self.witnesses.step(now=True), LAST_CHECKPOINT_SECONDS)
        await self.store.close()
        log.info("stopped")

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await self.sweep()

    async def sweep(self) -> None:
        """Settle what leases that ran out and processes that died have left; erase what was discarded long ago."""
        try:
            now = self._clock()
            await self._tell(await self.store.sweep(now))
            while await self.store.erase_discarded(now - timedelta(days=RESEND_DAYS)):
                pass
            if await digest.send_due(self.store, self.letters):
                self.desk.wake()
            await self.history.catch_up(self.store)
            if time.monotonic() >= self._retain_at:
                self._retain_at = time.monotonic() + RETAIN_SECONDS
                gone = await asyncio.to_thread(self.store.retain, now, keep_of(self.settings))
                if gone:
                    log.info("kept no longer", **{name.replace(" ", "_"): number for name, number in gone.items()})
        except StoreAway as away:
            log.error("store away; nothing swept", why=str(away))
        except Exception:
            log.exception("fault while sweeping; will try again")

    async def _tell(self, left: Recovered) -> None:
        """Of what is in doubt somebody must hear: the log of each mail, the agent of each release."""
        for mail_id in left.mails_in_doubt:
            log.warning("in doubt: the upstream may have this mail, its client heard nothing", mail=mail_id)
        for hold_id in left.holds_in_doubt:
            log.warning("in doubt: this release may have gone out", mail=hold_id)
            hold = await self.store.held(hold_id)
            if hold is not None:
                mails, _ = self.settling.on_settled(hold, "in-doubt", hold.detail)
                await self.store.enqueue(mails)
        if left.holds_in_doubt or left.holds_again:
            self.desk.wake()

    async def _sign_of_life(self) -> None:
        """Only a loop that still turns says so; that is the whole point of a watchdog."""
        if self._notifier.watchdog_seconds is None:
            return
        while True:
            self._notifier.alive()
            await asyncio.sleep(self._notifier.watchdog_seconds / 3)


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
    if policies is not None:
        problems += _nobody_to_answer(settings, policies)
    if problems or policies is None or templates is None:
        raise BadFiles(problems)
    return policies, templates


def _nobody_to_answer(settings: Settings, policies: PolicySet) -> list[Problem]:
    """A gateway that holds mail needs an address that answers come to; one that only observes does not."""
    if settings.site is None or settings.observe or settings.notices_address or policies.site.notices_address:
        return []
    what = "mail would be held, and there is no address for the notices and their answers"
    write = "gateway: {notices: gateway@your-gateway.example}, or use --observe"
    return [Problem(str(settings.site), 1, 1, what, write)]
