"""The clockwork: nothing that waits for somebody is forgotten. It looks at what is due, and tells the next person.

held mail   agent reminded ─▶ supervisor ─▶ admins, each business day until somebody answers
hand-off    owner asked once ─▶ supervisor
promise     agent before it is due; where a site wants it, ─▶ agent when it was ─▶ supervisor. Much is kept without a
            mail, so what nobody hears of for a week is closed as that

Each step is one transaction with the mail that tells of it, and each is fenced by what was read, so that two nodes, or
a crash at any point, tell nobody twice and forget nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from gateway import notices
from gateway.admins import Admins
from gateway.correspondence import Correspondence, mail_id
from gateway.day_words import day_in_words, in_words
from gateway.follow.entries import Entry, Patience, State
from gateway.mail.address import Mailbox
from gateway.notice_facts import NoticeFacts, NoticeFinding, named
from gateway.rules import Rules
from gateway.site.model import Site
from gateway.store.errors import StoreAway
from gateway.store.records import WAITING, Hold, OutMail
from gateway.store.store import Store
from gateway.tokens import fresh_token, token_hash

log = structlog.get_logger("gateway.clockwork")

EVERY_SECONDS = 30.0
DAY = timedelta(hours=8)
"""Business time between two reminders of the same thing, once the supervisor knows."""
UNHEARD = timedelta(hours=40)
"""Business time after which a promise that nobody wrote about is no longer open."""
MINUTE = timedelta(minutes=1)
WINDOW = timedelta(days=14)
"""In which requests of one person are counted, and after which they are spoken of again."""
MOST_TOPICS = 8


class Clockwork:
    """One `step` does all that is due. `wake` is called when there is something to send."""

    def __init__(
        self, rules: Rules, store: Store, letters: Correspondence, admins: Admins, *,
        hold_deadline: timedelta, patience: Patience, repeat_requests: int, overdue: str, wake: Callable[[], None],
    ) -> None:  # fmt: skip
        self._rules = rules
        self._store = store
        self._letters = letters
        self._admins = admins
        self._hold_deadline = hold_deadline
        self._patience = patience
        self._repeat_requests = repeat_requests
        self._overdue = overdue
        self._wake = wake

    async def run(self) -> None:
        """Until cancelled. A store that is away only pauses it."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.step()
            except StoreAway as away:
                log.error("store away; reminders pause", why=str(away))
            except Exception:
                log.exception("fault while reminding; will try again")

    async def step(self) -> None:
        """Everything that is due now. Raises StoreAway."""
        now, told = self._letters.clock(), False
        if not self._rules.judging:
            return
        for hold_id, stage in await self._store.holds_due(now):
            if await self._guarded(hold_id, self._remind(hold_id, stage, now)):
                told = True
            else:  # settled meanwhile, or it could not be told: the others must not wait behind it
                await self._store.put_off(hold_id, stage, now + timedelta(hours=1))
        for entry in await self._store.ledger_due(now):
            told |= await self._guarded(entry.mail_id, self._follow(entry, now))
        if told:
            self._wake()

    async def _guarded(self, about: str, work: Awaitable[bool]) -> bool:
        """One thing that cannot be told must not keep the others waiting."""
        try:
            return await work
        except StoreAway:
            raise
        except Exception:
            log.exception("somebody could not be reminded", mail=about)
            return False

    # --- held mail -------------------------------------------------------------------------------------------------

    async def _remind(self, hold_id: str, stage: int, now: datetime) -> bool:
        hold = await self._store.held(hold_id)
        if hold is None or hold.state not in WAITING:
            return False
        site, agent = self._rules.site, hold.new.agent
        calendar = site.calendar_of(self._team(site, agent))
        token = fresh_token()
        if stage == 0 and agent:
            next_at = max(hold.new.deadline, calendar.after(now, timedelta(minutes=30)))
            mails = self._to_agent(hold, token, next_at) + self._to_delegates(hold, token)
        else:
            next_at = calendar.after(now, self._hold_deadline if stage <= 1 else DAY)
            mails = self._to_somebody_else(hold, token, stage)
        if not mails:
            log.error("nobody could be told of a mail that waits", mail=hold_id)
            return False
        done = await self._store.remind(hold_id, stage, next_at, mails, token_hash(token), now)
        if done:
            log.info("reminded of a held mail", mail=hold_id, times=stage + 1, told=len(mails))
        return done

    def _to_agent(self, hold: Hold, token: str, deadline: datetime) -> tuple[OutMail, ...]:
        facts = self._facts(hold)
        more = {}
        if any(not self._rules.site.same_person(who.address, hold.new.agent) for who in self._others(hold, 1)):
            more["deadline"] = in_words(self._local(hold.new.agent, deadline), facts.lang, zone=True)
        return self._letter_about("reminder", hold, facts, facts.agent, token, more)

    def _to_delegates(self, hold: Hold, token: str) -> tuple[OutMail, ...]:
        """Whoever answers in the agent's place hears of it when the agent has not answered for a while."""
        entry = self._rules.site.agent(hold.new.agent)
        delegates = dict.fromkeys(entry.delegates) if entry is not None else ()
        readers = [Mailbox(each) for each in delegates if not self._rules.site.same_person(each, hold.new.agent)]
        return self._ask_to_help(hold, readers, token)

    def _to_somebody_else(self, hold: Hold, token: str, stage: int) -> tuple[OutMail, ...]:
        return self._ask_to_help(hold, self._others(hold, stage), token)

    def _others(self, hold: Hold, stage: int) -> list[Mailbox]:
        """The supervisor; where there is none, or they have not answered either, the admins; else the team; else the
        agent again."""
        site = self._rules.site
        supervisor = site.supervisor_of(hold.new.agent)
        readers = [supervisor] if stage <= 1 and supervisor is not None else list(site.admins)
        if not readers:
            team = site.team_of(hold.new.agent)
            boxes = [Mailbox(address) for address in team.mailboxes] if team is not None else []
            readers = [supervisor] if supervisor is not None else boxes or [Mailbox(hold.new.agent)]
        return [who for who in readers if who.address]

    def _ask_to_help(self, hold: Hold, readers: Iterable[Mailbox], token: str) -> tuple[OutMail, ...]:
        """A note that can be answered, to each of some people beside the agent, in their own language."""
        out: tuple[OutMail, ...] = ()
        facts = self._facts(hold)
        for reader in map(self._letters.named, readers):
            its = self._letters.shown_to(reader, hold, facts)
            if self._rules.site.same_person(reader.address, hold.new.agent):  # nobody asks whether they are away
                out += self._letter_about("reminder", hold, its, reader, token, {})
                continue
            out += self._letter_about("overdue", hold, its, reader, token, {"supervisor_name": named(reader)})
        return out

    def _letter_about(
        self, name: str, hold: Hold, facts: NoticeFacts, to: Mailbox, token: str, more: Mapping[str, object]
    ) -> tuple[OutMail, ...]:
        head = self._letters.head()
        if hold.state == "in-doubt":  # no answer settles it: somebody has to ask whether it came
            return self._letters.ack("in-doubt", replace(facts, agent=to))
        try:
            values = {
                "answers": notices.answers(facts, token, head),
                "reasons": notices.reasons(facts, head.templates),
                "since": in_words(self._local(hold.new.agent, hold.new.at), facts.lang),
                **more,
            }
            mail = notices.letter(
                name, f"notices/{name}", facts, to, head, id=mail_id(), now=self._letters.clock(),
                reply_to=head.reply_address(token), **values,  # type: ignore[arg-type]
            )  # fmt: skip
            return (mail,)
        except Exception as error:
            log.error("a reminder goes out in fixed words", mail=hold.new.id, fault=type(error).__name__)
            return (replace(self._letters.notice(facts, token), rcpt_to=(to.address,)),)

    def _facts(self, hold: Hold) -> NoticeFacts:
        facts = self._letters.facts_of(hold)
        found = tuple(NoticeFinding(policy) for policy in hold.new.told.get("policies", ()))
        return replace(facts, findings=found)

    # --- hand-offs, promises ---------------------------------------------------------------------------------------

    async def _follow(self, entry: Entry, now: datetime) -> bool:
        calendar = self._rules.site.calendar_of(entry.team)
        later = calendar.after(now, self._patience.after)
        state: State = "asked" if entry.state == "open" else "escalated"
        next_at: datetime | None = later
        if entry.kind == "handoff":
            mails = self._ask_owner(entry) if entry.state == "open" else self._tell_of_handoff(entry)
            next_at = calendar.after(now, self._patience.handoff) if entry.state == "open" else None
        elif now < entry.due:
            mails, state = self._about_promise("promise-due", entry, entry.agent), "open"
            next_at = calendar.after(entry.due - MINUTE, MINUTE)  # what was promised for Sunday: on Monday
        elif entry.state == "open" and self._overdue == "nobody":
            return await self._store.ledger_step(entry, "asked", calendar.after(now, UNHEARD), (), now)
        elif entry.state == "open":
            mails = self._about_promise("promise-overdue", entry, entry.agent)
        elif entry.state == "asked" and self._overdue == "supervisor":
            mails, next_at = self._tell_of_promise(entry), calendar.after(now, UNHEARD)
        else:
            return await self._store.ledger_end(entry, "not heard of", now)
        if not mails:  # what could not be written is written later, and nobody counts as told
            state, next_at = entry.state, now + timedelta(hours=1)
        done = await self._store.ledger_step(entry, state, next_at, mails, now)
        if done:
            log.info("reminded of what is open", kind=entry.kind, mail=entry.mail_id, state=state, told=len(mails))
        return done

    def _ask_owner(self, entry: Entry) -> tuple[OutMail, ...]:
        out: tuple[OutMail, ...] = ()
        for owner in entry.owners:
            who = self._letters.named(owner)
            out += self._letter("handoff-open", entry, who, target_name=named(who))
        return out

    def _tell_of_handoff(self, entry: Entry) -> tuple[OutMail, ...]:
        owner = self._letters.named(entry.owners[0]) if entry.owners else None
        return self._to_supervisor("handoff-overdue", entry, target_name=named(owner))

    def _about_promise(self, name: str, entry: Entry, to: Mailbox) -> tuple[OutMail, ...]:
        return self._letter(name, entry, to, words=[entry.words] if entry.words else [])

    def _tell_of_promise(self, entry: Entry) -> tuple[OutMail, ...]:
        return self._to_supervisor("promise-overdue", entry, words=[entry.words] if entry.words else [])

    def _to_supervisor(self, name: str, entry: Entry, **more: Any) -> tuple[OutMail, ...]:
        """The agent's supervisor; where there is none, the admins; else the agent, so that somebody knows."""
        site = self._rules.site
        head = site.supervisor_of(entry.agent.address)
        out: tuple[OutMail, ...] = ()
        for reader in (head,) if head is not None else site.admins or (entry.agent,):
            out += self._letter(name, entry, reader, supervisor_name=named(reader), **more)
        return out

    def _letter(
        self, name: str, entry: Entry, to: Mailbox, *, asked_since: datetime | None = None, **more: object
    ) -> tuple[OutMail, ...]:
        """A note about an entry, in the language of whoever reads it, as far as the site file knows it. `since` is the
        day `asked_since` where that is given, else the time of the entry."""
        site = self._rules.site
        agents = site.agent(entry.agent.address)
        lang = self._letters.lang_of(to, (agents.lang if agents else "") or site.language_of(entry.team))
        agent = self._letters.named(entry.agent)
        facts = NoticeFacts(
            held_id=entry.mail_id, agent=agent, subject=entry.subject, lang=lang,
            message_id=entry.thread[0] if entry.thread else "", references=entry.thread[1:],
            requester=self._letters.named(entry.requester),
        )  # fmt: skip
        zone = site.zone_of(entry.team)
        values: dict[str, object] = {
            "due": in_words(entry.due.astimezone(zone), lang),
            "since": in_words(entry.at.astimezone(zone), lang),
            **more,
        }
        if asked_since is not None:
            values["since"] = day_in_words(asked_since.astimezone(zone), lang)
        # Owners answer the agent, who passed it on; the gateway reads no answer to these.
        reply_to = entry.agent.address if to.address != entry.agent.address else ""
        try:
            mail = notices.letter(
                name, f"notices/{name}", facts, to, self._letters.head(), id=mail_id(), now=self._letters.clock(),
                reply_to=reply_to, **values,  # type: ignore[arg-type]
            )  # fmt: skip
            return (mail,)
        except Exception as error:
            log.error("a note could not be written", note=name, mail=entry.mail_id, fault=type(error).__name__)
            return ()

    # --- people who ask often --------------------------------------------------------------------------------------

    async def count_request(self, entry: Entry) -> None:
        """Tell the supervisor once in a while when somebody asks often. Raises StoreAway."""
        if not self._repeat_requests:
            return
        since = entry.at - WINDOW
        asked = await self._store.requests_of(entry.requester.address, since)
        if len(asked) < self._repeat_requests:
            return
        site = self._rules.site
        team = site.teams.get(entry.team)
        readers = (team.supervisor,) if team is not None and team.supervisor is not None else site.admins
        topics = list(dict.fromkeys(each.subject for each in asked if each.subject))[-MOST_TOPICS:]
        window = int(entry.at.timestamp() // WINDOW.total_seconds())
        mails: tuple[OutMail, ...] = ()
        for reader in readers:
            mails += self._letter(
                "repeat-requester", entry, reader, asked_since=asked[0].at, supervisor_name=named(reader),
                count=len(asked), items=topics,
            )  # fmt: skip
        if not mails:
            return
        if await self._store.tell_once(f"repeat/{entry.requester.address}/{window}", mails):
            self._wake()

    def _local(self, agent: str, at: datetime) -> datetime:
        site = self._rules.site
        return at.astimezone(site.zone_of(self._team(site, agent)))

    @staticmethod
    def _team(site: Site, address: str) -> str:
        entry = site.agent(address)
        return entry.team if entry else ""
