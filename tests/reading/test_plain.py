"""Plain short answers that help, in seven languages, which nothing has learnt from: nearly none is stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cases import Case, envelope_of, judge
from gateway.mail.message import read_headers
from gateway.policy.model import PolicySet
from gateway.training.texts import read_written
from tests.reading.conftest import mail, replying

UNLEARNT = Path(__file__).parents[1] / "texts" / "unlearnt"
DOES_NOT_HELP = {"refusal", "dismissive", "out_of_scope", "redirect"}
MOST = 2
"""Of some 48 a language. Measured: 3 of all 336, and of those that refuse in plain words 12 of 14 are found."""


@pytest.mark.parametrize("lang", ["de", "en", "es", "fr", "it", "nl", "pt"])
def test_plain_help_is_not_stopped(lang: str, policies: PolicySet) -> None:
    stopped, helpful = [], 0
    for text in read_written(UNLEARNT / lang / "p01.txt", policies.lexicon):
        if DOES_NOT_HELP & {act for sentence in text.sentences for act in sentence.acts}:
            continue
        helpful += 1
        raw = mail(replying(text.text, text.asked.prepared.text))
        if judge(Case("mail", raw, envelope_of(read_headers(raw))), policies)[1].enforced:
            stopped.append(text.text)
    assert helpful > 40
    assert len(stopped) <= MOST, stopped
