"""What makes a no bearable: why, when, what else, who could decide. Read generously; a refusal is read strictly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.reading.acts.weigh import LEVELS, seen, stands, weigh
from gateway.reading.answers import clarifying
from gateway.reading.dates import Calendar, When
from gateway.reading.facts import Facts, Value
from gateway.reading.lexicon import Hit, Scan
from gateway.reading.refusal import Noes, clause_of, words_beside
from gateway.reading.sentences import clauses

NOT_BEFORE = re.compile(r"(?:not )?(?:before|until|till|vor|bis|erst|avant|antes|prima|voor|tot|nicht vor)\b")
_NUMBER = r"(?<![@#\w])\+?\d[\d ()/.-]{6,30}\d"
_ROUTE = re.compile(rf"https?://\S+|www\.\S+|(?<![\w.+-])[\w.+-]{{1,64}}+@[\w-]{{1,63}}+\.[\w.-]{{1,190}}|{_NUMBER}")
_ONLY_NUMBER = re.compile(_NUMBER)
"""All that is left of routes where there is neither "@" nor "//" nor "www."."""
BEHIND_WHAT_CAME = 8
"""Code points between the name of something that came and the day it is named by: "your request of the 12th"."""
FAR = 3
"""Sentences from a refusal within which another way belongs to it."""
_DATE = re.compile(r"\d{1,2}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{2,4}|\d{4}[/-]\d{1,2}[/-]\d{1,2}|\d[\d.]*[.,]\d{2}\b")
_WORD = re.compile(r"[^\W_]{2,}")
DIGITS = 6
"""A telephone number has at least so many."""
WORDS_OF_A_TURN = 4
"""So many words behind a "but" say what there is instead."""
WORDS_OF_A_REASON = 4
"""A clause behind a refusal tells why from this many words on."""
WORDS_OF_A_SENTENCE = 5
"""So does a sentence beside it from this many."""
WORDS_BESIDE = 3
"""A sentence that says no has room for a reason from so many more words on: "I don't see a fit" is none."""
ETA_PROMISED, ETA_ALONE = 0.2, 0.5
"""Chance from which a time beside a promise is one at which something will be done, and a time beside none."""
PROMISED = 0.5
"""Chance from which a sentence promises something, or offers to ask on, without a phrase that says so."""
HINT_BESIDE = 0.3
"""Chance below which such a statement is not even a hint of a reason."""
KIND_WORD = 0.9
"""Chance from which a statement is a kind word, and a hint of a reason only if it is more than a hint."""
HELP_BESIDE = 0.5
"""Chance from which such a statement may help instead."""
REASON_BESIDE = 0.4
"""Chance from which the second reader confirms that a statement beside a no tells why."""
NO_REASON = (
    *("refusal", "refusal_answer", "pleasantry", "process", "no_eta", "policy_only", "offer_more"),
    *("dismissive", "redirect", "out_of_scope"),
    *("alternative", "escalation_offer", "promise", "announce", "transfer", "directive", "directions"),
)
"""Cues of sentences that do not tell why."""


ENOUGH, SO_MANY = ("reason", "eta", "alternative", "escalation_offer", "handoff", "clarifying_question"), 3
"""Facts that soften a no, and how many of them no doubt can take away."""

NO_TURN = (
    *("refusal", "refusal_answer", "pleasantry", "apology", "pardon", "process", "policy_only", "offer_more"),
    *("noncommittal", "dismissive", "rude", "out_of_scope", "no_eta"),
)
"""Cues of what helps nobody, behind a "but"."""


Place = Hit | tuple[int, int]
"""Where a fact stands in the new text: a hit, or a start and an end."""
Softened = dict[str, tuple[Value, Sequence[Place]]]
"""Facts that soften a no: name -> its value and where it stands."""


@dataclass(frozen=True, slots=True)
class Reasons:
    """`stated` have a word like because; `adjacent` are statements right beside a refusal, as (start, end), which
    nobody looks for where a reason is stated."""

    stated: tuple[Hit, ...]
    adjacent: tuple[tuple[int, int], ...]


def route_in(scan: Scan, start: int, end: int) -> tuple[int, int] | None:
    """The first route between two offsets: a link, an address, a telephone number (dates and sums are none)."""
    return next(_routes(scan, start, end), None)


def _routes(scan: Scan, start: int, end: int) -> Iterator[tuple[int, int]]:
    text = scan.prepared.text
    first = scan.prepared.point(start, end)
    if first < 0:
        return  # the cheap question first: nearly no sentence has a route
    if text.find("@", start, end) < 0 and text.find("//", start, end) < 0 and text.find("www.", start, end) < 0:
        routes = _ONLY_NUMBER.finditer(text, max(start, first - 1), end)
    else:
        routes = _ROUTE.finditer(text, start, end)
    for found in routes:
        route = found.group()
        if route[0] in "+0123456789(" and (sum(map(str.isdigit, route)) < DIGITS or _DATE.match(route)):
            continue
        yield found.span()


def find_reasons(scan: Scan, noes: Noes) -> Reasons:
    """Why. "It's our policy" alone is none."""
    beside = (
        hit
        for hit in scan.of("reason_beside")
        if hit.sentence in noes.sentences and words_beside(scan, hit.sentence, noes.refusals) >= WORDS_BESIDE
    )
    stated = tuple(
        hit
        for hit in (*scan.of("reason"), *beside)
        if scan.is_said(hit.sentence)
        and hit.sentence not in scan.acts.hollow
        and (not noes.sentences or min(abs(hit.sentence - n) for n in noes.sentences) <= FAR)
        and not _overlaps(hit, scan.within(hit.sentence, "process", "policy_only"))
    )
    told = weigh(scan, "reason", stated, noes.sentences)
    if told or not noes.refusals:
        return Reasons(told, ())
    return Reasons((), tuple(place for place in _adjacent(scan, noes) if _tells_why(scan, place[0])))


def _adjacent(scan: Scan, noes: Noes) -> list[tuple[int, int]]:
    found = []
    for number in sorted({n + step for n in noes.sentences for step in (-1, 0, 1)}):
        if not 0 <= number < len(scan.prepared.sentences) or not scan.is_said(number) or number in scan.acts.hollow:
            continue
        sentence = scan.prepared.sentences[number]
        if sentence.question:
            continue
        if number not in noes.sentences and scan.within(number, *NO_REASON):
            continue
        said = [hit.start for hit in noes.refusals if hit.sentence == number]
        for start, end in clauses(scan.prepared, number):
            if said and end <= min(said):
                continue  # what leads up to the no: "as to your request, …"
            others = scan.within(number, *NO_REASON, "pardon")
            if any(hit.start < end and start < max(hit.end, hit.start + 1) for hit in others):
                continue
            if number in noes.sentences and any(start <= hit.start < end for hit in scan.within(number, "contrast")):
                continue  # "but …" behind a no says what there is instead
            if route_in(scan, start, end):
                continue
            words = _WORD.findall(scan.prepared.text, start, end)
            least = WORDS_OF_A_REASON if said else WORDS_OF_A_SENTENCE
            if sum(not word[0].isupper() for word in words) >= WORDS_OF_A_REASON - 1 and len(words) >= least:
                found.append((start, end))  # more than names and a company's line
    return found


def find_etas(scan: Scan, noes: Noes, calendar: Calendar, now: datetime) -> tuple[list[When], list[Hit]]:
    """Points in time at which something will be done, and such points in words."""
    whens = [w for w in calendar.find(scan.prepared, now) if scan.is_said(scan.prepared.index_at(w.start))]
    lost = {scan.prepared.index_at(w.start) for w in whens if w.past}
    refused = [clause_of(scan, hit) for hit in noes.refusals]
    etas = []
    for when in whens:
        number = scan.prepared.index_at(when.start)
        if not (scan.within(number, "commitment") or stands(scan, "eta", number, noes.sentences)):
            continue
        if when.past or number in lost or scan.within(number, "no_eta") or scan.prepared.sentences[number].question:
            continue
        if when.vague and scan.within(number, "past"):
            continue
        if any(0 <= when.start - hit.end <= BEHIND_WHAT_CAME for hit in scan.within(number, "dated")):
            continue
        if when.value == "in words" and when.vague and not _near(number, noes) and not scan.within(number, "promise"):
            continue  # how long something has lasted: "ten years"
        inside = any(start <= when.start < end for start, end in refused)
        if inside and not NOT_BEFORE.match(scan.prepared.folded, when.start):
            continue  # the day that was refused, not the day that is offered
        etas.append(when)
    words = [
        hit
        for hit in scan.of("eta_words")
        if scan.is_said(hit.sentence) and not scan.within(hit.sentence, "no_eta") and hit.sentence not in lost
    ]
    dated = {scan.prepared.index_at(when.start) for when in etas}
    return etas, [
        hit for hit in weigh(scan, "eta", words, noes.sentences) if hit.cue == "eta_words" or hit.sentence not in dated
    ]


def find_promises(scan: Scan, whens: Sequence[When], noes: Noes) -> list[When]:
    """The days and hours among these by which the writer's side says that it will do something. "It takes ten
    minutes" and "if it is the same tomorrow" promise nothing; what stands behind a no and a "but" may."""
    turns = list(_turns(scan, noes))
    return [
        when
        for when in whens
        if scan.within(number := scan.prepared.index_at(when.start), "promise", "commitment")
        and not scan.within(number, "conditional")
        and (number not in noes.sentences or any(start <= when.start < end for start, end in turns))
        and not (when.value == "in words" and when.vague)
    ]


def is_promised(scan: Scan, number: int) -> bool:
    """Whether a sentence with a time in it says when something will be done: both readers see it, or the one that
    was asked. "Wir liefern am Freitag" needs no second reader."""
    if scan.within(number, "commitment"):
        return True
    chances = scan.acts.of.get(number)
    if chances is None:
        return bool(scan.within(number, "promise"))
    promised = scan.within(number, "promise") or max(chances["promise"], chances["escalation_offer"]) >= PROMISED
    return chances["eta"] >= (ETA_PROMISED if promised else ETA_ALONE)


def find_help(scan: Scan, ways: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Whatever helps: other ways, and routes to take, such as a link, an address, a number to call. To be sent to
    somebody else, to nobody who could be found, helps nobody."""
    found = [way for way in ways if not scan.within(scan.prepared.index_at(way[0]), "no_route")]
    found += [(hit.start, hit.end) for hit in scan.said("directions")]
    for sentence in scan.prepared.sentences:
        if sentence.kind == "body":
            found += _routes(scan, sentence.start, sentence.end)
    return sorted(set(found))


def find_alternatives(scan: Scan, noes: Noes) -> list[tuple[int, int]]:
    """Other ways than what is refused, near the refusal: a long mail says many other things."""
    refused = [clause_of(scan, hit) for hit in noes.refusals]
    near = {number + step for number in noes.sentences for step in range(-FAR, FAR + 1)}
    found = []
    for hit in scan.of("alternative", "redirect", "directions"):
        if not scan.is_said(hit.sentence) or any(start <= hit.start < end for start, end in refused):
            continue
        if noes.sentences and hit.sentence not in near:
            continue
        found.append((hit.start, hit.end))
    found += _turns(scan, noes)
    ways = {hit.sentence + step for hit in scan.of("alternative", "redirect") for step in (0, 1)}
    for number in noes.sentences | ways:
        if number < len(scan.prepared.sentences) and number in near and scan.is_said(number):
            sentence = scan.prepared.sentences[number]
            if found and (route := route_in(scan, sentence.start, sentence.end)):
                found.append(route)
    found = [place for place in found if stands(scan, "alternative", scan.prepared.index_at(place[0]), noes.sentences)]
    known = {scan.prepared.index_at(start) for start, _ in found}
    for hit in seen(scan, "alternative", LEVELS["alternative"].sure):
        if hit.sentence not in known and (not noes.sentences or hit.sentence in near):
            found.append((hit.start, hit.end))
    return sorted(set(found))


def _turns(scan: Scan, noes: Noes) -> Iterator[tuple[int, int]]:
    """What stands behind a "but" that follows a no in its sentence, unless it says no again, or only a kind word."""
    for number in noes.sentences:
        sentence = scan.prepared.sentences[number]
        said = max(hit.end for hit in noes.refusals if hit.sentence == number)
        turn = next((hit for hit in scan.within(number, "contrast") if hit.start >= said), None)
        if turn is None or sentence.question:
            continue
        if any(hit.start >= turn.start for hit in scan.within(number, *NO_TURN)):
            continue
        words = re.findall(r"[^\W_]+", scan.prepared.text[turn.end : sentence.end])
        if len(words) >= WORDS_OF_A_TURN:
            yield turn.end, sentence.end


def find_offers(scan: Scan, noes: Noes) -> list[Hit]:
    """Offers to ask, raise or pass on."""
    offers = weigh(scan, "escalation_offer", scan.said("escalation_offer"))
    return [hit for hit in offers if not _overlaps(hit, noes.refusals)]


def _tells_why(scan: Scan, offset: int) -> bool:
    """A statement beside a no has no word like because: that it tells why wants a better chance."""
    return scan.acts.chance(scan.prepared.index_at(offset), "reason", 1.0) >= REASON_BESIDE


def may_tell_why(scan: Scan, offset: int, noes: Noes) -> bool:
    """Whether a statement beside a no could be its reason, or help: a hint is no more than that. A kind word is none,
    nor what the second reader took for the no itself."""
    number = scan.prepared.index_at(offset)
    kind = scan.acts.chance(number, "pleasantry", 0.0) >= KIND_WORD
    itself = any(hit.sentence == number and not hit.lang for hit in noes.refusals)
    why = scan.acts.chance(number, "reason", 1.0)
    if kind or itself:
        return why >= REASON_BESIDE
    return why >= HINT_BESIDE or scan.acts.chance(number, "helps", 1.0) >= HELP_BESIDE


def has_room(scan: Scan, hit: Hit, noes: Noes) -> bool:
    """Whether the sentence of a hit says more than no."""
    return hit.sentence not in noes.sentences or words_beside(scan, hit.sentence, noes.refusals) >= WORDS_BESIDE


def _near(number: int, noes: Noes) -> bool:
    return bool(noes.sentences & {number - 1, number, number + 1})


def _overlaps(hit: Hit, others: Sequence[Hit]) -> bool:
    return any(hit.start < other.end and other.start < hit.end for other in others)


def mitigating(scan: Scan, noes: Noes, calendar: Calendar, now: datetime) -> Softened:
    """What softens a no, by name. A reason, and another way, count only where something is refused: "because" and
    "you can" stand in every second mail. A date counts too where it is promised. What helps at all is `helps`."""
    found: Softened = {}
    reasons = find_reasons(scan, noes)
    whens, words = find_etas(scan, noes, calendar, now)
    ways, offers = find_alternatives(scan, noes), find_offers(scan, noes)
    if not noes.refusals:
        whens = [when for when in whens if is_promised(scan, scan.prepared.index_at(when.start))]
        words = [hit for hit in words if is_promised(scan, hit.sentence)]
    elif reasons.stated:
        by_phrase = any(hit.lang for hit in reasons.stated)
        found["reason"] = ("stated" if by_phrase else "adjacent", reasons.stated)
    elif reasons.adjacent:
        found["reason"] = ("adjacent", reasons.adjacent)
    if noes.refusals and ways:
        found["alternative"] = (True, ways)
    if whens:
        value = next((w.value for w in whens if not w.vague), whens[0].value)
        found["eta"] = (value, [(w.start, w.end) for w in whens])
    elif words:
        found["eta"] = ("in words", words)
    if firm := find_promises(scan, whens, noes):
        value = next((w.value for w in firm if not w.vague), firm[0].value)
        found["promise"] = (value, [(w.start, w.end) for w in firm])
    help = find_help(scan, ways)
    if help or offers or whens or words:
        found["helps"] = (True, [*help, *offers, *words])
    if offers:
        found["escalation_offer"] = (True, offers)
    if asks := weigh(scan, "question", clarifying(scan, noes.sentences)):
        found["clarifying_question"] = (True, asks)
    return found


def gives_enough(facts: Facts) -> bool:
    """Whether an answer gives so many things beside a no that nobody need read it twice: whatever the second reader
    makes of one of them, another is left. What is rude, or sends on to nobody, is read."""
    if any(name in facts for name in ("dismissive", "no_route", "out_of_scope", "promise")):
        return False
    return sum(name in facts for name in ENOUGH) >= SO_MANY
