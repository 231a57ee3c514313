"""Offers: which answers settle a held mail. Pure.

Offered is what can mend this mail and invents nothing; SEND and DISCARD are always the sender's to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.policy.decision import Decision
from gateway.policy.model import Policy, PolicySet

STOPS = ("rewrite", "hold", "reject")


def offers(decision: Decision, rules: PolicySet, *, can_fix: bool, confidential: bool) -> frozenset[str]:
    """The answers (`gateway.command_words.Kind`) for a mail that is held. `can_fix`: the proposed fix can be applied
    once the sender says so; `confidential`: something or somebody of this thread is marked so."""
    found = {"send", "discard"}
    stops = [finding for finding in decision.enforced if finding.do in STOPS]
    if not stops:
        return frozenset(found)  # the gateway could not judge it
    found.add("wrong")
    if can_fix:
        found.add("fix")
    policies = [policy for policy in (rules.get(finding.policy) for finding in stops) if policy is not None]
    found |= {fact for fact in ("reason", "eta") if any(excuses(policy, fact) for policy in policies)}
    if any("handoff" in finding.facts for finding in stops):
        found.add("consult")
    reachable = any(finding.fix is not None and finding.fix.add_cc for finding in stops)
    if reachable and not confidential:
        found.add("note")
    return frozenset(found)


def excuses(policy: Policy, fact: str) -> bool:
    """Whether this fact alone lets a mail pass that the policy matches."""
    only: Callable[[str], Any] = lambda name: True if name == fact else None  # noqa: E731
    return policy.unless is not None and policy.unless.holds(only)
