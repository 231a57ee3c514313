"""The first glance: which sentences are worth a second reading. Some twenty additions a sentence, no more.

A linear model over single words and pairs of words, and over those of the English that the glossary of the language
has for them. It must miss little and may suspect much: whatever it suspects, the second reader decides.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from gateway.reading.acts.glossary import Glossary, glossary
from gateway.reading.sentences import Prepared

GLANCE = Path(__file__).with_name("glance.json.gz")

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\?")
FEW = 6
"""A sentence of at most this many words is one of a curt answer; being short counts for something."""


@dataclass(frozen=True)
class Line:
    """Weights of one question put to a sentence: word or pair of words -> weight, in natural logarithms of the odds."""

    weights: Mapping[str, float]
    bias: float
    least: float

    def score(self, features: list[str]) -> float:
        return self.bias + sum(filter(None, map(self.weights.get, features)))


@dataclass(frozen=True)
class Glance:
    """`answer`: does it refuse, send away, brush off? `passing`: does it pass the matter on? `kind`: a kind word?"""

    answer: Line
    passing: Line
    kind: Line

    def kind_at(self, prepared: Prepared, number: int, lang: str) -> bool:
        """Whether a sentence could be a kind word and no more."""
        sentence = prepared.sentences[number]
        features = features_of(prepared.folded[sentence.start : sentence.end], glossary(lang))
        return self.kind.score(features) >= self.kind.least

    def suspects(self, prepared: Prepared, number: int, lang: str, to_requester: bool, absent: bool) -> bool:
        """Whether a sentence could bear what a policy stops, in a mail that the requester gets or does not get."""
        sentence = prepared.sentences[number]
        features = features_of(prepared.folded[sentence.start : sentence.end], glossary(lang))
        return (to_requester and self.answer.score(features) >= self.answer.least) or (
            absent and self.passing.score(features) >= self.passing.least
        )


def features_of(folded: str, english: Glossary | None = None) -> list[str]:
    """The words of a sentence in lower case, each once, and the pairs of neighbours; then those of the English for
    them, so that what was learnt of one language holds in the others."""
    words = _WORD.findall(folded)
    found = [*words, *map(" ".join, pairwise(words)), f"#{min(len(words), FEW + 1)}"]
    if english is not None:
        same = " ".join(word if (known := english.english(word)) is None else known for word in words).split()
        found += [*same, *map(" ".join, pairwise(same))]
    return list(dict.fromkeys(found))


@lru_cache(maxsize=1)
def glance() -> Glance:
    """The shipped weights."""
    with gzip.open(GLANCE, "rt", encoding="utf-8") as file:
        stored = json.load(file)
    return Glance(*(Line(stored[name]["weights"], stored[name]["bias"], stored[name]["least"]) for name in NAMES))


NAMES = ("answer", "passing", "kind")
