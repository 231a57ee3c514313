"""Hints: what may be there, too unsure to be a fact. A hint stops nothing and excuses: when unsure, mail passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gateway.reading.acts.acts import Acts
from gateway.reading.acts.weigh import EXCUSES, perhaps_seen
from gateway.reading.dates import Calendar
from gateway.reading.lexicon import Hit, Scan
from gateway.reading.mitigation import Place, Softened, has_room, may_tell_why, mitigating, route_in
from gateway.reading.refusal import Noes

LEAST = 0.05
"""Chance below which the second reader is so sure of nothing that a phrase beside the no is no excuse either: "we
looked at it on Tuesday" says when nothing will be done."""
LEAST_ASKED = 0.3
"""So is a question mark below this chance: "Did you have a nice weekend?" asks nothing about the matter."""
KIND, LEAST_OF_KIND = 0.97, 0.5
"""In a sentence that is certainly a kind word, an excuse by phrase wants more: "Break a leg on the 14th!" """
BY_PHRASE = {
    "eta": (LEAST, ("eta",)),
    "alternative": (LEAST, ("alternative",)),
    "helps": (LEAST, ("helps", "alternative", "route", "eta", "escalation_offer", "redirect", "handoff")),
    "escalation_offer": (LEAST, ("escalation_offer", "handoff", "promise")),
    "clarifying_question": (LEAST_ASKED, ("question",)),
}
"""Fact -> the acts of which one must be possible, with that chance, where a phrase alone speaks for it."""


def find_hints(scan: Scan, noes: Noes, calendar: Calendar, now: datetime) -> Softened:
    """What the second reader holds possible, and what phrases say though it doubts them. Empty where it read nothing,
    for then nobody doubts a phrase."""
    if not scan.acts.of:
        return {}
    found: Softened = {name: (True, perhaps_seen(scan, act)) for act, name in EXCUSES.items()}
    found["reason"] = (True, [hit for hit in perhaps_seen(scan, "reason") if has_room(scan, hit, noes)])
    found["redirect"] = (True, [hit for hit in perhaps_seen(scan, "redirect") if _has_route(scan, hit)])
    said = mitigating(replace(scan, acts=Acts(hollow=scan.acts.hollow)), noes, calendar, now)
    if said.get("reason", ("",))[0] == "adjacent":
        value, places = said.pop("reason")
        said["reason"] = (value, [place for place in places if may_tell_why(scan, _start(place), noes)])
    for name in BY_PHRASE.keys() & said.keys():
        value, places = said[name]
        said[name] = (value, [place for place in places if _may_be(scan, name, place)])
    return _somewhere(found) | _somewhere(said)


def _somewhere(hints: Softened) -> Softened:
    """Those that stand somewhere: what no phrase is left for hides nothing that the second reader found."""
    return {name: hint for name, hint in hints.items() if hint[1]}


def _may_be(scan: Scan, name: str, place: Place) -> bool:
    number = scan.prepared.index_at(_start(place))
    least, acts = BY_PHRASE[name]
    if scan.acts.chance(number, "pleasantry", 0.0) >= KIND:
        least = max(least, LEAST_OF_KIND)
    return any(scan.acts.chance(number, act, 1.0) >= least for act in acts)


def _has_route(scan: Scan, hit: Hit) -> bool:
    """Whether a number, a link or an address stands in the sentence: "somebody else does" sends on to nobody."""
    sentence = scan.prepared.sentences[hit.sentence]
    return route_in(scan, sentence.start, sentence.end) is not None


def _start(place: Place) -> int:
    return place.start if isinstance(place, Hit) else place[0]
