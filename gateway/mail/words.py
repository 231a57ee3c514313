"""Encoded words: RFC 2047 in header text, in the good and the bad forms that mail really has."""

from __future__ import annotations

import binascii
import re

from gateway.mail.charset import decode

# The length bounds keep hostile text linear; `?` inside the text and blanks inside a Q word are common faults.
_WORD = re.compile(rb"=\?([^?\s]{1,60}+)\?([bBqQ])\?(.{0,2000}?)\?=", re.DOTALL)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_FOLD = re.compile(rb"\r*\n[ \t]")
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


def unfold(octets: bytes) -> bytes:
    """A field's value on one line (RFC 5322 §2.2.3), without the blanks around it."""
    if b"\n" in octets:
        octets = _FOLD.sub(b" ", octets)
    return octets.strip(b" \t\r\n")


def plain(text: str) -> str:
    """The same text with every control character and line separator as a blank: safe in a header or a template."""
    return text if text.isprintable() else _CONTROL.sub(" ", text)


def header_text(octets: bytes) -> str:
    """A field's value unfolded, its encoded words decoded, raw octets beyond ASCII tolerated. Never raises."""
    octets = unfold(octets)
    return plain(decode_words(octets) if b"=?" in octets else decode(octets)[0])


def decode_words(octets: bytes) -> str:
    """Decode every encoded word, wherever it stands; blanks between adjacent words vanish (RFC 2047 §6.2).

    Octets of adjacent words of one charset are joined before decoding, since many senders cut characters in two.
    """
    out: list[str] = []
    held: list[bytes] = []
    held_charset = b""
    at = 0
    for word in _WORD.finditer(octets):
        between = octets[at : word.start()]
        charset, encoding, text = word.groups()
        if held and (between.strip(b" \t") or charset.lower() != held_charset):
            out.append(decode(b"".join(held), held_charset.decode("ascii", "replace"))[0])
            held = []
        if between.strip(b" \t") or not at:
            out.append(decode(between)[0])
        held_charset = charset.lower()
        held.append(_unword(encoding, text))
        at = word.end()
    if held:
        out.append(decode(b"".join(held), held_charset.decode("ascii", "replace"))[0])
    out.append(decode(octets[at:])[0])
    return "".join(out)


def _unword(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"bB":
        return unbase64(text)
    return binascii.a2b_qp(text.replace(b"\n", b" "), header=True)


def unbase64(octets: bytes) -> bytes:
    """Base64 with whatever else is in it left out, wrong padding tolerated (RFC 2045 §6.8). Never raises."""
    try:
        return binascii.a2b_base64(octets)
    except binascii.Error:
        kept = octets.partition(b"=")[0].translate(None, _NOT_BASE64)
        if len(kept) % 4 == 1:
            kept = kept[:-1]
        return binascii.a2b_base64(kept + b"===")
