"""Settling: an answer to a notice has come, or somebody settles a held mail by command. One answer, once.

What an answer asks for is durable before our 250; what became of it is told by mail. An answer that cannot be done
changes nothing: the mail still waits, and whoever answered hears why and what to write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog

from gateway.amending import CannotRelease, addresses, plan_of, with_changes
from gateway.answer_lines import unsigned
from gateway.answers import Answer, parse_answer
from gateway.command_words import Kind, command
from gateway.correspondence import Correspondence
from gateway.entitled import entitled
from gateway.follow.entries import is_automatic
from gateway.given import problem_of, tells_why
from gateway.guard_words import why_in
from gateway.mail.address import Mailbox, split_tag
from gateway.mail.amend import OBSTACLES, CannotAmend
from gateway.mail.envelope import Envelope, Path
from gateway.mail.message import read_headers, read_message
from gateway.mail.quoting import split_body
from gateway.notice_facts import NoticeFacts
from gateway.policy.decision import Decision
from gateway.rules import Rules
from gateway.settlements import ENDINGS
from gateway.smtp import replies
from gateway.smtp.gate import Incoming
from gateway.smtp.replies import Reply
from gateway.store.records import Action, Hold, HoldState, OutMail
from gateway.store.store import Store
from gateway.templating import CannotRender
from gateway.tokens import fresh_token, token_hash

log = structlog.get_logger("gateway.settling")

MOST_ASKED_BACK = 8
"""Acknowledgements of nothing done, to one person about one mail in a day."""

_ALWAYS = frozenset({"send", "discard", "fix"})
_CANNOT_GO = ("refused", "its header or the mail server does not let it")

Judge = Callable[[bytes, Envelope, str], Awaitable[Decision]]
"""(octets, envelope, the agent's address) -> what a mail would come to that was sent now."""


class CannotSettle(Exception):
    """Nothing was done. `ack` is the acknowledgement that says so, with `problem`, `detail` and a `draft` to send."""

    def __init__(self, ack: str, problem: str, detail: str = "", draft: str = "") -> None:
        super().__init__(f"{ack}: {problem} {detail}")
        self.ack, self.problem, self.detail, self.draft = ack, problem, detail, draft


class Settling:
    """Reads answers and does what they say. `wake` is called when there is something to send, `judge` judges an
    amended mail again; both are set by whoever puts the gateway together."""

    def __init__(self, rules: Rules, store: Store, letters: Correspondence) -> None:
        self._rules = rules
        self._store = store
        self._letters = letters
        self._said: dict[tuple[str, str], list[datetime]] = {}
        self.wake: Callable[[], None] = lambda: None
        self.judge: Judge | None = None

    def takes(self, address: str) -> bool:
        """True for the address that answers come to, with or without a token."""
        return self._letters.takes(address)

    # --- an answer has come ----------------------------------------------------------------------------------------

    async def answer(self, mail: Incoming, path: Path, raw: bytes, read: Callable[[], Awaitable[str]]) -> Reply:
        """Take a reply to a notice. `read` gives its own words, without what it quotes. Automatic replies and bounces
        are swallowed (RFC 3834 §2), those too that say what they are in their subject only, so nothing can loop."""
        headers = read_headers(raw)
        author = headers.author or Mailbox(mail.envelope.mail_from.address)
        if (
            not mail.envelope.mail_from.address
            or headers.auto_submitted
            or headers.bulk
            or is_automatic(headers.subject)
        ):
            log.warning("automatic mail to the notices address swallowed", mail=mail.id, sender=author.key)
            return replies.OK
        token = token_hash(split_tag(path.address)[1])
        known = await self._store.token(token)
        hold = await self._store.held(known.hold_id) if known is not None else None
        if hold is None or known is None:
            return await self._expired(author)
        origin = f"mail from {mail.peer[0]}"
        if not entitled(hold, author.address, mail.auth_identity, self._rules.site):
            return await self._say("wrong-sender", hold, origin, to=author)
        if not known.alive:
            return await self._say("already-settled", hold, origin, to=author, by=hold.approved_by or known.used_by)
        said = await read()
        if hold.new.id in said or split_tag(path.address)[1] in said.lower():
            # The notice stands there unquoted, with the words of every answer in it: only the first line is theirs.
            said = next((line for line in said.split("\n") if line.strip()), "")
        answer = parse_answer(said, headers.subject, self._rules.site.name_of(author.address) or author.name)
        await self._settle_by_mail(hold, answer, author, split_tag(path.address)[1], origin)
        return replies.OK

    async def _settle_by_mail(self, hold: Hold, answer: Answer, author: Mailbox, token: str, origin: str) -> None:
        """Whatever is asked back can be answered again: the token is still good."""
        if answer.kind == "unclear":
            await self._say("not-understood", hold, origin, to=author, token=token, problem=answer.problem)
            return
        missing = self._not_offered(hold, answer, author)
        if missing == "fix":
            await self._say("no-fix", hold, origin, to=author, token=token)
        elif missing:
            await self._say(
                "not-offered",
                hold,
                origin,
                to=author,
                token=token,
                problem=command(missing, self._letters.lang_of(author, hold.new.lang)),
            )
        else:
            await self._settle_and_tell(hold, answer, author, token, origin)

    async def _settle_and_tell(self, hold: Hold, answer: Answer, author: Mailbox, token: str, origin: str) -> None:
        try:
            done = await self.settle(hold, answer, by=author.key, token=token_hash(token), to=author, origin=origin)
        except CannotSettle as cannot:
            more = {"problem": cannot.problem, "detail": cannot.detail, "draft": cannot.draft}
            await self._say(cannot.ack, hold, origin, to=author, token=token, **more)
            return
        if not done:
            fresh = await self._store.held(hold.new.id)
            await self._say("already-settled", fresh or hold, origin, to=author, by=fresh.approved_by if fresh else "")

    def _not_offered(self, hold: Hold, answer: Answer, author: Mailbox) -> Kind | Literal[""]:
        """The first thing that the answer asks for and that is not its author's to say; "" where all is well."""
        wanted: list[Kind] = [] if answer.kind == "amend" or answer.kind == "unclear" else [answer.kind]
        parts: tuple[tuple[Kind, object], ...] = (("fix", answer.fix), ("reason", answer.reason), ("eta", answer.eta))
        wanted += [kind for kind, asked in parts if asked]
        if hold.state == "discarded":
            return next((kind for kind in wanted if kind != "send"), "")
        facts = self._letters.facts_of(hold)
        shown = self._letters.shown_to(author, hold, replace(facts, offers=facts.offers or _ALWAYS))
        offers = shown.offers
        if "fix" in wanted and not shown.can_fix:
            return "fix"
        return next((kind for kind in wanted if kind not in offers), "")

    async def settle(
        self,
        hold: Hold,
        answer: Answer,
        *,
        by: str,
        token: str | None = None,
        to: Mailbox | None = None,
        origin: str = "",
    ) -> bool:
        """Do what an answer says, durably. False when somebody was first. The sender hears what became of the mail,
        and so does `to`, who answered in the sender's place. `origin` is where the answer came from, for the log.
        Raises CannotSettle when nothing was done."""
        now = self._letters.clock()
        if hold.raw is None and answer.kind != "discard":  # erased, or its key is lost
            raise CannotSettle("expired", "gone", hold.detail)
        if answer.kind == "discard":
            done = await self._discard(hold, answer, by, token, to, origin)
        elif answer.kind == "amend":
            plan = await self._plan(hold, answer, self._letters.lang_of(to, hold.new.lang) if to else hold.new.lang)
            done = await self._store.approve(hold.new.id, "amend", by, answer.why, token, now, plan=plan, origin=origin)
        else:
            action: Action = answer.kind  # type: ignore[assignment]
            if action == "note":
                self._companion(hold)  # it goes out once the mail has; whether it can be written shows now
            before: tuple[HoldState, ...] = ("discarded",) if hold.state == "discarded" else ("held",)
            done = await self._store.approve(
                hold.new.id, action, by, answer.why, token, now, before=before, origin=origin
            )
        if done:
            log.info("hold answered", mail=hold.new.id, answer=answer.kind, by=by)
            self.wake()
        return done

    async def _discard(
        self, hold: Hold, answer: Answer, by: str, token: str | None, to: Mailbox | None, origin: str
    ) -> bool:
        """Thrown away, and for some time still there: the acknowledgement can be answered with SEND."""
        again = fresh_token()
        told = self._ack("discarded", hold, token=again, by=self._other(hold, by))
        if to is not None and not self._rules.site.same_person(to.address, hold.new.agent):
            told += self._ack("discarded", hold, to=to, token=again)
        now = self._letters.clock()
        return await self._store.discard(
            hold.new.id, by, answer.why, token, now, notices=told, fresh_token=token_hash(again), origin=origin
        )

    async def resolve(self, hold: Hold, state: HoldState, by: str, why: str, *, origin: str = "") -> bool:
        """A person found out what became of a mail in doubt: "released" or "held". False when it is not in doubt (any
        more). What follows the end of a release follows now: the note that was asked for, or a notice to answer."""
        told, token = self.on_settled(hold, state, f"it did not arrive: {why}")
        done = await self._store.resolve_doubt(
            hold.new.id, state, by, why, notices=told, token_hash=token, origin=origin
        )
        if done:
            self.wake()
        return done

    # --- words that go into the mail -------------------------------------------------------------------------------

    async def _plan(self, hold: Hold, answer: Answer, lang: str) -> dict[str, object]:
        """What the amended mail goes out with, judged again: it must pass now. Raises CannotSettle, which
        tells why in `lang`."""
        words = self._words(hold, answer)
        try:
            # Hostile mail takes a while to edit, and the loop has other clients.
            plan = await asyncio.to_thread(plan_of, hold, words, fix=answer.fix)
            if answer.eta:
                plan["eta"] = answer.eta  # a promise, once it has gone out
            octets, rcpt_to = await asyncio.to_thread(with_changes, hold, plan)
        except (CannotAmend, CannotRelease) as cannot:
            log.info("no words can be set into it", mail=hold.new.id, why=str(cannot))
            why, english = (cannot.why, OBSTACLES[cannot.why]) if isinstance(cannot, CannotAmend) else _CANNOT_GO
            detail = why_in(lang, why, english)
            raise CannotSettle("draft-back", "cannot", detail, self._by_hand(hold, words)) from cannot
        if self.judge is None:
            return plan
        decision = await self.judge(octets, Envelope.of(hold.new.agent, addresses(rcpt_to)), hold.new.agent)
        if decision.disposition != "pass":
            stops = [finding for finding in decision.enforced if finding.do in ("rewrite", "hold", "reject")]
            raise CannotSettle(
                "draft-back", "still", self._letters.needed(hold, stops, lang), self._by_hand(hold, words)
            )
        return plan

    def _words(self, hold: Hold, answer: Answer) -> str:
        """The sender's reason and date as sentences of the mail's language. Raises CannotSettle for a date that is
        none or may be two, and for a reason that only says no again."""
        lang = str(hold.new.told.get("mail_lang") or hold.new.lang)
        site = self._rules.site
        now = self._letters.clock().astimezone(site.zone)
        if answer.eta and (problem := problem_of(answer.eta, lang, self._rules.lexicon.calendar, now)):
            raise CannotSettle("not-understood", problem)
        name = site.name_of(hold.new.agent)
        if answer.reason and not tells_why(unsigned(answer.reason, name), self._rules.lexicon):
            raise CannotSettle("not-understood", "no-reason")
        said = (("reason", unsigned(answer.reason, name)), ("eta", unsigned(answer.eta, name)))
        try:
            return "\n\n".join(self._letters.sentence(name, text, lang) for name, text in said if text)
        except CannotRender as cannot:
            raise CannotSettle("draft-back", "cannot", str(cannot)) from cannot

    def _by_hand(self, hold: Hold, words: str) -> str:
        """The sender's own text with the words in it, to be sent by themselves."""
        try:
            own = split_body(read_message(hold.raw or b"")).new.text
        except Exception:  # hostile mail: the words alone will do
            own = ""
        return "\n\n".join(part for part in (own[:2000], words) if part)

    # --- what is told ----------------------------------------------------------------------------------------------

    def _companion(self, hold: Hold) -> OutMail:
        """The short note to the requester, in place of the agent's mail. Raises CannotSettle: without it the mail
        would leave them hanging after all."""
        try:
            return self._letters.companion(hold)
        except (CannotRender, ValueError) as cannot:
            raise CannotSettle("draft-back", "cannot", str(cannot)) from cannot

    def on_settled(self, hold: Hold, state: str, detail: str) -> tuple[tuple[OutMail, ...], str | None]:
        """Mails about an approved hold that has come to `state`, and the hash of a fresh token if it waits again."""
        if state == "held":
            token, facts = fresh_token(), self._letters.facts_of(hold)
            told: tuple[OutMail, ...] = (self._letters.notice(facts, token, detail),)
            if helper := self._helper(hold):
                shown = self._letters.shown_to(helper, hold, facts)
                told += (self._letters.notice(replace(shown, agent=helper), token, detail),)
            return told, token_hash(token)
        if state == "released":
            by, name = self._other(hold, hold.approved_by), ENDINGS[hold.action or "send"].ack
            notes: tuple[OutMail, ...] = ()
            more: dict[str, Any] = {"by": by, "added": str(hold.plan.get("words", ""))}
            if hold.action == "note":  # not before: a mail that was refused has passed nothing on
                notes = self._notes(hold)
                name = name if notes else ENDINGS["send"].ack
            told = notes + self._ack(name, hold, **more)
            if helper := self._helper(hold):
                told += self._ack(name, hold, to=helper, **more)
            return told, None
        told = self._ack("in-doubt", hold)
        return told + (self._ack("in-doubt", hold, to=helper) if (helper := self._helper(hold)) else ()), None

    def _helper(self, hold: Hold) -> Mailbox | None:
        """Whoever answered in the sender's place, by mail: a command has its answer already."""
        by = self._other(hold, hold.approved_by)
        return Mailbox(by, self._rules.site.name_of(by)) if Mailbox(by).domain else None

    def _notes(self, hold: Hold) -> tuple[OutMail, ...]:
        """The note, or none where the templates changed since it was asked for: nothing may undo a delivery."""
        try:
            return (self._companion(hold),)
        except CannotSettle as cannot:
            log.error("the requester gets no note", mail=hold.new.id, why=cannot.detail)
            return ()

    def _other(self, hold: Hold, by: str) -> str:
        """Who settled it, where that was not the sender."""
        return "" if self._rules.site.same_person(by, hold.new.agent) else by

    async def _expired(self, author: Mailbox) -> Reply:
        """An unknown token."""
        if self._is_ours(author) and self._may_say("", author):
            lang = self._letters.lang_of(author, self._rules.site.lang)
            facts = NoticeFacts(held_id="", agent=author, subject="", lang=lang)
            await self._store.enqueue(self._letters.ack("expired", facts))
            self.wake()
        return replies.OK

    def _is_ours(self, who: Mailbox) -> bool:
        """Whether the gateway writes to this address anyway; any other could be a forged one (backscatter)."""
        site = self._rules.site
        heads = site.is_supervisor(who.address) or site.is_among(who.address, (each.address for each in site.admins))
        return heads or site.agent(who.address) is not None

    def _may_say(self, about: str, to: Mailbox) -> bool:
        """Whether one more acknowledgement of nothing done may go out. A machine that answers each of ours, without
        saying that it is one, must come to an end; a person who tries a few times a day does not notice."""
        now, key = self._letters.clock(), (about, to.key)
        lately = [at for at in self._said.get(key, ()) if now - at < timedelta(days=1)]
        if len(self._said) > 10_000:
            self._said.clear()
        self._said[key] = [*lately, now][:MOST_ASKED_BACK]
        return len(lately) < MOST_ASKED_BACK

    async def _say(self, name: str, hold: Hold, origin: str, *, to: Mailbox, **more: Any) -> Reply:
        if not self._may_say(hold.new.id, to):
            log.warning("asked back often enough; silent now", mail=hold.new.id, ack=name)
            return replies.OK
        await self._store.log(hold.new.id, "answer-refused", name, to.key, origin)
        mails = self._ack(name, hold, to=to, **more)
        if mails and (name != "wrong-sender" or self._is_ours(to)):
            await self._store.enqueue(mails)
            self.wake()
        return replies.OK

    def _ack(
        self, name: str, hold: Hold, *, to: Mailbox | None = None, token: str = "", **more: Any
    ) -> tuple[OutMail, ...]:
        facts = self._letters.facts_of(hold)
        reader = to if to is not None else facts.agent
        facts = replace(self._letters.shown_to(reader, hold, facts), agent=reader)
        if name == "wrong-sender":
            facts = replace(facts, subject="", message_id="", references=())
        return self._letters.ack(name, facts, token=token, **more)
