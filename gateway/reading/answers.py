"""The answer as a whole: what was asked, and whether the new text answers at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container
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
SETTLING = tuple(act for act in ANSWERING if act not in ("refusal", "out_of_scope", "dismissive", "redirect"))
"""Acts of sentences that bring who asked further."""
SETTLED = 0.3
"""Chance from which an act of these may be there."""
POSSIBLE = 0.4
"""Chance from which one is there perhaps, though a phrase hears only a kind word."""
KIND = 0.5
SENT_AWAY = 0.5
TERSE_WORDS = 4
"""An answer of at most this many words is terse, unless it is whole."""
WORDS_OF_A_BARE_WORD = 2
"""Whoever refuses in more words than these says a sentence."""
WORDS_OF_A_SHOW = 10
"""Kind words of fewer words only acknowledge."""
FEWEST = 3
"""Words of a question that stands for itself."""
STEM = 5
"""Letters by which two forms of a word are known as one."""
_WORD = re.compile(r"[^\W_]{4,}")
_POINTS = re.compile(r"[\d@/\\=#{}\[\]]|\w\(|\(\)|www\.|^\?\w|\w[._]\w")
"""What a number, an address, a path, a link or a command has."""
_NAMES = re.compile(r"(?:[A-ZÀ-Þ][\w'’-]+[ .]*){2,4}")


def asked_kinds(scan: Scan) -> frozenset[Asked]:
    """What the writer of a text asks for. A sentence that asks for something done is no mere question as well."""
    kinds: set[Asked] = set()
    placed = scan.by_sentence
    for index, sentence in enumerate(scan.prepared.sentences):
        if index not in placed:
            if sentence.question:
                kinds.add("information")
        elif scan.within(index, "status") and sentence.question:
            kinds.add("status")
        elif scan.within(index, "request"):
            kinds.add("request")
        elif sentence.question:
            kinds.add("information")
    return frozenset(kinds)


def count_questions(scan: Scan) -> int:
    """How many questions a text asks: sentences with a question mark, and requests without one."""
    return len(questions_in(scan))


def questions_in(scan: Scan) -> list[int]:
    """The numbers of the sentences of a text that ask something."""
    prepared = scan.prepared
    requests = [hit.sentence for hit in scan.of("request")]
    return [index for index in sorted({*prepared.questions, *requests}) if prepared.kinds[index] == "body"]


GOES_ON = ("handoff", "redirect", "escalation_offer", "takes_ownership", "clarifying_question", "unreadable")
"""Facts of an answer with which no question is over."""


def plain_questions(scan: Scan) -> list[int]:
    """The numbers of sentences with a question mark and something in front of it."""
    return [n for n in questions_in(scan) if scan.prepared.sentences[n].question and scan.prepared.words(n) >= FEWEST]


def unanswered(asked: Scan, said: Scan, small: Container[str]) -> list[int]:
    """Of several questions in `asked`, those, by the number of their sentence, that nothing in `said` seems to answer.

    Only what ends with a question mark counts: that somebody wants to hear, or to have something done, is said in every
    mail. A statement with a word of a question answers it; one with no such word ("Yes.", "On Tuesday.") answers the
    first that is still open. `small` are words of grammar. Whether an answer is right, or whole, nobody can tell from
    here: a question counts as answered when in doubt.
    """
    questions = plain_questions(asked)
    if len(questions) < 2:
        return []
    statements = [n for n in body_sentences(said) if not is_pleasantry(said, n)]
    words = {n: _stems(said, n, small) for n in statements}
    free, left = set(statements), []
    for question in questions:
        about = _stems(asked, question, small)
        found = [n for n in statements if words[n] & about]
        if found:
            free.discard(next((n for n in found if n in free), found[0]))
        else:
            left.append(question)
    return left[len(free) :]


def picks(asked: Scan, said: Scan, small: Container[str], refused: Collection[int]) -> bool:
    """Whether a few words pick one of those that a question has: "grey, please" of "grey or black?"."""
    if not said.says_at_most(TERSE_WORDS):
        return False
    about = frozenset[str]().union(*(_stems(asked, n, small) for n in plain_questions(asked)))
    told = [
        n for n in body_sentences(said) if n not in refused and not said.within(n, "noncommittal", "redirect", "noted")
    ]
    return any(_stems(said, n, small) & about for n in told)


def _stems(scan: Scan, index: int, small: Container[str]) -> frozenset[str]:
    """The beginnings of the words of a sentence that tell what it is about."""
    sentence = scan.prepared.sentences[index]
    words = _WORD.findall(scan.prepared.folded, sentence.start, sentence.end)
    return frozenset(word[:STEM] for word in words if word not in small)


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
    return chances is not None and chances["pleasantry"] >= KIND and all(chances[act] < SETTLED for act in ANSWERING)


def _settles_nothing(scan: Scan, index: int) -> bool:
    """Whether the second reader sees nothing in a sentence that could bring who asked further. A brush-off is more than
    terse, and has a name of its own."""
    chances = scan.acts.of.get(index)
    if chances is None or scan.within(index, "dismissive", "rude"):
        return False
    return all(chances[act] < SETTLED for act in SETTLING)


def _settles(scan: Scan, index: int) -> bool:
    """Whether the second reader likely sees more than a kind word: "thank you, it has arrived safely"."""
    chances = scan.acts.of.get(index)
    return chances is not None and any(chances[act] >= POSSIBLE for act in SETTLING)


def only_pleasantries(scan: Scan) -> bool:
    """Nothing but kind words, and many of them: a short "thanks!" acknowledges, and answers nothing on purpose."""
    said = body_sentences(scan)
    if not all(is_pleasantry(scan, n) or _is_kind(scan, n) for n in said) or any(_settles(scan, n) for n in said):
        return False
    if scan.has("yes_or_no"):
        return False
    return not scan.says_at_most(WORDS_OF_A_SHOW - 1)


def _refuses_plainly(scan: Scan, index: int, refused: Collection[int]) -> bool:
    return index in refused and not scan.within(index, "refusal_answer", "noncommittal")


def is_terse(
    scan: Scan,
    questions: int,
    refused: Collection[int],
    asks_to_know: Callable[[], bool],
    open_questions: Callable[[], int],
) -> bool:
    """At most four words that are no whole answer to what was asked; nothing at all also counts.

    A number, a link, an address, a command or somebody's name is a whole answer, and so is any word that does not leave
    it open; two questions want more. Where somebody `asks_to_know`, a word that only acknowledges is none;
    `open_questions` counts those of the mail that is answered that want more than yes or no: "noted, thanks" answers
    none of them.
    """
    said = body_sentences(scan)
    if not scan.says_at_most(TERSE_WORDS):
        return False
    if said and all(scan.within(n, "noted") for n in said) and open_questions():
        return True
    if any(scan.within(n, "complete_answer") for n in said):
        return False
    if not scan.says_at_most(WORDS_OF_A_BARE_WORD) and said and all(_refuses_plainly(scan, n, refused) for n in said):
        return False  # "nothing will come of it" is a refusal, and is found as one
    text = " ".join(scan.prepared.text[s.start : s.end] for s in (scan.prepared.sentences[n] for n in said))
    if _POINTS.search(text) or (said and _NAMES.fullmatch(text)):
        return False
    if any(n not in refused and scan.within(n, "refusal_answer") and not scan.within(n, "noncommittal") for n in said):
        return False  # a no that answers what is so; "don't know" does not
    vague = any(n in refused or scan.within(n, "noncommittal") for n in said)
    vague = vague or any(scan.acts.chance(n, "redirect", 0.0) >= SENT_AWAY for n in said)  # "see website"
    if not vague and said and all(_settles_nothing(scan, n) for n in said):  # "hm, odd"
        vague = asks_to_know() or not any(scan.acts.of[n]["pleasantry"] >= KIND for n in said)
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
