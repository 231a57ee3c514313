"""A part: one leaf of a mail, its text decoded when somebody first asks for it."""

from __future__ import annotations

import binascii
from collections.abc import Mapping

from gateway.mail.charset import decode
from gateway.mail.lazy import lazy
from gateway.mail.params import Valued
from gateway.mail.words import unbase64


class Part:
    """One leaf of the mail.

    `id` counts as IMAP does (RFC 3501 §6.4.5); `content_type` is lower-case; `charset` as declared; `disposition` is
    "inline", "attachment" or "" ; `size` counts the octets as they stand, still encoded; `start` and `end` bound them
    in the mail; `in_alternative` says that a multipart/alternative is around it; `limit` is how many octets of its
    text are read, once decoded.
    """

    def __init__(
        self,
        raw: bytes,
        id: str,
        kind: Valued,
        shown: Valued,
        encoding: str,
        start: int,
        end: int,
        in_alternative: bool,
        limit: int,
    ) -> None:
        self.raw = raw
        self.id = id
        self.content_type = kind.value
        self.params: Mapping[str, str] = kind.params
        self.charset = kind.params.get("charset", "")
        self.disposition = shown.value if shown.value in ("inline", "") else "attachment"  # RFC 2183 §2.8
        self.filename = shown.params.get("filename", "") or kind.params.get("name", "")
        self.encoding = encoding
        self.start, self.end, self.size = start, end, end - start
        self.in_alternative = in_alternative
        self.limit = limit

    def __repr__(self) -> str:
        return f"Part({self.id!r}, {self.content_type!r}, {self.size} octets)"

    @property
    def is_text(self) -> bool:
        """Whether it is text/*."""
        return self.content_type.startswith("text/")

    @property
    def attachment(self) -> bool:
        """Whether it is a file beside the text rather than the text."""
        return self.disposition == "attachment" or bool(self.filename and self.disposition != "inline")

    @property
    def flowed(self) -> bool:
        """format=flowed (RFC 3676 §4)."""
        return self.params.get("format", "").lower() == "flowed"

    @property
    def delsp(self) -> bool:
        """DelSp=yes: the blank at the end of a flowed line goes away (RFC 3676 §4)."""
        return self.params.get("delsp", "").lower() == "yes"

    @property
    def text(self) -> str | None:
        """The decoded text of text/* (CRLF as LF), None for everything else."""
        return self._decoded[0] if self.is_text else None

    @property
    def oddities(self) -> tuple[str, ...]:
        """What was wrong with the encoding or the charset of the text."""
        return self._decoded[1] if self.is_text else ()

    @property
    def cut(self) -> bool:
        """Whether the text is longer than what is read of it."""
        return self.is_text and self._decoded[2]

    @lazy
    def _decoded(self) -> tuple[str, tuple[str, ...], bool]:
        # Encoded text is up to 3 octets for one (=41) and line ends.
        far = self.limit * 4 if self.encoding in ("base64", "quoted-printable") else self.limit
        end = min(self.end, self.start + far)
        octets, oddity = unencode(self.raw[self.start : end], self.encoding)
        cut = end < self.end or len(octets) > self.limit
        if cut:
            octets = _whole_characters(octets[: self.limit])
        text, charset_oddity = decode(octets, self.charset)
        odd = tuple(f"part {self.id}: {each}" for each in (oddity, charset_oddity) if each)
        return text.replace("\r\n", "\n") if "\r" in text else text, odd, cut

    def may_hold(self, words: bytes) -> bool:
        """Whether these ASCII words may stand in the text; True where only decoding could tell."""
        return self.is_text and (self.encoding == "base64" or self.raw.find(words, self.start, self.end) >= 0)


def unencode(octets: bytes, encoding: str) -> tuple[bytes, str]:
    """Undo a Content-Transfer-Encoding; broken input gives what can be had and an oddity. Never raises."""
    if encoding == "base64":
        try:
            return binascii.a2b_base64(octets), ""
        except binascii.Error:
            pass
        line = octets[:200].partition(b"\n")[0].strip()
        if (len(octets) < 16 and len(line) % 4 == 1) or b" " in line or not line.isascii():
            return octets, "called base64, and is plain text"
        return unbase64(octets), "broken base64"
    if encoding == "quoted-printable":
        return binascii.a2b_qp(octets), ""
    return octets, "" if encoding in ("", "7bit", "8bit", "binary") else f"unknown encoding {encoding!a}"


def _whole_characters(octets: bytes) -> bytes:
    """Cut the rest of a UTF-8 character off the end, so that a bounded read does not look like a wrong charset."""
    for back in range(1, min(4, len(octets)) + 1):
        if octets[-back] >= 0xC0:
            return octets[:-back]
        if octets[-back] < 0x80:
            break
    return octets
