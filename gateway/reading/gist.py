"""The gist of a reading: what is decided, told and recorded of a mail, without its text, its rules and its thread."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.mail.address import Mailbox
from gateway.mail.quoting import Body
from gateway.mail.span import Span
from gateway.reading.facts import Agent, Facts, Requester
from gateway.reading.memory import MAX_PEOPLE, MAX_SCANNED, language_of
from gateway.reading.reader import Reading

LONGEST_EVIDENCE = 240
"""Code points of one piece of evidence: enough for a sentence, never a whole mail."""
MAX_QUESTION = 400
"""Code points of the requester's words that are kept for a draft."""
LONGEST_LINE = 4 * MAX_QUESTION
"""Code points of one line of theirs that are looked at."""


@dataclass(frozen=True, slots=True)
class Gist:
    """What outlives the reading of one mail. Small, however large the mail: it crosses from reader to gateway.

    The fields are those of `Reading`; `subject`, `message_id`, `references`, `to` and `cc` are the header's,
    `mail_from` the envelope's, and `question` is what the requester had written, as far as it is quoted.
    """

    agent: Agent | None
    requester: Requester | None
    facts: Facts
    lang: str
    judged: bool
    why_not: str
    mail_from: str
    subject: str
    message_id: str | None
    references: tuple[str, ...]
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    question: str
    asked_in: str = ""
    """The language in which the requester wrote, where it is known: what the gateway writes to them is in it."""


def gist_of(reading: Reading, *, told: bool = False) -> Gist:
    """What is kept of a reading; `told` where somebody will be told of the mail."""
    message, requester = reading.message, reading.requester
    return Gist(
        agent=reading.agent,
        requester=replace(requester, evidence=short(requester.evidence)) if requester else None,
        facts={name: replace(fact, evidence=short(fact.evidence)) for name, fact in reading.facts.items()},
        lang=reading.lang,
        judged=reading.judged,
        why_not=reading.why_not,
        mail_from=reading.envelope.mail_from.address,
        subject=message.subject,
        message_id=message.message_id,
        references=message.references,
        to=message.to[:MAX_PEOPLE] if reading.judged else (),
        cc=message.cc[:MAX_PEOPLE] if reading.judged else (),
        question=_question(reading.body) if reading.body else "",
        asked_in=_asked_in(reading) if told else "",
    )


def _asked_in(reading: Reading) -> str:
    """The language of the requester's own mail, as the gateway saw it, else of their quoted words."""
    who, context = reading.requester, reading.context
    if who is None:
        return ""
    for seen in reversed(context.thread.by_id):
        theirs = seen.direction == "inbound" and context.site.same_person(seen.author.address, who.mailbox.address)
        if theirs and seen.marks.get("lang"):
            return seen.marks["lang"]
    return language_of(reading.body.quoted_text[:MAX_SCANNED], context.lexicon) if reading.body else ""


def short(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Evidence with its words cut to LONGEST_EVIDENCE."""
    return tuple(
        span if len(span.text) <= LONGEST_EVIDENCE else span._replace(text=span.text[:LONGEST_EVIDENCE])
        for span in spans
    )


def _question(body: Body) -> str:
    """The requester's own words: the newest quoted text, shortened at the end of a line or word."""
    block = next((b.text for b in body.blocks if b.kind in ("quote", "forward") and b.text.strip()), "")
    lines = [_one_line(re.sub(r"^(?:>\s?)+", "", line)) for line in block.strip().split("\n", MAX_QUESTION)]
    text = "\n".join(line for line in lines if line)[: MAX_QUESTION + 1]
    if len(text) > MAX_QUESTION:
        text = re.sub(r"\s+\S*\Z", "", text) + " …"
    return text


def _one_line(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text[:LONGEST_LINE]).split())
