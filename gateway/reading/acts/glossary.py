"""Glossaries: what the words of a language mean in English, for the model whose encoder knows words of that alone.

Of other languages it has letters and bits of words. So mail in another language is shown to it word by word in English,
in the order of the language it was written in. That is no translation, and enough to tell what a sentence does: the
encoder has learnt from mail that was shown to it in the same way. The first glance sees the same words. One file a
language, `word<TAB>English`, the most useful words first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

GLOSSARIES = Path(__file__).with_name("glossaries")

SHORTEST_STEM = 5
"""Letters of a word that must be the same for an unknown one to be taken for another form of it."""
LONGEST_ENDING = 3
"""Letters that may be otherwise at the end of either."""


@dataclass(frozen=True)
class Glossary:
    """`words` maps a word in lower case to English ones in lower case, or to "" where it says nothing of its own;
    `stems` long words and their beginnings to the same."""

    words: Mapping[str, str]
    stems: Mapping[str, str]

    @classmethod
    def of(cls, words: Mapping[str, str]) -> Glossary:
        """With stems from the words; of several words with one beginning, the first."""
        stems: dict[str, str] = {}
        for ending in range(LONGEST_ENDING + 1):
            for word, english in words.items():
                if english and len(word) - ending >= SHORTEST_STEM:
                    stems.setdefault(word[: len(word) - ending], english)
        return cls(words, stems)

    def english(self, word: str) -> str | None:
        """What a word in lower case means; None where nobody knows."""
        if word in self.words:
            return self.words[word]
        begins = (word[: len(word) - ending] for ending in range(min(LONGEST_ENDING, len(word) - SHORTEST_STEM) + 1))
        return next((self.stems[stem] for stem in begins if stem in self.stems), None)


@lru_cache(maxsize=16)
def glossary(lang: str) -> Glossary | None:
    """The glossary of a language, None for English and for a language that has none."""
    path = GLOSSARIES / f"{lang}.tsv"
    if not lang.isalnum() or not path.is_file():
        return None
    entries = (line.partition("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return Glossary.of({word: english for word, _, english in entries})
