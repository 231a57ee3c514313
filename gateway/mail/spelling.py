"""Spelling: how a mailbox is written in a header, so that no reader can take it for more than one mailbox."""

from __future__ import annotations

import base64
import re
import unicodedata

from gateway.mail.address import Mailbox

WANTED_LINE = 78
"""Octets of a line without CRLF that RFC 5322 §2.1.1 asks for."""
HARD_LINE = 998
"""Octets of a line without CRLF that RFC 5322 §2.1.1 allows."""

_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~-"
_LOCAL = re.compile(
    rf"(?:[\x80-\U0010ffff{_ATEXT}]++(?:\.[\x80-\U0010ffff{_ATEXT}]++)*+|\"(?:[ !#-\[\]-~]|\\[ -~])*+\")"
)
_DOMAIN = re.compile(r"[A-Za-z0-9\x80-\U0010ffff](?:[A-Za-z0-9\x80-\U0010ffff-]*[A-Za-z0-9\x80-\U0010ffff])?")
_PHRASE = re.compile(rf"[{_ATEXT}]++(?: [{_ATEXT}]++)*+")
_LONGEST_NAME = 200


class CannotWrite(ValueError):
    """This mailbox must not be written into a header; the text says why, in plain words."""


def check_address(address: str, *, smtputf8: bool = False) -> str:
    """The address, if it can stand in a header as it is (RFC 5321 §4.1.2). Raises CannotWrite.

    Octets beyond ASCII need `smtputf8` (RFC 6531 §3.2). Address literals and source routes are refused: nobody's
    correspondent has one.
    """
    _check_characters(address, "address")
    local, at, domain = address.rpartition("@")
    if not at or len(local.encode()) > 64 or len(domain.encode()) > 255:  # RFC 5321 §4.5.3.1
        raise CannotWrite("the address is no mailbox")
    if not _LOCAL.fullmatch(local) or not all(map(_DOMAIN.fullmatch, domain.split("."))):
        raise CannotWrite("the address is no mailbox")
    if not address.isascii() and not smtputf8:
        raise CannotWrite("the address needs SMTPUTF8")
    return address


def spell(who: Mailbox, *, smtputf8: bool = False) -> tuple[bytes, ...]:
    """The tokens of `Name <address>`, each at most 75 octets where it can be, to be joined by blanks or folds.

    ASCII names are atoms or a quoted string, others encoded words (RFC 2047 §5). Raises CannotWrite for whatever
    could end a line or hide a character, from wherever it came.
    """
    address = check_address(who.address, smtputf8=smtputf8).encode("utf-8")
    name = spoken_name(who.name)
    _check_characters(who.name, "name", but="Cf")
    if len(name) > _LONGEST_NAME:
        raise CannotWrite("the name is too long")
    if not name:
        return (address,)
    if not name.isascii() or "=?" in name:
        return (*_encoded_words(name), b"<" + address + b">")
    if _PHRASE.fullmatch(name):
        return (*name.encode("ascii").split(b" "), b"<" + address + b">")
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return (b'"' + quoted.encode("ascii") + b'"', b"<" + address + b">")


def spoken_name(name: str) -> str:
    """The name with single blanks, without quotes around it and without marks that turn or hide text."""
    if not name.isprintable():
        name = "".join(each for each in name if unicodedata.category(each) != "Cf")
    return " ".join(name.split()).strip("'\" ")


def fold(tokens: tuple[bytes, ...], column: int) -> bytes:
    """The tokens joined by blanks, or by CRLF and a blank where a line from `column` on would exceed WANTED_LINE."""
    out: list[bytes] = []
    for token in tokens:
        if out:
            if column + 1 + len(token) > WANTED_LINE:
                out.append(b"\r\n ")
                column = 1
            else:
                out.append(b" ")
                column += 1
        out.append(token)
        column += len(token)
    return b"".join(out)


def _check_characters(text: str, what: str, but: str = "") -> None:
    for character in text:
        # Cc: CR, LF, VT, FF, NEL, NUL …; Zl, Zp: U+2028, U+2029; Cs: lone surrogates; Cf: marks that turn text around.
        category = unicodedata.category(character)
        if category in ("Cc", "Zl", "Zp", "Cs", "Cf", "Cn", "Co") and category != but:
            raise CannotWrite(f"the {what} holds U+{ord(character):04X}, which must not stand in a header")


def _encoded_words(name: str) -> tuple[bytes, ...]:
    """RFC 2047 §2: words of at most 75 octets, none of which cuts a character."""
    words: list[bytes] = []
    chunk = b""
    for character in name:
        octets = character.encode("utf-8")
        if len(chunk) + len(octets) > 45:
            words.append(chunk)
            chunk = b""
        chunk += octets
    return tuple(b"=?utf-8?B?" + base64.b64encode(each) + b"?=" for each in (*words, chunk))
