"""Hollow words: what looks like a reason, a date, a way out or an order, and is only kind, or a rule without a reason.

"Give the dog a scratch behind the ears" orders something, "mind how you go on the A38 till Friday" has a day in it,
"one for the kitchen wall!" hands something on, "them's the rules" stands where a reason stands; who has read mostly
answers takes them for help, or for a hand-off. Each sentence that might excuse a no, or pass the matter on, is asked
once more whether it is only kind, and each that might be a reason whether it says more than that it is so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.reading.acts.acts import Acts
from gateway.reading.acts.pieces import Addressee
from gateway.reading.acts.probes import probes
from gateway.reading.cues import FEEDS
from gateway.reading.lexicon import Scan

EXCUSES = (
    *("reason", "eta", "alternative", "escalation_offer", "question", "handoff", "redirect", "route", "helps"),
    "promise",
)
"""Acts that a kind word to whoever asked may be taken for."""
MERE = 0.8
"""The chance from which a sentence appeals to a rule, an order or a custom, and tells no reason: "It's our policy"
alone is no explanation (DESIGN.md §2)."""
ANSWERS = ("refusal", "out_of_scope", "dismissive")
"""Acts of sentences that are no mere kind words, whatever else is in them."""
POSSIBLE = 0.05
"""The chance of an excuse from which it matters."""
KIND, KIND_TO_OTHERS = 0.7, 0.9
"""The chances from which a sentence is a kind word: to whoever asked, unless an excuse is likelier still; to others,
whatever they may be asked."""
KIND_BECAUSE = 0.95
"""The chance from which it is one though a word like because stands in it: "because of people like you we love our
work"."""
CLEAR, CERTAIN = 0.98, 0.97
"""The chance from which a hand-off is clear ("something for you, I think"), and from which it is kind even so."""


def without_hollow_words(scan: Scan, acts: Acts, lang: str, to: Addressee | None) -> Acts:
    """The acts of a text in `lang`, to whom `to` tells, without what its kind words and mere rules are taken for."""
    said = {n: its for n, its in sorted(acts.of.items()) if scan.is_said(n)}
    if to != "requester":
        kind = _kind_to_others(scan, said, lang)
        fallen = {n: _fallen(said[n], ("handoff",), 1.0, chance) for n, chance in kind.items()}
        return replace(acts, of={**acts.of, **fallen})
    worded = {n for n in said if scan.within(n, *FEEDS["reason"])}
    unsure = [n for n, its in said.items() if n in worded or its["reason"] >= POSSIBLE]
    mere = {n for n, chance in probes().read(scan.prepared, unsure, lang, "mere").items() if chance >= MERE}
    unsure = [n for n, its in said.items() if n in worded - mere or _matters(its, EXCUSES)]
    kind = {n: chance for n, chance in probes().read(scan.prepared, unsure, lang, "kind").items() if chance >= KIND}
    fallen = {n: _fallen(said[n], EXCUSES, chance, chance) for n, chance in kind.items() if _matters(said[n], EXCUSES)}
    fallen |= {n: {**fallen.get(n, said[n]), "reason": 0.0} for n in mere}
    worded &= {n for n, chance in kind.items() if chance >= max(KIND_BECAUSE, said[n]["reason"])}
    return replace(acts, of={**acts.of, **fallen}, hollow=frozenset(mere | worded))


def _kind_to_others(scan: Scan, said: Mapping[int, Mapping[str, float]], lang: str) -> dict[int, float]:
    unsure = [n for n, its in said.items() if _matters(its, ("handoff",))]
    read = probes().read(scan.prepared, unsure, lang, "kind").items()
    return {n: chance for n, chance in read if chance >= (CERTAIN if said[n]["handoff"] >= CLEAR else KIND_TO_OTHERS)}


def _matters(its: Mapping[str, float], looked_for: tuple[str, ...]) -> bool:
    most = max(its[act] for act in looked_for)
    return most >= POSSIBLE and most > max(its[act] for act in ANSWERS)


def _fallen(its: Mapping[str, float], acts: tuple[str, ...], below: float, kind: float) -> Mapping[str, float]:
    """What a kind word does: none of the `acts` that have a lower chance than `below`."""
    return {**its, **{act: 0.0 for act in acts if its[act] < below}, "pleasantry": max(its["pleasantry"], kind)}
