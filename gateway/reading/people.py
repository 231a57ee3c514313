"""Who gets a mail, as far as the requester is concerned: visible, hidden, absent; and who else reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from gateway.mail.address import Mailbox
from gateway.mail.envelope import Envelope
from gateway.mail.message import Headers
from gateway.reading.lexicon import Scan
from gateway.reading.refusal import Noes
from gateway.site.model import Site
from gateway.site.people import MOST_KNOWN

_WORD = re.compile(r"[^\W\d_]{2,}")
_SPOKEN = re.compile(r"[^\W\d_][\w'’-]*")
MOST_WORDS_OF_A_NAME = 4
SHORTEST_SURNAME = 4
"""Letters of a word of an address by which it can be somebody's name."""
POINTING = (
    *("in_charge", "announce", "redirect", "alternative", "escalation_offer", "transfer", "directive", "directions"),
    *("ask", "reason", "reason_beside"),
)
"""Cues of a sentence that says of somebody that they have the matter, or why there is a no."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """The recipients of one mail, each person once. `hidden` are in the envelope and in no header (Bcc).

    A header may name somebody without an address, who then gets nothing; only in archives, where everybody is an agent
    and addresses were lost, such a one counts as visible.
    """

    visible: tuple[Mailbox, ...]
    hidden: tuple[Mailbox, ...]

    @property
    def all(self) -> tuple[Mailbox, ...]:
        return self.visible + self.hidden


def recipients(headers: Headers, envelope: Envelope, site: Site) -> Recipients:
    """Headers count for who is visible, the envelope for who really gets it."""
    visible = tuple(box for box in (*headers.to, *headers.cc) if box.address or (site.everybody and box.name))
    shown = {site.same.canonical(box.address) for box in visible}
    hidden = tuple(
        Mailbox(address, site.name_of(address))
        for address in envelope.recipients
        if address and site.same.canonical(address) not in shown and not site.is_own(address)
    )
    return Recipients(visible, hidden)


def name_words(people: Iterable[Mailbox], site: Site) -> frozenset[str]:
    """The lower-case words of people's names, by which an address ("Bob, …") and a signature are recognised."""
    words: set[str] = set()
    for box in people:
        words |= _words_of(box.name)
        if box.address:
            words |= _words_of(site.name_of(box.address))
            words |= _words_of(box.address.partition("@")[0].replace("_", " "))
    return frozenset(words)


def is_among(who: Mailbox, boxes: Sequence[Mailbox], site: Site) -> bool:
    """Whether somebody, of whom an address may not be known, is one of these, of whom names or addresses may not be."""
    if who.address and site.is_among(who.address, (box.address for box in boxes if box.address)):
        return True
    if not who.address and any(is_name_of(box, who.name) for box in boxes):
        return True
    words = name_words([Mailbox("", who.name)] if who.address else [who], site)
    named = (box for box in boxes if not (who.address and box.address))  # two addresses are two people
    return any(len(words) > (1 if who.address else 0) and words <= name_words([box], site) for box in named)


def is_name_of(box: Mailbox, name: str) -> bool:
    """Whether an address without a name is made of somebody's name: d.steffes@… for "Steffes, James D."."""
    parts = [part for part in re.split(r"[\W\d_]+", box.address.partition("@")[0].casefold()) if part]
    words = [word for word in re.split(r"[\W\d_]+", name.casefold()) if word]
    if box.name or max(map(len, parts), default=0) < SHORTEST_SURNAME:
        return False
    return all(part in words or (len(part) == 1 and any(word[0] == part for word in words)) for part in parts)


def people_called(text: str, start: int, end: int, site: Site) -> Iterator[tuple[int, int]]:
    """Where in a stretch of text somebody of the site file stands with their whole name, as (start, end)."""
    opening = _first_words(site.called)
    words = list(_SPOKEN.finditer(text, start, end))
    folded = [word[0].casefold() for word in words]
    for first, word in enumerate(folded):
        for count in range(2, min(MOST_WORDS_OF_A_NAME, len(words) - first) + 1) if word in opening else ():
            if tuple(folded[first : first + count]) in site.called:
                yield words[first].start(), words[first + count - 1].end()


@lru_cache(maxsize=8)
def _first_words(called: frozenset[tuple[str, ...]]) -> frozenset[str]:
    """What the names of a site begin with."""
    return frozenset(name[0] for name in called if name)


@lru_cache(maxsize=8)
def _beginnings(called: frozenset[tuple[str, ...]]) -> frozenset[tuple[str, ...]]:
    """The first two words of the names of a site."""
    return frozenset(name[:2] for name in called)


def somebody_named(scan: Scan, noes: Noes, site: Site, known: Iterable[Mailbox]) -> tuple[int, int] | None:
    """Where somebody stands with their whole name who is none of those `known` (the writer and whoever asked), and of
    whom no refusal is told behind it, in a sentence that says why, or that they have the matter: "Bob Nilsson decides
    that", not "Bob Nilsson says hello"."""
    words = list(map(str.casefold, _SPOKEN.findall(scan.prepared.text)))
    if _first_words(site.called).isdisjoint(words) or _beginnings(site.called).isdisjoint(pairwise(words)):
        return None  # the cheap question first: nearly no mail names anybody
    familiar = name_words(known, site)
    for number, sentence in enumerate(scan.prepared.sentences):
        if not scan.is_said(number):
            continue
        nays = [*noes.others, *scan.within(number, "refusal", "refusal_answer", "others_no")]
        for start, end in people_called(scan.prepared.text, sentence.start, sentence.end, site):
            told_of = any(
                hit.sentence == number and hit.end > end and (hit.cue != "refusal_answer" or hit.start >= start)
                for hit in nays
            )
            if (
                not told_of
                and _points(scan, number, start, end)
                and not _words_of(scan.prepared.text[start:end]) <= familiar
            ):
                return start, end
    return None


def _points(scan: Scan, number: int, start: int, end: int) -> bool:
    """Whether a sentence says of the name in it that this is where to go, or is little more than the name."""
    sentence = scan.prepared.sentences[number]
    beside = scan.prepared.text[sentence.start : start] + " " + scan.prepared.text[end : sentence.end]
    said = [hit for hit in scan.within(number, "refusal_answer") if hit.start < start]
    alone = len(_SPOKEN.findall(beside)) <= len(said)
    return alone or bool(scan.within(number, *POINTING))


@lru_cache(maxsize=MOST_KNOWN)
def _words_of(text: str) -> frozenset[str]:
    return frozenset(map(str.lower, _WORD.findall(text)))
