"""Which language a mail is in: it decides which lexicons read it, and in what language drafts are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat
from typing import Any

from gateway.mail.lazy import lazy
from gateway.reading.phrases import fold

MIN_LETTERS = 24
"""A shorter text tells its language to nobody."""
SAMPLE = 600
"""Code points whose small words are counted."""
SHARE = 0.6
"""A language with this share of the best one's small words is read as well."""
FEWEST = 3
"""Small words that must be there before any language is left out."""
ENOUGH = 1500
"""Code points that are looked at where small words do not tell."""

_BITS = SAMPLE.bit_length()
"""Of one language's count: no sample has more words than code points."""
_MOST = (1 << _BITS) - 1
_NOWHERE = 1 << 16
"""A bit behind all counts: of a language without small words."""

_WORDS = re.compile(r"[^\W\d_]++(?:'[^\W\d_]++)?+")
_ELISIONS = re.compile(r"[a-z]++(?:'[a-z]++)?+")
"""The same in ASCII and lower case."""
_ONLY_WORDS = {code: " " for code in range(128) if chr(code) not in "abcdefghijklmnopqrstuvwxyz'"}


_KNOWN = (
    "af am an ar as az ba be bg bn br bs ca cs cy da de dz el en eo es et eu fa fi fo fr fy ga gd gl gu ha he hi "
    "hr ht hu hy id ig is it ja jv ka kk km kn ko ku ky la lb lg ln lo lt lv mg mk ml mn mr ms mt my ne nl nn no "
    "oc om or pa pl ps pt qu ro ru rw sa se si sk sl sn so sq sr st sv sw ta te tg th tk tl tr tt ug uk ur uz vi "
    "vo wa xh yo zh zu"
)
KNOWN = frozenset(_KNOWN.split())
"""The languages of two letters that can be told apart: those of py3langid's model."""


@lru_cache(maxsize=8)
def _identifier(languages: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # loads a model: only where mail is read

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(languages))
    return identifier


@dataclass(frozen=True)
class SmallWords:
    """The small words of grammar of each language, as the lexicons list them: what a text tells its language by."""

    owners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Word -> the languages that have it."""

    @classmethod
    def of(cls, words: Mapping[str, Iterable[str]]) -> SmallWords:
        """Of language -> its words; no words for a language mean that every text may be in it."""
        owners: dict[str, tuple[str, ...]] = {}
        for lang, its in words.items():
            for word in its:
                known = owners.get(fold(word), ())
                owners[fold(word)] = known if lang in known else (*known, lang)
        return cls(owners)

    @lazy
    def counted(self) -> frozenset[str]:
        return frozenset(lang for langs in self.owners.values() for lang in langs)

    @lazy
    def _packed(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """(language -> the bit at which its count begins, word -> 1 in the count of each language that has it): to
        count the words of all languages is then one sum of whole numbers."""
        places = {lang: number * _BITS for number, lang in enumerate(sorted(self.counted))}
        return places, {word: sum(1 << places[lang] for lang in langs) for word, langs in self.owners.items()}

    def likely(self, text: str, languages: Sequence[str]) -> tuple[str, ...]:
        """The languages that a text can be in: one as a rule, some where they are close, all where it is too short.

        Words of one language are innocent ones of another ("want", "car", "pas"), so that only these are read.
        """
        known = tuple(sorted(languages))
        places, packed = self._packed
        sample = fold(text[:SAMPLE])
        words = _ascii_words(sample) if sample.isascii() else _WORDS.findall(sample)
        total = sum(map(packed.get, words, repeat(0)))
        counts = {lang: total >> places.get(lang, _NOWHERE) & _MOST for lang in known}
        best = max(counts.values(), default=0)
        if best < FEWEST:
            return known
        return tuple([lang for lang in known if lang not in self.counted or counts[lang] >= best * SHARE])


def _ascii_words(text: str) -> list[str]:
    """The words of ASCII in lower case, in any order: in a third of the time of a pattern."""
    words = text.translate(_ONLY_WORDS).split()
    if "'" not in text:
        return words
    joined = " ".join([word for word in words if "'" in word])
    return [word for word in words if "'" not in word] + _ELISIONS.findall(joined)


TRAVELS = "en"
"""The language whose short words people write in all others."""


def tell_language(
    new: str,
    quoted: str,
    languages: Sequence[str],
    small: SmallWords,
    fallback: str,
    likely: Sequence[str] = (),
    speaks: Callable[[], Sequence[str]] = tuple,
    subject: str = "",
) -> str:
    """The language of the new text; where that is too short, of new and quoted text together; else `fallback`.

    `likely` are the languages that the new text can be in, where that is known already. `speaks` gives the languages of
    which a phrase stands in a new text that is too short: "Nein." is German, whatever the team and the asker write, and
    whether "Non." is French or Italian the rest of the mail tells, its subject at last.
    """
    if len(likely) == 1 and len(languages) > 1:
        return likely[0]
    known = tuple(sorted(languages))
    if not known:
        return fallback
    new, both = new[:ENOUGH], f"{new[:ENOUGH]}\n{quoted[:ENOUGH]}"
    lang = _told(new, known, small)
    if lang:
        return lang
    lang, spoken = _told(both, known, small), tuple(sorted(speaks()))
    if not spoken or len(spoken) == len(known):
        return lang or fallback
    if len(spoken) == 1:
        return spoken[0]
    for one in (lang, fallback):
        if one in spoken:
            return one
    if lang and TRAVELS in spoken:
        return lang  # "No." and "OK." stand in mail of every language; "Nee." does not
    return _classify(new if lang else f"{subject}\n{both}", spoken)


def _told(text: str, known: tuple[str, ...], small: SmallWords) -> str:
    """The language that a text is in, "" where it is too short to tell."""
    likely = small.likely(text, known)
    if len(likely) == 1:
        return likely[0]
    return _classify(text, known) if sum(map(str.isalpha, text[:200])) >= MIN_LETTERS else ""


def _classify(text: str, known: tuple[str, ...]) -> str:
    return str(_identifier(known).classify(text.lower())[0])
