"""What the log tells of: every word an event may have, what kind of thing that is, and whether it came off. Pure.

`kind` is what auditors filter by; `ecs` the category and type in the Elastic Common Schema 8.17 (event.category,
event.type), for which see https://www.elastic.co/guide/en/ecs/8.17/ecs-event.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal[
    "delivery", "hold", "answer", "release", "override", "view", "follow", "policy", "account", "log", "service"
]


class Word(NamedTuple):
    """One thing that can happen. `failed`: it was refused, or did not come off."""

    kind: Kind
    category: str
    type: str
    failed: bool = False


_MAIL = "email"
WORDS: Mapping[str, Word] = {
    # mail on its way
    "pending": Word("delivery", _MAIL, "info"),
    "passed": Word("delivery", _MAIL, "info"),
    "rewritten": Word("delivery", _MAIL, "info"),
    "rejected": Word("delivery", _MAIL, "info", True),
    "advised": Word("delivery", _MAIL, "info"),
    "bypassed": Word("delivery", _MAIL, "info"),
    "refused-upstream": Word("delivery", _MAIL, "info", True),
    "deferred": Word("delivery", _MAIL, "info", True),
    "in-doubt": Word("delivery", _MAIL, "info", True),
    "taken": Word("delivery", _MAIL, "info"),
    # mail that is stopped, and what people say
    "held": Word("hold", _MAIL, "info"),
    "bound": Word("hold", _MAIL, "info"),
    "reminded": Word("hold", _MAIL, "info"),
    "erased": Word("hold", _MAIL, "info"),
    # our own mail about it
    "notice-sent": Word("hold", _MAIL, "info"),
    "notice-dropped": Word("hold", _MAIL, "info", True),
    "approved": Word("answer", _MAIL, "info"),
    "plan": Word("answer", _MAIL, "info"),
    "answer-refused": Word("answer", _MAIL, "info", True),
    "discarded": Word("answer", _MAIL, "info"),
    "claimed": Word("answer", _MAIL, "info"),
    "unclaimed": Word("answer", _MAIL, "info"),
    "sampled": Word("answer", _MAIL, "info"),
    "reviewed": Word("answer", _MAIL, "info"),
    "released": Word("release", _MAIL, "info"),
    "fixed": Word("release", _MAIL, "info"),
    "amended": Word("release", _MAIL, "info"),
    "noted": Word("release", _MAIL, "info"),
    "consult": Word("release", _MAIL, "info"),
    "overridden": Word("override", _MAIL, "info"),
    "wrong": Word("override", _MAIL, "info"),
    # who has looked
    "viewed": Word("view", "file", "access"),
    "listed": Word("view", "file", "access"),
    "searched": Word("view", "file", "access"),
    "view-refused": Word("view", "file", "access", True),
    "exported": Word("view", "file", "access"),
    # what stays open
    **{
        f"{kind}-{state}": Word("follow", _MAIL, "info")
        for kind in ("handoff", "promise", "request")
        for state in ("open", "asked", "escalated", "closed")
    },
    # rules
    "in-force": Word("policy", "configuration", "change"),
    "refused": Word("policy", "configuration", "info", True),
    "rolled-back": Word("policy", "configuration", "change"),
    "canary-off": Word("policy", "configuration", "change"),
    "armed": Word("policy", "configuration", "change"),
    "bypass-on": Word("policy", "configuration", "change"),
    "bypass-off": Word("policy", "configuration", "change"),
    # accounts of the console
    "log-in": Word("account", "authentication", "start"),
    "log-in-refused": Word("account", "authentication", "start", True),
    "log-out": Word("account", "authentication", "end"),
    "session-expired": Word("account", "authentication", "end"),
    "password-set": Word("account", "iam", "change"),
    "code-set": Word("account", "iam", "change"),
    "code-removed": Word("account", "iam", "change"),
    "account-added": Word("account", "iam", "creation"),
    "account-changed": Word("account", "iam", "change"),
    "account-removed": Word("account", "iam", "deletion"),
    "access-refused": Word("account", "iam", "info", True),
    # the log itself
    "erasure": Word("log", "database", "change"),
    "retained": Word("log", "database", "change"),
    "legal-hold": Word("log", "database", "change"),
    "legal-hold-lifted": Word("log", "database", "change"),
    "key-rotated": Word("log", "configuration", "change"),
    "key-replaced": Word("log", "configuration", "change"),
    "key-in-use": Word("log", "configuration", "change"),
    "verified": Word("log", "database", "access"),
    "compared": Word("log", "database", "access"),
    # the service
    "started": Word("service", "process", "start"),
    "stopped": Word("service", "process", "end"),
    "clock-jumped": Word("service", "host", "info", True),
    "went-back": Word("service", "database", "info", True),
}

OVERRIDES = ("overridden", "wrong")
"""Outcomes of mail that went out as it was although a policy had stopped it."""

WENT_OUT = frozenset(
    {"passed", "rewritten", "advised", "bypassed", "in-doubt", "released", *OVERRIDES}
    | {"fixed", "amended", "noted", "consult"}
)
"""What an outcome is called where the mail server has the mail, or may have it."""


def word(name: str) -> Word:
    """What a word means; one that is not known (of a newer version) is no reason to lose a line."""
    return WORDS.get(name, Word("service", "host", "info"))
