"""Subjects as people mean them, without what mail programs put in front of them."""

from __future__ import annotations

import re

from gateway.mail.labels import FORWARD_SUBJECTS
from gateway.mail.phrases import phrases

_REPLIES = frozenset(phrases("re|aw|antw|réf|réponse|rép|res|resp|r|sv|odp|vá|ynt|atb|回复|返信|답장"))
"""Prefixes of the subject of an answer."""
_MARK = re.compile(r"\s*([^\s:：\[\]]{1,15})\s?(?:\[\d{1,3}\]|\d{1,3})?\s?[:：]\s*")
MOST_MARKS = 12
"""Prefixes of one subject that are taken off."""


def without_marks(subject: str) -> str:
    """A subject without "Re:", "Fwd:", "WG:", "TR:" …; as it is where nothing else is in it."""
    rest = subject
    for _ in range(MOST_MARKS):
        mark = _MARK.match(rest)
        if mark is None or mark[1].lower() not in _REPLIES | FORWARD_SUBJECTS:
            break
        rest = rest[mark.end() :]
    return rest.strip() or subject
