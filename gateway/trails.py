"""Trails: what each mail that has gone by opens and closes in the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from gateway.follow.entries import MOST_IDS, Entry, Patience, Trail, as_json, from_json, keys_of, opened, promised
from gateway.given import announced
from gateway.judged import Judged
from gateway.mail.address import Mailbox
from gateway.reading.thread import SeenMessage
from gateway.rules import Rules
from gateway.site.model import Site
from gateway.store.records import Hold

log = structlog.get_logger("gateway.trails")

OPEN_NOTHING = ("consult", "wrong")
"""Answers that say that nothing was passed on."""


class Trails:
    """Makes the trail of a mail. A trail that cannot be made is logged: it is no reason not to deliver."""

    def __init__(self, rules: Rules, patience: Patience, *, clock: Callable[[], datetime]) -> None:
        self._rules = rules
        self._patience = patience
        self._clock = clock

    def sent(self, judged: Judged) -> Trail | None:
        """Of a mail that the upstream has taken."""
        return self._made(judged.seen, judged.rules.site, lambda now: self._opened(judged, now), judged.mail.id)

    def held(self, judged: Judged) -> list[dict[str, Any]]:
        """What a held mail will open, kept with it until it goes out."""
        try:
            return [as_json(entry) for entry in self._opened(judged, judged.mail.received_at)]
        except Exception as error:
            log.error("what a mail opens is not known", mail=judged.mail.id, fault=type(error).__name__)
            return []

    def released(self, hold: Hold, seen: SeenMessage) -> Trail | None:
        """Of a held mail that has gone out, as its sender answered for it."""
        site, new = self._rules.site, hold.new
        agent = Mailbox(new.agent, site.name_of(new.agent))
        kept: list[Mapping[str, Any]] = [] if hold.action in OPEN_NOTHING else list(new.told.get("opens", ()))

        def entries(now: datetime) -> tuple[Entry, ...]:
            found = [from_json(each, mail_id=new.id, agent=agent, subject=hold.subject, at=now) for each in kept]
            if hold.action == "amend" and not found:
                found += self._answered(hold, agent, seen, site, now)
            return tuple(found)

        return self._made(seen, site, entries, new.id)

    def _answered(self, hold: Hold, agent: Mailbox, seen: SeenMessage, site: Site, now: datetime) -> Iterable[Entry]:
        """The promise that an answer to the notice has put into the mail."""
        told, eta, team = hold.new.told, str(hold.plan.get("eta", "")), site.team_of(agent.address)
        asked, shown = told.get("requester"), [who.address for who in (*seen.to, *seen.cc)]
        if not eta or not asked or told.get("confidential") or not site.is_among(asked["address"], shown):
            return ()
        who = Mailbox(site.same.canonical(asked["address"]), asked["name"])
        thread = tuple(each for each in (seen.message_id, *seen.references[:MOST_IDS]) if each)
        base = Entry(
            id=f"{hold.new.id}-p", kind="promise", at=now, mail_id=hold.new.id, agent=agent,
            team=team.id if team else "", requester=who, owners=(), subject=hold.subject[:200], thread=thread, due=now,
            words=eta[:200],
        )  # fmt: skip
        rules = self._rules
        said = announced(eta, str(told.get("mail_lang") or hold.new.lang))
        return promised(base, "in words", (said,), site, rules.lexicon.calendar, self._patience)

    def inbound(self, seen: SeenMessage) -> Trail | None:
        """Of a mail that came in: it may be an owner's word to whoever asked, and it may be a request."""
        site = self._rules.site
        return self._made(seen, site, lambda now: self._asked(seen, site, now), seen.message_id)

    def _opened(self, judged: Judged, at: datetime) -> tuple[Entry, ...]:
        if judged.gist is None:
            return ()
        grammar = judged.rules.lexicon.calendar
        return opened(judged.gist, judged.rules.site, grammar, self._patience, mail_id=judged.mail.id, at=at)

    def _asked(self, seen: SeenMessage, site: Site, now: datetime) -> tuple[Entry, ...]:
        """The first mail of a matter, to a team, from a person who is no agent."""
        author = seen.author
        if seen.references or seen.marks.get("machine") or not author.address or site.agent(author.address) is not None:
            return ()
        agents = (site.agent(address) for address in (*seen.rcpt_to, *(who.address for who in (*seen.to, *seen.cc))))
        reached = next((agent for agent in agents if agent is not None), None)
        if reached is None or not seen.message_id:
            return ()
        who = Mailbox(site.same.canonical(author.address), author.name)
        reads = (*seen.rcpt_to, *(each.address for each in (*seen.to, *seen.cc)))
        secret = bool(seen.marks.get("confidential")) or any(map(site.is_confidential, reads))
        return (
            Entry(
                id=f"{hash_of(seen.message_id):x}-r", kind="request", at=now, mail_id="", agent=reached.mailbox,
                team=reached.team, requester=who, owners=(), thread=(seen.message_id,),
                subject="" if secret else seen.subject[:200],  # it counts, and nobody is told what it is about
                due=now, state="closed", closed_at=now,
            ),
        )  # fmt: skip

    def _made(
        self, seen: SeenMessage | None, site: Site, entries: Callable[[datetime], tuple[Entry, ...]], mail: str
    ) -> Trail | None:
        if not self._rules.judging:
            return None
        try:
            now = self._clock()
            keys = keys_of(seen, site) if seen is not None else frozenset()
            return Trail(now, entries(now), keys, seen, site)
        except Exception as error:
            log.error("what a mail opens and closes is not known", mail=mail, fault=type(error).__name__)
            return None


def hash_of(message_id: str) -> int:
    """A number for a Message-ID, the same on every node."""
    return int.from_bytes(hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def patience_of(handoff: float, before_due: float, after: float) -> Patience:
    """From settings, in seconds."""
    return Patience(timedelta(seconds=handoff), timedelta(seconds=before_due), timedelta(seconds=after))
