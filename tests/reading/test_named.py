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
        ("No. Bob Nilsson is on holiday.", False), ("No. Bob Nilsson decides that.", False),
        ("No, only Bob Nilsson can approve that.", False), ("No, that's Bob Nilsson.", False),
        ("Nee. Bob Nilsson gaat erover.", False), ("No. Lo sa Bob Nilsson.", False),
        ("Non. C'est Bob Nilsson qui décide.", False), ("Nein. Das macht Bob Nilsson.", False),
        ("No – Bob Nilsson.", False),
        ("No. Bob Nilsson says hello.", True), ("No. I met Bob Nilsson yesterday.", True),
        ("Nein. Grüße von Bob Nilsson.", True), ("Non. Bob Nilsson vous salue.", True),
        ("No. Bob Nilsson liked your talk.", True),
    ],
)  # fmt: skip
def test_a_whole_name_tells_where_to_go(text: str, stopped: bool, policies: PolicySet) -> None:
    raw = mail(DANA, JILL, "Re: Printer", text + ASKED)
    reading, decision = judge(Case("mail", raw, envelope_of(read_headers(raw))), policies)[:2]
    assert bool(decision.enforced) is stopped, (reading.facts.keys(), reading.hints.keys())
