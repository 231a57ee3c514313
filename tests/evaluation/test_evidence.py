"""Evidence is marked where it stands, and nowhere else."""

from __future__ import annotations

import pytest

from gateway.evaluation.evidence import clean, mark, not_in, words_of
from gateway.mail.span import Span


@pytest.mark.parametrize(
    ("text", "ours", "theirs", "marked"),
    [
        ("Not now. No.", [("No", 9)], [], 'Not now. <mark class="ours">No</mark>.'),
        ("Nothing. No.", [], ["No"], 'Nothing. <mark class="theirs">No</mark>.'),
        ("Nothing here.", [], ["No"], "Nothing here."),
        ("We can\n't do", [], ["We can 't"], '<mark class="theirs">We can\n&#39;t</mark> do'),
        ("a<b>c", [("<b>", 1)], ["b>c"], 'a<mark class="ours">&lt;</mark><mark class="ours theirs">b&gt;</mark>'
                                         '<mark class="theirs">c</mark>'),
        ("Sorry, no.", [("no", 400)], [], 'Sorry, <mark class="ours">no</mark>.'),
    ],
)  # fmt: skip
def test_marks(text: str, ours: list[tuple[str, int]], theirs: list[str], marked: str) -> None:
    spans = [Span(words, "1", start, start + len(words)) for words, start in ours]
    assert str(mark(text, spans, theirs)) == marked


def test_what_no_page_can_hold_is_replaced() -> None:
    assert clean("a\x00b\ud83d\r\nc\td") == "a\ufffdb\ufffd\nc\td"


def test_words_elsewhere_in_the_mail_are_named() -> None:
    assert not_in("Yes.", ["Yes", "No way", " "]) == ["No way"]


def test_a_policy_shows_the_evidence_of_its_labels() -> None:
    assert words_of("bare-refusal", {"refusal": "No", "eta_given": "Monday"}) == ["No"]
