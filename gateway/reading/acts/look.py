"""Which mails are read again, and which of their sentences: those that could come to a stop, or could excuse one."""

from __future__ import annotations

from gateway.reading.acts.acts import UNREAD, Acts
from gateway.reading.acts.glance import glance
from gateway.reading.acts.reader import act_reader
from gateway.reading.lexicon import Scan

ANSWERS = ("refusal", "refusal_answer", "out_of_scope", "dismissive", "rude", "redirect", "no_route")
"""Cues of an answer to the requester that a policy could stop."""
PASSING_ON = ("transfer", "directive", "announce", "task", "redirect")
"""Cues of a matter that is passed on, behind the requester's back perhaps."""


def look_again(scan: Scan, asked: str, *, to_requester: bool, absent: bool) -> Acts:
    """The acts of a text in which a phrase or the first glance found something that could be stopped."""
    cues = (*(ANSWERS if to_requester else ()), *(PASSING_ON if absent else ()))
    if not cues:
        return UNREAD
    wanted = [
        number
        for number in range(len(scan.prepared.sentences))
        if scan.is_said(number)
        and (scan.within(number, *cues) or glance().suspects(scan.prepared, number, to_requester, absent))
    ]
    return act_reader().read(scan.prepared, asked, wanted) if wanted else UNREAD
