"""Referrals: whether the mail passes the matter on, to whom, or only asks somebody and keeps it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from gateway.mail.address import Mailbox
from gateway.reading.lexicon import Hit, Scan
from gateway.reading.mitigation import ROUTE

Kind = Literal["hand-off", "redirect", "consult", "delegation"]


@dataclass(frozen=True, slots=True)
class Referral:
    """`kind` "" where nothing is passed on. `evidence` are offsets in the new text."""

    kind: Kind | Literal[""] = ""
    evidence: tuple[Hit, ...] = ()
    handoff: tuple[Hit, ...] = ()
    redirect: tuple[Hit, ...] = ()
    consult: tuple[Hit, ...] = ()
    ownership: tuple[Hit, ...] = ()
    fyi: tuple[Hit, ...] = ()
    target: str = ""
    target_at: tuple[int, int] | None = None


_NAME = re.compile(
    r"\b(?:to|at|by|with|for|ask|call|contact|an|bei|von|frag|ruf|à|a|con|met|aan|bij|via|chez)\s+"
    r"((?:[A-ZÀ-Þ][\w'’-]+)(?:\s+(?:[A-ZÀ-Þ][\w'’-]+|in|im|at|van|de|von))*\s*(?:[A-ZÀ-Þ][\w'’-]+)?)"
)


def find_referral(scan: Scan, *, to_requester: bool, others: tuple[Mailbox, ...]) -> Referral:
    """Read the new text. `others` are the recipients who are neither the requester nor the writer.

    A request to act, addressed to them, passes the matter on; a question keeps it. A writer who says that they go on
    with it, or that they will answer, keeps it as well.
    """
    transfer = _said(scan, "transfer")
    directive = _said(scan, "directive")
    ask = _said(scan, "ask")
    ownership = _said(scan, "ownership")
    fyi = _said(scan, "fyi")
    redirect = _said(scan, "redirect") if to_requester else ()
    target, target_at = _target(scan, redirect)
    handoff: tuple[Hit, ...] = ()
    kind: Kind | Literal[""] = ""
    consult: tuple[Hit, ...] = ()
    if others and (transfer or directive):
        if ownership:
            kind = "delegation" if directive and not ask else "consult"
            consult = ask or directive or transfer
        else:
            kind, handoff = "hand-off", transfer + directive
    elif others and ask and not to_requester:
        kind, consult = "consult", ask
    if not kind and redirect:
        kind = "redirect"
    if handoff:
        fyi = ()
    evidence = {"hand-off": handoff, "redirect": redirect}.get(kind, consult)
    return Referral(kind, evidence, handoff, redirect, consult, ownership, fyi, target, target_at)


def _said(scan: Scan, cue: str) -> tuple[Hit, ...]:
    """The hits of a cue in what is said. A hand-off may also stand in a closing line ("Yours, please.")."""
    return tuple(hit for hit in scan.of(cue) if scan.prepared.sentences[hit.sentence].kind == "body")


def _target(scan: Scan, redirect: tuple[Hit, ...]) -> tuple[str, tuple[int, int] | None]:
    """Where the requester is sent: an address, link or number near the redirect, else a name, else a way."""
    text = scan.prepared.text
    for hit in redirect:
        start = scan.prepared.sentences[hit.sentence].start
        last = min(hit.sentence + 1, len(scan.prepared.sentences) - 1)
        end = scan.prepared.sentences[last].end
        if found := ROUTE.search(text, start, end):
            return found.group(0).rstrip(".,)"), found.span()
        if found := _NAME.search(text, start, scan.prepared.sentences[hit.sentence].end):
            return found.group(1).strip(), found.span(1)
        for way in scan.of("directions"):
            if hit.sentence <= way.sentence <= last:
                return text[way.start : way.end], (way.start, way.end)
    return "", None
