"""Which answers are offered: what can mend this mail, and nothing that invents a fact."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.mail.address import Mailbox
from gateway.policy.decision import Decision, Finding, Fix
from gateway.policy.loader import load_policies
from gateway.policy.offers import excuses, offers

POLICIES = Path(__file__).parent.parent.parent / "policies"
RULES = load_policies(POLICIES, None, shipped=POLICIES, run=False)
MARY = Mailbox("mary@customer.example", "Mary")


def decision(policy: str, *facts: str, fix: Fix | None = None) -> Decision:
    finding = Finding(policy, "", (), "enforce", "hold", fix=fix, facts=facts)
    return Decision("hold", (finding,))


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        ("bare-refusal", {"reason", "eta"}),
        ("dropped-requester", {"consult", "note"}),
        ("no-escalation", {"eta"}),
        ("referral-without-route", set()),
    ],
)
def test_what_a_policy_asks_for_is_offered(policy: str, wanted: set[str]) -> None:
    fix = Fix((MARY,), False, True) if policy == "dropped-requester" else None
    found = offers(decision(policy, "handoff", fix=fix), RULES, can_fix=False, confidential=False)
    assert found - {"consult"} == {"send", "wrong", "discard"} | (wanted - {"consult"})


def test_fix_only_where_it_can_be_done_and_a_note_only_where_nothing_is_confidential() -> None:
    fix = Fix((MARY,), False, True, "marked", "confidential")
    one = decision("dropped-requester", "handoff", fix=fix)
    assert {"fix", "note"} <= offers(one, RULES, can_fix=True, confidential=False)
    assert not {"note"} & offers(one, RULES, can_fix=True, confidential=True)
    assert "note" not in offers(decision("dropped-requester", "handoff"), RULES, can_fix=False, confidential=False)


def test_consult_is_for_what_was_passed_on() -> None:
    assert "consult" not in offers(decision("bare-refusal", "refusal"), RULES, can_fix=False, confidential=False)


def test_a_mail_that_nobody_judged_can_be_sent_or_discarded() -> None:
    assert offers(Decision("hold"), RULES, can_fix=False, confidential=False) == {"send", "discard"}


def test_a_fact_excuses_where_it_alone_is_enough() -> None:
    bare = RULES.get("bare-refusal")
    assert bare is not None
    assert excuses(bare, "reason") and not excuses(bare, "redirect") and not excuses(bare, "refusal")
