"""The store as the rest of the gateway sees it. What may run at the same time, what is one transaction: all here.

Coroutines return when their rows are on the disk. They raise StoreAway (mail gets 451) or its kinds, and nothing else
goes wrong in them; after the trouble is over they work again without a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from gateway.follow.entries import Trail
from gateway.reading.thread import EMPTY, SeenMessage, Thread
from gateway.store import audit, budget, chains, outbox, threads
from gateway.store.accounts import Accounts
from gateway.store.errors import ClaimLost
from gateway.store.exporting import Exporting
from gateway.store.following import Following
from gateway.store.governing import Governing
from gateway.store.holding import Holding
from gateway.store.judging import Judging
from gateway.store.keeping import Keeping
from gateway.store.looking import Looking
from gateway.store.privacy import Privacy
from gateway.store.proving import Proving
from gateway.store.records import AuditEntry, AuditRow, OutMail
from gateway.store.reporting import Reporting
from gateway.store.sampling import Sampling

Ended = tuple[audit.Event, SeenMessage | None, list[outbox.Sealed], Trail | None]
"""What became of one mail, and everything that is written with it."""


class Store(
    Accounts, Exporting, Following, Holding, Governing, Judging, Keeping, Looking, Privacy, Proving, Reporting, Sampling
):
    """Threads, audit, holds and outbox on one database. One instance a process; safe for every thread of it."""

    # --- threads ---------------------------------------------------------------------------------------------------

    async def thread(self, references: Iterable[str], tags: Iterable[str] = ()) -> Thread:
        """The earlier messages that a mail with these references and ticket tags is linked to."""
        references, tags = tuple(references), tuple(tags)
        if not references and not tags:
            return EMPTY
        return await self._reader.run(lambda connection: threads.find_thread(connection, references, tags))

    def thread_now(self, references: Iterable[str], tags: Iterable[str] = ()) -> Thread:
        """The same for callers without an event loop."""
        return self._read(lambda connection: threads.find_thread(connection, references, tags))

    async def remember(self, seen: SeenMessage, trail: Trail | None = None) -> None:
        """Record a message in the thread memory, and what it opens and closes; the same message twice is recorded
        once."""
        await self._writer.add(self._remember, (seen, self._clock(), trail))

    def _remember(self, connection: Connection, what: Sequence[tuple[SeenMessage, datetime, Trail | None]]) -> None:
        threads.insert_seen(connection, [(seen, at) for seen, at, _ in what], self.run_id)
        for _, _, trail in what:
            self._follow(connection, trail)

    # --- audit -----------------------------------------------------------------------------------------------------

    async def intend(self, entry: AuditEntry) -> None:
        """Write down what is about to happen to a mail, before the final dot goes upstream."""
        await self._writer.add(self._insert_entries, entry)

    def _insert_entries(self, connection: Connection, entries: Sequence[AuditEntry]) -> None:
        audit.insert_entries(connection, entries, self.run_id)

    async def outcome(
        self,
        mail_id: str,
        outcome: str,
        detail: str = "",
        by: str = "",
        *,
        seen: SeenMessage | None = None,
        notices: Sequence[OutMail] = (),
        trail: Trail | None = None,
    ) -> None:
        """Write down what became of a mail, with its thread memory, our own mails about it, and what it opens and
        closes, in one transaction."""
        event = audit.Event(mail_id, self._clock(), outcome, detail, by)
        sealed = await self._seal_mails(notices)
        await self._writer.add(self._set_outcomes, (event, seen, sealed, trail))

    def _set_outcomes(self, connection: Connection, what: Sequence[Ended]) -> None:
        audit.set_outcomes(connection, [event for event, _, _, _ in what], self.run_id, self.origin)
        remembered = [(seen, event.at) for event, seen, _, _ in what if seen is not None]
        if remembered:
            threads.insert_seen(connection, remembered, self.run_id)
        for event, _, mails, trail in what:
            outbox.enqueue(connection, mails, event.at, self.run_id)
            self._follow(connection, trail)

    def audit_list(self, **filters: Any) -> list[AuditRow]:
        """Entries, newest first; the filters of `audit.list_entries`. For commands: blocks."""
        return self._read(lambda connection: audit.list_entries(connection, **filters))

    def audit_show(self, wanted: str) -> AuditRow | None:
        """The entry with this id or unique prefix. For commands: blocks. Raises Ambiguous."""
        return self._read(lambda connection: audit.show(connection, wanted))

    # --- our own mail ----------------------------------------------------------------------------------------------

    async def enqueue(self, mails: Sequence[OutMail]) -> None:
        """Put mails of our own into the outbox."""
        at = self._clock()
        sealed = await self._seal_mails(mails)
        await self._write(lambda connection: outbox.enqueue(connection, sealed, at, self.run_id))

    async def tell_once(self, key: str, mails: Sequence[OutMail]) -> bool:
        """Put mails into the outbox for the first who comes with this key. False for everybody after."""
        at = self._clock()
        sealed = await self._seal_mails(mails)

        def work(connection: Connection) -> bool:
            first = budget.tell_once(connection, key, at)
            if first:
                outbox.enqueue(connection, sealed, at, self.run_id)
            return first

        return await self._write(work)

    async def outbox_due(self, now: datetime, limit: int, owner: str, lease_seconds: float) -> list[OutMail]:
        """Mails that are due, leased to `owner`: after the lease they are due again."""
        lease = timedelta(seconds=lease_seconds)
        found = await self._write(lambda connection: outbox.claim_due(connection, now, limit, owner, lease))
        return [replace(each.mail, raw=await self._open(each.body, outbox.row_name(each.mail.id))) for each in found]

    async def outbox_sent(self, mail_id: str) -> None:
        """The upstream has taken it; its body is erased."""
        at = self._clock()
        await self._write(lambda connection: self._left(connection, mail_id, at))

    def _left(self, connection: Connection, mail_id: str, at: datetime, gave_up: str | None = None) -> bool:
        """A mail of our own waits no longer, and the history of what it is about says so. False when it did not."""
        if gave_up is None:
            found = outbox.mark_sent(connection, mail_id, at)
        else:
            found = outbox.mark_failed(connection, mail_id, None, gave_up)
        if found is not None and found.kind != chains.UNLINKED:
            what = "notice-sent" if gave_up is None else "notice-dropped"
            event = audit.Event(found.about or mail_id, at, what, mail_id)
            audit.add_events(connection, [event], self.run_id, self.origin)
        return found is not None

    async def outbox_failed(self, mail_id: str, next_due: datetime | None, detail: str) -> None:
        """It was not taken: due again at `next_due`, or given up (None)."""
        at = self._clock()
        if next_due is None:
            await self._write(lambda connection: self._left(connection, mail_id, at, detail))
        else:
            await self._write(lambda connection: outbox.mark_failed(connection, mail_id, next_due, detail))

    async def gather(self, kind: str, now: datetime, compose: Callable[[str, Sequence[OutMail]], OutMail]) -> int:
        """Make one mail for each person of what is due of a kind, with all that waits for them; how many mails.

        One transaction: the lines are spent when the mail is there. Two nodes at once: one gathers, the other none.
        """
        found = await asyncio.to_thread(self._read, lambda connection: outbox.waiting_for(connection, kind, now))
        mails: dict[str, list[OutMail]] = {}
        for each in found:
            raw = await self._open(each.body, outbox.row_name(each.mail.id))
            mails.setdefault(each.mail.rcpt_to[0], []).append(replace(each.mail, raw=raw))
        for address, lines in mails.items():
            sealed = await self._seal_mails([compose(address, lines)])
            ids = [line.id for line in lines]

            def work(connection: Connection, ids: list[str] = ids, sealed: list[outbox.Sealed] = sealed) -> None:
                if all([self._left(connection, id, now) for id in ids]):
                    outbox.enqueue(connection, sealed, now, self.run_id)
                else:
                    raise ClaimLost("another node has made this mail")

            try:
                await self._write(work)
            except ClaimLost:
                continue
        return len(mails)

    def outbox_count(self) -> dict[str, int]:
        """How many mails of our own are "waiting", "sent" and "failed". For commands: blocks."""
        return self._read(outbox.count)
