"""What a judgement came to, in the few words that two judgements of the same mail are compared by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gateway.policy.decision import Decision, Disposition

Kind = Literal["newly stopped", "newly passed", "done otherwise", "told otherwise", "found otherwise"]
"""How two verdicts differ, the gravest first: a mail that now waits or is refused, or no longer is; another disposition
(such as passed instead of rewritten); the supervisor is told or is not; only the findings on record are others."""
KINDS: tuple[Kind, ...] = ("newly stopped", "newly passed", "done otherwise", "told otherwise", "found otherwise")

STOPS = ("hold", "reject")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`found` says for every policy that matched what it did: its `do`, or "observe", or "exempt"."""

    disposition: Disposition
    notify: bool
    found: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        return {"disposition": self.disposition, "notify": self.notify, "found": dict(self.found)}

    @property
    def stops(self) -> bool:
        return self.disposition in STOPS


def verdict(decision: Decision) -> Verdict:
    """The verdict in a decision."""
    found = {
        finding.policy: "exempt" if finding.exempt else finding.do if finding.mode == "enforce" else "observe"
        for finding in decision.findings
    }
    return Verdict(decision.disposition, decision.notify_supervisor, found)


def from_json(told: Mapping[str, Any]) -> Verdict:
    return Verdict(told["disposition"], bool(told["notify"]), dict(told["found"]))


def difference(was: Verdict, now: Verdict) -> Kind | None:
    """How they differ, in the gravest respect; None where they are the same."""
    if was.stops != now.stops:
        return "newly stopped" if now.stops else "newly passed"
    if was.disposition != now.disposition:
        return "done otherwise"
    if was.notify != now.notify:
        return "told otherwise"
    return "found otherwise" if dict(was.found) != dict(now.found) else None


def concerned(was: Verdict, now: Verdict) -> tuple[str, ...]:
    """The policies that make the difference, by name."""
    return tuple(sorted(name for name in {*was.found, *now.found} if was.found.get(name) != now.found.get(name)))
