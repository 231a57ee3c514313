"""Which language a mail is in, above all one of a word or two: drafts and added sentences are written in it."""

from __future__ import annotations

import pytest

from gateway.reading.language import tell_language
from gateway.reading.lexicon import Lexicon

ENGLISH = "Hello, can you open the folder for me please?"
SPANISH = "Hola, ¿me pueden abrir la carpeta? Gracias por todo"
GERMAN = "Hallo, können Sie mir bitte den Ordner öffnen?"


@pytest.mark.parametrize(
    ("new", "quoted", "team", "lang"),
    [
        ("Non.", "", "en", "fr"),
        ("Nein.", "", "en", "de"),
        ("Nein.", ENGLISH, "en", "de"),  # what goes into the mail stands beside this word
        ("Não.", "", "en", "pt"),
        ("Aucune idée.", "", "en", "fr"),
        ("No.", "", "en", "en"),
        ("No.", "", "it", "it"),
        ("No.", SPANISH, "en", "es"),
        ("No.", GERMAN, "de", "de"),  # no German word, in a German thread
        ("Nee.", ENGLISH, "en", "nl"),
        ("Nö.", ENGLISH, "en", "de"),
        ("Ok.", "", "nl", "nl"),  # a word of every language
        ("993.", "", "fr", "fr"),
        ("993.", GERMAN, "en", "de"),
    ],
)
def test_a_mail_of_one_word_has_the_language_of_its_word(
    new: str, quoted: str, team: str, lang: str, lexicon: Lexicon
) -> None:
    told = tell_language(
        new, quoted, lexicon.languages, lexicon.small_words, team, lexicon.likely(new),
        lambda: lexicon.speaks(lexicon.prepare(new)), "Re: Accounts",
    )  # fmt: skip
    assert told == lang


def test_the_subject_tells_where_a_word_is_of_two_languages(lexicon: Lexicon) -> None:
    for subject, lang in (("Re: Accès au dossier partagé", "fr"), ("Re: Access to the shared folder", "en")):
        told = tell_language(
            "Impossible.", "", lexicon.languages, lexicon.small_words, "de", lexicon.likely("Impossible."),
            lambda: lexicon.speaks(lexicon.prepare("Impossible.")), subject,
        )  # fmt: skip
        assert told == lang
