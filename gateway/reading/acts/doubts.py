"""Doubts: the sentences for which the second reader is asked, for they could come to a stop."""

from __future__ import annotations

from collections.abc import Callable, Container

from gateway.reading.acts.glance import glance
from gateway.reading.acts.pieces import Addressee
from gateway.reading.lexicon import Scan

ANSWERS = ("refusal", "refusal_answer", "out_of_scope", "dismissive", "rude", "redirect", "no_route")
"""Cues of an answer to the requester that a policy could stop."""
PASSING_ON = ("transfer", "directive", "announce", "task", "redirect")
"""Cues of a matter that is passed on, behind the requester's back perhaps."""
WORDS_OF_A_SHORT_TEXT = 100
"""Who writes more has said why, or what else, or who: it takes a phrase that is known to doubt a long answer."""
WORDS_OF_A_CURT_TEXT = 30
"""Who gets no more than this as an answer is left hanging often enough to read it twice, whatever its words."""
MOSTLY = (2, 3)
"""Two of three sentences kind at a glance: the others may be so as well ("you've no idea how rare that is")."""


def doubts(
    scan: Scan,
    to: Addressee | None,
    *,
    lang: str,
    asked: bool,
    timed: Callable[[], Container[int]] = tuple,
) -> list[int]:
    """The sentences in which a phrase, or in a short text the first glance, finds what could be stopped; all of them
    where somebody `asked` and gets a few words, or kind ones only, and in a short note to others of which whoever asked
    gets nothing, or only silently: any order in it may pass the matter on ("Yours, I think."). `to` is whom the mail
    goes to. `timed` gives the sentences with a time in them: a promise for some day is one that somebody will wait for.
    `lang` is the language of the mail."""
    to_requester, absent = to == "requester", to == "others"
    cues = (*(ANSWERS if to_requester else ()), *(PASSING_ON if absent else ()))
    if not cues:
        return []
    short = scan.says_at_most(WORDS_OF_A_SHORT_TEXT)
    said = [number for number in range(len(scan.prepared.sentences)) if scan.is_said(number)]
    if (absent and short) or (to_requester and asked and scan.says_at_most(WORDS_OF_A_CURT_TEXT)):
        return said
    if to_requester and asked and short and said:
        kind = sum(glance().kind_at(scan.prepared, number, lang) for number in said)
        if kind * MOSTLY[1] >= len(said) * MOSTLY[0]:
            return said
    return [
        number
        for number in said
        if scan.within(number, *cues)
        or (to_requester and scan.within(number, "promise") and number in timed())
        or (
            short
            and not scan.within(number, "complete_answer")
            and glance().suspects(scan.prepared, number, lang, to_requester, absent)
        )
    ]
