"""Of several questions, those that nothing in the answer seems to answer; with the words, where they stand."""

from __future__ import annotations

import pytest

from tests.reading.conftest import Read, mail, replying

TWO = "Which ports do the new phones use? And who can change the holiday greeting?"
GERMAN = "Welche Ports brauchen die neuen Telefone? Und wer kann die Ansage ändern?"


@pytest.mark.parametrize(
    ("answer", "asked", "left"),
    [
        ("The phones use ports 5060 and 5061.", TWO, ["And who can change the holiday greeting?"]),
        ("Ports 5060 and 5061. The greeting is Mei's.", TWO, []),
        ("5060 and 5061. Mei Tan can.", TWO, []),  # in their order
        ("5060 and 5061.", TWO, ["And who can change the holiday greeting?"]),
        ("I'll ask Priya and come back to you.", TWO, []),  # the matter goes on
        ("Which phones do you mean?", TWO, []),
        ("Die Telefone brauchen 5060 und 5061.", GERMAN, ["Und wer kann die Ansage ändern?"]),
        ("Die Telefone brauchen 5060 und 5061, und für Ansagen ist Mei Tan da.", GERMAN, []),
        ("5060.", "Which port do the new phones use?", []),  # one question has facts of its own
        ("On Friday.", "When does it open? Please let me know. Thank you for your help!", []),
    ],
)
def test_what_is_left(answer: str, asked: str, left: list[str], read_mail: Read) -> None:
    raw = mail(replying(answer, asked))
    fact = read_mail(raw).facts.get("unanswered")
    assert [span.text for span in fact.evidence] == left if fact else left == []
    for span in fact.evidence if fact else ():
        assert span.end - span.start == len(span.text) and span.part == "1"
