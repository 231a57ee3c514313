"""Follow-through: what is open, in the transactions that open and close it; each reminder with the row that says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.engine import Connection

from gateway.follow.entries import Entry, State, Trail
from gateway.store import audit, holds, ledger, outbox
from gateway.store.base import Base
from gateway.store.records import WAITING, OutMail
from gateway.store.schema import holds as hold_rows

AT_ONCE = 50
"""What one look of the clock takes on."""


class Following(Base):
    """The ledger, and the deadlines of held mail."""

    def _follow(self, connection: Connection, trail: Trail | None) -> None:
        """What a mail does to the ledger; what it closes stands in the history of the mail that opened it."""
        if trail is None:
            return
        for entry, why in ledger.follow(connection, trail, self.run_id):
            by = trail.seen.author.address if trail.seen else ""
            event = audit.Event(ledger.subject(entry), trail.at, f"{entry.kind}-closed", why, by)
            audit.add_events(connection, [event], self.run_id, self.origin)

    async def ledger_due(self, now: datetime) -> list[Entry]:
        """What the clock has to look at."""
        return await self._reader.run(lambda connection: ledger.due(connection, now, AT_ONCE))

    async def ledger_step(
        self, entry: Entry, state: State, next_at: datetime | None, mails: Sequence[OutMail], now: datetime
    ) -> bool:
        """Go on, and tell people, in one transaction. False when another node did, or the entry was closed."""
        sealed = await self._seal_mails(mails)

        def work(connection: Connection) -> bool:
            if not ledger.step(connection, entry, state, next_at):
                return False
            outbox.enqueue(connection, sealed, now, self.run_id)
            told = ", ".join(address for mail in mails for address in mail.rcpt_to)
            event = audit.Event(ledger.subject(entry), now, f"{entry.kind}-{state}", f"told {told}" if told else "", "")
            audit.add_events(connection, [event], self.run_id, self.origin)
            return True

        return await self._write(work)

    async def requests_of(self, requester: str, since: datetime) -> list[Entry]:
        """What somebody (canonical address) asked since then."""
        return await self._reader.run(lambda connection: ledger.requests(connection, requester, since))

    def ledger_list(self, **filters: Any) -> list[Entry]:
        """Entries; the filters of `ledger.entries`. For commands: blocks."""
        return self._read(lambda connection: ledger.entries(connection, **filters))

    def ledger_show(self, wanted: str) -> Entry | None:
        """One entry. For commands: blocks. Raises Ambiguous."""
        return self._read(lambda connection: ledger.find(connection, wanted))

    def ledger_close(self, entry: Entry, by: str, why: str, now: datetime, origin: str) -> bool:
        """Close an entry by a person's word. False when it was closed before. Blocks."""
        return self._writer.run_now(lambda connection: self._close(connection, entry, by, why, now, origin))

    async def ledger_end(self, entry: Entry, why: str, now: datetime) -> bool:
        """Close an entry that nobody has to look at any more. False when it was closed before."""
        return await self._write(lambda connection: self._close(connection, entry, "", why, now, ""))

    def _close(self, connection: Connection, entry: Entry, by: str, why: str, now: datetime, origin: str) -> bool:
        if not ledger.close(connection, entry.id, by, why, now):
            return False
        event = audit.Event(ledger.subject(entry), now, f"{entry.kind}-closed", why, by, origin)
        audit.add_events(connection, [event], self.run_id, self.origin)
        return True

    # --- held mail -------------------------------------------------------------------------------------------------

    async def holds_due(self, now: datetime) -> list[tuple[str, int]]:
        """(id, how often somebody was reminded) of mail that waits for too long: for an answer, or in doubt. Mail that
        was held before there were reminders has only its deadline."""
        look = func.coalesce(hold_rows.c.next_at, hold_rows.c.deadline)
        waiting = hold_rows.c.state.in_(WAITING) & (look <= now)
        query = select(hold_rows.c.id, hold_rows.c.stage).where(waiting).order_by(look).limit(AT_ONCE)
        return await self._reader.run(lambda connection: [tuple(row) for row in connection.execute(query)])  # type: ignore[misc]

    async def put_off(self, hold_id: str, stage: int, next_at: datetime) -> None:
        """Look at a held mail again later, where nobody could be told now."""
        later = update(hold_rows).where(_as_read(hold_id, stage)).values(next_at=next_at)
        await self._write(lambda connection: connection.execute(later))

    async def remind(
        self, hold_id: str, stage: int, next_at: datetime, mails: Sequence[OutMail], token_hash: str, now: datetime
    ) -> bool:
        """Remind somebody of a held mail, with a token with which they can answer, in one transaction. False when
        another node did, or the mail is settled."""
        sealed = await self._seal_mails(mails)

        def work(connection: Connection) -> bool:
            values = {"stage": stage + 1, "next_at": next_at}
            if connection.execute(update(hold_rows).where(_as_read(hold_id, stage)).values(values)).rowcount != 1:
                return False
            holds.add_token(connection, hold_id, token_hash, now, self.run_id)
            outbox.enqueue(connection, sealed, now, self.run_id)
            told = ", ".join(address for mail in mails for address in mail.rcpt_to)
            event = audit.Event(hold_id, now, "reminded", f"told {told}")
            audit.add_events(connection, [event], self.run_id, self.origin)
            return True

        return await self._write(work)


def _as_read(hold_id: str, stage: int) -> ColumnElement[bool]:
    """It still waits, and nobody was reminded since."""
    return (hold_rows.c.id == hold_id) & hold_rows.c.state.in_(WAITING) & (hold_rows.c.stage == stage)
