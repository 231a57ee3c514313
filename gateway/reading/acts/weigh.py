"""Phrases and second reader weighed against each other.

Where they agree there is no doubt. Alone, the second reader is believed when it is sure; a phrase is believed unless
the second reader, which saw the sentence in its place, is sure that it does something else.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import NamedTuple

from gateway.reading.lexicon import Hit, Scan

NEVER = 2.0
"""No chance is enough: the second reader confirms or doubts these, and finds none alone."""


class Level(NamedTuple):
    """Chances of an act by the second reader."""

    expected: float
    """Below this a phrase is not believed even in a sentence in which it is expected, as "because" in one that says
    no."""
    doubt: float
    """Below this it is not believed elsewhere."""
    sure: float
    """From this on no phrase is needed."""


LEVELS = {
    "refusal": Level(0.0, 0.2, 0.9),
    "reason": Level(0.05, 0.15, 0.8),
    "eta": Level(0.2, 0.2, 0.85),
    "alternative": Level(0.4, 0.4, 0.92),
    "handoff": Level(0.001, 0.001, 0.87),  # a phrase falls only in a kind word: `hollow` leaves no chance there
    "redirect": Level(0.0, 0.1, 0.92),
    "out_of_scope": Level(0.0, 0.0, 0.92),
    "escalation_offer": Level(0.2, 0.2, 0.85),
    "dismissive": Level(0.0, 0.0, 0.85),
    "question": Level(0.0, 0.7, NEVER),
}

BARRED: dict[str, tuple[str, ...]] = {
    "reason": ("process", "no_eta", "pardon", "policy_only", "pleasantry", "offer_more"),
    "eta": ("no_eta", "process", "pleasantry"),
    "alternative": ("no_eta", "process", "pleasantry", "offer_more", "no_route"),
    "escalation_offer": ("process", "pleasantry", "offer_more", "no_route"),
    "question": ("offer_more", "pleasantry"),
    "handoff": ("pleasantry", "offer_more", "ownership", "ask", "no_route"),
    "redirect": ("ownership",),
    "dismissive": ("apology", "pardon"),
    "route": ("no_route", "pleasantry"),
    "helps": ("pleasantry", "offer_more", "process", "no_route", "dismissive", "rude", "refusal", "refusal_answer"),
    "refusal": (
        "good_news",
        "assurance",
        "out_of_scope",
        "dismissive",
        "rude",
        "pleasantry",
        "others_no",
        "refusal_answer",
        "commitment",
    ),
}
"""Act -> cues of phrases that know better: in their sentence the second reader alone is not believed."""

OVERRULES = {"handoff": 0.93, "reason": 0.85}
"""Act -> the chance from which the second reader is believed beside these phrases too: it knows whom a mail goes to, so
that it can tell an order from a question ("Kindly check at your end and coordinate for closure"). What excuses needs
less ("I get a message that the page is not available")."""

FIRM = {
    **dict.fromkeys(("alternative", "escalation_offer", "route", "helps"), ("no_route",)),
    "handoff": ("redirect",),
}
"""Excuse -> cues that it never overrules: who is sent to "the department responsible" is helped no further, and who is
to "take this up with the courier" has to do it themselves."""

COMPANIONS = {
    "dismissive": ("refusal", "out_of_scope"),
    "refusal": ("out_of_scope", "dismissive"),
    "out_of_scope": ("refusal", "dismissive"),
}
"""Act -> acts with which it goes: what is likely both ("your own phone is your own lookout" says no, and shrugs; "that
goes beyond my mandate") wants less."""
IN_COMPANY, COMPANION = 0.7, 0.5
"""The chance from which the second reader alone is believed there, and the one that the other act must have."""

NOES = ("refusal", "out_of_scope")
"""Acts that say no."""

REGRETS = ("apology", "pardon")
REGRETTED = {"refusal": 0.7}
"""Act -> the chance from which the second reader alone is believed where the writer is sorry in the same breath:
"that's more than anyone here could tell you just now. Sorry." """
WORDS_OF_SORRY = 3
"""A sentence beside it that says it is sorry has at most this many words."""

CONTRARY = {"refusal": ("helps", "good_news"), "dismissive": ("question",)}
"""Act -> acts that are the contrary of it."""
LIKELY, CERTAIN = 0.35, 0.97
"""Where the contrary is likely, the second reader alone has to be certain."""

NOTHING = {"refusal": (0.4, 0.7)}
"""Act of a phrase -> the chance below which its sentence hardly does this, and the one from which it likely does
nothing that anybody asks about: "We don't want to bore you" refuses nothing. Both together take the phrase away."""

EXCUSES = {
    "reason": "reason",
    "eta": "eta",
    "alternative": "alternative",
    "escalation_offer": "escalation_offer",
    "question": "clarifying_question",
    "handoff": "handoff",
    "redirect": "redirect",
    "route": "target",
    "helps": "helps",
}
"""Act -> the fact that lets a mail pass already when it is possible."""
POSSIBLE, LIKELY_EXCUSE = 0.7, 0.8
"""The chance from which an excuse is possible, and from which it is one whatever phrases say ("have a coffee,
it's back by three"). A stop needs more than a doubt, an excuse does not."""


def weigh(scan: Scan, act: str, hits: Iterable[Hit], expected: Container[int] = ()) -> tuple[Hit, ...]:
    """The hits of phrases that stand, each as sure as both readers make it, and what only the second reader found.
    In `expected` sentences a phrase is hardly doubted."""
    if not scan.acts.of:
        unread = tuple(hits)  # nobody doubts a phrase
        return unread if len(unread) < 2 else tuple(sorted(unread, key=_place))
    kept = [_confirm(scan, act, hit) for hit in hits if stands(scan, act, hit.sentence, expected)]
    known = {hit.sentence for hit in kept}
    alone = (hit for hit in _alone(scan, act) if hit.sentence not in known and not _torn(scan, act, hit))
    return tuple(sorted([*kept, *alone], key=_place))


def _alone(scan: Scan, act: str) -> tuple[Hit, ...]:
    """What the second reader sees without a phrase and is sure enough of."""
    sure, companions, regretted = LEVELS[act].sure, COMPANIONS.get(act, ()), REGRETTED.get(act, NEVER)
    return tuple(
        hit
        for hit in seen(scan, act, min(sure, regretted, IN_COMPANY if companions else sure))
        if hit.sure >= sure
        or _in_company(scan, act, hit.sentence)
        or (hit.sure >= regretted and _is_sorry(scan, hit.sentence))
    )


def _in_company(scan: Scan, act: str, number: int) -> bool:
    """Whether an act goes with another that is likely in its sentence. One way to say no is enough: beside a sure one,
    another is not even likely."""
    if act in NOES and any(scan.within(number, o) or scan.acts.chance(number, o, 0.0) >= LEVELS[o].sure for o in NOES):
        return False
    return any(scan.acts.chance(number, other, 0.0) >= COMPANION for other in COMPANIONS.get(act, ()))


def _is_sorry(scan: Scan, number: int) -> bool:
    """Whether the writer is sorry in a sentence, or right beside it in one that says no more than that."""
    if scan.within(number, *REGRETS):
        return True
    beside = (n for n in (number - 1, number + 1) if scan.within(n, *REGRETS))
    return any(scan.prepared.words(n) <= WORDS_OF_SORRY for n in beside)


def _torn(scan: Scan, act: str, hit: Hit) -> bool:
    """Whether the second reader, which nothing confirms, holds the contrary possible as well: "we close at two"."""
    contrary = max((scan.acts.chance(hit.sentence, other, 0.0) for other in CONTRARY.get(act, ())), default=0.0)
    return contrary >= LIKELY and hit.sure < CERTAIN


def seen(scan: Scan, act: str, least: float) -> tuple[Hit, ...]:
    """What the second reader found in what is said, with at least this chance."""
    return _seen(scan, act, least, OVERRULES.get(act, NEVER), ())


def perhaps_seen(scan: Scan, act: str) -> tuple[Hit, ...]:
    """What the second reader found possible in what is said, of what excuses."""
    return _seen(scan, act, POSSIBLE, LIKELY_EXCUSE, FIRM.get(act, ()))


def _seen(scan: Scan, act: str, least: float, overrules: float, firm: tuple[str, ...]) -> tuple[Hit, ...]:
    """From the chance `overrules` on, only the `firm` cues bar an act."""
    found = []
    for number in scan.acts.sure(act, least):
        chance = scan.acts.of[number][act]
        barred = firm if chance >= overrules else BARRED.get(act, ())
        if scan.is_said(number) and not scan.within(number, *barred):
            start, end = scan.acts.spans[number, act]
            found.append(Hit(act, "", start, end, number, chance))
    return tuple(found)


def stands(scan: Scan, act: str, sentence: int, expected: Container[int]) -> bool:
    """Whether a phrase in a sentence is believed: the second reader does not take it for something else, or did not
    see it."""
    less, more = NOTHING.get(act, (0.0, NEVER))
    if scan.acts.chance(sentence, act, 1.0) < less and scan.acts.chance(sentence, "other", 0.0) >= more:
        return False
    level = LEVELS[act]
    return scan.acts.chance(sentence, act, 1.0) >= (level.expected if sentence in expected else level.doubt)


def _confirm(scan: Scan, act: str, hit: Hit) -> Hit:
    return hit._replace(sure=round((1 + scan.acts.chance(hit.sentence, act, 1.0)) / 2, 3))


def _place(hit: Hit) -> int:
    return hit.start
