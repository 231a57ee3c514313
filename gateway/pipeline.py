"""The life of one mail, from the client's last octet to our answer. Start reading the product here.

    client ──DATA──▶ Pipeline.mail ─┬─ taken:  an answer to a notice, or a journal copy: settle or remember it
                                    ├─ tap:    inbound mail: relay it, remember who wrote to whom
                                    └─ else:   read ─▶ judge ─▶ act ─▶ record
                                                              ├─ pass     the octets that came are the octets that go
                                                              ├─ rewrite  the requester joins Cc and envelope, or not
                                                              ├─ hold     durable and noticed before the 250
                                                              └─ reject   5.7.1 and what to do about it

Reading and judging is `gateway.readers.work`: of small mail here, of all other in a process that can be killed. A mail
that is too much to read is judged by its beginning, with the fact `unreadable`.

Who answers for a mail, and when (SMTP.md D): the client, until our 250. We give it only after the upstream's 250 or
after a hold is on disk. The intent of every delivery is on disk before the final dot goes upstream, so that a crash
leaves the mail "in doubt" instead of forgotten. Faults of our own are answered 451.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from gateway.admins import Admins
from gateway.bypass import Bypass
from gateway.desk import Desk
from gateway.follow.entries import Entry
from gateway.judged import Judged
from gateway.judging_again import judge_again
from gateway.mail.envelope import Envelope, Path
from gateway.mail.message import read_headers
from gateway.mail.received import received_line
from gateway.mail.rewrite import CannotRewrite, add_cc
from gateway.mail.splice import Splice
from gateway.policy.budget import Ceiling, ceilings
from gateway.policy.decision import Decision
from gateway.policy.model import PolicySet
from gateway.readers.pool import Readers, ReadersAway, ReadingFault
from gateway.readers.work import Purpose, Result, Task
from gateway.reading.thread import EMPTY, SeenMessage, Thread
from gateway.record import audit_entry
from gateway.rules import Rules
from gateway.settling import Settling
from gateway.smtp import replies
from gateway.smtp.gate import Incoming, Relay, UpstreamLost
from gateway.smtp.replies import Reply, reply
from gateway.store.errors import StoreAway, StoreFull
from gateway.store.records import NewHold, Outcome
from gateway.store.store import Store
from gateway.trails import Trails
from gateway.unjudged import after_fault

log = structlog.get_logger("gateway.pipeline")

LARGE_OCTETS = 1024 * 1024
"""Mail above this size is put together from the spool in a thread: decrypting and hashing it takes its time."""


class Pipeline:
    """Implements `gateway.smtp.gate.Gate`. One instance serves all connections of a process."""

    def __init__(
        self,
        *,
        rules: Rules,
        store: Store,
        desk: Desk,
        settling: Settling,
        readers: Readers,
        admins: Admins,
        bypass: Bypass,
        hostname: str,
        trails: Trails | None = None,
        count_request: Callable[[Entry], Awaitable[None]],
        add_received: bool = True,
        observe: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rules = rules
        self._store = store
        self._desk = desk
        self._admins = admins
        self._bypass = bypass
        self._settling = settling
        self._hostname = hostname
        self._add_received = add_received
        self._observe = observe
        self._clock = clock
        self._readers = readers
        self._trails = trails
        self._count_request = count_request

    def takes_recipient(self, address: str) -> bool:
        return self._settling.takes(address) or self._rules.is_feed(address)

    async def mail(self, mail: Incoming, relay: Relay | None) -> Reply:
        """Answer for one mail. Never raises: what goes wrong here is answered 451 (452 when storage is full)."""
        mail = replace(mail, received_at=self._clock())
        try:
            answer = await self._answer(mail, relay)
        except UpstreamLost as lost:
            log.warning("upstream lost", mail=mail.id, in_doubt=lost.in_doubt, why=str(lost))
            answer = replies.UPSTREAM_LOST
        except StoreFull:
            answer = replies.DISK_FULL
        except StoreAway as away:
            log.error("store away", mail=mail.id, why=str(away))
            answer = reply(451, replies.STORE_AWAY.format(id=mail.id))
        except (ReadersAway, ReadingFault) as fault:
            log.error("fault of the gateway while reading", mail=mail.id, fault=str(fault), at=fault.at)
            answer = reply(451, replies.INTERNAL_FAULT.format(id=mail.id))
        except Exception:
            log.exception("fault of the gateway", mail=mail.id)
            answer = reply(451, replies.INTERNAL_FAULT.format(id=mail.id))
        if relay is not None and not answer.positive:
            await relay.abandon()
        return answer

    async def _answer(self, mail: Incoming, relay: Relay | None) -> Reply:
        bypass = self._bypass.order(mail.received_at)
        # Under a bypass a copy for the feed is not read when it comes with a mail that has to pass.
        if mail.taken and (relay is None or bypass is None or any(self._settling.takes(p.address) for p in mail.taken)):
            taken = await self._taken(mail)
            if relay is None or not taken.positive:
                return taken
        if bypass is not None and relay is not None:
            return await self._bypass.deliver(mail, relay, self._received(mail), bypass)
        if mail.listener == "tap":
            return await self._inbound(mail, relay)
        assert relay is not None
        judged = await self._judge(mail)
        match judged.decision.disposition:
            case "pass":
                return await self._pass(judged, relay)
            case "rewrite":
                return await self._rewrite(judged, relay)
            case "hold":
                return await self._hold(judged, relay)
            case _:
                return await self._reject(judged, relay)

    # --- what the gateway takes for itself -------------------------------------------------------------------------

    async def _taken(self, mail: Incoming) -> Reply:
        """An answer to a notice, or a copy for the journal feed. Several recipients of ours: the notice counts."""
        notices = [path for path in mail.taken if self._settling.takes(path.address)]
        if notices:
            raw = await self._octets(mail)
            return await self._settling.answer(mail, notices[0], raw, lambda: self._said(mail, raw))
        await self._remember_inbound(mail)
        return replies.OK

    async def _said(self, mail: Incoming, raw: bytes) -> str:
        """The words of an answer to a notice, without what it quotes."""
        return (await self._work(mail, raw, self._rules.current, self._task(mail, "answer"))).said

    async def _inbound(self, mail: Incoming, relay: Relay | None) -> Reply:
        """The inbound tap: relayed untouched, recorded, never judged. Not remembered is no reason not to deliver."""
        answer = replies.OK
        if relay is not None:
            answer = await relay.deliver(self._received(mail), mail.content)
        if answer.positive:
            try:
                await self._remember_inbound(mail)
            except Exception as error:
                log.error("inbound mail not remembered", mail=mail.id, fault=type(error).__name__)
        return answer

    async def _remember_inbound(self, mail: Incoming) -> None:
        seen = await self._seen_inbound(mail)
        if seen is None:
            return
        trail = self._trails.inbound(seen) if self._trails else None
        await self._store.remember(seen, trail)
        for entry in trail.entries if trail else ():
            await self._count_request(entry)

    async def _seen_inbound(self, mail: Incoming) -> SeenMessage | None:
        raw = await self._octets(mail)
        return (await self._work(mail, raw, self._rules.current, self._task(mail, "remember"))).seen

    async def _octets(self, mail: Incoming) -> bytes:
        """The mail in one piece. Of a large one the digest is worked out as well, there where it stops nobody."""
        content = mail.content
        if content.size <= LARGE_OCTETS:
            return content.raw()
        return await asyncio.to_thread(lambda: (content.raw(), content.sha256)[0])

    async def seen(self, raw: bytes, envelope: Envelope, mail: str) -> SeenMessage | None:
        """What thread memory keeps of a held mail once it has gone out; None where it cannot be remembered."""
        task = Task("remember", "outbound", envelope, self._clock())
        return (await self._readers.work(task, raw, self._rules.current, mail=mail)).seen

    async def judge_again(self, raw: bytes, envelope: Envelope, agent: str) -> Decision:
        """What an amended mail comes to, were its sender to send it now. Raises as reading does."""
        return await judge_again(raw, envelope, agent, self._rules.current, self._store, self._readers, self._clock())

    # --- read and judge --------------------------------------------------------------------------------------------

    def _task(self, mail: Incoming, purpose: Purpose, thread: Thread = EMPTY) -> Task:
        return Task(
            purpose,
            "outbound" if purpose == "judge" else "inbound",
            mail.envelope,
            mail.received_at,
            thread,
            auth_identity=mail.auth_identity,
            peer_listed=mail.peer_listed,
            peer=mail.peer[0],
        )

    async def _judge(self, mail: Incoming) -> Judged:
        raw = await self._octets(mail)
        headers = read_headers(raw)
        rules = self._rules.current
        thread = await self._store.thread(headers.references, rules.site.ticket_tags(headers.subject))
        task = self._task(mail, "judge", thread)
        try:
            found = await self._work(mail, raw, rules, task)
            assert found.decision is not None
            return Judged(mail, raw, headers, rules, found.gist, found.decision, found.seen, found.basis)
        except Exception as fault:
            kind = fault.kind if isinstance(fault, ReadingFault) else type(fault).__name__
            if isinstance(fault, ReadingFault | ReadersAway):
                log.error("the mail could not be judged", mail=mail.id, fault=kind, at=fault.at)
            else:
                log.exception("the mail could not be judged", mail=mail.id)
            why = f"the gateway could not judge this mail: {kind}"
            decision = after_fault(why, headers, task, rules, judging=self._rules.judging)
            if self._observe:  # then nothing of ours stops a mail
                decision = Decision("pass", reason=f"{why}; passed unjudged", policy_version=rules.version)
            if decision is None:
                raise
            return Judged(mail, raw, headers, rules, None, decision, None, {"fault": kind})

    async def _work(self, mail: Incoming, raw: bytes, rules: PolicySet, task: Task) -> Result:
        found = await self._readers.work(task, raw, rules, mail=mail.id)
        if found.forgotten:
            log.error("the mail cannot be remembered", mail=mail.id, fault=found.forgotten)
        return found

    # --- act and record --------------------------------------------------------------------------------------------

    async def _pass(self, judged: Judged, relay: Relay) -> Reply:
        return await self._deliver(judged, relay, (), "passed")

    async def _rewrite(self, judged: Judged, relay: Relay) -> Reply:
        """Add the requester to envelope and header, both or neither. If either cannot be done, the mail is held."""
        splices: tuple[Splice, ...] = ()
        try:
            splices = (add_cc(judged.raw, *judged.decision.add_cc, smtputf8=judged.mail.smtputf8),)
        except CannotRewrite as cannot:
            if cannot.present:  # the header names them already; only the envelope lacks them
                return await self._add_and_deliver(judged, relay, splices)
            return await self._hold_instead(judged, relay, f"the Cc header cannot be edited safely: {cannot}")
        return await self._add_and_deliver(judged, relay, splices)

    async def _add_and_deliver(self, judged: Judged, relay: Relay, splices: tuple[Splice, ...]) -> Reply:
        # A bounce that nobody sees is a person left hanging, so failures are reported (RFC 3461 §4.1).
        notify = b" NOTIFY=FAILURE" if "DSN" in relay.offers else b""
        for who in judged.decision.add_cc:
            path = Path.of(who.address)
            answer = await relay.add_recipient(replace(path, argument=path.argument + notify))
            if not answer.positive:
                return await self._hold_instead(judged, relay, f"the mail server refused {who.address}: {answer.text}")
        return await self._deliver(replace(judged, seen=_with_cc(judged)), relay, splices, "rewritten")

    async def _hold_instead(self, judged: Judged, relay: Relay, why: str) -> Reply:
        held = replace(judged.decision, disposition="hold", reason=f"{judged.decision.reason}; held, because {why}")
        return await self._hold(replace(judged, decision=held), relay, fix_refused=why)

    async def _deliver(self, judged: Judged, relay: Relay, splices: tuple[Splice, ...], outcome: Outcome) -> Reply:
        mail = judged.mail
        await self._store.intend(audit_entry(judged))
        try:
            answer = await relay.deliver(self._received(mail), mail.content, splices)
        except UpstreamLost as lost:
            await self._note(judged, "in-doubt" if lost.in_doubt else "deferred", str(lost))
            raise
        except asyncio.CancelledError:
            # Only a shutdown whose patience has run out cancels us, and the final dot may be out by then.
            await self._note(judged, "in-doubt", "the gateway was stopped before the mail server's reply")
            raise
        except Exception:
            await self._note(judged, "deferred", "a fault of the gateway before the end of data")
            raise
        if answer.positive:
            await self._note(judged, outcome, answer.text, delivered=True)
        else:
            await self._note(judged, "refused-upstream", answer.text)
        return answer

    async def _note(self, judged: Judged, outcome: Outcome, detail: str, *, delivered: bool = False) -> None:
        """Write what became of it. After the upstream's 250 nothing may turn our answer into a failure, so a store
        that is away here leaves the intent pending, which recovery calls in doubt."""
        mails = self._desk.after_delivery(judged) if delivered else ()
        try:
            await self._store.outcome(
                judged.mail.id,
                outcome,
                detail,
                seen=judged.seen if delivered else None,
                notices=mails,
                trail=self._trails.sent(judged) if delivered and self._trails else None,
            )
        except StoreAway as away:
            log.error("outcome not recorded", mail=judged.mail.id, outcome=outcome, why=str(away))
        except Exception:  # such as an entry that is gone with a database that was replaced meanwhile
            log.exception("outcome not recorded", mail=judged.mail.id, outcome=outcome)
        if mails:
            self._desk.wake()

    async def _hold(self, judged: Judged, relay: Relay, *, fix_refused: str = "") -> Reply:
        hold, notices = self._desk.hold(judged, self._received(judged.mail), fix_refused=fix_refused)
        earlier = await self._waiting(hold)
        if earlier is None:
            # Somebody may stand in the envelope already whom a rewrite could not add: such a mail never goes on.
            within = () if fix_refused else self._ceilings(judged)
            reached = await self._store.hold(hold, audit_entry(judged), notices, within=within)
            if reached is not None:
                return await self._advise(judged, relay, reached)
            log.info("held", mail=judged.mail.id, agent=hold.agent, policies=list(hold.told.get("policies", ())))
            self._desk.wake()
        else:
            log.info("sent again while it is held", mail=judged.mail.id, held=earlier)
        await relay.abandon()
        return reply(250, replies.HELD.format(id=earlier or judged.mail.id))

    async def _waiting(self, new: NewHold) -> str | None:
        """The hold that has these very octets for these people already. A client that never saw our 250 sends again
        (RFC 1047); held twice, the mail could be released twice."""
        for hold in await self._store.held_list("held", new.agent, limit=1000):
            old = hold.new
            if (old.sha256, old.mail_from, sorted(old.rcpt_to)) == (new.sha256, new.mail_from, sorted(new.rcpt_to)):
                return old.id
        return None

    async def _reject(self, judged: Judged, relay: Relay) -> Reply:
        reached = await self._store.reject(audit_entry(judged), self._ceilings(judged))
        if reached is not None:
            return await self._advise(judged, relay, reached)
        await relay.abandon()
        await self._note(judged, "rejected", judged.decision.reason)
        return reply(550, replies.REFUSED.format(why=self._desk.reject_line(judged), id=judged.mail.id))

    def _ceilings(self, judged: Judged) -> tuple[Ceiling, ...]:
        agent = judged.gist.agent if judged.gist else None
        return ceilings(judged.decision, judged.rules, agent, judged.mail.received_at)

    async def _advise(self, judged: Judged, relay: Relay, reached: Ceiling) -> Reply:
        """The fatigue budget is spent: the mail goes out untouched, and its sender gets advice."""
        told = judged.decision
        why = f"advice instead of a {told.disposition}, because there were already {reached}; {told.reason}"
        passed = replace(told, disposition="pass", add_cc=(), reason=why)
        answer = await self._deliver(replace(judged, decision=passed, advice=reached), relay, (), "advised")
        assert judged.gist is not None and judged.gist.agent is not None
        await self._admins.budget_spent(reached, judged.gist.agent.team, told)
        return answer

    def _received(self, mail: Incoming) -> bytes:
        """Our one trace line (RFC 5321 §4.4), or nothing when the setting says so."""
        if not self._add_received:
            return b""
        return received_line(
            helo=mail.helo,
            peer=mail.peer[0],
            by=self._hostname,
            id=mail.id,
            at=mail.received_at,
            esmtp=mail.esmtp,
            tls=mail.tls,
            auth=mail.auth_identity is not None,
            smtputf8=mail.smtputf8,
        )


def _with_cc(judged: Judged) -> SeenMessage | None:
    """What memory keeps of a rewritten mail: those who were added have seen it too."""
    seen, added = judged.seen, judged.decision.add_cc
    if seen is None:
        return None
    cc = seen.cc + tuple(who for who in added if who.key not in {each.key for each in (*seen.to, *seen.cc)})
    return replace(seen, cc=cc, rcpt_to=seen.rcpt_to + tuple(who.address for who in added))
