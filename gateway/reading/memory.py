"""What the gateway keeps of a mail that went by: who wrote when to whom, and small marks; never the words.

Lines are kept as keyed hashes, by which quoted history is known again later. Without the key they say nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

from gateway.mail.address import Mailbox
from gateway.mail.envelope import Envelope
from gateway.mail.message import Message
from gateway.mail.quoting import Body, split_body
from gateway.reading.answers import asked_kinds, count_questions
from gateway.reading.language import tell_language
from gateway.reading.lexicon import Lexicon
from gateway.reading.requester import declared_author
from gateway.reading.thread import SeenMessage
from gateway.site.model import Site

MAX_LINES = 400
"""Lines of one mail that are remembered; what a person wrote is shorter."""
MAX_SCANNED = 3_000
"""Code points of new text in which marks are looked for: who asks, asks near the top. A word of secrecy may also stand
in as many at the end."""
MAX_PEOPLE = 500
"""People in To, and in Cc, of one mail that are remembered."""
MAX_HASHED = 128 * 1024
"""Code points of new and quoted text in which the lines that are remembered are looked for."""
MIN_LETTERS = 4
"""Lines with fewer letters and digits ("Hi,", "--") are in every mail and prove nothing."""

SENSITIVE = frozenset({"confidential", "company-confidential", "private", "personal"})
"""Values of Sensitivity."""

_NOISE = re.compile(r"[\W_]+")


def remember(
    message: Message,
    envelope: Envelope,
    direction: Literal["inbound", "outbound"],
    site: Site,
    lexicon: Lexicon,
    now: datetime,
    key: bytes,
    *,
    body: Body | None = None,
    peer_listed: bool = True,
    peer: str = "",
) -> SeenMessage:
    """What memory keeps of one mail. `now` (aware) counts where the mail names no date; `key` is the hashes' secret.

    `body` spares splitting the mail again where that has been done; `peer_listed` and `peer` as in `Context`.
    """
    body = body or split_body(message)
    author = message.author or Mailbox(envelope.mail_from.address)
    return SeenMessage(
        message_id=message.message_id or "",
        direction=direction,
        author=author,
        to=message.to[:MAX_PEOPLE],
        cc=message.cc[:MAX_PEOPLE],
        rcpt_to=envelope.recipients,
        sent_at=message.date or now,
        subject=message.subject[:400],
        references=message.references,
        tags=site.ticket_tags(message.subject),
        lines=line_hashes(_all_text(body), key),
        marks=_marks(message, body, direction, lexicon) | _asked_for(message, direction, site, peer_listed, peer),
    )


def is_sensitive(message: Message) -> bool:
    """True when the header asks for confidence (RFC 4021 §2.1.55)."""
    return (message.get("Sensitivity") or "").strip().lower() in SENSITIVE


def line_hashes(lines: Iterable[str], key: bytes) -> frozenset[int]:
    """Unsigned 64-bit keyed hashes of lines, without case, marks and spacing; short lines are left out."""
    hashes: set[int] = set()
    for line in lines:
        plain = _NOISE.sub("", line.lower())
        if len(plain) < MIN_LETTERS:
            continue
        digest = hashlib.blake2b(plain.encode("utf-8", "replace"), digest_size=8, key=key[:64]).digest()
        hashes.add(int.from_bytes(digest, "big"))
        if len(hashes) >= MAX_LINES:
            break
    return frozenset(hashes)


def sentences_of(text: str) -> list[str]:
    """Pieces of text that survive the re-wrapping that clients do to quotes: cut at sentence ends and blank lines."""
    joined = re.sub(r"\n[ \t>]*\n\s*", "\u2029", text)
    joined = re.sub(r"(?<![ \t])[ \t]*\n[ \t>]*", " ", joined)
    return [piece for piece in re.split(r"\u2029|(?<=[.!?])\s+", joined) if piece.strip()]


def _all_text(body: Body) -> Iterator[str]:
    """New and quoted text: what somebody received as a quote they have seen, too."""
    left = MAX_HASHED
    for block in body.blocks:
        if left > 0 and block.kind in ("new", "quote", "forward", "signature", "disclaimer"):
            yield from sentences_of(block.text[:left])
            left -= len(block.text)


def _marks(message: Message, body: Body, direction: str, lexicon: Lexicon) -> dict[str, str]:
    marks: dict[str, str] = {}
    scan = lexicon.scan_text(body.new.text[:MAX_SCANNED], scope="asked")
    marked = f"{message.subject[:400]}\n\n{body.new.text[MAX_SCANNED:][-MAX_SCANNED:]}"
    if direction == "inbound":
        if lang := language_of(body.new.text, lexicon):
            marks["lang"] = lang
        kinds = asked_kinds(scan)
        if kinds:
            marks["asks"] = " ".join(sorted(kinds))
        if questions := count_questions(scan):
            marks["questions"] = str(questions)
        if scan.has("leave_me_out", "left_out"):
            marks["leave_me_out"] = "yes"
    if (
        scan.has("confidential")
        or is_sensitive(message)
        or lexicon.scan_text(marked, scope="asked").has("confidential")
    ):
        marks["confidential"] = "yes"
    return marks


def language_of(text: str, lexicon: Lexicon) -> str:
    """The language of what somebody wrote, "" where that is too short to tell."""
    return tell_language(text, "", lexicon.languages, lexicon.small_words, "", lexicon.likely(text))


def _asked_for(message: Message, direction: str, site: Site, peer_listed: bool, peer: str) -> dict[str, str]:
    """For whom an inbound mail asks, where that is not its author: a program writes for a person, or for nobody."""
    if direction != "inbound":
        return {"machine": "yes"} if message.auto_submitted else {}
    if declared := declared_author(message, site, peer_listed, peer):
        name = {"requester_name": declared[0].name} if declared[0].name else {}
        return {"requester": declared[0].address} | name
    return {"machine": "yes"} if message.auto_submitted else {}
