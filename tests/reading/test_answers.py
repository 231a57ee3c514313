"""A no is stopped only where it is one, where something was asked for, and where nothing stands behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.reading.conftest import Read, mail, replying

ANSWERS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "answers.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: case["answer"][:40])
def test_answers(case: dict[str, Any], found: Callable[..., set[str]]) -> None:
    stops = found(mail(replying(case["answer"], case["to"])))
    assert stops - {"terse-reply"} == ({"bare-refusal"} if case["bare"] else set())
    assert "terse-reply" not in stops or case["bare"]


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("If we can't fix it, we replace it.", "refusal"),
        ("We won't turn off the old server before you say so.", "refusal"),
        ('The vendor writes "we cannot do that".', "refusal"),
        ("She says we can't see the share.", "refusal"),
        ("No, see you on Thursday at the summer party!", "eta"),
        ("No. It was on the table on 14 February.", "eta"),
        ("We can't run it on Friday.", "eta"),
        ("No, it's our policy.", "reason"),
    ],
)
def test_what_is_none(text: str, absent: str, read_mail: Read) -> None:
    assert absent not in read_mail(mail(replying(text, "Could you do it?"))).facts


@pytest.mark.parametrize(
    ("text", "fact", "value"),
    [
        ("Not yet, it will be there on Thursday.", "eta", "2026-03-05"),
        ("No, not before 12 March.", "eta", "2026-03-12"),
        ("Leider noch nicht, am 12. März kommt die Lieferung.", "eta", "2026-03-12"),
        ("Not yet, by the time you are back from lunch.", "eta", "in words"),
        ("No, because the licence has run out.", "reason", "stated"),
        ("No. The store room is empty.", "reason", "adjacent"),
        ("We can't, but you could use the old one.", "alternative", True),
        ("We can't decide that, I'll ask my manager.", "escalation_offer", True),
        ("Which of the two do you mean?", "clarifying_question", True),
    ],
)
def test_what_helps(text: str, fact: str, value: object, read_mail: Read) -> None:
    assert read_mail(mail(replying(text, "Could you do it?"))).facts[fact].value == value


def test_evidence_leads_back_to_the_words(read_mail: Read) -> None:
    raw = mail(replying("Hallo Rita,\n\ndas können wir leider nicht.", "Könntet ihr das übernehmen?"))
    reading = read_mail(raw)
    (span,) = reading.facts["refusal"].evidence
    part = reading.message.parts[0].text
    assert part is not None
    assert part[span.start : span.end] == span.text
    assert "leider nicht" in span.text


def test_answers_between_the_lines_belong_to_the_question_above(found: Callable[..., set[str]]) -> None:
    head = "On Mon, 2 Mar 2026 at 09:00, Rita Blom <rita.blom@acme.example> wrote:\n"
    fine = head + "> Do we have to order new tokens?\n\nNo.\n\n> Is it reachable from Norway?\n\nYes.\n"
    bare = head + "> Could we get a second account?\n\nNo.\n\n> Is it reachable from Norway?\n\nYes.\n"
    assert found(mail(fine)) == set()
    assert found(mail(bare)) == {"bare-refusal"}


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("I don't see a fit.", True),
        ("I would decline", True),
        ("I don't see a fit, the lab has two of them already.", False),
        ("Too late for that one, I'm afraid.", True),
    ],
)
def test_a_no_that_says_nothing_more_has_no_room_for_a_reason(
    text: str, bare: bool, found: Callable[..., set[str]]
) -> None:
    assert ("bare-refusal" in found(mail(replying(text, "Could we try it in the lab?")))) is bare


@pytest.mark.parametrize(
    ("text", "terse"),
    [
        ("Depends.", True),
        ("Hm, odd.", True),
        ("Thanks.\n\nDana", False),
        ("Tim Belden", False),
        ("Yes, done.", False),
    ],
)
def test_thanks_and_names_are_no_terse_answers(text: str, terse: bool, found: Callable[..., set[str]]) -> None:
    asked = "Who would be the right one for this? And do I have to remove the old driver first?"
    assert ("terse-reply" in found(mail(replying(text, asked)))) is terse


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("Kann der neue Kollege bitte Zugriff bekommen?", "Nein."),
        ("Pourrais-je avoir un accès au logiciel ?", "Non."),
        ("¿Hay alguna manera de recuperarlo?", "No."),
        ("Mi mandate la fattura?", "No."),
        ("Kan mijn collega toegang krijgen?", "Nee."),
    ],
)
def test_a_no_to_what_somebody_asks_for(asked: str, text: str, found: Callable[..., set[str]]) -> None:
    assert found(mail(replying(text, asked))) == {"bare-refusal", "terse-reply"}
