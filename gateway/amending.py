"""What a held mail goes out with: octets and recipients, from the hold and what its sender asked for. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.mail.address import Mailbox
from gateway.mail.amend import CannotAmend, amend
from gateway.mail.envelope import Path
from gateway.mail.rewrite import CannotRewrite, add_cc
from gateway.mail.splice import Splice, apply
from gateway.store.records import Hold


class CannotRelease(Exception):
    """The hold cannot go out as approved; the text says why and goes to the agent."""


@dataclass(frozen=True, slots=True)
class ReadyToGo:
    """A release made ready: raw SMTP arguments and the octets that go out."""

    mail_from: bytes
    rcpt_to: tuple[bytes, ...]
    raw: bytes


def plan_of(hold: Hold, words: str, *, fix: bool) -> dict[str, Any]:
    """What an amended release does, with the digest of its result: what was judged is what goes out.

    Raises CannotAmend, CannotRelease.
    """
    plan: dict[str, Any] = {"words": words, "fix": fix}
    octets, _ = with_changes(hold, plan)
    return plan | {"sha256": hashlib.sha256(octets).hexdigest()}


def make_ready(hold: Hold) -> ReadyToGo:
    """The octets and arguments that an approved hold goes out with.

    Raises CannotRelease when the stored octets are not those that were reviewed, or a change cannot be made.
    """
    if hold.unsound:
        raise CannotRelease("; it ".join(("the held mail " + hold.unsound[0], *hold.unsound[1:])))
    plan = hold.plan if hold.action == "amend" else {"fix": hold.action == "fix"}
    try:
        octets, rcpt_to = with_changes(hold, plan)
    except CannotAmend as cannot:
        raise CannotRelease(f"the words cannot be set into it: {cannot}") from cannot
    if plan.get("words") and hashlib.sha256(octets).hexdigest() != plan.get("sha256"):
        raise CannotRelease("the amended mail is not the one that was judged")
    received = str(hold.new.body_type.get("received", "")).encode("ascii", "replace")
    return ReadyToGo(without_size(hold.new.mail_from), rcpt_to, received + octets)


def with_changes(hold: Hold, plan: Mapping[str, Any]) -> tuple[bytes, tuple[bytes, ...]]:
    """The octets without our Received line, and the RCPT arguments. Raises CannotAmend, CannotRelease."""
    raw = hold.raw
    if raw is None or hashlib.sha256(raw).hexdigest() != hold.new.sha256:
        raise CannotRelease("the stored mail is not the one that was reviewed")
    rcpt_to = hold.new.rcpt_to
    splices: tuple[Splice, ...] = ()
    if plan.get("words"):
        splices = amend(raw, str(plan["words"]))
    if plan.get("fix"):
        who = tuple(Mailbox(entry["address"], entry.get("name", "")) for entry in hold.new.fix.get("add_cc", ()))
        try:
            splices += (add_cc(raw, *who, smtputf8=bool(hold.new.body_type.get("SMTPUTF8"))),)
        except CannotRewrite as cannot:
            if not cannot.present:
                raise CannotRelease(f"the Cc header cannot be edited: {cannot}") from cannot
        known = {argument.lower() for argument in rcpt_to}
        arguments = (Path.of(each.address).argument for each in who)
        # Somebody in Bcc is in the envelope already; one recipient gets one copy.
        rcpt_to += tuple(each for each in arguments if not any(old.startswith(each.lower()) for old in known))
    try:
        return apply(raw, splices), rcpt_to
    except ValueError as clash:  # a header that both changes touch
        raise CannotRelease(f"the two changes do not go together: {clash}") from clash


_PATH = re.compile(rb'<(?:"(?:[^"\\]|\\.)*"|[^">])*>')
"""A path up to its own closing bracket: a quoted local part may hold brackets and blanks (RFC 5321 §4.1.2)."""


def addresses(rcpt_to: tuple[bytes, ...]) -> list[str]:
    """The addresses in raw RCPT arguments."""
    found = (_PATH.match(argument) for argument in rcpt_to)
    return [each[0][1:-1].decode("utf-8", "surrogateescape") for each in found if each]


def without_size(argument: bytes) -> bytes:
    """A MAIL argument without SIZE= (RFC 1870), which a fix would make wrong and which only announces."""
    path = _PATH.match(argument)
    end = path.end() if path else 0
    params = [param for param in argument[end:].split() if not param.upper().startswith(b"SIZE=")]
    return b" ".join([argument[:end], *params])
