"""The gateway's own sending, in the background: approved holds go out once, notices go out until they are taken.

Both read their work from the store, so a crash at any point loses nothing: what was claimed and not dotted is claimed
again, what was dotted and not finished is in doubt and waits for a person (RFC 1047: the reply to the dot can be lost).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

import structlog

from gateway.amending import CannotRelease, ReadyToGo, addresses, make_ready
from gateway.follow.entries import Trail
from gateway.mail.envelope import Envelope, Path
from gateway.reading.thread import SeenMessage
from gateway.smtp.gate import UpstreamLost
from gateway.smtp.postbox import Postbox
from gateway.smtp.upstream import UpstreamUnavailable
from gateway.store.errors import ClaimLost, StoreAway
from gateway.store.records import Action, Claim, Hold, HoldState, Outcome, OutMail
from gateway.store.store import Store

log = structlog.get_logger("gateway.dispatch")

LEASE_SECONDS = 600
"""Longer than the longest wait for a reply to the final dot (RFC 5321 §4.5.3.2.6: 10 minutes are for the client)."""

OUTBOX_LEASE_SECONDS = 120
"""After a crash a notice waits this long for its next try. It may run out under a slow upstream: a notice that comes
twice harms nobody."""

WRITE_AGAIN = (0.5, 2.0, 10.0)
"""Seconds after which the end of a release is written again, when the store was away."""

FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(hours=1)


OUTCOMES: Mapping[Action, Outcome] = {
    "fix": "fixed", "amend": "amended", "send": "overridden", "note": "noted", "consult": "consult", "wrong": "wrong",
}  # fmt: skip
"""What the audit says of each way in which a held mail went out."""


class Dispatcher:
    """Works off approved holds and the outbox. `wake()` makes it look at once; else it looks every `idle` seconds.

    `on_settled` says which mails follow the end of a release and with which fresh token; `seen`, what is remembered.
    """

    def __init__(
        self,
        store: Store,
        postbox: Postbox,
        *,
        on_settled: Callable[[Hold, str, str], tuple[tuple[OutMail, ...], str | None]],
        seen: Callable[[bytes, Envelope, str], Awaitable[SeenMessage | None]],
        trail: Callable[[Hold, SeenMessage], Trail | None] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        idle: float = 15.0,
    ) -> None:
        self._store = store
        self._postbox = postbox
        self._on_settled = on_settled
        self._seen = seen
        self._trail = trail
        self._clock = clock
        self._idle = idle
        self._wake = asyncio.Event()
        self._stopping = False
        self._owner = f"run-{secrets.token_hex(6)}"

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        """Let `run` end after the piece of work that is under way: a release cut off after its dot is in doubt."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Until `stop`. A store that is away only pauses the work."""
        while not self._stopping:
            self._wake.clear()
            try:
                while not self._stopping and await self.step():
                    pass
            except StoreAway as away:
                log.error("store away; sending pauses", why=str(away))
            except Exception:
                log.exception("fault while sending; will try again")
            if self._stopping:
                return
            try:
                await asyncio.wait_for(self._wake.wait(), self._idle)
            except TimeoutError:
                pass

    async def step(self) -> bool:
        """Do one piece of work. False when there was none."""
        now = self._clock()
        claim = await self._store.claim_next(self._owner, LEASE_SECONDS, now)
        if claim is not None:
            await self._release(claim)
            return True
        due = await self._store.outbox_due(now, limit=5, owner=self._owner, lease_seconds=OUTBOX_LEASE_SECONDS)
        for mail in due:
            await self._send(mail)
        return bool(due)

    # --- held mail -------------------------------------------------------------------------------------------------

    async def _release(self, claim: Claim) -> None:
        hold = claim.hold
        done = OUTCOMES[hold.action or "send"]
        dotted = False

        async def before_content() -> None:
            nonlocal dotted
            await self._store.mark_dot(claim)
            dotted = True

        try:
            ready = make_ready(hold)
            delivery = await self._postbox.send(
                ready.mail_from,
                ready.rcpt_to,
                ready.raw,
                need=frozenset(need for need, on in hold.new.body_type.items() if on is True),
                before_content=before_content,
                as_it_came=True,
            )
        except CannotRelease as cannot:
            await self._back_to_held(claim, str(cannot))
            return
        except UpstreamUnavailable as away:
            await self._later(claim, str(away))
            return
        except UpstreamLost as lost:
            if lost.in_doubt:
                await self._finish(claim, "in-doubt", f"sent, but the reply was lost: {lost}", "in-doubt")
            else:
                await self._later(claim, str(lost))
            return
        except ClaimLost as gone:
            log.warning("somebody else has this release now", mail=hold.new.id, why=str(gone))
            return
        except StoreAway:
            raise  # nothing was sent; the lease runs out and the hold is claimed again
        except Exception as error:
            log.exception("fault while releasing", mail=hold.new.id)
            if dotted:
                await self._finish(claim, "in-doubt", "a fault of the gateway while it was sent", "in-doubt")
            else:
                await self._back_to_held(claim, f"a fault of the gateway: {type(error).__name__}")
            return
        said = delivery.final
        if delivery.delivered:
            await self._finish(claim, "released", said.text, done)
            await self._remember(claim, ready)
        elif said.transient or delivery.step in ("hello", "auth"):
            # A refusal of the gateway itself says nothing about the mail.
            await self._later(claim, said.text)
        else:
            await self._back_to_held(claim, f"the mail server refused it: {said.text}")

    async def _remember(self, claim: Claim, ready: ReadyToGo) -> None:
        """Only now is it part of its thread: as it went out, to whom it went out."""
        try:
            envelope = Envelope.of(claim.hold.new.agent, addresses(ready.rcpt_to))
            seen = await self._seen(ready.raw, envelope, claim.hold.new.id)
            if seen is not None:
                await self._store.remember(seen, self._trail(claim.hold, seen) if self._trail else None)
        except Exception as error:
            log.error("a released mail is not remembered", mail=claim.hold.new.id, fault=type(error).__name__)

    async def _finish(self, claim: Claim, state: HoldState, detail: str, outcome: str) -> None:
        """Write down how it ended. Not written, it would be in doubt, so a store that is away is asked again."""
        mails, token = self._on_settled(claim.hold, state, detail)
        for pause in (*WRITE_AGAIN, None):
            try:
                await self._store.finish(
                    claim, state, detail, outcome=outcome, by=claim.hold.approved_by, token_hash=token, notices=mails
                )
                break
            except ClaimLost:
                raise
            except StoreAway as away:
                log.error("the end of a release is not written", mail=claim.hold.new.id, state=state, why=str(away))
                if pause is None or self._stopping:
                    raise
                await asyncio.sleep(pause)
        log.info("hold settled", mail=claim.hold.new.id, state=state, outcome=outcome)

    async def _later(self, claim: Claim, why: str) -> None:
        wait = min(FIRST_RETRY * 2 ** min(claim.hold.tries - 1, 10), LAST_RETRY)
        await self._store.finish(claim, "approved", why, outcome="", by="", next_try=self._clock() + wait)
        log.warning("release put off", mail=claim.hold.new.id, why=why, minutes=wait.total_seconds() / 60)

    async def _back_to_held(self, claim: Claim, why: str) -> None:
        """A person must look: the mail is still there, and the agent is told with a fresh token."""
        await self._finish(claim, "held", why, "held")

    # --- the gateway's own mail ------------------------------------------------------------------------------------

    async def _send(self, mail: OutMail) -> None:
        try:
            delivery = await self._postbox.send(
                Path.of(mail.mail_from).argument,
                tuple(Path.of(address).argument for address in mail.rcpt_to),
                mail.raw,
            )
        except UpstreamLost as lost:
            # In doubt or not: a notice that arrives twice harms nobody; one that never arrives does.
            why = str(lost)
        except Exception as error:
            # One mail that cannot be sent at all must not keep the others waiting.
            log.exception("fault while sending own mail", kind=mail.kind, about=mail.about)
            why = f"a fault of the gateway: {type(error).__name__}"
        else:
            if delivery.delivered:
                await self._store.outbox_sent(mail.id)
                return
            why = delivery.final.text
        wait = min(FIRST_RETRY * 2 ** min(mail.attempts, 10), LAST_RETRY)
        log.warning("own mail not taken; will try again", kind=mail.kind, about=mail.about, why=why)
        await self._store.outbox_failed(mail.id, self._clock() + wait, why)
