"""What is worked out of one mail: reading, decision, and what memory keeps. Pure; here or in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from gateway.mail.envelope import Envelope
from gateway.mail.message import Message, read_beginning, read_message
from gateway.mail.quoting import Body, split_body
from gateway.policy.decide import decide_on
from gateway.policy.decision import Decision, Finding
from gateway.policy.grounds import grounds_of, recorded
from gateway.policy.model import PolicySet
from gateway.policy.verdict import verdict
from gateway.reading.gist import Gist, gist_of, short
from gateway.reading.memory import remember
from gateway.reading.reader import Context, read, who_sends
from gateway.reading.thread import EMPTY, SeenMessage, Thread

Purpose = Literal["judge", "remember", "answer"]

LONGEST_ANSWER = 64 * 1024
"""Code points of an answer to a notice that are read."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What stays the same from mail to mail. `key`, `judging` as in `gateway.rules.Rules`; `observe` is the setting."""

    rules: PolicySet
    key: bytes
    judging: bool = True
    observe: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """What is known of one mail beside its octets, as in `Context`, and what is wanted of it.

    `purpose`: "judge" it and say what memory keeps of it; only "remember" it; or tell what an "answer" to a notice
    says. `unread`: why no more than the beginning of this mail is read, "" where it is read as a whole. `second`:
    whether the second reader may be asked, which takes tens of milliseconds.
    """

    purpose: Purpose
    direction: Literal["inbound", "outbound"]
    envelope: Envelope
    now: datetime
    thread: Thread = EMPTY
    auth_identity: str | None = None
    peer_listed: bool = True
    peer: str = ""
    unread: str = ""
    second: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """What was found. `gist` is None for mail that nobody judges, `decision` where that was not asked; `seen` is None
    where the mail cannot be remembered, and `forgotten` says by which fault; `said` are the words of an answer."""

    gist: Gist | None = None
    decision: Decision | None = None
    seen: SeenMessage | None = None
    forgotten: str = ""
    said: str = ""
    basis: Mapping[str, Any] = field(default_factory=dict)
    """What must be kept so that the mail can be judged again, and what it came to apart from `Setup.observe`."""
    undecided: bool = False
    """The second reader should have been asked and might not: nothing here is final."""


def work(task: Task, raw: bytes, setup: Setup) -> Result:
    """Do what is wanted of one mail. Raises only on faults of our own."""
    rules = setup.rules
    context = Context(
        site=rules.site,
        lexicon=rules.lexicon,
        thread=task.thread,
        now=task.now,
        auth_identity=task.auth_identity,
        peer_listed=task.peer_listed,
        peer=task.peer,
        key=setup.key,
        second=task.second,
    )
    message = read_beginning(raw, task.unread) if task.unread else read_message(raw)
    if task.purpose == "answer":
        return Result(said=split_body(message).new.text[:LONGEST_ANSWER])
    if task.purpose == "remember":
        return Result(None, None, *_remember(task, message, context))
    reading = None
    # Headers first: only an agent's mail is read any further.
    if setup.judging and who_sends(message, task.envelope, context) is not None:
        reading = read(message, task.envelope, context)
    if reading is not None and reading.undecided:
        return Result(undecided=True)
    grounds = grounds_of(reading, rules.site)
    decision = decide_on(grounds, rules, observe=setup.observe, now=task.now)
    basis = recorded(grounds)
    if grounds.judged:
        plain = decide_on(grounds, rules, now=task.now) if setup.observe else decision
        basis |= {"verdict": verdict(plain).as_json(), "observe": setup.observe}
    seen, forgotten = _remember(task, message, context, reading.body if reading else None)
    gist = gist_of(reading, told=decision.disposition != "pass") if reading else None
    return Result(gist, _short(decision), seen, forgotten, basis=basis)


def _remember(
    task: Task, message: Message, context: Context, body: Body | None = None
) -> tuple[SeenMessage | None, str]:
    """A mail that cannot be remembered is a loss to later verdicts, no reason to stop it: (None, the fault's type)."""
    try:
        seen = remember(
            message,
            task.envelope,
            task.direction,
            context.site,
            context.lexicon,
            task.now,
            context.key,
            body=body,
            peer_listed=task.peer_listed,
            peer=task.peer,
        )
    except Exception as fault:
        return None, type(fault).__name__
    return seen, ""


def _short(decision: Decision) -> Decision:
    return replace(
        decision,
        findings=tuple(map(_short_finding, decision.findings)),
        observed=tuple(map(_short_finding, decision.observed)),
    )


def _short_finding(finding: Finding) -> Finding:
    return replace(finding, evidence=short(finding.evidence))
