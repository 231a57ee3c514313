"""Forms of presence that a compact example cannot say: group syntax, aliases, several Cc headers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.mail.envelope import Envelope
from gateway.mail.message import read_message
from gateway.policy.decide import decide
from gateway.policy.examples import EXAMPLE_DAY
from gateway.policy.model import PolicySet
from gateway.reading.reader import Context, read
from gateway.site.people import Equivalence

ALIASES = Equivalence.of([["rita.blom@acme.example", "r.blom@acme.example"]], {})


@pytest.mark.parametrize(
    ("cc", "recipient", "disposition"),
    [
        ("Cc: Everybody: rita.blom@acme.example, x@acme.example;", "rita.blom@acme.example", "pass"),
        ("Cc: x@acme.example\r\nCc: Rita Blom <RITA.BLOM@acme.example>", "rita.blom@acme.example", "pass"),
        ("Cc: r.blom@acme.example", "r.blom@acme.example", "pass"),
        ("CC: =?utf-8?q?Rita_Bl=C3=B6m?= <rita.blom+x@Acme.Example>", "rita.blom+x@acme.example", "pass"),
        ("Cc: rita.bloom@acme.example", "rita.bloom@acme.example", "hold"),
        ("Cc: rita.blom@acme.example.test", "rita.blom@acme.example.test", "hold"),
        ('Cc: "rita.blom@acme.example" <x@acme.example>', "x@acme.example", "hold"),
        ("X-Cc: rita.blom@acme.example", "network-team@acme.example", "hold"),
    ],
)
def test_presence(policies: PolicySet, cc: str, recipient: str, disposition: str) -> None:
    raw = (
        f"From: dana.cole@acme.example\r\nTo: network-team@acme.example\r\n{cc}\r\nSubject: Fwd: No link\r\n\r\n"
        "Please take this one over.\r\n\r\n"
        "On Mon, 2 Mar 2026 at 09:00, Rita Blom <rita.blom@acme.example> wrote:\r\n"
        "> My socket is dead. Can you help?\r\n"
    ).encode()
    site = replace(policies.site, same=ALIASES)
    message = read_message(raw)
    context = Context(site=site, lexicon=policies.lexicon, now=EXAMPLE_DAY)
    envelope = Envelope.of("dana.cole@acme.example", ["network-team@acme.example", recipient])
    decision = decide(read(message, envelope, context), replace(policies, site=site), now=context.now)
    assert decision.disposition == disposition
