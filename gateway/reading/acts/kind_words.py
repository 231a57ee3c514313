"""Kind words: what looks like a reason, a date, a way out or an order, and is a wish for the weekend, or praise.

"Give the dog a scratch behind the ears" orders something, "mind how you go on the A38 till Friday" has a day in it,
"one for the kitchen wall!" hands something on; who has read mostly answers takes them for help, or for a hand-off. Each
sentence that might excuse a no, or pass the matter on, is asked once more whether it is only kind.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.reading.acts.acts import Acts
from gateway.reading.acts.pieces import Addressee
from gateway.reading.acts.probes import probes
from gateway.reading.lexicon import Scan

EXCUSES = (
    *("reason", "eta", "alternative", "escalation_offer", "question", "handoff", "redirect", "route", "helps"),
    "promise",
)
"""Acts that a kind word to whoever asked may be taken for."""
ANSWERS = ("refusal", "out_of_scope", "dismissive")
"""Acts of sentences that are no mere kind words, whatever else is in them."""
POSSIBLE = 0.05
"""The chance of an excuse from which it matters."""
KIND, KIND_TO_OTHERS = 0.7, 0.9
"""The chances from which a sentence is a kind word: to whoever asked, unless an excuse is likelier still; to others,
whatever they may be asked."""


def without_kind_words(scan: Scan, acts: Acts, lang: str, to: Addressee | None) -> Acts:
    """The acts of a text in `lang` without what its kind words are taken for."""
    looked_for, least = (EXCUSES, KIND) if to == "requester" else (("handoff",), KIND_TO_OTHERS)
    unsure = [n for n, its in sorted(acts.of.items()) if scan.is_said(n) and _matters(its, looked_for)]
    kind = {n: chance for n, chance in probes().read(scan.prepared, unsure, lang, "kind").items() if chance >= least}
    if not kind:
        return acts
    below = kind if to == "requester" else dict.fromkeys(kind, 1.0)
    of = {n: _fallen(its, looked_for, below[n], kind[n]) if n in kind else its for n, its in acts.of.items()}
    return Acts(of, acts.spans)


def _matters(its: Mapping[str, float], looked_for: tuple[str, ...]) -> bool:
    most = max(its[act] for act in looked_for)
    return most >= POSSIBLE and most > max(its[act] for act in ANSWERS)


def _fallen(its: Mapping[str, float], acts: tuple[str, ...], below: float, kind: float) -> Mapping[str, float]:
    """What a kind word does: none of the `acts` that have a lower chance than `below`."""
    return {**its, **{act: 0.0 for act in acts if its[act] < below}, "pleasantry": max(its["pleasantry"], kind)}
