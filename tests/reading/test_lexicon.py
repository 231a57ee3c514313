"""Phrases, the files that hold them, sentences and dates."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest
import re2

from gateway.located import BadFiles
from gateway.reading.automaton import Captures, Pattern
from gateway.reading.cues import CUES
from gateway.reading.language import KNOWN
from gateway.reading.lexicon import Lexicon, load_lexicon
from gateway.reading.phrases import BadPhrase, compile_phrase, fold, octets_of
from gateway.reading.sentences import clauses
from gateway.resources import shipped
from tests.reading.conftest import NOW

WORDS = {"we": ["we", "i"], "wont": ["won't", "'ll not"]}


def matches(phrase: str, text: str) -> str | None:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    found = re2.compile(compile_phrase(phrase, WORDS).encode(), options).search(octets_of(fold(text)))
    return found.group(1).decode() if found else None


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("can't help", "Sorry, we CAN’T  help you", "can't  help"),
        ("can't help", "we can't helpfully", None),
        ("(will|shall) not", "we shall not", "shall not"),
        ("[please] take", "please take it", "please take"),
        ("{we} {wont}", "I'll not do it", "i'll not"),
        ("pass*", "passing it", "passing"),
        ("we ... sorry", "we are so very sorry", "we are so very sorry"),
        ("we ... sorry", "we are, so sorry", None),
        ("we _ go", "we will go", "we will go"),
        ("ext #", "at ext 4620 please", "ext 4620"),
        ("< no", "no way", "no"),
        ("< no", "oh no", None),
        ("no >", "oh no!", "no"),
        ("no , sorry", "no – sorry", "no ; sorry"),
        ("über", "das ist über", "über"),
        ("alternative", "l'alternative", "alternative"),
        ("ve", "i've seen", None),
    ],
)
def test_phrases(phrase: str, text: str, found: str | None) -> None:
    assert matches(phrase, text) == found


@pytest.mark.parametrize("phrase", ["", "(a|b", "a)", "[a]", "...", "{nobody}", "a < b", "*", "(a|)"])
def test_bad_phrases(phrase: str) -> None:
    with pytest.raises(BadPhrase) as bad:
        compile_phrase(phrase, WORDS)
    assert bad.value.write


def test_a_bad_file_says_everything_at_once(tmp_path: Path) -> None:
    (tmp_path / "en.yaml").write_text(
        "lang: en\ncues:\n  refusal:\n    - say: ['no way (x']\n      hits: [no]\n"
        "    - say: [we can't]\n      hits: [hello]\n      near_misses: [We can't.]\n  refusl: []\n"
    )
    with pytest.raises(BadFiles) as bad:
        load_lexicon(tmp_path)
    assert [(p.line, p.column) for p in bad.value.problems] == [(4, 13), (7, 14), (8, 21), (9, 3)]
    assert bad.value.problems[3].write == "refusal"


def test_a_language_that_nobody_can_tell_is_an_error_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "kl.yaml").write_text("lang: kl\ncues: {}\n")
    (tmp_path / "en.yaml").write_text("lang: en\ncues: {eta: [{say: [soon], hits: [soon]}]}\n")
    with pytest.raises(BadFiles) as bad:
        load_lexicon(tmp_path)
    told = [(problem.line, problem.column, problem.what, problem.write) for problem in bad.value.problems]
    assert told[0] == (2, 8, 'no cue is called "eta"', "eta_words")
    assert told[1][:3] == (1, 7, 'no mail can be told to be in "kl"') and ", de, " in told[1][3]


def test_the_languages_are_those_of_the_model() -> None:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE)
    assert {code for code in model.nb_classes if len(code) == 2} == KNOWN


def test_a_later_folder_adds(tmp_path: Path, lexicon: Lexicon) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder, say in ((first, "nope"), (second, "computer says no")):
        folder.mkdir()
        (folder / "en.yaml").write_text(f"lang: en\ncues:\n  refusal:\n    - say: [{say}]\n      hits: [{say}]\n")
    both = load_lexicon(first, second)
    assert both.scan_text("Nope.").has("refusal")
    assert both.scan_text("Computer says no.").has("refusal")
    assert set(lexicon.languages) == {"de", "en", "es", "fr", "it", "nl", "pt"}


def test_the_head_of_the_english_file_names_every_cue() -> None:
    head = (shipped() / "lexicon" / "en.yaml").read_text(encoding="utf-8").partition("\nlang:")[0]
    listed = dict(re.findall(r"^#   (\w+) +(.+)$", head.partition("# The cues:")[2], re.MULTILINE))
    assert listed == {name: cue.meaning for name, cue in CUES.items()}


def test_sentences(lexicon: Lexicon) -> None:
    text = 'Hi Rita, sadly not. The tray was\nempty, Dr. May said "no way at all".\n\nSee below:\n- one\n- two\n'
    text += "\nCheers\nDana"
    prepared = lexicon.prepare(text, ["rita", "dana"])
    said = [(text[s.start : s.end], s.kind) for s in prepared.sentences]
    assert said == [
        ("Hi Rita,", "greeting"),
        ("sadly not.", "body"),
        ('The tray was\nempty, Dr. May said "no way at all".', "body"),
        ("See below:", "body"),
        ("- one", "body"),
        ("- two", "body"),
        ("Cheers", "closing"),
        ("Dana", "closing"),
    ]
    assert len(prepared.folded) == len(text)
    assert "way" not in prepared.folded
    last = lexicon.prepare("That is done elsewhere. Best get it changed over there.").sentences[-1]
    assert last.kind == "body", "what begins like a closing and goes on is none"
    assert [text[a:b].strip(", ") for a, b in clauses(prepared, 2)] == [
        "The tray was\nempty",
        'Dr. May said "no way at all".',
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on 2026-04-01", "2026-04-01"),
        ("by 30 June", "2026-06-30"),
        ("by June 30th", "2026-06-30"),
        ("am 3. Oktober", "2026-10-03"),
        ("bis 12.3.", "2026-03-12"),
        ("le 3 avril", "2026-04-03"),
        ("el 3 de abril", "2026-04-03"),
        ("next Friday", "2026-03-06"),
        ("vrijdag", "2026-03-06"),
        ("tomorrow", "2026-03-03"),
        ("übermorgen", "2026-03-04"),
        ("in two weeks", "2026-03-16"),
        ("innerhalb von drei Tagen", "2026-03-05"),
        ("by the end of the week", "2026-03-07"),
        ("by noon", "2026-03-02"),
        ("by the 15th", "2026-03-15"),
        ("on the 1st", "2026-04-01"),
        ("in a fortnight", "2026-03-16"),
        ("within 3 hours", "in words"),
        ("by 29/4", "2026-04-29"),
        ("by 5/6", "in words"),
        ("am 5/6", "2026-06-05"),
        ("le 5/6", "2026-06-05"),
        ("on Fri 5/6", "2026-06-05"),
        ("on Wed 5/6", "2026-05-06"),
        ("on 5/6/2026", "in words"),
        ("by 5.6.2026", "2026-06-05"),
        ("in KW 15", "2026-04-10"),
        ("in week 15", "2026-04-10"),
        ("semaine 53", "2027-01-01"),
        ("la semana 15", "2026-04-10"),
        ("settimana 15", "2026-04-10"),
        ("by the end of April", "2026-04-30"),
        ("mid-April", "2026-04-15"),
        ("Ende April", "2026-04-30"),
        ("fin avril", "2026-04-30"),
        ("a finales de abril", "2026-04-30"),
        ("fim de abril", "2026-04-30"),
        ("fine aprile", "2026-04-30"),
        ("eind april", "2026-04-30"),
        ("Anfang Februar 2027", "2027-02-10"),
        ("on Mon", "2026-03-09"),
        ("am Di", "2026-03-03"),
        ("ETA: Mon", "2026-03-09"),
        ("Termin: Mo", "2026-03-09"),
        ("d'ici lun", "2026-03-09"),
        ("op vr", "2026-03-06"),
    ],
)
def test_dates(text: str, value: str, lexicon: Lexicon) -> None:
    (when,) = lexicon.calendar.find(lexicon.prepare(f"It comes {text}."), NOW)
    assert (when.value, when.past) == (value, False)


@pytest.mark.parametrize(
    "text",
    ["you may go", "24/7", "room 12/14", "version 3.1", "on Saturdays", "the second one", "step 3", "week 60",
    "open 24/7", "el mar de la vida", "nach so langer Zeit", "on sat in the chair", "mon ami", "so"],
)  # fmt: skip
def test_what_is_no_date(text: str, lexicon: Lexicon) -> None:
    assert lexicon.calendar.find(lexicon.prepare(text), NOW) == ()


@pytest.mark.parametrize(
    "text", ["on 14 February", "yesterday", "two days ago", "vor drei Tagen", "last Friday", "hier"]
)
def test_the_past(text: str, lexicon: Lexicon) -> None:
    assert [when.past for when in lexicon.calendar.find(lexicon.prepare(f"It came {text}."), NOW)] == [True]


def test_hostile_text_takes_no_longer_than_its_length(lexicon: Lexicon) -> None:
    for piece in ("no " * 20_000, "we can't " * 7_000, "(((" * 20_000, '"a b" ' * 10_000, "1. " * 20_000, "x" * 60_000):
        scan = lexicon.scan_text(piece)
        assert len(scan.prepared.folded) <= 60_000
        lexicon.calendar.find(scan.prepared, datetime(2026, 3, 2, tzinfo=NOW.tzinfo))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Don`t\tGO", "don't go"),
        ("Je n\u2019ai pas\u00a0d\u2019Accès", "je n'ai pas d'accès"),
        ("E\u2011Mail\u2010Größe ´s", "e-mail-größe 's"),
        ("\u212aelvin", "kelvin"),
        ("\u0130stanbul", "\u0130stanbul"),
    ],
)
def test_folding_keeps_the_length(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert len(fold(text)) == len(text)


def test_what_only_finds_has_no_captures() -> None:
    """RE2 captures named groups whatever its options say, and a search with captures takes ten times as long."""
    source = rb" (?P<day>monday|tuesday)( (?P<time>[0-9]+))?[.]"
    pattern = Pattern(source)
    assert pattern.find(b"on tuesday 10.") == (2, 14)
    assert pattern._match.__self__.NumberOfCapturingGroups() == 0
    assert Captures(source).of(b" tuesday 10.") == ((1, 8), {"day": "tuesday", "time": "10"})
