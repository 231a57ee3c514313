"""What the sentences of a mail do (speech acts), as chances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ACTS = (
    *("refusal", "reason", "eta", "alternative", "handoff", "redirect", "route", "out_of_scope", "escalation_offer"),
    *("dismissive", "question", "promise", "helps", "good_news", "others_no", "pleasantry", "mention", "other"),
)
"""What a sentence can do, in the order of the columns of the model; a sentence may do several things at once."""


@dataclass(frozen=True)
class Acts:
    """`of` maps the number of a sentence to the chance of each act in it, 0 to 1; sentences that were not read are
    absent. `spans` tells where in the sentence an act is strongest, as offsets in the text. `hollow` sentences explain
    nothing, whatever words stand in them."""

    of: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    spans: Mapping[tuple[int, str], tuple[int, int]] = field(default_factory=dict)
    hollow: frozenset[int] = frozenset()

    def chance(self, sentence: int, act: str, unread: float) -> float:
        """The chance of an act in a sentence; `unread` where the sentence was not read."""
        read = self.of.get(sentence)
        return unread if read is None else read[act]

    def sure(self, act: str, least: float) -> list[int]:
        """The sentences in which an act has at least this chance."""
        if not self.of:
            return []  # most mail is read once, and this is asked of each act
        return [number for number, chances in sorted(self.of.items()) if chances[act] >= least]


UNREAD = Acts()
"""Of a mail that nothing could come of."""
