"""From facts to one decision: the strongest counts, observing changes nothing, and the reason is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway.mail.address import Mailbox
from gateway.mail.envelope import Envelope
from gateway.mail.message import read_message
from gateway.mail.quoting import split_body
from gateway.mail.span import Span
from gateway.policy.conditions import Group, Has
from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.model import Policy, PolicySet, Scope
from gateway.reading.facts import Agent, Fact, Grade, Requester
from gateway.reading.reader import Context, Reading

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RITA = Mailbox("rita.blom@acme.example", "Rita Blom")
RAW = (
    b"From: dana.cole@acme.example\r\nTo: network-team@acme.example\r\nMessage-ID: <1@x>\r\nSubject: s\r\n\r\nText.\r\n"
)


def reading(
    policies: PolicySet, *facts: str, who: Mailbox | None = RITA, grade: Grade = "observed", **more: Any
) -> Reading:
    """A reading with these facts, each with one span of evidence."""
    message = read_message(RAW)
    return Reading(
        message=message,
        envelope=Envelope.of("dana.cole@acme.example", ["network-team@acme.example"]),
        context=Context(site=policies.site, lexicon=policies.lexicon, now=NOW),
        body=split_body(message),
        agent=Agent(Mailbox("dana.cole@acme.example", "Dana Cole"), "it-support", "from"),
        requester=Requester(who, grade) if who else None,
        facts={name: Fact(name, True, (Span(name, "1", 0, len(name)),)) for name in facts},
        lang=more.get("lang", "en"),
        judged=True,
    )


def policy(do: str, when: str = "refusal", **more: Any) -> Policy:
    return Policy(id=more.pop("id", f"{do}-it"), title=do, why=f"{do} it.", when=Has(when), do=do, **more)  # type: ignore[arg-type]


def decided(policies: PolicySet, *rules: Policy, facts: tuple[str, ...] = ("refusal",), **more: Any) -> Decision:
    observe = more.pop("observe", False)
    now = more.pop("now", NOW)
    return decide(reading(policies, *facts, **more), replace(policies, policies=rules), observe=observe, now=now)


@pytest.mark.parametrize(
    ("does", "disposition", "told"),
    [
        ([], "pass", False),
        (["pass"], "pass", False),
        (["notify"], "pass", True),
        (["hold"], "hold", False),
        (["reject"], "reject", False),
        (["notify", "hold"], "hold", True),
        (["hold", "reject"], "reject", False),
        (["reject", "pass", "notify"], "reject", True),
    ],
)
def test_the_strongest_wins_and_notify_never_stops(
    policies: PolicySet, does: list[str], disposition: str, told: bool
) -> None:
    decision = decided(policies, *(policy(do) for do in does))
    assert (decision.disposition, decision.notify_supervisor) == (disposition, told)
    assert len(decision.findings) == len(does)
    assert decision.policy_version == policies.version


def test_a_rewrite_is_weaker_than_a_hold_and_both_name_the_fix(policies: PolicySet) -> None:
    rewrite = policy("rewrite", adds_requester=True)
    assert decided(policies, rewrite).disposition == "rewrite"
    assert decided(policies, rewrite).add_cc == (RITA,)
    both = decided(policies, rewrite, policy("hold"))
    assert (both.disposition, both.add_cc) == ("hold", (RITA,))


def test_a_rewrite_that_could_leak_becomes_what_the_policy_says(policies: PolicySet) -> None:
    held = decided(policies, policy("rewrite", adds_requester=True), grade="quoted")
    assert (held.disposition, held.add_cc) == ("hold", (RITA,))
    (finding,) = held.findings
    assert finding.fix is not None and (finding.fix.automatic, finding.fix.possible) == (False, True)
    assert finding.fix.clause == "grade" and finding.fix.why_not in held.reason
    rejected = decided(policies, policy("rewrite", adds_requester=True, if_unsafe="reject"), grade="quoted")
    assert rejected.disposition == "reject"


def test_a_requester_without_an_address_stops_a_mail_and_is_never_added(policies: PolicySet) -> None:
    held = decided(policies, policy("rewrite", adds_requester=True), who=Mailbox("", "Rita"))
    assert (held.disposition, held.add_cc) == ("hold", ())
    fix = held.findings[0].fix
    assert fix is not None and (fix.add_cc, fix.automatic, fix.possible, fix.clause) == ((), False, False, "unknown")
    assert "nobody knows their address" in held.reason


@pytest.mark.parametrize("do", ["notify", "rewrite", "hold", "reject"])
def test_observing_changes_nothing_and_records_all(policies: PolicySet, do: str) -> None:
    by_policy = decided(policies, policy(do, mode="observe", adds_requester=do == "rewrite"))
    by_service = decided(policies, policy(do, adds_requester=do == "rewrite"), observe=True)
    for decision in (by_policy, by_service):
        assert (decision.disposition, decision.add_cc, decision.notify_supervisor) == ("pass", (), False)
        (finding,) = decision.findings
        assert (finding.mode, finding.do) == ("observe", do)
        assert decision.observed == (finding,)
        assert decision.enforced == ()
        assert decision.reason == f"observed only: {do}-it"


def test_an_excuse_is_no_finding_and_an_exemption_is_one_on_record(policies: PolicySet) -> None:
    rule = policy("hold", unless=Group("any", (Has("reason"),)), exempt=Group("any", (Has("confidential_recipient"),)))
    assert decided(policies, rule, facts=("refusal", "reason")).findings == ()
    exempt = decided(policies, rule, facts=("refusal", "confidential_recipient"))
    (finding,) = exempt.findings
    assert (exempt.disposition, exempt.add_cc) == ("pass", ())
    assert (finding.exempt, finding.mode, finding.do) == (True, "observe", "pass")
    assert exempt.reason == "exempt: hold-it"


def test_evidence_is_that_of_the_facts_that_made_it_match(policies: PolicySet) -> None:
    rule = replace(policy("hold"), when=Group("all", (Has("refusal"), Group("any", (Has("dismissive"), Has("terse"))))))
    (finding,) = decided(policies, rule, facts=("refusal", "terse", "fyi")).findings
    assert finding.facts == ("refusal", "terse")
    assert [span.text for span in finding.evidence] == ["refusal", "terse"]


def test_sentences_are_filled_and_never_formatted(policies: PolicySet) -> None:
    rule = replace(policy("hold"), why="{agent} tells {requester_name} no.", would_pass="with {requester} in Cc")
    decision = decided(policies, rule, who=Mailbox("m@x.example", "{requester} {0.__class__}"))
    assert decision.findings[0].why == "Dana Cole tells {requester} {0.__class__} no."
    assert decision.would_pass == ("would have passed with m@x.example in Cc",)


@pytest.mark.parametrize(
    ("scope", "hit"),
    [
        (Scope(), True),
        (Scope(teams=frozenset({"it-support"})), True),
        (Scope(teams=frozenset({"sales"})), False),
        (Scope(languages=frozenset({"en", "de"})), True),
        (Scope(languages=frozenset({"de"})), False),
        (Scope(domains=frozenset({"internal"})), True),
        (Scope(domains=frozenset({"ACME.example"})), True),
        (Scope(domains=frozenset({"external"})), False),
        (Scope(active_from=date(2026, 3, 2), active_until=date(2026, 3, 2)), True),
        (Scope(active_from=date(2026, 3, 3)), False),
        (Scope(active_until=date(2026, 3, 1)), False),
    ],
)
def test_scope(policies: PolicySet, scope: Scope, hit: bool) -> None:
    assert bool(decided(policies, policy("hold", scope=scope)).findings) is hit


def test_days_are_those_of_the_teams_zone(policies: PolicySet) -> None:
    rule = policy("hold", scope=Scope(active_from=date(2026, 3, 3)))
    assert decided(policies, rule, now=datetime(2026, 3, 2, 23, 30, tzinfo=UTC)).disposition == "hold"


def test_outside_its_share_a_policy_observes_and_a_mail_keeps_its_side(policies: PolicySet) -> None:
    assert decided(policies, policy("hold", scope=Scope(share=0))).findings[0].mode == "observe"
    scope = Scope(share=30)
    sides = [scope.enforced_for("p", f"<{number}@x>") for number in range(2000)]
    assert 500 < sum(sides) < 700
    assert sides == [scope.enforced_for("p", f"<{number}@x>") for number in range(2000)]


def test_mail_that_is_not_judged_passes_and_says_why(policies: PolicySet) -> None:
    assert decide(None, policies, now=NOW).disposition == "pass"
    unjudged = Reading(
        message=read_message(RAW), envelope=Envelope.of("x@y.example", []),
        context=Context(site=policies.site, lexicon=policies.lexicon, now=NOW), why_not="it is list mail",
    )  # fmt: skip
    decision = decide(unjudged, policies, now=NOW)
    assert (decision.disposition, decision.findings, decision.reason) == ("pass", (), "it is list mail")


def test_no_match_says_so(policies: PolicySet) -> None:
    assert decided(policies, policy("hold"), facts=()).reason == "no policy matched"


MAIL: dict[str, Any] = {"team": "it-support", "mail": "<1@acme.example>", "now": NOW}


@pytest.mark.parametrize(
    ("fails", "disposition"),
    [
        ([], "pass"), (["open"], "pass"), (["open", "open"], "pass"), (["open", "defer"], None), (["hold"], "hold"),
        (["defer", "hold", "open"], "hold"),
    ],
)  # fmt: skip
def test_a_fault_of_the_gateway_follows_the_strictest_policy(
    policies: PolicySet, fails: list[str], disposition: str | None
) -> None:
    rules = tuple(policy("hold", id=f"p{n}", fail=fail) for n, fail in enumerate(fails))
    decision = replace(policies, policies=rules).decision_after_fault("it could not be read", **MAIL)
    assert (decision.disposition if decision else None) == disposition


def test_a_policy_that_observes_has_no_say_after_a_fault(policies: PolicySet) -> None:
    rules = (policy("hold", fail="hold", mode="observe"), policy("hold", fail="open"))
    decision = replace(policies, policies=rules).decision_after_fault("x", **MAIL)
    assert decision is not None and decision.disposition == "pass"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Subject: Re: [#48213] a\nMessage-ID: <1@x>\n", "Subject: [#48213] b\nReferences: <7@x> <8@x>\n", True),
        ("Subject: a\nReferences: <0@x> <1@x>\n", "Subject: b\nIn-Reply-To: <9@x>\nReferences: <0@x> <9@x>\n", True),
        ("Subject: a\nMessage-ID: <1@x>\n", "Subject: b\nReferences: <1@x>\n", True),
        ("Subject: a\nMessage-ID: <1@x>\n", "Subject: a\nMessage-ID: <2@x>\n", False),
        ("Subject: a\n", "Subject: a\n", True),
        ("Subject: a\n", "Subject: b\n", False),
    ],
)
def test_a_policy_on_trial_treats_a_thread_alike(policies: PolicySet, one: str, other: str, same: bool) -> None:
    from gateway.policy.grounds import thread_name

    def thread(headers: str) -> str:
        message = read_message(f"From: dana.cole@acme.example\n{headers}\nHello\n".replace("\n", "\r\n").encode())
        return thread_name(message, "dana.cole@acme.example", policies.site)

    assert (thread(one) == thread(other)) == same
