"""Whoever wants no mail about their matter is left out by their own wish, in words that no phrase knows."""

from __future__ import annotations

import pytest

from gateway.cases import Case, envelope_of, judge
from gateway.mail.message import read_headers
from gateway.policy.model import PolicySet
from gateway.reading.facts import Facts
from gateway.reading.left_out import POSSIBLE, SURE, may_be_wished
from gateway.reading.lexicon import Lexicon
from gateway.reading.reader import Reading
from tests.reading.conftest import forwarding, mail

QUESTION = "The fridge sensor in lab 2 beeps again."


def judged(text: str, question: str, policies: PolicySet) -> tuple[Reading, set[str]]:
    raw = mail(forwarding(text, question), to="Network Team <network-team@acme.example>", subject="Fwd: Something")
    reading, decision = judge(Case("mail", raw, envelope_of(read_headers(raw))), policies)
    return reading, {finding.policy for finding in decision.enforced if not finding.exempt}


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Can you take this over? I've taken Rita off the list as she wanted.", QUESTION),
        ("Könnt ihr das übernehmen? Frau Blom will dazu nichts mehr lesen.", "Der Kühlschrank piept wieder."),
        (
            "Can you take this over?",
            f"{QUESTION} Do what you must, but spare me the mails please, I had forty last time.",
        ),
        ("", f"{QUESTION} Do what you must, but spare me the mails please, I had forty last time."),
    ],
)
def test_a_wish_in_other_words_lets_a_mail_pass(
    text: str, question: str, policies: PolicySet, lexicon: Lexicon
) -> None:
    scans = lexicon.scan_text(text), lexicon.scan_text(question, scope="asked")
    assert not any(scan.has("leave_me_out") for scan in scans), "a phrase knows it: take another example"
    reading, stops = judged(text, question, policies)
    assert stops == set()
    wish = (reading.facts | reading.hints)["leave_me_out"]
    assert POSSIBLE <= wish.confidence <= 1
    assert ("leave_me_out" in reading.facts) is (wish.confidence >= SURE)
    assert wish.evidence[0].text in f"{text}\n{question}"


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Can you take this over?", QUESTION),
        ("", QUESTION),
        ("Can you take this over? Rita wants no new fridge.", f"{QUESTION} I got no mails since Monday."),
        ("Can you take this over? Rita wants to hear about it.", f"{QUESTION} Please keep me posted by mail."),
        ("Can you take this over? No need to keep me in the loop.", QUESTION),
        ("Please take this over and leave me out of it, I have had my share.", QUESTION),
        ("Can you take this over?", f"{QUESTION} Please don't leave me out of this again."),
        ("Can you take this over?", f"{QUESTION} Please don't copy my manager on this."),
        ("Kannst du das bitte übernehmen?", "Der Sensor piept. Bitte nehmen Sie mich aus der Sperrliste raus."),
        (
            "Can you take this over?",
            f"{QUESTION}\n\nThis message is confidential and for the addressee only. If you are not the intended"
            " recipient, do not copy or forward it, notify the sender and delete it.",
        ),
    ],
)
def test_without_such_a_wish_it_is_stopped(text: str, question: str, policies: PolicySet) -> None:
    reading, stops = judged(text, question, policies)
    assert stops == {"dropped-requester"}
    assert "leave_me_out" not in reading.facts | reading.hints


def test_the_agent_may_repeat_the_wish(policies: PolicySet) -> None:
    reading, stops = judged("Can you take this over? Rita says: leave me out of it.", QUESTION, policies)
    assert stops == set() and "leave_me_out" in reading.facts


OUTER = """Bob, can you take this over?

From: Luis Ortega <luis.ortega@acme.example>
Sent: Monday, March 2, 2026 10:50 AM
To: Dana Cole
Subject: RE: Something

{luis}

From: Rita Blom <rita.blom@acme.example>
Sent: Monday, March 2, 2026 9:50 AM
To: IT Support
Subject: Something

{rita}
"""


@pytest.mark.parametrize(
    ("luis", "rita", "stops"),
    [
        ("Dana, yours. Leave me out of this thread please, I am on leave.", QUESTION, {"dropped-requester"}),
        ("Dana, yours.", f"{QUESTION} Leave me out of the thread please.", set[str]()),
    ],
)
def test_a_colleagues_own_wish_is_not_theirs(luis: str, rita: str, stops: set[str], policies: PolicySet) -> None:
    raw = mail(OUTER.format(luis=luis, rita=rita), to="Bob Nilsson <bob.nilsson@acme.example>", subject="FW: Something")
    decision = judge(Case("mail", raw, envelope_of(read_headers(raw))), policies)[1]
    assert {finding.policy for finding in decision.enforced} == stops


def facts(*names: str) -> Facts:
    return dict.fromkeys(names)  # type: ignore[arg-type]


def test_only_where_a_mail_would_be_stopped() -> None:
    assert may_be_wished(facts("requester_absent", "handoff"))
    assert may_be_wished(facts("requester_bcc_only", "empty_forward"))
    assert not may_be_wished(facts("to_requester", "handoff"))
    assert not may_be_wished(facts("requester_absent", "consult"))
    assert not may_be_wished(facts("requester_absent", "handoff", "leave_me_out"))
