"""The facts that the gateway's own mails are made of, and the variables that templates see of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gateway.day_words import NO_SUBJECT, in_words
from gateway.guard_words import why_in
from gateway.mail.address import Mailbox
from gateway.templating import one_line

if TYPE_CHECKING:
    from gateway.policy.decide import Decision
    from gateway.reading.gist import Gist

MAX_SUBJECT = 150
MAX_NAME = 80
MAX_WORDS = 160
"""Characters of one piece of evidence in a notice."""
MOST_WORDS = 4
"""Pieces of evidence shown for one finding."""
MOST_PEOPLE = 6
"""Recipients named in a notice."""


@dataclass(frozen=True, slots=True)
class NoticeFinding:
    """One finding as a notice tells it. `draft` and `notice` are template names without their folder."""

    policy: str
    why: str = ""
    words: tuple[str, ...] = ()
    would_pass: str = ""
    draft: str = ""
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """What notices about one mail are made of. Nobody from Bcc is in here but the requester, for the sender's own eyes.

    `lang` is the language of notices (the team's), `mail_lang` that of drafts; `deadline` is in the reader's zone.
    """

    held_id: str
    agent: Mailbox
    subject: str
    lang: str = "en"
    mail_lang: str = ""
    message_id: str = ""
    references: tuple[str, ...] = ()
    recipients: tuple[Mailbox, ...] = ()
    """To and Cc."""
    copied: tuple[Mailbox, ...] = ()
    """Those of them who are in Cc."""
    requester: Mailbox | None = None
    requester_hidden: bool = False
    target: Mailbox | None = None
    target_team: bool = False
    """The matter goes to a team's address, and to nobody by name."""
    question: str = ""
    refused: bool = True
    """Whether the mail says no."""
    findings: tuple[NoticeFinding, ...] = ()
    adds: tuple[Mailbox, ...] = ()
    can_fix: bool = False
    why_no_fix: str = ""
    offers: frozenset[str] = frozenset()
    """The answers that settle it (`gateway.policy.offers`)."""
    supervisor: Mailbox | None = None
    deadline: datetime | None = None
    next_time: str = ""
    """Whom the requester can ask next time: a department that deals with such matters, for colleagues of theirs."""
    expected: datetime | None = None
    """When the mail says that word can be expected, in the sender's zone."""


def facts_of(
    gist: Gist, decision: Decision, *, held_id: str, lang: str, supervisor: Mailbox | None = None,
    deadline: datetime | None = None,
) -> NoticeFacts:  # fmt: skip
    """The facts of a judged mail. `lang` is the agent's team's language."""
    found = gist.facts
    requester = gist.requester.mailbox if gist.requester else None
    target = found.get("target")
    fixes = [finding.fix for finding in decision.enforced if finding.fix is not None]
    can_fix = bool(decision.add_cc) and any(fix.possible for fix in fixes)
    return NoticeFacts(
        held_id=held_id,
        agent=gist.agent.mailbox if gist.agent else Mailbox(gist.mail_from),
        subject=gist.subject,
        lang=lang,
        mail_lang=gist.lang or lang,
        message_id=gist.message_id or "",
        references=gist.references,
        recipients=(*gist.to, *gist.cc),
        copied=gist.cc,
        requester=requester,
        requester_hidden="requester_bcc_only" in found,
        target=_target(str(target.value), gist.to) if target is not None else None,
        question=gist.question,
        refused="refusal" in found,
        findings=tuple(
            NoticeFinding(
                finding.policy,
                finding.why,
                shortened(span.text for span in finding.evidence),
                finding.would_pass,
                finding.template,
                finding.notice,
            )
            for finding in decision.enforced
            if finding.do in ("rewrite", "hold", "reject")
        ),
        adds=decision.add_cc,
        can_fix=can_fix,
        why_no_fix="" if can_fix else next((why_in(lang, fix.clause, fix.why_not) for fix in fixes if fix.why_not), ""),
        supervisor=supervisor,
        deadline=deadline,
    )


def variables(facts: NoticeFacts) -> dict[str, Any]:
    """The values of the variables (see `vocabulary`) that every template about a mail may use."""
    lang = facts.lang.lower().partition("-")[0]
    return {
        "agent_name": named(facts.agent),
        "agent_address": one_line(facts.agent.address),
        "subject": one_line(facts.subject)[:MAX_SUBJECT] or NO_SUBJECT.get(lang, NO_SUBJECT["en"]),
        "recipients": _people(facts.recipients),
        **dict(zip(("draft_to", "draft_cc"), map(_people, _draft_recipients(facts)), strict=True)),
        "requester_name": named(facts.requester),
        "requester_address": one_line(facts.requester.address) if facts.requester else "",
        "requester_hidden": facts.requester_hidden,
        "target_name": named(facts.target),
        "target_address": one_line(facts.target.address) if facts.target else "",
        "question": facts.question,
        "refused": facts.refused,
        "words": [words for finding in facts.findings for words in finding.words][:MOST_WORDS],
        "can_fix": facts.can_fix,
        "target_team": facts.target_team,
        "adds": _people(facts.adds),
        "why_no_fix": one_line(facts.why_no_fix).rstrip("."),
        "deadline": in_words(facts.deadline, lang, zone=True) if facts.deadline else "",
        "next_time": one_line(facts.next_time),
        "eta_words": in_words(facts.expected, facts.mail_lang or lang) if facts.expected else "",
        "supervisor_name": named(facts.supervisor),
        "held_id": facts.held_id,
    }


def _draft_recipients(facts: NoticeFacts) -> tuple[list[Mailbox], list[Mailbox]]:
    """To and Cc of the ready-made version: those of the mail, and the requester, whom it speaks of as being in Cc."""
    copied = {who.key for who in facts.copied}
    to, cc = [who for who in facts.recipients if who.key not in copied], list(facts.copied)
    who = facts.requester
    if who is not None and who.address and who.key not in {each.key for each in facts.recipients}:
        cc.append(who)
    return to, cc


def named(who: Mailbox | None) -> str:
    """The name, else the address, on one line."""
    return (one_line(who.name)[:MAX_NAME] or one_line(who.address)) if who else ""


def _people(people: Sequence[Mailbox]) -> list[str]:
    shown = [f"{named(who)} <{one_line(who.address)}>" if who.name else one_line(who.address) for who in people]
    return shown[:MOST_PEOPLE] + ["…"] * (len(shown) > MOST_PEOPLE)


def shortened(texts: Iterable[str]) -> tuple[str, ...]:
    lines = (one_line(text) for text in texts)
    shown = dict.fromkeys(line if len(line) <= MAX_WORDS else line[: MAX_WORDS - 1] + "…" for line in lines if line)
    return tuple(line for line in shown if not any(line in other for other in shown if other != line))[:MOST_WORDS]


def _target(value: str, to: Sequence[Mailbox]) -> Mailbox:
    """To whom the matter goes: an address or a name, with what To knows of it."""
    for who in to:
        if value.lower() in (who.key, who.name.lower()):
            return who
    return Mailbox(value) if "@" in value else Mailbox("", value)
