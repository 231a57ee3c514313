"""What a judgement comes to: findings with evidence, and one disposition."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gateway.mail.address import Mailbox
from gateway.mail.span import Span

Disposition = Literal["pass", "rewrite", "hold", "reject"]
STRENGTH: tuple[Disposition, ...] = ("pass", "rewrite", "hold", "reject")
"""Weakest first; of several findings the strongest counts."""


def strongest(dispositions: Iterable[Disposition]) -> Disposition:
    """The strongest of some dispositions; of none, `pass`."""
    return max(dispositions, key=STRENGTH.index, default="pass")


@dataclass(frozen=True, slots=True)
class Fix:
    """What would mend the mail.

    `automatic`: the gateway may do it unasked; `possible`: it can be done once the sender says so. `why_not` says why
    it is not automatic ("" if it is), as the end of a sentence; `clause` names that reason.
    """

    add_cc: tuple[Mailbox, ...]
    automatic: bool
    possible: bool
    why_not: str = ""
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A policy that matched a mail. `do` is what it came to: a rewrite that could leak stands here as `if_unsafe`.

    `exempt` marks a finding that is only on record, because the policy lets such mail pass.
    """

    policy: str
    why: str
    evidence: tuple[Span, ...]
    mode: Literal["enforce", "observe"]
    do: Literal["pass", "notify", "rewrite", "hold", "reject"]
    template: str = ""
    fix: Fix | None = None
    notice: str = ""
    would_pass: str = ""
    exempt: bool = False
    facts: tuple[str, ...] = ()
    """The names of the facts that made it match."""
    confidence: float = 1.0
    """How sure those facts are together, above 0 and up to 1."""
    deadline: float | None = None
    """Seconds of business hours that the mail waits for an answer, where the policy says so."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One mail's judgement.

    `findings` are all of them, the most important first; `observed` those among them that changed nothing. `add_cc` is
    what a fix of the enforced findings adds, also when the mail is held. `reason` is a sentence for the audit log.
    """

    disposition: Disposition
    findings: tuple[Finding, ...] = ()
    add_cc: tuple[Mailbox, ...] = ()
    notify_supervisor: bool = False
    reason: str = ""
    fail: Literal["open", "defer", "hold"] = "defer"
    observed: tuple[Finding, ...] = ()
    policy_version: str = ""
    would_pass: tuple[str, ...] = ()

    @property
    def enforced(self) -> tuple[Finding, ...]:
        """The findings that count."""
        return tuple(finding for finding in self.findings if finding.mode == "enforce")
