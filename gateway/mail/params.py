"""Parameters of MIME fields: `text/plain; charset=utf-8; name*0*=utf-8''a%20b` (RFC 2045 §5.1, RFC 2231)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from gateway.mail.charset import decode
from gateway.mail.words import decode_words, plain, unfold

_PARAM = re.compile(rb';[\s;]*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?|([^;]*+))', re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_LIMIT = 8192
_MOST = 100


class Valued(NamedTuple):
    """A field with parameters: the lower-case value (`text/plain`) and the parameters by their lower-case names."""

    value: str
    params: Mapping[str, str]


def read_params(octets: bytes) -> Valued:
    """Read a Content-Type or Content-Disposition value, in whatever shape. Linear, never raises."""
    return _read_known(octets) if len(octets) <= 80 else _read(octets[:_LIMIT])


def _read(octets: bytes) -> Valued:
    octets = unfold(octets)
    head, semicolon, _ = octets.partition(b";")
    first = head.partition(b"(")[0].split(None, 1)
    value = decode(first[0].strip(b"\"'").lower())[0] if first else ""
    if not semicolon:
        return Valued(value, {})
    plain_params: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, bytes]]] = {}
    for count, found in enumerate(_PARAM.finditer(octets)):
        if count >= _MOST:
            break
        key = decode(found[1].lower())[0]
        text = _ESCAPE.sub(rb"\1", found[2]) if found[2] is not None else found[3].strip()
        name, star, rest = key.partition("*")
        if not star:
            plain_params.setdefault(name, plain(decode_words(text) if b"=?" in text else decode(text)[0]))
            continue
        index, _, encoded = rest.partition("*")
        number = int(index) if index.isascii() and index.isdigit() and len(index) < 4 else 0
        pieces.setdefault(name, []).append((number, not index or bool(encoded) or rest.endswith("*"), text))
    # RFC 2231 §4.1: the extended form is the better one where both are given.
    return Valued(value, plain_params | {name: _join(parts) for name, parts in pieces.items()})


_read_known = lru_cache(maxsize=1024)(_read)  # most parts of most mail say one of a few things


def _join(parts: list[tuple[int, bool, bytes]]) -> str:
    charset = ""
    joined: list[bytes] = []
    for at, (_, encoded, text) in enumerate(sorted(parts, key=lambda part: part[0])):
        if encoded:
            if at == 0 and text.count(b"'") >= 2:
                named, _, text = text.split(b"'", 2)
                charset = decode(named)[0]
            text = unquote_to_bytes(text)
        joined.append(text)
    return plain(decode(b"".join(joined), charset)[0])
