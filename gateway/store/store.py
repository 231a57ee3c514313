"""The store as the rest of the gateway sees it. What may run at the same time, what is one transaction: all here.

Coroutines return when their rows are on the disk. They raise StoreAway (mail gets 451) or its kinds, and nothing else
goes wrong in them; after the trouble is over they work again without a restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from gateway.reading.thread import EMPTY, SeenMessage, Thread
from gateway.store import audit, outbox, threads
from gateway.store.holding import Holding
from gateway.store.keeping import Keeping
from gateway.store.records import AuditEntry, AuditRow, OutMail


class Store(Holding, Keeping):
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

    async def remember(self, seen: SeenMessage) -> None:
        """Record a message in the thread memory; the same message twice is recorded once."""
        at = self._clock()
        await self._writer.add(threads.insert_seen, (seen, at))

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
    ) -> None:
        """Write down what became of a mail, with its thread memory and our own mails about it, in one transaction."""
        event = audit.Event(mail_id, self._clock(), outcome, detail, by)
        sealed = await self._seal_mails(notices)
        await self._writer.add(self._set_outcomes, (event, seen, sealed))

    def _set_outcomes(
        self, connection: Connection, what: Sequence[tuple[audit.Event, SeenMessage | None, list[outbox.Sealed]]]
    ) -> None:
        audit.set_outcomes(connection, [event for event, _, _ in what], self.run_id)
        remembered = [(seen, event.at) for event, seen, _ in what if seen is not None]
        if remembered:
            threads.insert_seen(connection, remembered)
        for event, _, mails in what:
            outbox.enqueue(connection, mails, event.at)

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
        await self._write(lambda connection: outbox.enqueue(connection, sealed, at))

    async def outbox_due(self, now: datetime, limit: int, owner: str, lease_seconds: float) -> list[OutMail]:
        """Mails that are due, leased to `owner`: after the lease they are due again."""
        lease = timedelta(seconds=lease_seconds)
        found = await self._write(lambda connection: outbox.claim_due(connection, now, limit, owner, lease))
        return [replace(each.mail, raw=await self._open(each.body, outbox.row_name(each.mail.id))) for each in found]

    async def outbox_sent(self, mail_id: str) -> None:
        """The upstream has taken it; its body is erased."""
        at = self._clock()
        await self._write(lambda connection: outbox.mark_sent(connection, mail_id, at))

    async def outbox_failed(self, mail_id: str, next_due: datetime | None, detail: str) -> None:
        """It was not taken: due again at `next_due`, or given up (None)."""
        await self._write(lambda connection: outbox.mark_failed(connection, mail_id, next_due, detail))

    def outbox_count(self) -> dict[str, int]:
        """How many mails of our own are "waiting", "sent" and "failed". For commands: blocks."""
        return self._read(outbox.count)
