"""Heads: what stands above quoted text and says who wrote it, when and to whom."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from gateway.mail.address import Mailbox
from gateway.mail.labels import LABELS, LONGEST_LABEL
from gateway.mail.lines import Line
from gateway.mail.phrases import phrases, small

EMPHASIS = " \t\u00a0\u3000*_"
"""What may stand around a label or a name and says nothing."""
ENDS = ":\uff1a"
DATEISH = re.compile(r"(?<!\d)(?:(?:19|20)\d\d|\d{1,2}[./-]\d{1,2}[./-]\d\d|\d{1,2}[:.h]\d\d)(?!\d)")
CLOCK = re.compile(r"(?<!\d)\d{1,2}[:.h時]\s?\d\d(?!\d)")
_ASIDE = re.compile(r"\([^()]*\)")
_PARTICLES = frozenset(
    phrases(
        """
    de|da|do|dos|das|di|del|della|van|von|der|den|ten|ter|zu|la|le|el|al|bin|ibn|y|e|und|and|via|of|du
        """
    )
)


@dataclass(slots=True)
class Found:
    """A recognised head of quoted text: `first` to `end` (exclusive) are line numbers."""

    first: int
    end: int
    person: Mailbox | None
    date_text: str = ""
    subject: str = ""
    to: str = ""
    cc: str = ""
    links: dict[str, tuple[str, ...]] = field(default_factory=dict)
    locale: str = ""
    strong: bool = True


def read_label(text: str) -> tuple[dict[str, str], str] | None:
    """({locale: field}, value) of a line such as "*Von:* Jill", or None."""
    at = text.find(":", 0, LONGEST_LABEL + 12)
    if not text.isascii():
        wide = text.find("\uff1a", 0, LONGEST_LABEL + 12)
        if wide >= 0 and (at < 0 or wide < at):
            at = wide
    if at <= 0:
        return None
    known = _known(text[:at])
    return (known, text[at + 1 :].strip(EMPHASIS)) if known else None


@lru_cache(maxsize=1024)
def _known(text: str) -> dict[str, str] | None:
    """{locale: field} of a label as it stands; clients write the same few in every mail."""
    label = small(text.strip(EMPHASIS))
    if label.endswith("(cc)"):  # Thunderbird: "Kopi til (CC):"
        return LABELS.get(label) or LABELS.get(label[:-4].rstrip())
    return LABELS.get(label)


def label_of(line: Line) -> tuple[dict[str, str], str] | None:
    """As `read_label`, for a line: a table cell may hold a label without its colon (Notes in HTML)."""
    if line.mark == "label":
        return LABELS[line.text.lower()], ""
    return read_label(line.text.strip())


def is_name(person: Mailbox | None, words: int) -> bool:
    """Whether this could be how a person or a desk is called, rather than a piece of a sentence."""
    if person is None:
        return False
    if person.address:
        return True
    parts = _ASIDE.sub(" ", person.name).split()  # "Jill Amory (on leave)"
    plain = sum(1 for part in parts if part[:1].islower() and part not in _PARTICLES)
    if not 0 < len(parts) <= words or plain > (1 if len(parts) < 3 else 0):
        return len(parts) == 2 and _is_short(parts[-1])
    return person.name[-1] not in ".?!" + ENDS or (len(parts) > 1 and _is_short(parts[-1]))


def _is_short(word: str) -> bool:
    """ "P.", "Jr.": with a full stop that ends no sentence."""
    return len(word) < 4 and word[-1] == "." and word[0].isupper()
