"""One labelled mail, and what the gateway says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.mail.span import Span
from gateway.policy.decision import Decision
from gateway.reading.facts import Fact, Facts
from gateway.reading.reader import Reading

Truth = Mapping[str, bool | None]
"""Label or policy -> whether it holds; None where the label does not say, which counts neither way."""

LABELS: Mapping[str, str] = {
    "refusal": "refusal",
    "reason_given": "reason",
    "eta_given": "eta",
    "alternative_given": "alternative",
    "escalation_offered": "escalation_offer",
    "asks_clarifying_question": "clarifying_question",
    "out_of_scope": "out_of_scope",
    "dismissive": "dismissive",
    "terse_unhelpful": "terse",
    "no_substance": "pleasantries_only",
}
"""A corpus's label -> the fact that predicts it."""

VIOLATIONS: Mapping[str, str] = {
    "bare_refusal": "bare-refusal",
    "dismissive": "dismissive",
    "terse": "terse-reply",
    "no_substance": "no-substance",
    "unnamed_redirect": "referral-without-route",
    "unnamed_or_uncopied_redirect": "referral-without-route",
    "no_escalation": "no-escalation",
    "out_of_scope_no_escalation": "no-escalation",
    "requester_dropped": "dropped-requester",
}
"""A corpus's violation -> the policy that stops it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A labelled mail. `labels` and `policies` are the truth; `random` says that it was drawn without looking at it,
    so that it tells how often good mail is stopped; `marked` are the label's own evidence texts."""

    id: str
    judge: Callable[[], tuple[Reading, Decision]]
    labels: Truth = field(default_factory=dict)
    policies: Truth = field(default_factory=dict)
    lang: str = ""
    doubtful: bool = False
    random: bool = True
    text: str = ""
    asked: str = ""
    marked: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Reading, Decision], dict[str, bool | None]] | None = None
    """What else is right or wrong of this mail ({"requester": True}); None counts neither way."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the gateway said of a sample: `labels` and `policies` map to how sure it is, 0 where it does not say so."""

    labels: Mapping[str, float]
    policies: Mapping[str, float]
    checks: Mapping[str, bool | None]
    evidence: Mapping[str, tuple[Span, ...]]
    """Label or policy -> what it rests on."""
    facts: Facts
    notices: frozenset[str]
    """The policies among `policies` that only tell somebody: they stop nothing."""
    lang: str
    disposition: str
    new_text: str
    unreadable: str = ""


def predict(reading: Reading, decision: Decision) -> tuple[dict[str, float], dict[str, float]]:
    """How sure the reading is of each label, and the decision of each policy: 0 to 1."""
    facts = reading.facts
    labels = {label: _sure(facts.get(fact)) for label, fact in LABELS.items()}
    referral = str(facts["referral"].value) if "referral" in facts else ""
    sure = _sure(facts.get("referral"))
    labels["handoff_to_colleague"] = sure if referral in ("hand-off", "delegation") else 0.0
    labels["redirect_requester"] = sure if referral == "redirect" else 0.0
    labels["target_named"] = _sure(facts.get("target"))
    # What is exempt is recorded and goes through: it stops nothing.
    policies = {finding.policy: finding.confidence for finding in decision.findings if not finding.exempt}
    return labels, policies


def say(sample: Sample) -> Said:
    """Judge one sample. Whatever the mail raises goes on to the caller."""
    reading, decision = sample.judge()
    labels, policies = predict(reading, decision)
    evidence = {
        label: reading.facts[fact].evidence
        for label, fact in (*LABELS.items(), ("handoff_to_colleague", "referral"), ("redirect_requester", "referral"))
        if fact in reading.facts
    }
    evidence |= {finding.policy: finding.evidence for finding in decision.findings}
    checks = sample.check(reading, decision) if sample.check else {}
    unreadable = str(reading.facts["unreadable"].value) if "unreadable" in reading.facts else ""
    new = reading.body.new.text if reading.body else ""
    notices = frozenset(finding.policy for finding in decision.findings if finding.do == "notify")
    return Said(
        labels,
        policies,
        checks,
        evidence,
        reading.facts,
        notices,
        reading.lang,
        decision.disposition,
        new,
        unreadable,
    )


def _sure(fact: Fact | None) -> float:
    return 0.0 if fact is None else fact.confidence
