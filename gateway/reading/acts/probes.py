"""Probes: more questions put to the second reader about one sentence at a time, where a mail would be stopped.

Does whoever asked want no mail about the matter? Is this a kind word, or a rule without a reason, which excuse nothing?
People have a hundred ways to say each ("spare me the mails", "mind how you go on the A38", "them's the rules"), so that
phrases know few, and the second reader has learnt little of them. A probe (Alain and Bengio 2016) is a linear model of
what the encoders make of a sentence on two thirds of their way: the last third is trained to tell other things. A mail
that would be stopped costs a tenth of a second more. Weights by `python -m gateway.training.probes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

Question = Literal["wish", "told_wish", "kind", "mere"]
"""Does a sentence say that its writer wants no mail about the matter; that somebody else does not; is it only kind;
does it appeal to a rule without a reason?"""
QUESTIONS: tuple[Question, ...] = get_args(Question)
MOST_PIECES = 60
"""Pieces of a sentence that are looked at."""
MOST_SENTENCES = 20
"""Sentences of a text that are read: whoever writes more has said more."""


MOST_OF_THE_OTHER = 9.0
"""What the encoders after the first add to the odds at most, in natural logarithms: of 27,000 sentences, one in a
hundred of those that were seen needed more. Where even that would not do, only the first reads: the others are dear."""
LEAST = 0.7
"""The chance from which it is told."""


@dataclass(frozen=True)
class Probes:
    """`lines` maps a question to weights of shape (width,) and a bias, in natural logarithms of the odds."""

    models: tuple[Model, ...]
    lines: dict[Question, tuple[Floats, float]]

    def read(self, prepared: Prepared, wanted: Iterable[int], lang: str, question: Question) -> dict[int, float]:
        """The chance that the answer is yes for the first MOST_SENTENCES of the `wanted` sentences of a text in `lang`,
        from 0 to 1, rounded, so that no machine differs; none where it is less than LEAST."""
        weights, bias = self.lines[question]
        numbers = list(wanted)[:MOST_SENTENCES]
        first = vectors_of(self.models[:1], prepared, numbers, lang)
        odds = {number: float(vector @ weights[: len(vector)]) + bias for number, vector in first.items()}
        unsure = [number for number, its in odds.items() if its + MOST_OF_THE_OTHER >= log(LEAST / (1 - LEAST))]
        rest = vectors_of(self.models[1:], prepared, unsure, lang)
        whole = {number: odds[number] + float(vector @ weights[-len(vector) :]) for number, vector in rest.items()}
        chances = {number: round(1 / (1 + exp(-its)), 3) for number, its in whole.items()}
        return {number: chance for number, chance in chances.items() if chance >= LEAST}


def vectors_of(models: Iterable[Model], prepared: Prepared, wanted: Sequence[int], lang: str) -> dict[int, Floats]:
    """What the encoders make of each `wanted` sentence, side by side; nothing of one without words."""
    found = [model.vectors(prepared, wanted, lang, MOST_PIECES) for model in models]
    return {n: np.concatenate([its[n] for its in found]) for n in wanted if all(n in its for its in found)}


@lru_cache(maxsize=1)
def probes() -> Probes:
    """The shipped weights."""
    with np.load(PROBES, allow_pickle=False) as file:
        lines = {name: (file[name].astype(np.float32), float(file[f"{name}.bias"])) for name in QUESTIONS}
    return Probes(act_reader().models, lines)
