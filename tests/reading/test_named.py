"""Somebody of the site file, named beside a no: enough to let it pass, unless the name is of who writes or asked."""

from __future__ import annotations

import pytest

from gateway.cases import Case, envelope_of, judge
from gateway.mail.message import read_headers
from gateway.policy.model import PolicySet
from tests.e2e.house import mail

DANA, JILL = "Dana Cole <dana.cole@acme.example>", "Jill Amory <jill.amory@acme.example>"
ASKED = f"\n\nOn Monday, {JILL} wrote:\n> The printer on our floor is broken. Can you fix it, please?\n"


@pytest.mark.parametrize(
    ("text", "stopped"),
    [
        ("We don't do printers, Carla Rossi does.", False),
        ("That's not our department. Bob Nilsson can help.", False),
        ("Nein. Dafür ist Carla Rossi da.", False),
        ("No.", True),
        ("No, Jill Amory.", True),
        ("No.\n\nSorry.\nDana Cole", True),
        ("No, and Bob Nilsson won't do it either.", True),
        ("We don't do printers, somebody else does.", True),
    ],
)
def test_a_whole_name_tells_where_to_go(text: str, stopped: bool, policies: PolicySet) -> None:
    raw = mail(DANA, JILL, "Re: Printer", text + ASKED)
    reading, decision = judge(Case("mail", raw, envelope_of(read_headers(raw))), policies)[:2]
    assert bool(decision.enforced) is stopped, (reading.facts.keys(), reading.hints.keys())
