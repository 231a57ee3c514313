"""The rows of the store as values, and the life of a held mail as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

HoldState = Literal["held", "approved", "releasing", "released", "discarded", "in-doubt"]
"""Where a held mail is in its life; "approved": somebody entitled said, durably, how it goes out."""

HOLD_LIFE: Mapping[HoldState, tuple[HoldState, ...]] = {
    "held": ("approved", "discarded"),
    "approved": ("releasing",),
    # approved again: upstream away or 4xx, tried later; held again: upstream refused it, a person must look
    "releasing": ("released", "approved", "held", "in-doubt"),
    "in-doubt": ("released", "held", "discarded"),  # only a person says what became of it
    "released": (),
    "discarded": ("approved",),  # for RESEND_DAYS, until its octets are erased
}
"""Which state may follow which; the store refuses every other step."""

WAITING: tuple[HoldState, ...] = ("held", "in-doubt")
"""States in which a mail waits for a person."""

RESEND_DAYS = 30
"""How long a discarded mail can still be sent."""

Action = Literal["fix", "amend", "send", "note", "consult", "wrong"]
"""How an approved mail goes out: with the proposed fix, with words put in (and the fix, if `Hold.plan` says so), or as
it is: overridden, with a separate note to the requester, as a consult, or because the stop was wrong."""

Outcome = Literal[
    "pending",  # intent committed, the final dot may or may not have gone upstream
    "passed",
    "rewritten",
    "held",
    "rejected",
    "advised",  # it would have been stopped, and there were too many stops already
    "bypassed",  # passed unread, because an admin said so
    "refused-upstream",
    "deferred",
    "in-doubt",
    "released",
    "fixed",
    "amended",
    "overridden",
    "noted",
    "consult",
    "wrong",
    "discarded",
    "taken",
]
"""What became of a judged mail."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One judged mail: who, what, why, evidence, policy version, disposition. No body, only bounded evidence.

    `findings` and `facts` are JSON-ready (as `explain --json` prints them); `id` is the gateway's id of the mail, which
    also stands in its Received line.
    """

    id: str
    at: datetime
    listener: str
    peer: str
    agent: str
    team: str
    requester: str
    requester_grade: str
    mail_from: str
    rcpt_to: tuple[str, ...]
    message_id: str
    subject: str
    size: int
    sha256: str
    lang: str
    disposition: str
    reason: str
    policy_version: str
    findings: tuple[Mapping[str, Any], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    add_cc: tuple[str, ...] = ()
    notify_supervisor: bool = False
    outcome: Outcome = "pending"
    basis: Mapping[str, Any] | None = None
    """What else is needed to judge the mail again (`gateway.policy.grounds`); None in entries of older versions."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An audit entry as stored, with what became of it: `history` is ((when, outcome, detail, by), …), oldest first."""

    entry: AuditEntry
    outcome: Outcome
    history: tuple[tuple[datetime, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class NewHold:
    """A mail to hold: the exact octets that came, the accepted envelope, and who may settle it.

    `mail_from` and `rcpt_to` are raw SMTP arguments with their parameters; `fix` is JSON-ready
    ({"add_cc": [{"address", "name"}], "possible": bool, "why_not": str}); `token_hash` is the SHA-256 hex of the
    notice's token.
    """

    id: str
    at: datetime
    agent: str
    raw: bytes
    sha256: str
    mail_from: bytes
    rcpt_to: tuple[bytes, ...]
    fix: Mapping[str, Any]
    token_hash: str
    may_settle: tuple[str, ...]
    deadline: datetime
    remind_at: datetime | None = None
    """When the agent is reminded; None for never."""
    lang: str = "en"
    told: Mapping[str, Any] = field(default_factory=dict)
    """What later mails about it need, JSON-ready: {"offers": [...], "policies": [...], "mail_lang": "en", "requester":
    {"address", "name"}, "grade": "observed", "target": {"address", "name"}, "confidential": bool}."""
    body_type: Mapping[str, Any] = field(default_factory=dict)
    """What the transaction needs of the upstream: {"smtputf8": bool, "8bitmime": bool, "requiretls": bool}."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A held mail as stored. `raw` is None in lists, and when the key at hand does not open it (`detail` says so);
    `new.raw` is empty: the octets are not kept twice."""

    new: NewHold
    state: HoldState
    subject: str
    raw: bytes | None
    action: Action | None = None
    """What was approved; None while nobody has."""
    approved_by: str = ""
    why: str = ""
    """The justification given with SEND."""
    plan: Mapping[str, Any] = field(default_factory=dict)
    """What an amended mail goes out with: {"words": "…", "fix": bool, "sha256": of the result}."""
    next_try: datetime | None = None
    tries: int = 0
    lease_owner: str = ""
    lease_until: datetime | None = None
    detail: str = ""
    unsound: tuple[str, ...] = ()
    """Of a claimed hold: what it says otherwise than the log of what was judged and approved. Such a mail stays."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to release one hold until `until`; `owner` is this process's claim id."""

    hold: Hold
    owner: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """What is known about a token of a notice: `alive` until it is used or its hold is settled some other way."""

    hold_id: str
    alive: bool
    used_at: datetime | None
    used_by: str
    answer: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """What recovery found: mails and holds now in doubt, and holds that will be released again from the start."""

    mails_in_doubt: tuple[str, ...] = ()
    holds_in_doubt: tuple[str, ...] = ()
    holds_again: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.mails_in_doubt or self.holds_in_doubt or self.holds_again)


DIGEST_LINE = "digest-line"
"""The kind of what waits in the outbox to become part of a mail."""


@dataclass(frozen=True, slots=True)
class OutMail:
    """A mail of the gateway's own in the durable outbox. `raw` is complete, with Auto-Submitted (RFC 3834)."""

    id: str
    mail_from: str
    rcpt_to: tuple[str, ...]
    raw: bytes
    kind: str
    about: str
    """The id of the mail that this one is about."""
    due: datetime
    attempts: int = 0
