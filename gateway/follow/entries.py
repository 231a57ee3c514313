"""What stays open after a mail has gone out, and which later mail closes it. Pure.

A hand-off is open until the new owner writes to whoever asked; a promise, until the team writes again in that thread.
Machines answer nobody: what is auto-submitted neither opens nor closes anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from gateway.follow.due import due_of
from gateway.mail.address import Mailbox
from gateway.reading.dates import Calendar as Grammar
from gateway.reading.gist import Gist
from gateway.reading.thread import SeenMessage
from gateway.site.model import Site

Kind = Literal["handoff", "promise", "request"]
State = Literal["open", "asked", "escalated", "closed"]
"""open: nobody was reminded; asked: the owner or agent was; escalated: the supervisor was told, and nobody is again."""

NOT_FOLLOWED = ("confidential", "confidential_recipient", "leave_me_out", "requester_bcc_only", "fyi")
"""Facts of mail about which nobody else is written to: a reminder would name whom, or what, it had kept quiet."""

MOST_IDS = 20
"""Message-IDs of a thread that are kept with an entry."""
MOST_OWNERS = 5
SHORTEST_SUBJECT = 3
"""Letters and digits of a subject that says which matter it is."""

_LABELS = re.compile(r"^(?:\s*\w{1,5}(?:\[\d+\])?\s?:)+\s*")
_MACHINE = re.compile(
    r"\s*(?:auto(?:matic|mated)?[ -]?(?:reply|response)|automatische (?:antwort|beantwoording)|automatisch antwoord|"
    r"abwesen|out of (?:the )?office|réponse automatique|absence du bureau|respuesta automática|fuera de la oficina|"
    r"risposta automatica|fuori sede|resposta automática|afwezig)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. Addresses are canonical in `requester`; `due` is aware; `thread` are Message-IDs.

    `owners` are those to whom a matter was passed on (empty for a promise: the agent owns it); `words` is what was
    promised; `next_at` is when the clock looks at it again, None for never.
    """

    id: str
    kind: Kind
    at: datetime
    mail_id: str
    agent: Mailbox
    team: str
    requester: Mailbox
    owners: tuple[Mailbox, ...]
    subject: str
    thread: tuple[str, ...]
    due: datetime
    words: str = ""
    state: State = "open"
    next_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long people have: business time until an owner is asked, before a promise is due, after it, and until a
    supervisor hears."""

    handoff: timedelta = timedelta(hours=16)
    before_due: timedelta = timedelta(hours=2)
    after: timedelta = timedelta(hours=8)


def opened(
    gist: Gist, site: Site, grammar: Grammar, patience: Patience, *, mail_id: str, at: datetime
) -> tuple[Entry, ...]:
    """What an agent's mail opens once it has gone out at `at` (aware): a hand-off, or else a promise."""
    agent, requester = gist.agent, gist.requester
    if not gist.judged or agent is None or requester is None or not requester.mailbox.address:
        return ()
    facts, calendar = gist.facts, site.calendar_of(agent.team)
    if any(name in facts for name in NOT_FOLLOWED):
        return ()
    who = replace(requester.mailbox, address=site.same.canonical(requester.mailbox.address))
    base = Entry(
        id="", kind="handoff", at=at, mail_id=mail_id, agent=agent.mailbox, team=agent.team, requester=who, owners=(),
        subject=gist.subject[:200], thread=_thread(gist), due=at,
    )  # fmt: skip
    firm = facts.get("promise")
    said = tuple(span.text for span in firm.evidence) if firm is not None else ()
    owners = _owners(gist, site) if "handoff" in facts or "empty_forward" in facts else ()
    if owners:
        dated = due_of(str(firm.value), said, at, calendar, grammar) if firm is not None else None
        due = dated or calendar.after(at, patience.handoff)
        return (replace(base, id=f"{mail_id}-h", owners=owners, due=due, next_at=due),)
    if firm is None or "to_requester" not in facts:
        return ()
    promise = replace(base, id=f"{mail_id}-p", kind="promise", words=" … ".join(said)[:200])
    return promised(promise, str(firm.value), said, site, grammar, patience)


def promised(
    base: Entry, value: str, said: Iterable[str], site: Site, grammar: Grammar, patience: Patience
) -> tuple[Entry, ...]:
    """The promise with its end, and when its agent is reminded; none where no time is named ("soon"). `value` and
    `said` as in `due_of`."""
    calendar = site.calendar_of(base.team)
    due = due_of(value, said, base.at, calendar, grammar)
    if due is None:
        return ()
    remind = calendar.before(due, patience.before_due)
    if remind <= base.at:  # "in an hour": nobody is reminded of what they have just written
        remind = base.at + (due - base.at) / 2
    return (replace(base, due=due, next_at=remind),)


def _thread(gist: Gist) -> tuple[str, ...]:
    return tuple(each for each in (gist.message_id, *gist.references[:MOST_IDS]) if each)


def _owners(gist: Gist, site: Site) -> tuple[Mailbox, ...]:
    """Who has it now: whom the words name, else everybody in To but the requester, the agent and the team itself."""
    assert gist.requester is not None and gist.agent is not None
    mine = (gist.requester.mailbox.address, gist.agent.mailbox.address)
    team = site.teams.get(gist.agent.team)
    boxes = team.mailboxes if team is not None else ()

    def others(people: Iterable[Mailbox]) -> list[Mailbox]:
        return [
            who for who in people if who.address and not site.is_among(who.address, mine)
            and not site.is_among(who.address, boxes)
        ]  # fmt: skip

    found = others(gist.to) or others(gist.cc)
    target = gist.facts.get("target")
    if target is not None:
        value = str(target.value).lower()
        named = [who for who in found if value in (who.address.lower(), who.name.lower())]
        found = named or found
    return tuple(found[:MOST_OWNERS])


def closes(entry: Entry, seen: SeenMessage, site: Site) -> str:
    """Why this mail closes the entry: "answered", "taken back", "kept", "late"; "" where it does not, such as for mail
    of another matter between the same people."""
    if seen.marks.get("machine") or not seen.author.address or is_automatic(seen.subject):
        return ""
    if not _of_thread(entry, seen):
        return ""
    reached = [*seen.rcpt_to, *(who.address for who in (*seen.to, *seen.cc))]
    if not site.is_among(entry.requester.address, reached):
        return ""
    if entry.kind == "handoff":
        if any(_same_owner(owner, seen.author, site) for owner in entry.owners):
            return "answered"
        return "taken back" if _of_team(seen.author, entry, site) else ""
    if entry.kind == "promise" and _of_team(seen.author, entry, site):
        return "kept" if _when(seen) <= entry.due else "late"
    return ""


def _of_thread(entry: Entry, seen: SeenMessage) -> bool:
    """By an id; else by the subject, since an owner may answer the first mail or write anew."""
    if set(entry.thread) & {seen.message_id, *seen.references}:
        return True
    stem = _stem(entry.subject)
    return bool(stem) and stem == _stem(seen.subject)


def _stem(subject: str) -> str:
    """A subject without what answering and forwarding put in front; "" where that is hardly anything."""
    stem = " ".join(_LABELS.sub("", subject[:200]).casefold().split())
    return stem if sum(letter.isalnum() for letter in stem) >= SHORTEST_SUBJECT else ""


def is_automatic(subject: str) -> bool:
    """True for the subject of an answering machine, for those that say it nowhere else."""
    return _MACHINE.match(subject) is not None


def _same_owner(owner: Mailbox, author: Mailbox, site: Site) -> bool:
    """The person asked, or anybody of the same department, vendor or team. A look-alike is nobody."""
    if site.same_person(owner.address, author.address):
        return True
    theirs, writes = site.department_of(owner.address), site.department_of(author.address)
    if theirs is not None:
        return writes is not None and writes.id == theirs.id
    return site.is_team_mailbox(owner.address) and site.team_of(owner.address) == site.team_of(author.address)


def _of_team(author: Mailbox, entry: Entry, site: Site) -> bool:
    agent = site.agent(author.address)
    return site.same_person(author.address, entry.agent.address) or (agent is not None and agent.team == entry.team)


def _when(seen: SeenMessage) -> datetime:
    assert seen.sent_at is not None
    return seen.sent_at


def keys_of(seen: SeenMessage, site: Site) -> frozenset[str]:
    """The canonical addresses whom a mail reaches: whose entries it may close."""
    everybody = [*seen.rcpt_to, *(who.address for who in (*seen.to, *seen.cc))]
    return frozenset(site.same.canonical(address) for address in everybody if address)


@dataclass(frozen=True, slots=True)
class Trail:
    """What one mail does to the ledger: `entries` it opens, and those of `keys` that `closed` says it closes."""

    at: datetime
    entries: tuple[Entry, ...] = ()
    keys: frozenset[str] = frozenset()
    seen: SeenMessage | None = None
    site: Site | None = field(default=None, repr=False)

    def closed(self, entry: Entry) -> str:
        if self.seen is None or self.site is None:
            return ""
        why = closes(entry, replace(self.seen, sent_at=self.at), self.site)
        if why in ("kept", "late") and any(new.kind == "promise" for new in self.entries):
            return "moved"  # a new date instead of what was promised
        return why


def as_json(entry: Entry) -> dict[str, Any]:
    """An entry as it is kept with a held mail, until that goes out."""
    return {
        "kind": entry.kind, "requester": _box(entry.requester), "owners": [_box(who) for who in entry.owners],
        "thread": list(entry.thread), "due": entry.due.isoformat(), "words": entry.words,
        "next_at": entry.next_at.isoformat() if entry.next_at else None, "team": entry.team, "at": entry.at.isoformat(),
    }  # fmt: skip


def from_json(kept: Mapping[str, Any], *, mail_id: str, agent: Mailbox, subject: str, at: datetime) -> Entry:
    """The same again, when the mail goes out at `at`: it has as long from then as it had before."""
    later = at - datetime.fromisoformat(kept["at"])
    due, look = datetime.fromisoformat(kept["due"]), kept["next_at"]
    next_at = datetime.fromisoformat(look) if look else None
    if kept["kind"] == "handoff":
        due, next_at = due + later, next_at + later if next_at else None
    return Entry(
        id=f"{mail_id}-{kept['kind'][0]}", kind=kept["kind"], at=at, mail_id=mail_id, agent=agent, team=kept["team"],
        requester=_mailbox(kept["requester"]), owners=tuple(map(_mailbox, kept["owners"])), subject=subject[:200],
        thread=tuple(kept["thread"]), due=due, words=kept["words"], next_at=next_at,
    )  # fmt: skip


def _box(who: Mailbox) -> list[str]:
    return [who.address, who.name]


def _mailbox(kept: Iterable[str]) -> Mailbox:
    return Mailbox(*kept)
