"""Held mail: kept before the 250, settled once, released once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from gateway.policy.budget import Ceiling
from gateway.store import audit, budget, holds, outbox
from gateway.store.base import Base
from gateway.store.errors import ClaimLost, StoreAway
from gateway.store.records import (
    HOLD_LIFE,
    Action,
    AuditEntry,
    Claim,
    Hold,
    HoldState,
    NewHold,
    OutMail,
    Token,
)


class Holding(Base):
    """The holds of the store."""

    async def hold(
        self, new: NewHold, entry: AuditEntry, notices: Sequence[OutMail], *, within: Sequence[Ceiling] = ()
    ) -> Ceiling | None:
        """Keep a mail: hold, audit entry and notices in one transaction, on the disk when this returns.

        Where a ceiling of `within` is reached it is returned, and nothing is written.
        """
        sealed = await self._seal(new.raw, holds.row_name(new.id))
        mails = await self._seal_mails(notices)
        held = replace(entry, outcome="held")

        def work(connection: Connection) -> Ceiling | None:
            if (reached := budget.spent(connection, within)) is not None:
                return reached
            audit.insert_entries(connection, [held], self.run_id)
            self._event(connection, entry.id, new.at, "held", entry.reason, "")
            digest = holds.insert_hold(connection, new, entry.subject, sealed, self.run_id)
            self._event(connection, entry.id, new.at, "bound", digest, "")
            outbox.enqueue(connection, mails, new.at, self.run_id)
            return None

        return await self._write(work)

    async def reject(self, entry: AuditEntry, within: Sequence[Ceiling]) -> Ceiling | None:
        """Write down that a mail is about to be rejected. A ceiling that is reached is returned, as by `hold`."""

        def work(connection: Connection) -> Ceiling | None:
            reached = budget.spent(connection, within)
            if reached is None:
                audit.insert_entries(connection, [entry], self.run_id)
            return reached

        return await self._write(work)

    async def held(self, wanted: str) -> Hold | None:
        """The hold with this id or unique prefix, with its octets. Raises Ambiguous."""
        found = await asyncio.to_thread(self._read, lambda connection: holds.find(connection, wanted))
        return None if found is None else await self._opened(found)

    async def held_list(self, state: HoldState | None = None, agent: str = "", limit: int = 100) -> list[Hold]:
        """Holds without their octets, oldest first."""
        return await asyncio.to_thread(
            self._read, lambda connection: holds.list_holds(connection, state=state, agent=agent, limit=limit)
        )

    async def by_token(self, token_hash: str) -> Hold | None:
        """The hold that an unused token settles, with its octets; None when the token is unknown, used or dead."""
        token = await self.token(token_hash)
        return await self.held(token.hold_id) if token is not None and token.alive else None

    async def token(self, token_hash: str) -> Token | None:
        """What is known about a token, whether or not it still works."""
        return await self._reader.run(lambda connection: holds.find_token(connection, token_hash))

    async def use_token(self, token_hash: str, by: str, answer: str, now: datetime | None = None) -> bool:
        """Use a token up. False when it is unknown, used or dead; of two callers one gets True."""
        at = now or self._clock()
        return await self._write(lambda connection: holds.use_token(connection, token_hash, by, answer, at))

    async def add_token(self, hold_id: str, token_hash: str, now: datetime | None = None) -> None:
        """Give a hold one more token, for a reminder."""
        at = now or self._clock()
        await self._write(lambda connection: holds.add_token(connection, hold_id, token_hash, at, self.run_id))

    async def approve(
        self,
        hold_id: str,
        action: Action,
        by: str,
        why: str = "",
        token_hash: str | None = None,
        now: datetime | None = None,
        *,
        plan: Mapping[str, Any] | None = None,
        before: tuple[HoldState, ...] = ("held",),
        origin: str = "",
    ) -> bool:
        """held -> approved, all tokens used up. False when somebody was first or the token does not work.

        With `before` a discarded mail is sent after all, while it is still there.
        """
        at = now or self._clock()

        def work(connection: Connection) -> bool:
            if not holds.approve(connection, hold_id, action, by, why, token_hash, at, plan=plan, before=before):
                return False
            detail = f"{action}: {why}" if why else action
            self._event(connection, hold_id, at, "approved", detail, by, origin)
            if plan and plan.get("sha256"):  # what was judged again, and nothing else, goes out
                self._event(connection, hold_id, at, "plan", str(plan["sha256"]), by, origin)
            return True

        return await self._write(work)

    async def discard(
        self,
        hold_id: str,
        by: str,
        why: str = "",
        token_hash: str | None = None,
        now: datetime | None = None,
        *,
        notices: Sequence[OutMail] = (),
        fresh_token: str | None = None,
        origin: str = "",
    ) -> bool:
        """held or in-doubt -> discarded. False as for `approve`. The octets stay RESEND_DAYS; `fresh_token` is the hash
        of a token with which it can still be sent."""
        at = now or self._clock()
        mails = await self._seal_mails(notices)

        def work(connection: Connection) -> bool:
            if not holds.discard(connection, hold_id, by, why, token_hash, at):
                return False
            self._outcome(connection, hold_id, at, "discarded", why, by, origin)
            if fresh_token is not None:
                holds.add_token(connection, hold_id, fresh_token, at, self.run_id)
            outbox.enqueue(connection, mails, at, self.run_id)
            return True

        return await self._write(work)

    async def erase_discarded(self, before: datetime) -> int:
        """Erase the octets of mail that was discarded before this time. How many; call again while there are some."""

        def work(connection: Connection) -> int:
            gone = holds.erase_discarded(connection, before)
            for hold_id in gone:
                self._event(connection, hold_id, self._clock(), "erased", "the time to send it after all is over", "")
            return len(gone)

        return await self._write(work)

    async def resolve_doubt(
        self, hold_id: str, state: HoldState, by: str, why: str, now: datetime | None = None,
        *, notices: Sequence[OutMail] = (), token_hash: str | None = None, origin: str = "",
    ) -> bool:  # fmt: skip
        """in-doubt -> released or held, as a person found out (`discard` for the third). False when not in doubt.
        `token_hash` is of a fresh token, where it waits again."""
        if state not in ("released", "held"):
            raise ValueError(f"in-doubt is not resolved to {state} here")
        at = now or self._clock()
        mails = await self._seal_mails(notices)

        def work(connection: Connection) -> bool:
            if not holds.resolve_doubt(connection, hold_id, state, by, why, at):
                return False
            self._outcome(connection, hold_id, at, state, why, by, origin)
            if token_hash is not None:
                holds.add_token(connection, hold_id, token_hash, at, self.run_id)
            outbox.enqueue(connection, mails, at, self.run_id)
            return True

        return await self._write(work)

    async def claim_next(self, owner: str, lease_seconds: float, now: datetime) -> Claim | None:
        """The next approved hold to release, leased to `owner`; also one whose lease ran out before its dot."""
        return await self._claim(None, owner, lease_seconds, now)

    async def claim(self, hold_id: str, owner: str, lease_seconds: float, now: datetime) -> Claim | None:
        """The same for one hold, now, even if its next try is later."""
        return await self._claim(hold_id, owner, lease_seconds, now)

    async def _claim(self, hold_id: str | None, owner: str, lease_seconds: float, now: datetime) -> Claim | None:
        lease = timedelta(seconds=lease_seconds)
        found = await self._write(lambda connection: holds.claim(connection, hold_id, owner, self.run_id, lease, now))
        return None if found is None else Claim(await self._opened(found[0]), owner, found[1])

    async def mark_dot(self, claim: Claim) -> None:
        """Record that the final dot goes out now. Raises ClaimLost: then it must not."""
        at = self._clock()

        def work(connection: Connection) -> None:
            if not holds.mark_dot(connection, claim, at):
                raise ClaimLost(f"{claim.hold.new.id} is no longer ours to release")

        await self._write(work)

    async def renew(self, claim: Claim, lease_seconds: float, now: datetime) -> Claim:
        """Lengthen a lease. Raises ClaimLost."""
        until = now + timedelta(seconds=lease_seconds)

        def work(connection: Connection) -> Claim:
            if not holds.renew(connection, claim, until):
                raise ClaimLost(f"{claim.hold.new.id} is no longer ours to release")
            return replace(claim, until=until)

        return await self._write(work)

    async def finish(
        self,
        claim: Claim,
        state: HoldState,
        detail: str = "",
        outcome: str = "",
        by: str = "",
        *,
        next_try: datetime | None = None,
        token_hash: str | None = None,
        notices: Sequence[OutMail] = (),
    ) -> None:
        """End a claim: state, audit, our own mails and (back to held) a fresh token, in one transaction.

        With an `outcome` the audit entry shows it; without, the history gets "deferred". Raises ValueError for a state
        that cannot follow "releasing", ClaimLost when the hold is no longer this claim's.
        """
        if state not in HOLD_LIFE["releasing"]:
            raise ValueError(f"{state} cannot follow releasing")
        at = self._clock()
        hold_id = claim.hold.new.id
        mails = await self._seal_mails(notices)

        def work(connection: Connection) -> None:
            if not holds.finish(connection, claim, state, detail, next_try, at):
                raise ClaimLost(f"{hold_id} is no longer ours to finish")
            if outcome:
                self._outcome(connection, hold_id, at, outcome, detail, by)
            else:
                self._event(connection, hold_id, at, "deferred", detail, by)
            if token_hash is not None:
                holds.add_token(connection, hold_id, token_hash, at, self.run_id)
            outbox.enqueue(connection, mails, at, self.run_id)

        await self._write(work)

    async def _opened(self, found: holds.Sealed) -> Hold:
        """A hold whose body does not open is still a hold that people must hear of."""
        if found.body is None:
            return replace(found.hold, detail="its octets are erased")
        try:
            return replace(found.hold, raw=await self._open(found.body, holds.row_name(found.hold.new.id)))
        except StoreAway as error:
            return replace(found.hold, detail=str(error))

    def _event(
        self, connection: Connection, mail_id: str, at: datetime, outcome: str, detail: str, by: str, origin: str = ""
    ) -> None:
        audit.add_events(connection, [audit.Event(mail_id, at, outcome, detail, by, origin)], self.run_id, self.origin)

    def _outcome(
        self, connection: Connection, mail_id: str, at: datetime, outcome: str, detail: str, by: str, origin: str = ""
    ) -> None:
        event = audit.Event(mail_id, at, outcome, detail, by, origin)
        audit.set_outcomes(connection, [event], self.run_id, self.origin)
