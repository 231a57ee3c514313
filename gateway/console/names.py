"""What the words of the log are called on pages. `_` marks them for the catalogues."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def _(text: str) -> str:
    return text


DISPOSITIONS: Mapping[str, str] = {
    "pass": _("passed"),
    "rewrite": _("mended"),
    "hold": _("held"),
    "reject": _("rejected"),
}

OUTCOMES: Mapping[str, str] = {
    "pending": _("under way"),
    "passed": _("passed"),
    "rewritten": _("mended and sent"),
    "held": _("waits"),
    "rejected": _("rejected"),
    "advised": _("sent with advice"),
    "bypassed": _("passed unread"),
    "refused-upstream": _("refused by the mail server"),
    "deferred": _("put off"),
    "in-doubt": _("in doubt"),
    "released": _("sent"),
    "fixed": _("mended and sent"),
    "amended": _("sent with words added"),
    "overridden": _("sent all the same"),
    "noted": _("sent, and a note to the requester"),
    "consult": _("sent: only a consult"),
    "wrong": _("sent: false stop"),
    "discarded": _("discarded"),
    "taken": _("taken"),
    "approved": _("answered"),
    "releasing": _("on its way"),
    "reminded": _("reminded"),
    "erased": _("erased"),
    "viewed": _("viewed"),
    "claimed": _("taken on"),
    "unclaimed": _("handed back"),
    "exported": _("exported"),
    "searched": _("searched"),
    "log-in": _("logged in"),
    "log-in-refused": _("log-in refused"),
    "log-out": _("logged out"),
    "account-added": _("account added"),
    "account-changed": _("account changed"),
    "account-removed": _("account removed"),
    "password-set": _("password set"),
    "code-set": _("one-time codes switched on"),
    "code-removed": _("one-time codes switched off"),
    "verified": _("log verified"),
    "handoff-closed": _("hand-off closed"),
    "promise-closed": _("promise closed"),
    "request-closed": _("request closed"),
    "handoff-asked": _("new owner asked"),
    "promise-asked": _("agent reminded of a promise"),
    "handoff-escalated": _("supervisor told of a hand-off"),
    "promise-escalated": _("supervisor told of a promise"),
}

GRADES: Mapping[str, str] = {
    "observed": _("the gateway saw the thread"),
    "declared": _("a trusted header names them"),
    "attached": _("they wrote an attached mail"),
    "quoted": _("they wrote the quoted mail"),
}

STATES: Mapping[str, str] = {
    "held": _("waits for an answer"),
    "approved": _("goes out soon"),
    "releasing": _("on its way"),
    "released": _("sent"),
    "discarded": _("discarded"),
    "in-doubt": _("in doubt: nobody knows whether it arrived"),
    "open": _("open"),
    "asked": _("reminded"),
    "escalated": _("supervisor told"),
    "closed": _("closed"),
}

KINDS: Mapping[str, str] = {"handoff": _("hand-off"), "promise": _("promise"), "request": _("request")}

FINDINGS: Mapping[str, str] = {
    "edited": _("edited"),
    "removed": _("removed"),
    "remade": _("made again"),
    "truncated": _("cut off"),
    "foreign": _("of another gateway"),
    "unsigned": _("not signed"),
    "missing": _("gone"),
    "backdated": _("written into the past"),
    "reopened": _("written after the end"),
    "erasure": _("an erasure that cannot be"),
    "clock": _("the clock"),
    "stray": _("beside the chains"),
}

ROLES: Mapping[str, str] = {"auditor": _("Auditor"), "reviewer": _("Reviewer"), "admin": _("Admin")}


def named(table: Mapping[str, str], word: str, translate: Callable[[str], str]) -> str:
    """The name of a word in the reader's language; a word that has none stands for itself."""
    return translate(table[word]) if word in table else word
