"""What of a mail cannot be read, and why: no text at all, text in pictures, characters that are none, no one sender."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.mail.lines import Line
from gateway.mail.message import Message
from gateway.mail.newtext import NewText

MOST_GARBLED = 0.15
"""The share of characters without a meaning up to which a text is read."""

_ESCAPES = re.compile(r"\x1b(?:\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)?|\[[0-9;?]{0,30}[A-Za-z])")
"""What steers a terminal (ECMA-48) makes no text unreadable, or anybody could pass for unread with it."""
_PLACEHOLDER = re.compile(
    r"\[(?:cid:|image:|image\d|bild:|imagen:|immagine:|imagem:|afbeelding:|inline image)[^\[\]]{0,200}\]"
    r"|<image\d*\.(?:png|jpe?g|gif)>",
    re.IGNORECASE,
)
"""What a plain text says where a picture stands: Outlook, Gmail, Apple Mail."""


def why_unread(message: Message, lines: Sequence[Line], kinds: Sequence[str], new: NewText, *, forward: bool) -> str:
    """Why the new text of a mail cannot be known, in plain words; "" where it can. `forward`: it passes a mail on."""
    authors = message.get_all("from")
    if len(authors) > 1:  # RFC 5322 §3.6: one
        return f"{len(authors)} From fields, so that nobody knows who writes"
    if not message.attached and not any(part.is_text and not part.attachment for part in message.parts):
        kept = next((part.content_type for part in message.parts if part.size), "")
        return f"no text, only {kept}" if kept else ""
    said = _ESCAPES.sub("", new.text) if "\x1b" in new.text else new.text
    if said and _garbled(said) > MOST_GARBLED:
        return "its characters are none of any alphabet"
    if (_PLACEHOLDER.sub("", new.text) if "[" in new.text or "<" in new.text else new.text).strip():
        return ""
    if _has_pictures(message, lines, kinds, new, forward):
        return "its text is in a picture"
    return ""


def _garbled(text: str) -> float:
    """The share of characters that decoding could not make out, or that no text has."""
    if text.replace("\n", "").isprintable() and "\ufffd" not in text:
        return 0.0
    odd = sum(
        1 for each in text if each == "\ufffd" or (not each.isprintable() and each not in "\n\t\u00a0\u00ad\u200b")
    )
    return odd / len(text)


def _has_pictures(message: Message, lines: Sequence[Line], kinds: Sequence[str], new: NewText, forward: bool) -> bool:
    """Whether a picture stands where the writer's words would: not in a signature, not in what is quoted."""
    if new.text:
        return True  # nothing but placeholders
    for at, line in enumerate(lines):
        if line.mark == "picture" and kinds[at] == "new":
            around = (
                _kind_of_text(lines, kinds, range(at - 1, -1, -1)),
                _kind_of_text(lines, kinds, range(at, len(lines))),
            )
            if "signature" not in around:
                return True
    pages = any(part.content_type == "text/html" and not part.attachment for part in message.parts)
    photos = any(part.content_type.startswith("image/") for part in message.parts)
    return photos and not pages and not forward


def _kind_of_text(lines: Sequence[Line], kinds: Sequence[str], places: range) -> str:
    return next((kinds[at] for at in places if lines[at].text), "")
