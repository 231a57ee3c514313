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
from gateway.reading.answers import SETTLED, SETTLING, WORDS_OF_A_SHOW
from gateway.reading.cues import FEEDS
from gateway.reading.lexicon import Scan

EXCUSES = (
    *("reason", "eta", "alternative", "escalation_offer", "question", "handoff", "redirect", "route", "helps"),
    "promise",
)
"""Acts that a kind word to whoever asked may be taken for."""
MERE = 0.93
"""The chance from which a sentence appeals to a rule, an order or a custom, and tells no reason: "It's our policy"
alone is no explanation (DESIGN.md §2)."""
NO_KIND_WORDS = ("refusal", "refusal_answer", "out_of_scope", "dismissive", "rude", "redirect", "no_route")
"""Cues of phrases that say more, whatever a probe makes of their sentence."""
ANSWERS = ("refusal", "out_of_scope", "dismissive")
"""Acts of sentences that are no mere kind words, whatever else is in them."""
POSSIBLE = 0.05
"""The chance of an excuse from which it matters."""
KIND, KIND_TO_OTHERS = 0.7, 0.9
"""The chances from which a sentence is a kind word: to whoever asked, unless an excuse is likelier still; to others,
whatever they may be asked."""
NOTHING_ELSE = 0.8
"""The chance from which it is nothing else where the second reader saw no kind word."""
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
    excused = {n for n, its in said.items() if _matters(its, EXCUSES)}
    idle = _idle(scan, said)
    unsure = sorted((worded - mere) | excused | idle)
    kind = {n: chance for n, chance in probes().read(scan.prepared, unsure, lang, "kind").items() if chance >= KIND}
    fallen = {n: _fallen(said[n], EXCUSES, chance, chance) for n, chance in kind.items() if n in excused}
    fallen |= {n: _fallen(said[n], ANSWERS, 1.0, _only(chance)) for n, chance in kind.items() if n in idle}
    fallen |= {n: {**fallen.get(n, said[n]), "reason": 0.0} for n in mere}
    worded &= {n for n, chance in kind.items() if chance >= max(KIND_BECAUSE, said[n]["reason"])}
    return replace(acts, of={**acts.of, **fallen}, hollow=frozenset(mere | worded))


def _only(kind: float) -> float:
    """The chance that a sentence is kind and nothing else: "I did get them, and they were GREAT!" is more."""
    return kind if kind >= NOTHING_ELSE else 0.0


def _idle(scan: Scan, said: Mapping[int, Mapping[str, float]]) -> set[int]:
    """Where nothing is said that settles anything, the sentences that only the second reader takes for more than kind,
    if anybody does: "your satisfaction is what drives us" is no refusal."""
    if scan.says_at_most(WORDS_OF_A_SHOW - 1):
        return set()  # too few for a show of kindness, and "soon, hopefully" is no kind word
    if any(its[act] >= SETTLED for its in said.values() for act in (*SETTLING, "dismissive")):
        return set()  # who is brushed off is wished good luck as well
    return {n for n, its in said.items() if its["pleasantry"] < CERTAIN and not scan.within(n, *NO_KIND_WORDS)}


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
