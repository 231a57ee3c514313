"""Answers in seven languages with mobile signatures, quotes, slips, second thoughts: done as meant, or asked back."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gateway.answers import parse_answer

ANSWERS: dict[str, list[str]] = yaml.safe_load(
    (Path(__file__).parent / "answers" / "wild.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("wanted", "text"), [(wanted, text) for wanted, texts in ANSWERS.items() for text in texts])
def test_an_answer_is_done_as_meant_or_asked_back(wanted: str, text: str) -> None:
    kind = parse_answer(text, name="Dana Cole").kind
    assert kind == ("unclear" if wanted == "ask" else wanted)


@pytest.mark.parametrize("answer", ["FIX", "SEND: she knows", "WRONG: she is in Cc", "DISCARD", "NOTE", "CONSULT"])
@pytest.mark.parametrize(
    "beside", ["The printer is down.", "Bob: 4411", "Tell Kim as well", "Quelle heure est-il", "%$§"]
)
def test_nothing_is_done_beside_what_is_not_understood(answer: str, beside: str) -> None:
    """Mail that went out cannot be had back: a line that the gateway cannot make out may change the answer."""
    for text in (f"{answer}\n\n{beside}", f"{beside}\n\n{answer}"):
        kind = parse_answer(text).kind
        assert kind == ("unclear" if any(map(str.isalpha, beside)) else parse_answer(answer).kind)


def test_what_stands_under_a_name_is_a_signature() -> None:
    signature = "D. Cole\nSenior Support Engineer | Service Desk\nAcme GmbH, Musterstr. 5, 80331 München"
    assert parse_answer(f"FIX\n\n{signature}", name="Dana Cole").kind == "fix"
    assert parse_answer(f"SEND: she knows\n\n{signature}", name="Dana Cole").kind == "send"
    assert parse_answer(f"FIX\n\n{signature}\nbut not Bob", name="Dana Cole").kind == "unclear"
    assert parse_answer("FIX\n\nThe printer is down.\nD. Cole").kind == "unclear"
