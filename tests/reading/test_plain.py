"""Plain short answers that help, and mail of ordinary days, in seven languages: nearly nothing is stopped in vain."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cases import Case, envelope_of, judge
from gateway.mail.message import read_headers
from gateway.policy.model import PolicySet
from gateway.training.texts import Text, read_written
from tests.reading.conftest import mail, replying

TEXTS = Path(__file__).parents[1] / "texts"
DOES_NOT_HELP = {"refusal", "dismissive", "out_of_scope", "redirect"}
HELPS = {"reason", "eta", "alternative", "escalation_offer", "question", "handoff", "helps", "redirect", "route"}
MOST = 2
"""Of some 48 a language. Measured: 3 of all 336, and of those that refuse in plain words 12 of 14 are found."""


def stopped(text: Text, policies: PolicySet) -> bool:
    raw = mail(replying(text.text, text.asked.prepared.text))
    return bool(judge(Case("mail", raw, envelope_of(read_headers(raw))), policies)[1].enforced)


def acts(text: Text) -> set[str]:
    return {act for sentence in text.sentences for act in sentence.acts}


@pytest.mark.parametrize("lang", ["de", "en", "es", "fr", "it", "nl", "pt"])
def test_plain_help_is_not_stopped(lang: str, policies: PolicySet) -> None:
    helpful = [
        text
        for text in read_written(TEXTS / "unlearnt" / lang / "p01.txt", policies.lexicon)
        if not acts(text) & DOES_NOT_HELP
    ]
    assert len(helpful) > 40
    assert len(wrong := [text.text for text in helpful if stopped(text, policies)]) <= MOST, wrong


EVERY = 3
"""Of so many answers that should pass, or are written to be hard, one is read, so that CI stays quick."""


def leaves_hanging(text: Text) -> bool:
    """A no and no more, or sent to nobody in particular."""
    its = acts(text)
    bare = "refusal" in its and not its & HELPS
    return bare or ("redirect" in its and not its & {"route", "handoff", "escalation_offer", "helps"})


@pytest.mark.parametrize(
    ("name", "most_missed", "most_wrong"),
    [
        ("d*.txt", 2, 1),  # before the rules were changed for it: 4 of 33 missed, 1 of 237 others stopped
        ("e*.txt", 11, 1),  # nothing was changed for it: 9 of 56 missed, 2 of 185 others stopped
    ],
)
def test_ordinary_days(name: str, most_missed: int, most_wrong: int, policies: PolicySet) -> None:
    """Mail of helpdesks, HR, facilities, shops, offices."""
    mails = [text for path in sorted((TEXTS / "days").rglob(name)) for text in read_written(path, policies.lexicon)]
    hanging = [text for text in mails if leaves_hanging(text)]
    others = [text for text in mails if not leaves_hanging(text) and "dismissive" not in acts(text)]
    assert len(hanging) >= 33 and len(others) > 170
    others = others[::EVERY]
    assert len(missed := [text.text for text in hanging if not stopped(text, policies)]) <= most_missed, missed
    assert len(wrong := [text.text for text in others if stopped(text, policies)]) <= most_wrong, wrong


def test_small_talk_around_a_no(policies: PolicySet) -> None:
    """Six hundred answers written to be hard, of which one whole writer is in nothing that was learnt from: what stands
    around the no only looks like an excuse, or is one in few words. Measured: 145 of 216 found, 37 of 232 others; here
    every third is read."""
    mails = [
        text
        for path in sorted((TEXTS / "unlearnt").rglob("r*.txt"))
        for text in read_written(path, policies.lexicon)
        if leaves_hanging(text) or not acts(text) & {"dismissive", "out_of_scope"}
    ]
    hanging = [text for text in mails if leaves_hanging(text)][::EVERY]
    others = [text for text in mails if not leaves_hanging(text)][::EVERY]
    assert len(hanging) >= 72 and len(others) > 70
    assert sum(stopped(text, policies) for text in hanging) >= 45
    assert len(wrong := [text.text for text in others if stopped(text, policies)]) <= 15, wrong


@pytest.mark.parametrize(
    ("text", "excused"),
    [
        ("No. The store room is quite empty these days.", True),
        ("No. We looked at it on Tuesday.", False),
        ("We have your request of 12 May. We are not able to pay an advance.", False),
        ("Thank you for your message of Monday. We're unable to raise the allowance.", False),
        ("We are not able to pay an advance before 12 May.", True),
    ],
)
def test_what_excuses_and_what_does_not(text: str, excused: bool, policies: PolicySet) -> None:
    raw = mail(replying(text, "Can I have an advance on my salary?"))
    decision = judge(Case("mail", raw, envelope_of(read_headers(raw))), policies)[1]
    assert bool(decision.enforced) is not excused
