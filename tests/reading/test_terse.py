"""A word or two for a real question."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reading.conftest import mail, replying

OPEN = "How far back do the backups go, and can I restore a single product myself or does it have to be the whole?"


@pytest.mark.parametrize(
    ("answer", "question", "stops"),
    [
        ("Noted, thanks!", OPEN, {"terse-reply"}),
        ("Ok, danke.", "Wann können wir mit dem neuen Drucker rechnen, und wer stellt ihn auf?", {"terse-reply"}),
        ("Bien noté.", "Quand est-ce que mon poste sera remplacé ?", {"terse-reply"}),
        ("Ok, thanks!", "Can I come at five?", set[str]()),
        ("Noted, thanks!", "When it rings, could you call me?", set[str]()),
        ("Thanks, it's port 993.", "Which port do I need?", set[str]()),
        ("Grey, please!", "Do you want the grey one or the black one?", set[str]()),
        ("Noted, thanks!", "The new cable is in the drawer.", set[str]()),
        ("Daraus wird leider nichts.", "Könnten Sie das alte Portal noch offen lassen?", {"bare-refusal"}),
    ],
)
def test_an_acknowledgement_answers_no_open_question(
    answer: str, question: str, stops: set[str], found: Callable[..., set[str]]
) -> None:
    assert found(mail(replying(answer, question))) == stops


@pytest.mark.parametrize(
    ("answer", "stops"),
    [
        (
            "Muito obrigada pelo seu contato, é sempre um prazer atendê-lo. Desejamos ao senhor e a toda a equipe uma"
            " excelente semana!",
            {"no-substance"},
        ),
        (
            "How nice to hear from Galway! Thanks a million for always sending things over so neatly, you've no idea"
            " how rare that is. Say hello to your dad from all of us, and mind yourselves in that storm.",
            {"no-substance"},
        ),
        ("¡Qué amable, Jorge, mil gracias a ti, y claro que sí! Buen fin de semana a todos allí.", set[str]()),
        ("Thank you so much for your order, all is well and it's on the van. Have a great day!", set[str]()),
    ],
)
def test_kind_words_alone_and_half_a_sentence_more(
    answer: str, stops: set[str], found: Callable[..., set[str]]
) -> None:
    assert found(mail(replying(answer, "Is my order on its way, and when does it arrive?"))) == stops


@pytest.mark.parametrize(
    ("answer", "stops"),
    [
        ("It's a stupid bug in the driver, fixed in 4.2, please update.", set[str]()),
        ("You are not stupid! The little arrow next to Send does it.", set[str]()),
        ("We can't wipe them when they get lost, so private phones stay out.", set[str]()),
        ("Are you an idiot? Read the page.", {"dismissive"}),
        ("Das darf ich nicht, das unterschreibt Priya Raman.", set[str]()),
    ],
)
def test_rude_words_and_who_signs(answer: str, stops: set[str], found: Callable[..., set[str]]) -> None:
    assert found(mail(replying(answer, "Can I have the private phone on it, and who says so?"))) == stops
