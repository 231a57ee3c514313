"""Probes: more questions put to the second reader about one sentence at a time, where a mail would be stopped.

Does whoever asked want no mail about the matter? Is this a kind word, which excuses nothing? People have a hundred ways
to say both ("spare me the mails", "mind how you go on the A38"), so that phrases know few, and the second reader has
learnt little of them. A probe (Alain and Bengio 2016) is a linear model of what the encoders make of a sentence on two
thirds of their way: the last third is trained to tell other things. A mail that would be stopped costs a tenth of a
second more. Weights by `python -m gateway.training.probes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from gateway.reading.acts.encoder import Floats
from gateway.reading.acts.model import Model
from gateway.reading.acts.reader import act_reader
from gateway.reading.sentences import Prepared

PROBES = Path(__file__).with_name("probes.npz")

Question = Literal["wish", "told_wish", "kind"]
"""Does a sentence say that its writer wants no mail about the matter; that somebody else does not; is it only kind?"""
QUESTIONS: tuple[Question, ...] = get_args(Question)
MOST_PIECES = 60
"""Pieces of a sentence that are looked at."""
MOST_SENTENCES = 20
"""Sentences of a text that are read: whoever writes more has said more."""


MOST_OF_THE_OTHER = 9.0
"""What the encoders after the first add to the odds at most, in natural logarithms: of 27,000 sentences, one in a
hundred of those that were seen needed more. Where even that would not do, only the first reads: the others are dear."""
LEAST = 0.7
"""Chances below this are told as none."""


@dataclass(frozen=True)
class Probes:
    """`lines` maps a question to weights of shape (width,) and a bias, in natural logarithms of the odds."""

    models: tuple[Model, ...]
    lines: dict[Question, tuple[Floats, float]]

    def read(self, prepared: Prepared, wanted: Iterable[int], lang: str, question: Question) -> dict[int, float]:
        """The chance that the answer is yes for the first MOST_SENTENCES of the `wanted` sentences of a text in `lang`,
        from 0 to 1, rounded, so that no machine differs; 0 for whatever is less than LEAST."""
        weights, bias = self.lines[question]
        chances: dict[int, float] = {}
        for number in list(wanted)[:MOST_SENTENCES]:
            first = vector_of(self.models[:1], prepared, number, lang)
            if first is None:
                continue
            chances[number] = 0.0
            odds = float(first @ weights[: len(first)]) + bias
            if odds + MOST_OF_THE_OTHER < log(LEAST / (1 - LEAST)):
                continue
            rest = vector_of(self.models[1:], prepared, number, lang)
            if rest is not None:
                odds += float(rest @ weights[len(first) :])
                chances[number] = round(1 / (1 + exp(-odds)), 3)
        return {number: chance if chance >= LEAST else 0.0 for number, chance in chances.items()}


def vector_of(models: Iterable[Model], prepared: Prepared, number: int, lang: str) -> Floats | None:
    """What the encoders make of one sentence, side by side; None where it has no words."""
    vectors = [model.vector(prepared, number, lang, MOST_PIECES) for model in models]
    known = [vector for vector in vectors if vector is not None]
    return np.concatenate(known) if known and len(known) == len(vectors) else None


@lru_cache(maxsize=1)
def probes() -> Probes:
    """The shipped weights."""
    with np.load(PROBES, allow_pickle=False) as file:
        lines = {name: (file[name].astype(np.float32), float(file[f"{name}.bias"])) for name in QUESTIONS}
    return Probes(act_reader().models, lines)
