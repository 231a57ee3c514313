"""The answer as a whole: what was asked, and whether the new text answers at all."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

from gateway.reading.lexicon import Hit, Scan

Asked = Literal["request", "status", "information"]
"""What a question wants: something done or allowed; how far it is; whether something is so."""

SUBSTANCE = (
    *("refusal", "refusal_answer", "reason", "alternative", "escalation_offer"),
    *("transfer", "directive", "redirect"),
)
"""Cues of sentences that say more than a kind word."""
ANSWERING = (
    *("refusal", "reason", "eta", "alternative", "handoff", "redirect", "route", "out_of_scope", "escalation_offer"),
    *("dismissive", "question", "promise", "helps", "good_news"),
)
"""Acts of sentences that say more than a kind word."""
KIND = 0.5
SENT_AWAY = 0.5
TERSE_WORDS = 4
"""An answer of at most this many words is terse, unless it is whole."""
WORDS_OF_A_SHOW = 10
"""Kind words of fewer words only acknowledge."""
_POINTS = re.compile(r"[\d@/\\=#{}\[\]]|\w\(|\(\)|www\.|^\?\w|\w[._]\w")
"""What a number, an address, a path, a link or a command has."""
_NAMES = re.compile(r"(?:[A-ZÀ-Þ][\w'’-]+[ .]*){2,4}")


def asked_kinds(scan: Scan) -> frozenset[Asked]:
    """What the writer of a text asks for. A sentence that asks for something done is no mere question as well."""
    kinds: set[Asked] = set()
    for index, sentence in enumerate(scan.prepared.sentences):
        if scan.within(index, "status") and sentence.question:
            kinds.add("status")
        elif scan.within(index, "request"):
            kinds.add("request")
        elif sentence.question:
            kinds.add("information")
    return frozenset(kinds)


def count_questions(scan: Scan) -> int:
    """How many questions a text asks: sentences with a question mark, and requests without one."""
    return sum(
        1
        for index, sentence in enumerate(scan.prepared.sentences)
        if sentence.kind == "body" and (sentence.question or scan.within(index, "request"))
    )


def body_sentences(scan: Scan) -> list[int]:
    """The numbers of the sentences that say something: neither greeting nor closing."""
    return [n for n, sentence in enumerate(scan.prepared.sentences) if sentence.kind == "body"]


def is_pleasantry(scan: Scan, index: int) -> bool:
    """A kind word and nothing else."""
    if scan.prepared.sentences[index].kind != "body":
        return True
    return bool(scan.within(index, "pleasantry", "offer_more")) and not scan.within(index, *SUBSTANCE)


def _is_kind(scan: Scan, index: int) -> bool:
    """Whether the second reader sees a kind word, and nothing else that is one way or another an answer."""
    chances = scan.acts.of.get(index)
    return chances is not None and chances["pleasantry"] >= KIND and all(chances[act] < KIND for act in ANSWERING)


def only_pleasantries(scan: Scan) -> bool:
    """Nothing but kind words, and many of them: a short "thanks!" acknowledges, and answers nothing on purpose."""
    if not all(is_pleasantry(scan, n) or _is_kind(scan, n) for n in body_sentences(scan)):
        return False
    return not scan.says_at_most(WORDS_OF_A_SHOW - 1)


def is_terse(scan: Scan, questions: int, refused: Collection[int]) -> bool:
    """At most four words that are no whole answer to what was asked; nothing at all also counts.

    A number, a link, an address, a command or somebody's name is a whole answer, and so is any word that does not leave
    it open; two questions want more.
    """
    said = body_sentences(scan)
    if not scan.says_at_most(TERSE_WORDS):
        return False
    if any(scan.within(n, "complete_answer") for n in said):
        return False
    text = " ".join(scan.prepared.text[s.start : s.end] for s in (scan.prepared.sentences[n] for n in said))
    if _POINTS.search(text) or (said and _NAMES.fullmatch(text)):
        return False
    if any(scan.within(n, "refusal_answer") and n not in refused for n in said):
        return False  # a no that answers what is so
    vague = any(n in refused or scan.within(n, "noncommittal") for n in said)
    vague = vague or any(scan.acts.chance(n, "redirect", 0.0) >= SENT_AWAY for n in said)  # "see website"
    return vague or (questions > 1 and not any(scan.within(n, "pleasantry", "good_news") for n in said))


def clarifying(scan: Scan, refused: Collection[int]) -> list[Hit]:
    """Questions of the writer that move the matter on: not "anything else?", not one that only wonders aloud."""
    found = []
    for index, sentence in enumerate(scan.prepared.sentences):
        if sentence.kind != "body" or not sentence.question or index in refused:
            continue
        if scan.within(index, "offer_more", "dismissive", "pleasantry") or scan.prepared.words(index) < 2:
            continue
        found.append(Hit("clarifying_question", "", sentence.start, sentence.end, index))
    return found
