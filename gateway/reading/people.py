"""Who gets a mail, as far as the requester is concerned: visible, hidden, absent; and who else reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.mail.address import Mailbox
from gateway.mail.envelope import Envelope
from gateway.mail.message import Headers
from gateway.site.model import Site

_WORD = re.compile(r"[^\W\d_]{2,}")


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
        local = box.address.partition("@")[0]
        for text in (box.name, site.name_of(box.address) if box.address else "", re.sub(r"[._+-]+", " ", local)):
            words.update(word.lower() for word in _WORD.findall(text))
    return frozenset(words)
