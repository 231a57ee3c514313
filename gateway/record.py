"""What is written down about a judged mail: the JSON of `explain`, and the audit entry made from the same values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway.judged import Judged
from gateway.mail.span import Span
from gateway.policy.decide import Decision, Finding
from gateway.reading.facts import Fact, Facts
from gateway.reading.gist import LONGEST_EVIDENCE, Gist
from gateway.reading.reader import Reading
from gateway.store.records import AuditEntry

SNIPPETS = 8
"""Evidence spans kept for one fact."""


def report(reading: Reading | Gist | None, decision: Decision) -> dict[str, Any]:
    """The contract of `explain --json` (DESIGN.md §6), without `path`."""
    requester = reading.requester if reading else None
    return {
        "requester": {
            "address": requester.mailbox.address,
            "name": requester.mailbox.name,
            "grade": requester.grade,
            "evidence": _spans(requester.evidence),
        }
        if requester
        else None,
        "facts": facts_told(reading.facts if reading else {}),
        "findings": [_finding(finding) for finding in decision.findings],
        "disposition": decision.disposition,
        "add_cc": [who.address for who in decision.add_cc],
        "notify_supervisor": decision.notify_supervisor,
        "lang": reading.lang if reading else "",
        "policy_version": decision.policy_version,
    }


def facts_told(facts: Facts) -> dict[str, Any]:
    """Facts, or hints, as they are told."""
    return {
        name: {"value": fact.value, "evidence": _spans(fact.evidence), **_unsure(fact)}
        for name, fact in sorted(facts.items())
    }


def audit_entry(judged: Judged) -> AuditEntry:
    """The audit entry of one mail: who, what, why, with bounded evidence and no body."""
    mail, reading, decision = judged.mail, judged.gist, judged.decision
    said = report(reading, decision)
    agent = reading.agent if reading else None
    return AuditEntry(
        id=mail.id,
        at=mail.received_at,
        listener=mail.listener,
        peer=mail.peer[0],
        agent=agent.mailbox.address if agent else "",
        team=agent.team if agent else "",
        requester=said["requester"]["address"] if said["requester"] else "",
        requester_grade=said["requester"]["grade"] if said["requester"] else "",
        mail_from=mail.envelope.mail_from.address,
        rcpt_to=mail.envelope.recipients,
        message_id=judged.headers.message_id or "",
        subject=judged.headers.subject[:300],
        size=mail.content.size,
        sha256=mail.content.sha256,
        lang=said["lang"],
        disposition=decision.disposition,
        reason=decision.reason,
        policy_version=decision.policy_version,
        findings=tuple(said["findings"]),
        facts=said["facts"],
        add_cc=tuple(said["add_cc"]),
        notify_supervisor=decision.notify_supervisor,
        basis=judged.basis,
    )


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "policy": finding.policy,
        "why": finding.why,
        "evidence": _spans(finding.evidence),
        "mode": finding.mode,
    }


def _spans(spans: Iterable[Span]) -> list[dict[str, object]]:
    kept = list(dict.fromkeys(spans))[:SNIPPETS]
    return [span._replace(text=span.text[:LONGEST_EVIDENCE]).as_json() for span in kept]


def _unsure(fact: Fact) -> dict[str, float]:
    """How sure a fact is, where it is not quite sure."""
    return {} if fact.confidence >= 1 else {"confidence": round(fact.confidence, 3)}
