"""The desk: everything between the gateway and an agent about one mail. Notices out, answers in.

The desk composes and decides; it sends nothing itself. What it writes goes into the store's outbox in the same
transaction as the thing it is about, and the dispatcher sends it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr

import structlog

from gateway import notices
from gateway.answers import Answer, parse_answer
from gateway.judged import Judged
from gateway.mail.address import Mailbox, split_tag
from gateway.mail.envelope import Path
from gateway.mail.message import Headers, read_headers
from gateway.notice_facts import NoticeFacts, NoticeFinding, facts_of
from gateway.notices import Letterhead
from gateway.rules import Rules
from gateway.smtp import replies
from gateway.smtp.gate import Incoming
from gateway.smtp.replies import Reply
from gateway.store.records import Action, Hold, NewHold, OutMail
from gateway.store.store import Store
from gateway.template_files import Templates
from gateway.templating import CannotRender

log = structlog.get_logger("gateway.desk")

DONE = {"fix": "fixed", "send": "sent"}
"""The acknowledgement of each way in which an approved mail goes out."""


def fresh_token() -> str:
    """128 random bits in lower-case hex: local parts may lose their case on the way."""
    return secrets.token_hex(16)


def token_hash(token: str) -> str:
    """The form in which tokens are stored: whoever reads the store cannot answer for an agent."""
    return hashlib.sha256(token.lower().encode("ascii", "replace")).hexdigest()


class Desk:
    """Writes notices and reads answers. `wake` is called when the outbox or an approved hold has something to do."""

    def __init__(
        self,
        rules: Rules,
        store: Store,
        templates: Callable[[], Templates],
        *,
        notices_address: str = "",
        notices_from: str = "",
        hold_deadline: float = 8 * 3600.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rules = rules
        self._store = store
        self._templates = templates
        self._notices_address = notices_address
        self._notices_from = notices_from
        self._hold_deadline = timedelta(seconds=hold_deadline)
        self._clock = clock
        self.wake: Callable[[], None] = lambda: None

    @property
    def _address(self) -> str:
        return self._notices_address or self._rules.site.notices_address

    def _head(self) -> Letterhead:
        name, address = parseaddr(self._notices_from or self._address)
        return Letterhead(Mailbox(address, name or "Referral gateway"), self._address, self._templates())

    def takes(self, address: str) -> bool:
        """True for the address of notices, with or without a token."""
        return bool(self._address) and split_tag(address)[0] == self._address.lower()

    # --- about a mail that has just come ---------------------------------------------------------------------------

    def hold(self, judged: Judged, received: bytes, *, fix_refused: str = "") -> tuple[NewHold, tuple[OutMail, ...]]:
        """What to keep of a mail that is held, and the notice to its sender."""
        mail, site = judged.mail, judged.rules.site
        agent = self._agent_of(judged)
        team = judged.gist.agent.team if judged.gist and judged.gist.agent else ""
        waits = [each.deadline for each in judged.decision.enforced if each.deadline is not None]
        wait = timedelta(seconds=min(waits)) if waits else self._hold_deadline
        deadline = site.calendar_of(team).after(mail.received_at, wait)
        facts = self._facts(judged, deadline)
        if fix_refused:
            facts = replace(facts, can_fix=False, why_no_fix=fix_refused)
        token = fresh_token()
        new = NewHold(
            id=mail.id,
            at=mail.received_at,
            agent=agent.address,
            raw=judged.raw,
            sha256=mail.content.sha256,
            mail_from=mail.envelope.mail_from.argument,
            rcpt_to=tuple(path.argument for path in mail.envelope.rcpt_to),
            fix={
                "add_cc": [{"address": who.address, "name": who.name} for who in judged.decision.add_cc],
                "possible": facts.can_fix,
                "why_not": facts.why_no_fix,
            },
            token_hash=token_hash(token),
            may_settle=site.may_settle(agent.address) or (agent.address,),
            deadline=deadline,
            lang=facts.lang,
            body_type={"SMTPUTF8": mail.smtputf8, "received": received.decode("ascii", "replace")},
        )
        return new, (self._notice(facts, token),) if agent.address else ()

    def _notice(self, facts: NoticeFacts, token: str, detail: str = "") -> OutMail:
        """The notice about a mail that waits, or (with `detail`) waits again. Templates are for words: without a usable
        one the notice goes out in fixed words, since a held mail that nobody hears of is a lost one."""
        head, now = self._head(), self._clock()
        try:
            if detail:
                return notices.returned_notice(facts, token, detail, head, id=_mail_id(), now=now)
            return notices.hold_notice(facts, token, head, id=_mail_id(), now=now)
        except Exception as error:
            log.error("a notice goes out in fixed words", mail=facts.held_id, **_why(error))
            return notices.plain_notice(facts, token, detail, head, id=_mail_id(), now=now)

    def after_delivery(self, judged: Judged) -> tuple[OutMail, ...]:
        """What people are told once a mail has gone out: whom a rewrite added, and the supervisor's note.

        A note that cannot be written must not undo a delivery, so it is only logged.
        """
        decision, out = judged.decision, list[OutMail]()
        if decision.disposition != "rewrite" and not decision.notify_supervisor:
            return ()
        try:
            facts = self._facts(judged, None)
            if decision.disposition == "rewrite":
                out.append(notices.rewrite_notice(facts, self._head(), id=_mail_id(), now=self._clock()))
            if decision.notify_supervisor and facts.supervisor is not None:
                out.append(notices.supervisor_note(facts, self._head(), id=_mail_id(), now=self._clock()))
        except Exception as error:
            log.error("a note could not be written", mail=judged.mail.id, **_why(error))
        return tuple(out)

    def reject_line(self, judged: Judged) -> str:
        """The one line that the sender's mail client shows."""
        try:
            return notices.reject_line(self._facts(judged, None), self._templates())
        except Exception as error:
            log.error("a reply could not be written", mail=judged.mail.id, **_why(error))
            return "Not sent: " + "; ".join(judged.decision.would_pass or (judged.decision.reason,))

    def _agent_of(self, judged: Judged) -> Mailbox:
        if judged.gist and judged.gist.agent:
            return judged.gist.agent.mailbox
        return judged.headers.author or Mailbox(judged.mail.envelope.mail_from.address)

    def _facts(self, judged: Judged, deadline: datetime | None) -> NoticeFacts:
        site, agent = judged.rules.site, self._agent_of(judged)
        gist = judged.gist
        team = gist.agent.team if gist and gist.agent else ""
        local = deadline.astimezone(site.zone_of(team)) if deadline else None
        entry = site.agent(agent.address)
        lang = (entry.lang if entry else "") or site.language_of(team)
        if gist is not None and gist.judged:
            facts = facts_of(
                gist, judged.decision, held_id=judged.mail.id, lang=lang,
                supervisor=site.supervisor_of(agent.address), deadline=local,
            )  # fmt: skip
            return replace(
                facts,
                target=self._named(facts.target) if facts.target else None,
                recipients=tuple(self._named(who) for who in facts.recipients),
            )
        return NoticeFacts(
            held_id=judged.mail.id,
            agent=agent,
            subject=judged.headers.subject,
            lang=lang,
            message_id=judged.headers.message_id or "",
            references=judged.headers.references,
            findings=(NoticeFinding("gateway-fault", why=judged.decision.reason),),
            deadline=local,
        )

    def _named(self, who: Mailbox) -> Mailbox:
        """With the name that the site file knows, where the mail has none: a draft should not greet an address."""
        return who if who.name or not who.address else replace(who, name=self._rules.site.name_of(who.address))

    # --- an answer has come ----------------------------------------------------------------------------------------

    async def answer(self, mail: Incoming, path: Path, raw: bytes, read: Callable[[], Awaitable[str]]) -> Reply:
        """Take a reply to a notice. What it asks for is durable before our 250; the acknowledgement is a mail.

        `read` gives its own words, without what it quotes. Automatic replies and bounces are swallowed
        (RFC 3834 §2), so nothing can loop.
        """
        headers = read_headers(raw)
        author = headers.author or Mailbox(mail.envelope.mail_from.address)
        if not mail.envelope.mail_from.address or headers.auto_submitted or headers.bulk:
            log.warning("automatic mail to the notices address swallowed", mail=mail.id, sender=author.key)
            return replies.OK
        token = token_hash(split_tag(path.address)[1])
        known = await self._store.token(token)
        hold = await self._store.held(known.hold_id) if known is not None else None
        if hold is None or known is None:
            return await self._expired(author)
        who = mail.auth_identity if mail.auth_identity and "@" in mail.auth_identity else author.address
        if not (self._may_settle(hold, author.address) and self._may_settle(hold, who)):
            return await self._acknowledge("wrong-sender", hold, to=author)
        if not known.alive:
            by = hold.approved_by or known.used_by
            return await self._acknowledge("already-settled", hold, to=author, by=by)
        said = await read()
        if hold.new.id in said or split_tag(path.address)[1] in said.lower():
            # The notice stands there unquoted, with the words of every answer in it: only the first line is theirs.
            said = next((line for line in said.split("\n") if line.strip()), "")
        answer = parse_answer(said, headers.subject)
        return await self._settle_by_mail(hold, answer, author, token)

    async def _settle_by_mail(self, hold: Hold, answer: Answer, author: Mailbox, token: str) -> Reply:
        if answer.kind == "unclear":
            return await self._acknowledge("not-understood", hold, to=author, problem=answer.problem)
        if answer.kind == "fix" and not hold.new.fix.get("possible"):
            return await self._acknowledge("no-fix", hold, to=author)
        if not await self.settle(hold, answer, by=author.key, token=token, to=author):
            fresh = await self._store.held(hold.new.id)
            return await self._acknowledge(
                "already-settled", fresh or hold, to=author, by=fresh.approved_by if fresh else ""
            )
        return replies.OK

    async def settle(
        self, hold: Hold, answer: Answer, *, by: str, token: str | None = None, to: Mailbox | None = None
    ) -> bool:
        """Do what an answer says, durably. False when somebody was first. The sender hears what became of the mail,
        and so does `to`, who answered in the sender's place."""
        now = self._clock()
        if answer.kind == "discard":
            told = self._ack("discarded", hold, by=self._other(hold, by))
            if to is not None and not self._rules.site.same_person(to.address, hold.new.agent):
                told += self._ack("discarded", hold, to=to)
            done = await self._store.discard(hold.new.id, by, answer.why, token, now, notices=told)
        else:
            action: Action = "fix" if answer.kind == "fix" else "send"
            done = await self._store.approve(hold.new.id, action, by, answer.why, token, now)
        if done:
            log.info("hold answered", mail=hold.new.id, answer=answer.kind, by=by)
            self.wake()
        return done

    def on_settled(self, hold: Hold, state: str, detail: str) -> tuple[tuple[OutMail, ...], str | None]:
        """Mails about an approved hold that has come to `state`, and the hash of a fresh token if it waits again."""
        if state == "held":
            token = fresh_token()
            return (self._notice(self._facts_of_hold(hold), token, detail),), token_hash(token)
        if state == "released":
            return self._ack(DONE[hold.action or "send"], hold, by=self._other(hold, hold.approved_by)), None
        return self._ack("in-doubt", hold), None

    def _other(self, hold: Hold, by: str) -> str:
        """Who settled it, where that was not the sender."""
        return "" if self._rules.site.same_person(by, hold.new.agent) else by

    def _may_settle(self, hold: Hold, address: str) -> bool:
        """The agent, their delegates and supervisor; for a shared mailbox also every member of its team."""
        site = self._rules.site
        if site.is_among(address, hold.new.may_settle):
            return True
        entry, owner = site.agent(address), site.agent(hold.new.agent)
        shared = site.is_team_mailbox(hold.new.agent)
        return shared and entry is not None and owner is not None and entry.team == owner.team

    async def _expired(self, author: Mailbox) -> Reply:
        """An unknown token. Only our own agents are told; anybody else could be a forged address (backscatter)."""
        if self._rules.site.agent(author.address) is not None:
            facts = NoticeFacts(held_id="", agent=author, subject="", lang=self._rules.site.lang)
            await self._store.enqueue(self._written("expired", facts))
            self.wake()
        return replies.OK

    async def _acknowledge(self, name: str, hold: Hold, *, to: Mailbox, **more: str) -> Reply:
        mails = self._ack(name, hold, to=to, **more)
        if mails and (name != "wrong-sender" or self._rules.site.agent(to.address) is not None):
            await self._store.enqueue(mails)
            self.wake()
        return replies.OK

    def _ack(self, name: str, hold: Hold, *, to: Mailbox | None = None, **more: str) -> tuple[OutMail, ...]:
        facts = self._facts_of_hold(hold)
        if to is not None:
            facts = replace(facts, agent=to)
        if name == "wrong-sender":
            facts = replace(facts, subject="", message_id="", references=())
        return self._written(name, facts, **more)

    def _written(self, name: str, facts: NoticeFacts, **more: str) -> tuple[OutMail, ...]:
        """An acknowledgement, or none where it cannot be written: what it tells of has happened all the same."""
        try:
            return (notices.ack(name, facts, self._head(), id=_mail_id(), now=self._clock(), **more),)
        except Exception as error:
            log.error("an acknowledgement could not be written", mail=facts.held_id, ack=name, **_why(error))
            return ()

    def _facts_of_hold(self, hold: Hold) -> NoticeFacts:
        headers: Headers = read_headers(hold.raw or b"")
        site = self._rules.site
        return NoticeFacts(
            held_id=hold.new.id,
            agent=Mailbox(hold.new.agent, site.name_of(hold.new.agent)),
            subject=hold.subject,
            lang=hold.new.lang,
            message_id=headers.message_id or "",
            references=headers.references,
            recipients=(*headers.to, *headers.cc),
            adds=tuple(Mailbox(each["address"], each.get("name", "")) for each in hold.new.fix.get("add_cc", ())),
            can_fix=bool(hold.new.fix.get("possible")),
            why_no_fix=str(hold.new.fix.get("why_not", "")),
            supervisor=site.supervisor_of(hold.new.agent),
        )


def _why(error: Exception) -> dict[str, str]:
    """What to log: a template's complaint names a template; any other error could quote somebody's mail."""
    return {"why": str(error) if isinstance(error, CannotRender) else type(error).__name__}


def _mail_id() -> str:
    return f"g-{secrets.token_hex(10)}"
