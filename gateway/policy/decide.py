"""From facts to one decision. Pure: the same reading, policies and time give the same answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from gateway.mail.address import Mailbox
from gateway.mail.span import Span
from gateway.policy.conditions import confidence, lacking, reasons
from gateway.policy.decision import Decision, Disposition, Finding, Fix, strongest
from gateway.policy.grounds import Grounds, grounds_of
from gateway.policy.guard import UNKNOWN, for_policy
from gateway.policy.model import Policy, PolicySet
from gateway.reading.reader import Reading
from gateway.site.model import Site

__all__ = ["Decision", "Finding", "Fix", "decide", "decide_on"]

MOST_EVIDENCE = 12
"""Spans kept for one finding."""


NOTHING_FOUND = "no policy matched"
"""The reason of a decision on a mail that was judged and in which no policy found anything."""


def decide(reading: Reading | None, policies: PolicySet, *, observe: bool = False, now: datetime) -> Decision:
    """What happens to a mail. `reading` is None for mail of nobody's agent; `observe` turns every stop into a record.

    `now` is aware; it says which policies are active.
    """
    return decide_on(grounds_of(reading, policies.site), policies, observe=observe, now=now)


def decide_on(grounds: Grounds, policies: PolicySet, *, observe: bool = False, now: datetime) -> Decision:
    """The same from the grounds alone. Raises NotRecorded where they were written down and lack what is asked."""
    if not grounds.judged:
        return Decision("pass", reason=grounds.why_not or "not an agent's mail", policy_version=policies.version)
    facts = _Named(grounds, policies.site)
    findings = tuple(_findings(grounds, facts, policies, observe, now))
    enforced = [finding for finding in findings if finding.mode == "enforce"]
    disposition = strongest(_disposition(finding) for finding in enforced)
    fixes = [finding.fix for finding in enforced if finding.fix is not None]
    return Decision(
        disposition=disposition,
        findings=findings,
        add_cc=_once(who for fix in fixes for who in fix.add_cc),
        notify_supervisor=any(finding.do == "notify" for finding in enforced),
        reason=_reason(disposition, findings, enforced),
        observed=tuple(finding for finding in findings if finding.mode == "observe"),
        policy_version=policies.version,
        would_pass=tuple(dict.fromkeys(finding.would_pass for finding in enforced if finding.would_pass)),
    )


class _Named:
    """Facts, and what is known of requester, agent and mail, by the names that policies use.

    `perhaps` looks a name up that excuses: there a hint is enough, so that a mail passes when in doubt.
    """

    def __init__(self, grounds: Grounds, site: Site) -> None:
        self.facts, self.hints = grounds.facts, grounds.hints
        requester, agent = grounds.requester, grounds.agent
        address = grounds.asker
        self.about: dict[str, Any] = {
            "requester.known": True if requester is not None else None,
            "requester.grade": requester.grade if requester is not None else None,
            "requester.internal": True if address and site.is_internal(address) else None,
            "requester.external": True if address and not site.is_internal(address) else None,
            "agent.team": agent.team if agent is not None else None,
            "mail.language": grounds.lang or None,
        }

    def __call__(self, name: str) -> Any:
        if name in self.about:
            return self.about[name]
        fact = self.facts.get(name)
        return fact.value if fact is not None else None

    def sure(self, name: str) -> float:
        """How sure a fact is; what is known of requester, agent and mail is sure."""
        fact = self.facts.get(name)
        return fact.confidence if fact is not None else 1.0

    def perhaps(self, name: str) -> Any:
        hint = self.hints.get(name)
        return hint.value if hint is not None else self(name)


def _findings(grounds: Grounds, facts: _Named, policies: PolicySet, observe: bool, now: datetime) -> Iterator[Finding]:
    """The policies that match, in the order of the set (the highest priority first)."""
    team, asker, site = grounds.team, grounds.asker, policies.site
    for policy in (each.for_team(team) for each in policies.policies):
        scope = policy.scope
        if not scope.covers(team=team, requester=asker, lang=grounds.lang, site=site, now=now):
            continue
        if not matches(policy, facts):
            continue
        exempt = policy.exempt is not None and policy.exempt.holds(facts)
        enforce = policy.mode == "enforce" and not observe and not exempt
        enforce = enforce and scope.enforced_for(policy.id, grounds.mail)
        fix = None if exempt else _fix(policy, grounds, site)
        do = policy.do
        if do == "rewrite" and (fix is None or not fix.automatic):
            do = policy.if_unsafe
        names = tuple(dict.fromkeys(reasons(policy.when, facts)))
        yield Finding(
            policy=policy.id,
            why=_fill(policy.why, grounds),
            evidence=_evidence(names, facts),
            mode="enforce" if enforce else "observe",
            do="pass" if exempt else do,
            template=policy.draft or policy.id,
            fix=fix,
            notice=policy.notice,
            would_pass=_would_pass(policy, grounds),
            exempt=exempt,
            facts=names,
            confidence=confidence(policy.when, facts, facts.sure),
            deadline=policy.deadline,
        )


def matches(policy: Policy, facts: _Named) -> bool:
    """True when the policy's facts hold and nothing excuses them."""
    return policy.when.holds(facts) and not (policy.unless is not None and policy.unless.holds(facts.perhaps))


def explained(reading: Reading, policy: Policy, site: Site) -> str:
    """Why a policy finds something in a mail or nothing, as its own conditions say it, whatever its scope."""
    facts = _Named(grounds_of(reading, site), site)
    if not policy.when.holds(facts):
        return f"`when` lacks {', '.join(lacking(policy.when, facts))}"
    if policy.unless is not None and policy.unless.holds(facts.perhaps):
        return f"excused under `unless` by {', '.join(dict.fromkeys(reasons(policy.unless, facts.perhaps)))}"
    if policy.exempt is not None and policy.exempt.holds(facts):
        return f"exempt by {', '.join(dict.fromkeys(reasons(policy.exempt, facts)))}"
    return f"`when` holds by {', '.join(dict.fromkeys(reasons(policy.when, facts)))}"


def _fix(policy: Policy, grounds: Grounds, site: Site) -> Fix | None:
    """Adding the requester to Cc; of one who is only a name, why that cannot be done."""
    requester = grounds.requester
    if not policy.adds_requester or requester is None:
        return None
    if not requester.mailbox.address:
        return Fix((), automatic=False, possible=False, why_not=UNKNOWN.why, clause=UNKNOWN.clause)
    verdict = for_policy(grounds.guard(), requester.mailbox.address, policy, site)
    return Fix((requester.mailbox,), verdict.ok, verdict.by_sender, verdict.why, verdict.clause)


def _disposition(finding: Finding) -> Disposition:
    """`notify` tells somebody and stops nothing."""
    return "pass" if finding.do == "notify" else finding.do


def _evidence(names: tuple[str, ...], facts: _Named) -> tuple[Span, ...]:
    spans = (span for name in names if name in facts.facts for span in facts.facts[name].evidence)
    return tuple(dict.fromkeys(spans))[:MOST_EVIDENCE]


def _would_pass(policy: Policy, grounds: Grounds) -> str:
    return f"would have passed {_fill(policy.would_pass, grounds)}" if policy.would_pass else ""


def _fill(sentence: str, grounds: Grounds) -> str:
    """A sentence with its placeholders filled. Plain replacement: names come from mail and are never a format."""
    who = grounds.requester.mailbox if grounds.requester else Mailbox("", "")
    target = grounds.facts.get("target")
    values = {
        "requester": who.address or who.name or "the person who asked",
        "requester_name": who.name or who.address or "the person who asked",
        "agent": grounds.agent.mailbox.name or grounds.agent.mailbox.address if grounds.agent else "you",
        "target": str(target.value) if target is not None else "somebody else",
    }
    pieces = sentence.split("{")
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}")
        filled.append(values.get(name, name) + rest)
    return "".join(filled)


def _reason(disposition: Disposition, findings: tuple[Finding, ...], enforced: list[Finding]) -> str:
    if not findings:
        return NOTHING_FOUND
    if not enforced:
        kind = "exempt" if all(finding.exempt for finding in findings) else "observed only"
        return f"{kind}: {', '.join(finding.policy for finding in findings)}"
    told = "; ".join(f"{finding.policy}: {finding.why}" for finding in enforced)
    not_mended = next(
        (f.fix.why_not for f in enforced if f.fix is not None and f.fix.why_not and f.do == disposition), ""
    )
    return f"{told} Not mended by the gateway itself: {not_mended}." if not_mended else told


def _once(people: Iterator[Mailbox]) -> tuple[Mailbox, ...]:
    return tuple({who.key: who for who in people}.values())
