"""What was sent to many people asks nobody in particular; an address made of a name is that of its owner."""

from __future__ import annotations

import pytest

from gateway.cases import Case, envelope_of, judge
from gateway.mail.address import Mailbox
from gateway.mail.message import read_headers
from gateway.policy.model import PolicySet
from gateway.reading.people import is_name_of
from tests.e2e.house import mail

DANA, NETWORK = "Dana Cole <dana.cole@acme.example>", "Network Team <network-team@acme.example>"


def forward(people: int) -> str:
    to = ", ".join(f"Person {chr(65 + n)} <p{n}@acme.example>" for n in range(people - 1))
    return (
        "\n\nPlease take care of this.\n\n---------- Forwarded message ----------\n"
        "From: Rita Blom <rita.blom@acme.example>\nDate: Mon, 2 Mar 2026 09:00\nSubject: Ports\n"
        f"To: Dana Cole <dana.cole@acme.example>{', ' if to else ''}{to}\n\nCan you have a look at port 12?\n"
    )


@pytest.mark.parametrize(("people", "stopped"), [(1, True), (8, True), (9, False), (40, False)])
def test_an_announcement_leaves_nobody_out(people: int, stopped: bool, policies: PolicySet) -> None:
    raw = mail(DANA, NETWORK, "Fwd: Ports", forward(people))
    reading, decision = judge(Case("mail", raw, envelope_of(read_headers(raw))), policies)[:2]
    assert ("asked_many" in reading.facts) is not stopped
    assert bool(decision.enforced) is stopped


@pytest.mark.parametrize(
    ("box", "name", "same"),
    [
        ("d.steffes@acme.example", "Steffes, James D.", True),
        ("p..o'neil@acme.example", "O'Neil, Murray P.", True),
        ("steffes@acme.example", "James Steffes", True),
        ("j.steffes@acme.example", "James Steffes", True),
        ("x.steffes@acme.example", "James Steffes", False),
        ("james.stone@acme.example", "James Steffes", False),
        ("jd@acme.example", "J D", False),
        ("@acme.example", "James Steffes", False),
        ("", "", False),
    ],
)
def test_an_address_made_of_a_name(box: str, name: str, same: bool) -> None:
    assert is_name_of(Mailbox(box, ""), name) is same
    assert not is_name_of(Mailbox(box, "Somebody Else"), name)
