"""Refusals: whether the writer tells somebody no, and which no is none."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from gateway.mail.lazy import lazy
from gateway.reading.acts.weigh import REGRETS, weigh
from gateway.reading.answers import Asked, body_sentences, is_pleasantry
from gateway.reading.lexicon import Hit, Scan
from gateway.reading.sentences import clauses

_TURN = re.compile(r"\s[-–—]{1,2}\s|;|: ")
"""Marks after which a sentence begins anew."""


SOMETHING_ELSE = ("good_news", "others_no")
TAKEN = 0.93
UNLIKELY = 0.5
HARDLY, TAKEN_PLAIN = 0.2, 0.85
"""A phrase that nothing confirms falls where the second reader sees rather no refusal than one, and is sure of one of
SOMETHING_ELSE from TAKEN on: "can't make it, I'm at the dentist". A plain no falls where it sees HARDLY any, and
is sure from TAKEN_PLAIN on."""

_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
WORDS_OF_A_BARE_NO = 4
"""A "no" whose question nobody knows is the whole answer in at most this many words."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the text answers: the kinds of what was asked, None where the mail does not show it."""

    overall: frozenset[Asked] | None
    at: Mapping[int, frozenset[Asked]] = field(default_factory=dict)
    """For answers between quoted lines: the number of the answer's first sentence, and what was asked above it."""


@dataclass(frozen=True)
class Noes:
    """Every no of a text, sorted by what it is."""

    refusals: tuple[Hit, ...] = ()
    good_news: tuple[Hit, ...] = ()
    assurances: tuple[Hit, ...] = ()
    conditional: tuple[Hit, ...] = ()
    others: tuple[Hit, ...] = ()

    @lazy
    def sentences(self) -> frozenset[int]:
        """The numbers of the sentences that refuse."""
        return frozenset(hit.sentence for hit in self.refusals)


def find_noes(scan: Scan, question: Callable[[], Question]) -> Noes:
    """Sort the noes of a text. A refusal must be certain: whatever softens it in its own part of the sentence wins.

    `question` is asked only where somebody says "no" or "not yet" and no more.
    """
    refusals: list[Hit] = []
    conditional: list[Hit] = []
    others: list[Hit] = []
    for hit in scan.of("refusal"):
        sentence = scan.prepared.sentences[hit.sentence]
        if sentence.kind == "greeting" or _in_closing(scan, hit) or (sentence.question and _asks(scan, hit)):
            continue
        if _beside(scan, hit, "assurance", "good_news"):
            continue
        if _led_by(scan, hit, "conditional"):
            conditional.append(hit)
        elif _led_by(scan, hit, "others_no") and not scan.within(hit.sentence, "apology") and not _was_asked(scan, hit):
            others.append(hit)  # nobody is sorry for another's no
        else:
            refusals.append(hit)
    answers = scan.of("refusal_answer")
    asked = question() if answers else None
    for hit in answers:
        if asked is not None and _answers(scan, hit, asked) and not _beside(scan, hit, "good_news", "assurance"):
            refusals.append(hit)
    plain = _plain(scan, refusals)
    refusals = [hit for hit in refusals if not _taken_for_another(scan, hit.sentence, plain)]
    return Noes(
        weigh(scan, "refusal", refusals, plain),
        scan.of("good_news"),
        scan.of("assurance"),
        tuple(conditional),
        tuple(others),
    )


def words_beside(scan: Scan, number: int, noes: Iterable[Hit]) -> int:
    """How many words a sentence has beside the no in it and beside being sorry for it."""
    said = [*(hit for hit in noes if hit.sentence == number), *scan.within(number, "refusal_answer", *REGRETS)]
    sentence = scan.prepared.sentences[number]
    words = [word.span() for word in _WORD.finditer(scan.prepared.text, sentence.start, sentence.end)]
    covered = 0
    left = sentence.start
    for hit in sorted(said, key=lambda hit: hit.start):  # in order, so that no word is looked at for each no
        first = bisect_right(words, max(hit.start, left), key=lambda span: span[1])
        last = bisect_left(words, hit.end, key=lambda span: span[0])
        covered += max(0, last - first)
        left = max(left, words[last - 1][1] if last > first else left)
    return len(words) - covered


def _plain(scan: Scan, refusals: Sequence[Hit]) -> frozenset[int]:
    """The sentences that say no so plainly that a phrase needs nobody's leave: "No, we can't …", "…, sorry",
    "we discussed it, and it was turned down"."""
    return frozenset(
        hit.sentence for hit in refusals if scan.within(hit.sentence, "refusal_answer", "apology", "process")
    )


def _taken_for_another(scan: Scan, number: int, plain: Container[int]) -> bool:
    """Whether the second reader takes a sentence for good news, or for the no of somebody else; a `plain` no only where
    it sees next to no refusal: "nope and nope!" to who fears for files and money."""
    unlikely, taken = (HARDLY, TAKEN_PLAIN) if number in plain else (UNLIKELY, TAKEN)
    if scan.acts.chance(number, "refusal", 1.0) >= unlikely:
        return False
    return any(scan.acts.chance(number, act, 0.0) >= taken for act in SOMETHING_ELSE)


def _asks(scan: Scan, hit: Hit) -> bool:
    """Whether a hit stands in the part of a sentence that its question mark ends: not before a "but" or a dash."""
    sentence = scan.prepared.sentences[hit.sentence]
    turns = (turn.start for turn in scan.within(hit.sentence, "contrast") if turn.start >= hit.end)
    dash = _TURN.search(scan.prepared.text, hit.end, sentence.end)
    return next(turns, None) is None and dash is None


def _in_closing(scan: Scan, hit: Hit) -> bool:
    return scan.prepared.sentences[hit.sentence].kind == "closing"


def part_of(scan: Scan, hit: Hit) -> tuple[int, int]:
    """The part of the sentence that a hit stands in, up to the next "but" on both sides."""
    sentence = scan.prepared.sentences[hit.sentence]
    start, end = sentence.start, sentence.end
    for turn in scan.within(hit.sentence, "contrast"):
        if turn.end <= hit.start:
            start = max(start, turn.start)
        elif turn.start >= hit.end:
            end = min(end, turn.start)
    return start, end


def clause_of(scan: Scan, hit: Hit) -> tuple[int, int]:
    """The clause that a hit begins in."""
    cuts = [turn.start for turn in scan.within(hit.sentence, "contrast") if not turn.start <= hit.start < turn.end]
    for start, end in clauses(scan.prepared, hit.sentence, cuts):
        if start <= hit.start < end:
            return start, end
    return hit.start, hit.end


def _beside(scan: Scan, hit: Hit, *cues: str) -> bool:
    """Whether a cue stands in the same part of the sentence."""
    start, end = part_of(scan, hit)
    return any(start <= other.start < end for other in scan.within(hit.sentence, *cues))


def _was_asked(scan: Scan, hit: Hit) -> bool:
    """Whether the writer asked around in the sentence before, and so passes on a no of their own side: "I have checked
    with our developers. They say it can't be done." """
    return hit.sentence > 0 and bool(scan.within(hit.sentence - 1, "process"))


def _led_by(scan: Scan, hit: Hit, *cues: str) -> bool:
    """Whether a cue opens the clause of a hit: "if we can't …", "she says we can't …"."""
    start, _ = clause_of(scan, hit)
    return any(start <= other.start < hit.start for other in scan.within(hit.sentence, *cues))


def _answers(scan: Scan, hit: Hit, question: Question) -> bool:
    """Whether a bare "no" stands where an answer stands, and something was asked that a no refuses. Where nobody knows
    what was asked, it counts only if nothing else is said."""
    if scan.prepared.sentences[hit.sentence].kind != "body":
        return False
    asked = question.overall
    if question.at:
        # Answers between quoted lines: each one belongs to the question above it.
        first = max((n for n in question.at if n <= hit.sentence), default=None)
        if first is not None:
            asked = question.at[first]
            if hit.sentence - first > 1:
                return False
            return asked is None or bool(asked & {"request", "status"}) or not asked
    said = (n for n in body_sentences(scan) if not is_pleasantry(scan, n))
    if hit.sentence not in islice(said, 2):
        return False
    if asked is None:
        return scan.says_at_most(WORDS_OF_A_BARE_NO)
    return bool(asked & {"request", "status"})
