"""Words of other languages in English, for the encoder and for the first glance."""

from __future__ import annotations

import re

import pytest

from gateway.reading.acts.glance import features_of
from gateway.reading.acts.glossary import GLOSSARIES, Glossary, glossary
from gateway.reading.acts.pieces import Piece
from gateway.reading.acts.reader import act_reader
from gateway.reading.acts.wordpiece import WordPiece
from gateway.reading.lexicon import Lexicon

LANGUAGES = ("de", "es", "fr", "it", "nl", "pt")
SMALL = Glossary.of({"leider": "unfortunately", "ne": "", "weitergeleitet": "passed on", "gabe": "gift"})


def test_every_language_of_the_lexicon_has_one_but_english(lexicon: Lexicon) -> None:
    assert {lang for lang in lexicon.languages if glossary(lang)} == set(LANGUAGES) == set(lexicon.languages) - {"en"}


@pytest.mark.parametrize("lang", ["en", "xx", "", "../glossaries/de", "de.tsv"])
def test_no_glossary(lang: str) -> None:
    assert glossary(lang) is None


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_shipped_ones_are_well_formed(lang: str) -> None:
    lines = (GLOSSARIES / f"{lang}.tsv").read_text(encoding="utf-8").splitlines()
    for line in lines:
        word, tab, english = line.partition("\t")
        assert tab and re.fullmatch(r"[^\W\d_]+", word) and word == word.lower(), line
        assert re.fullmatch(r"(?:[a-z0-9'&.-]+(?: [a-z0-9'&.-]+)*)?", english), line
    assert len({line.partition("\t")[0] for line in lines}) == len(lines) > 3900


def test_another_form_of_a_long_word_is_known_by_its_beginning() -> None:
    assert SMALL.english("weitergeleiteten") == "passed on"
    assert SMALL.english("weitergeleit") == "passed on"
    assert SMALL.english("weiter") is None
    assert SMALL.english("gaben") is None  # too short to be sure
    assert SMALL.english("") is None


def test_a_word_has_the_pieces_of_its_english_and_its_own_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.reading.acts.wordpiece.glossary", {"xx": SMALL}.get)
    pieces = WordPiece({"[UNK]": 0, "passed": 1, "on": 2, "unfortunately": 3, "er": 4}, 0)
    text = "ER leider Weitergeleitet ne"
    cut = pieces.cut(text, 0, len(text), 50, "xx")
    assert cut == [Piece(4, 0, 2), Piece(3, 3, 9), Piece(1, 10, 24), Piece(2, 10, 24)]
    assert len(pieces.cut(text, 0, len(text), 3, "xx")) == 3


@pytest.mark.parametrize(
    "text", ["", "\ufffd", "\x00\x01", "\u0301", "a" * 5000, "𝓷𝓸", "ﬁ", "漢字", "ß ẞ İ", "leider\u0301"]
)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_text_is_too_odd(text: str, lang: str) -> None:
    for model in act_reader().models:
        pieces = model.pieces.cut(text, 0, len(text), 50, lang)
        assert all(0 <= piece.start < piece.end <= len(text) for piece in pieces)


def test_the_glance_sees_the_words_and_their_english() -> None:
    assert features_of("leider weitergeleitet", SMALL) == [
        *("leider", "weitergeleitet", "leider weitergeleitet", "#2"),
        *("unfortunately", "passed", "on", "unfortunately passed", "passed on"),
    ]
    assert features_of("no luck") == ["no", "luck", "no luck", "#2"]


@pytest.mark.parametrize(
    ("lang", "refuses", "helps"),
    [
        ("de", "Die Rechte gibt es nur für Führungskräfte.", "Ist erledigt, Sie haben die Rechte."),
        ("fr", "Nous en resterons là pour cette année.", "C'est réglé, vous pouvez y aller."),
        ("es", "El aforo está completo y así seguirá.", "Ya está hecho, pruébelo."),
        ("pt", "A porta vai continuar fechada.", "Já está feito, pode testar."),
        ("it", "Su questo restiamo fermi.", "Fatto, provi adesso."),
        ("nl", "Dat doen we dit jaar niet meer.", "De laptop is klaar en ligt bij de balie."),
    ],
)
def test_what_no_phrase_knows_is_told_from_help(lexicon: Lexicon, lang: str, refuses: str, helps: str) -> None:
    found = []
    for text in (refuses, helps):
        prepared = lexicon.prepare(text)
        acts = act_reader().read(prepared, range(len(prepared.sentences)), lang)
        found.append(max(its["refusal"] for its in acts.of.values()))
    assert found[0] > found[1] + 0.3
