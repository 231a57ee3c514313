"""The desk: what people are told of a mail that has just come. What becomes of their answers is `gateway.settling`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from gateway import digest, limit_notes, notices
from gateway.correspondence import Correspondence, mail_id, why
from gateway.follow.due import due_of
from gateway.guard_words import why_in
from gateway.judged import Judged
from gateway.mail.address import Mailbox
from gateway.notice_facts import NoticeFacts, NoticeFinding, facts_of
from gateway.policy.offers import offers
from gateway.site.model import Site
from gateway.store.records import NewHold, OutMail
from gateway.tokens import fresh_token, token_hash

log = structlog.get_logger("gateway.desk")


class Desk:
    """Writes what is told. `wake` is called when the outbox has something to send."""

    def __init__(
        self,
        letters: Correspondence,
        *,
        hold_deadline: float = 8 * 3600.0,
        daily_digest: bool = False,
        opens: Callable[[Judged], list[dict[str, Any]]] = lambda judged: [],
    ) -> None:
        self._letters = letters
        self._opens = opens
        self._daily_digest = daily_digest
        self._hold_deadline = timedelta(seconds=hold_deadline)
        self.wake: Callable[[], None] = lambda: None

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
            facts = replace(facts, can_fix=False, why_no_fix=why_in(facts.lang, "refused", fix_refused))
        told = self._told(judged, facts)
        facts = replace(facts, offers=frozenset(told["offers"]))
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
            remind_at=site.calendar_of(team).after(mail.received_at, wait / 2),
            lang=facts.lang,
            told=told,
            body_type={"SMTPUTF8": mail.smtputf8, "received": received.decode("ascii", "replace")},
        )
        return new, (self._letters.notice(facts, token),) if agent.address else ()

    def _told(self, judged: Judged, facts: NoticeFacts) -> dict[str, Any]:
        """What later mails about the hold need, without reading it again."""
        confidential = _is_confidential(judged, judged.rules.site)
        offered = offers(judged.decision, judged.rules, can_fix=facts.can_fix, confidential=confidential)
        requester = judged.gist.requester if judged.gist else None
        return {
            "offers": sorted(offered),
            "policies": [finding.policy for finding in facts.findings],
            "mail_lang": facts.mail_lang,
            "asked_in": judged.gist.asked_in if judged.gist else "",
            "confidential": confidential,
            "requester": _entry(facts.requester) if facts.requester else None,
            "grade": requester.grade if requester else "",
            "target": _entry(facts.target) if facts.target else None,
            "opens": self._opens(judged),
            "expected": promised.isoformat() if (promised := _expected(judged)) else "",
            "hidden": facts.requester_hidden,
        }

    def after_delivery(self, judged: Judged) -> tuple[OutMail, ...]:
        """What people are told once a mail has gone out: whom a rewrite added, the supervisor's note, and advice.

        A note that cannot be written must not undo a delivery, so it is only logged.
        """
        decision, out = judged.decision, list[OutMail]()
        if decision.disposition != "rewrite" and not decision.notify_supervisor and judged.advice is None:
            return ()
        try:
            facts, head, now = self._facts(judged, None), self._letters.head(), self._letters.clock()
            if decision.disposition == "rewrite":
                out.append(self._rewritten(judged, facts))
            if decision.notify_supervisor and facts.supervisor is not None:
                out.append(notices.supervisor_note(facts, head, id=mail_id(), now=now))
            if judged.advice is not None:
                out.append(limit_notes.advice(facts, judged.advice, head, id=mail_id(), now=now))
        except Exception as error:
            log.error("a note could not be written", mail=judged.mail.id, **why(error))
        return tuple(out)

    def _rewritten(self, judged: Judged, facts: NoticeFacts) -> OutMail:
        """The note on a rewrite, or a line of the digest that goes out when the day's work is over."""
        now = self._letters.clock()
        if not self._daily_digest:
            return notices.rewrite_notice(facts, self._letters.head(), id=mail_id(), now=now)
        site = judged.rules.site
        team = judged.gist.agent.team if judged.gist and judged.gist.agent else ""
        local, due = now.astimezone(site.zone_of(team)), site.calendar_of(team).end(now)
        return digest.line(facts, id=mail_id(), now=local, due=due)

    def reject_line(self, judged: Judged) -> str:
        """The one line that the sender's mail client shows."""
        try:
            return notices.reject_line(self._facts(judged, None), self._letters.head().templates)
        except Exception as error:
            log.error("a reply could not be written", mail=judged.mail.id, **why(error))
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
                expected=_expected(judged),
                next_time=_next_time(facts, site),
                target_team=facts.target is not None and _is_team(facts.target, site),
                target=self._letters.named(facts.target) if facts.target else None,
                recipients=tuple(self._letters.named(who) for who in facts.recipients),
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


def _entry(who: Mailbox) -> dict[str, str]:
    return {"address": who.address, "name": who.name}


def _is_team(who: Mailbox, site: Site) -> bool:
    """Whether this is the address of a team or department that several people read."""
    department = site.department_of(who.address)
    if department is not None:
        return not any(site.same_person(person.address, who.address) for person in department.people)
    return site.is_team_mailbox(who.address)


def _next_time(facts: NoticeFacts, site: Site) -> str:
    """The department that a colleague's matter goes to: they can go there themselves. Nobody else's is given away."""
    target, requester = facts.target, facts.requester
    if target is None or requester is None or not site.is_internal(requester.address):
        return ""
    department = site.department_of(target.address)
    if department is None or department.kind != "department" or site.is_confidential(target.address):
        return ""
    own = site.department_of(requester.address)
    if own is not None and own.id == department.id:
        return ""  # they are there
    address = next((each for each in department.addresses if "*" not in each), "")
    return f"{department.name} ({address})" if address and not site.is_confidential(address) else department.name


def _expected(judged: Judged) -> datetime | None:
    """When what the mail promises falls due, in the team's zone; None where it promises nothing, or names no time. That
    it speaks of a day ("the meeting is on Friday", "please reply by Friday") promises nobody anything."""
    fact = judged.gist.facts.get("promise") if judged.gist else None
    if fact is None:
        return None
    site, team = judged.rules.site, judged.gist.agent.team if judged.gist and judged.gist.agent else ""
    pieces = [span.text for span in fact.evidence]
    grammar = judged.rules.lexicon.calendar
    return due_of(str(fact.value), pieces, judged.mail.received_at, site.calendar_of(team), grammar)


def _is_confidential(judged: Judged, site: Site) -> bool:
    """Whether something or somebody of this mail is marked so: then nobody outside of it is written to."""
    facts = judged.gist.facts if judged.gist else {}
    marked = any(name in facts for name in ("confidential", "confidential_recipient"))
    clauses = (finding.fix.clause for finding in judged.decision.findings if finding.fix is not None)
    reached = any(site.is_confidential(address) for address in judged.mail.envelope.recipients)
    return marked or reached or "confidential" in clauses
