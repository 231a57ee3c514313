"""What each sentence of a mail does, as chances: the second reader, asked only where something could be stopped.

The phrases of the lexicon are quick and sure of what they know; nobody can list every way to say no. The second reader
has read forty thousand mails and takes a sentence in the light of the others. It is told whether a mail goes to
whoever asked: "Can you check the fuse?" hands a matter on, or asks back. It is not shown what was asked: a mail means
the same with its quotes and without, and shown to it, that helped on mail by those who wrote what it has learnt from,
and on nobody else's. It costs tens of milliseconds, so a mail that nothing could come of is never shown to it.

It is two models, asked together: one published for English, which is shown the English words of a text in another
language, and one published for a hundred languages. They err in other places, and their mean errs less than either.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log
from pathlib import Path

from gateway.reading.acts.acts import Acts
from gateway.reading.acts.model import Chances, Model, Span, load_model
from gateway.reading.acts.pieces import Addressee
from gateway.reading.sentences import Prepared

ENGLISH = Path(__file__).with_name("english.npz")
MULTILINGUAL = Path(__file__).with_name("multilingual.npz")
LEAST_SHOWN = 0.1
"""Chance from which it is told where in its sentence an act stands."""
SUREST = 0.999
"""No model counts as surer: one alone must not decide."""


@dataclass(frozen=True)
class ActReader:
    """Reads sentences. Immutable; the same text gives the same chances (rounded, so that no machine differs)."""

    models: tuple[Model, ...]

    def read(self, prepared: Prepared, wanted: Collection[int], lang: str, to: Addressee | None = None) -> Acts:
        """The acts of the `wanted` sentences of a text in the language `lang`, and of those that share a window with
        them. `to` tells whom it goes to, where that is known."""
        found = [model.read(prepared, wanted, lang, to) for model in self.models]
        of: dict[int, Mapping[str, float]] = {}
        spans: dict[tuple[int, str], Span] = {}
        for sentence in sorted(set().union(*found)):
            said = [chances[sentence] for chances in found if sentence in chances]
            of[sentence] = {act: _together([chances[act][0] for chances in said]) for act in said[0]}
            for act, chance in of[sentence].items():
                if chance >= LEAST_SHOWN:
                    spans[sentence, act] = _surest(said, act)
        return Acts(of, spans)


def _together(chances: Sequence[float]) -> float:
    """The mean of their log odds, as a chance."""
    odds = [log(chance / (1 - chance)) for chance in (min(max(each, 1 - SUREST), SUREST) for each in chances)]
    return round(1 / (1 + exp(-sum(odds) / len(odds))), 3)


def _surest(said: Sequence[Chances], act: str) -> Span:
    return max((chances[act] for chances in said), key=lambda its: its[0])[1]


@lru_cache(maxsize=1)
def act_reader() -> ActReader:
    """The shipped models; loading them takes a fraction of a second, once a process."""
    return ActReader((load_model(ENGLISH), load_model(MULTILINGUAL)))
