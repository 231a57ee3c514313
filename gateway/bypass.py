"""The bypass: while an admin's order stands, mail passes octet for octet, unread and unjudged.

It must work when what it is there for is broken, so it needs neither reading, nor policies, nor the database. The order
is a row of the store, which every node looks at twice a second, and a file in the state folder for a node whose
database is away; the newest of the two counts. When neither can be read the last order that was seen stands, until it
ends by itself. A passed mail is recorded if the store can take it within a moment; if not, the log has its id, and the
mail has gone out all the same: of the rule that a fault of the store is always 451 this is the one exception, and only
a person makes it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import structlog

from gateway.admins import Admins
from gateway.orders import Order, file_of, newest, read_order
from gateway.smtp.gate import Incoming, Relay, UpstreamLost
from gateway.smtp.replies import Reply
from gateway.store.errors import StoreAway
from gateway.store.records import AuditEntry, Outcome
from gateway.store.store import Store

log = structlog.get_logger("gateway.bypass")

LARGE_OCTETS = 1024 * 1024
"""Mail above this size is hashed in a thread."""

RECORD_SECONDS = 2.0
"""How long a mail waits for its record."""

REST_SECONDS = 10.0
"""After a record that was not written in time, nobody waits for one for so long."""


class Bypass:
    """The order in force, and the way of mail under it."""

    def __init__(self, store: Store, admins: Admins, state: Path, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._admins = admins
        self._state = state
        self._clock = clock
        self._file: tuple[object, Order | None] = (None, None)
        self._row: Order | None = None
        self._said = ""
        self._resting_until = 0.0
        self._records: set[asyncio.Task[None]] = set()

    @property
    def latest(self) -> Order | None:
        return newest(self._row, self._file[1])

    def order(self, now: datetime) -> Order | None:
        """The order under which a mail passes unread; None while everything is as always."""
        order = self.latest
        return order if order is not None and order.on(now) else None

    # --- the order -------------------------------------------------------------------------------------------------

    def look_at_file(self) -> None:
        """Read the file if it has changed. One that cannot be read changes nothing."""
        try:
            status = file_of(self._state).stat()
            mark: object = (status.st_mtime_ns, status.st_ino, status.st_size)
        except OSError:
            mark = None  # gone or unreadable: what it said last stands until it ends
        if mark is None or mark == self._file[0]:
            return
        try:
            self._file = (mark, newest(self._file[1], read_order(self._state)))
        except (OSError, ValueError) as error:
            self._file = (mark, self._file[1])
            log.error(
                "the file of the bypass cannot be read", fault=type(error).__name__, file=str(file_of(self._state))
            )

    async def see(self, row: Order | None) -> None:
        """The store's newest order has been read. Raises StoreAway when an order of the file cannot be carried over."""
        self._row = newest(row, self._row)
        mine = self._file[1]
        if mine is not None and (row is None or (mine.at, mine.id) > (row.at, row.id)):
            await self._store.order(mine)  # so that the other nodes hear of it too

    def say(self) -> None:
        """Log a change of state."""
        now, order = self._clock(), self.latest
        if order is None:
            return
        state = order.state if order.until is None or order.on(now) else "ended"
        if self._said != f"{order.id} {state}":
            first, self._said = not self._said, f"{order.id} {state}"
            if state == "on":
                log.warning(
                    "bypass is on: everything passes unread", until=str(order.until), by=order.by, why=order.why
                )
            elif not first:
                log.warning("bypass is over: mail is judged again", how=state)

    async def tell(self) -> None:
        """Write to the admins what has changed: on, off before its time, or ended by itself. Each once, by one node."""
        now, order = self._clock(), self.latest
        if order is None:
            return
        state = order.state if order.until is None or order.on(now) else "ended"
        zone = self._admins.zone
        until = f"{order.until.astimezone(zone):%Y-%m-%d %H:%M %Z}" if order.until else ""
        values = {"state": state, "until": until, "why": order.why, "by": order.by}
        await self._admins.tell(f"bypass/{order.id}/{state}", "bypass", values)

    # --- mail ------------------------------------------------------------------------------------------------------

    async def deliver(self, mail: Incoming, relay: Relay, received: bytes, order: Order) -> Reply:
        """Pass a mail on as it came, behind our trace line. Only the upstream can keep it from passing."""
        if mail.listener == "tap":
            return await relay.deliver(received, mail.content)
        entry = await _entry(mail, order)
        intent = asyncio.create_task(self._store.intend(entry))
        await self._moment(intent)
        outcome: Outcome = "deferred"
        detail = "a fault of the gateway before the end of data"
        try:
            answer = await relay.deliver(received, mail.content)
            outcome, detail = ("bypassed" if answer.positive else "refused-upstream"), answer.text
            return answer
        except UpstreamLost as lost:
            outcome, detail = ("in-doubt" if lost.in_doubt else "deferred"), str(lost)
            raise
        except asyncio.CancelledError:
            outcome, detail = "in-doubt", "the gateway was stopped before the mail server's reply"
            raise
        finally:
            record = asyncio.create_task(self._record(intent, entry, outcome, detail))
            self._records.add(record)
            record.add_done_callback(self._records.discard)
            await self._moment(record)

    async def _moment(self, task: asyncio.Task[None]) -> None:
        """Wait for a record, but not long, and not at all soon after one that did not come."""
        if time.monotonic() < self._resting_until:
            await asyncio.sleep(0)
            return
        done, _ = await asyncio.wait((task,), timeout=RECORD_SECONDS)
        if not done or task.exception() is not None:
            self._resting_until = time.monotonic() + REST_SECONDS

    async def _record(self, intent: asyncio.Task[None], entry: AuditEntry, outcome: Outcome, detail: str) -> None:
        """What became of the mail, after its intent, or with it where that was not written."""
        try:
            try:
                await intent
            except StoreAway:
                await self._store.intend(replace(entry, outcome=outcome))
            else:
                await self._store.outcome(entry.id, outcome, detail)
        except Exception as fault:
            log.error("a bypassed mail is not recorded", mail=entry.id, outcome=outcome, fault=type(fault).__name__)

    async def close(self, seconds: float) -> None:
        """Let records that are under way be written."""
        if self._records:
            await asyncio.wait(tuple(self._records), timeout=seconds)


async def _entry(mail: Incoming, order: Order) -> AuditEntry:
    """What is known of a mail without reading it."""
    content = mail.content
    large = content.size > LARGE_OCTETS
    digest = await asyncio.to_thread(lambda: content.sha256) if large else content.sha256
    return AuditEntry(
        id=mail.id,
        at=mail.received_at,
        listener=mail.listener,
        peer=mail.peer[0],
        agent="",
        team="",
        requester="",
        requester_grade="",
        mail_from=mail.envelope.mail_from.address,
        rcpt_to=mail.envelope.recipients,
        message_id="",
        subject="",
        size=content.size,
        sha256=digest,
        lang="",
        disposition="pass",
        reason=f"bypass, by {order.by}: {order.why}; passed unread",
        policy_version="",
    )
