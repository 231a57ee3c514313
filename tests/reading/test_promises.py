"""What is promised, and by when: also in the present tense, as most languages promise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.reading.conftest import Read, mail, replying

SAID: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "promises.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("lang", "text"), [(lang, each) for lang, texts in SAID["promised"].items() for each in texts])
def test_promised(lang: str, text: str, read_mail: Read, found: Callable[..., set[str]]) -> None:
    raw = mail(replying(text, SAID["asked"][lang]))
    facts = read_mail(raw).facts
    assert "promise" in facts and "handoff" not in facts
    assert found(raw) == set()


@pytest.mark.parametrize(
    ("lang", "text"), [(lang, each) for lang, texts in SAID["not_promised"].items() for each in texts]
)
def test_not_promised(lang: str, text: str, read_mail: Read) -> None:
    assert "promise" not in read_mail(mail(replying(text, SAID["asked"][lang]))).facts


@pytest.mark.parametrize(
    "text",
    [
        "Das geht leider nicht, aber ich schicke Ihnen am Freitag ein Ersatzgerät.",
        "Not today, but I'll send it on Friday.",
        "Leider nein. Wir liefern ihn am Freitag.",
    ],
)
def test_behind_a_no_something_may_be_promised(text: str, read_mail: Read) -> None:
    facts = read_mail(mail(replying(text, SAID["asked"]["de"]))).facts
    assert "refusal" in facts and facts["promise"].value == "2026-03-06"


def test_a_day_that_is_refused_is_not_promised(read_mail: Read) -> None:
    for text in (
        "Ich kann Ihnen nicht sagen, ob ich ihn am Freitag schicke.",
        "We can't send it on Friday, but thanks.",
    ):
        assert "promise" not in read_mail(mail(replying(text, SAID["asked"]["de"]))).facts


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "I'll send it to you soon."), ("en", "I will forward it to you soon."), ("en", "I'll pass it to you."),
        ("de", "Ich leite es Ihnen gleich weiter."), ("fr", "Je vous l'envoie bientôt."), ("es", "Se lo envío pronto."),
        ("pt", "Envio-lho em breve."), ("it", "Glielo mando presto."), ("nl", "Ik stuur het je snel."),
    ],
)  # fmt: skip
def test_what_the_reader_gets_is_no_hand_off(lang: str, text: str, read_mail: Read) -> None:
    facts = read_mail(mail(replying(text, SAID["asked"][lang]))).facts
    assert "handoff" not in facts and "refusal" not in facts


def test_what_somebody_else_gets_is_one(read_mail: Read) -> None:
    for text in ("I'm sending this over to Bob Nilsson.", "Ich leite das an die Kollegen weiter."):
        assert "handoff" in read_mail(mail(replying(text, "Could you do it?"))).facts
