"""Where the keys and values of a TOML file stand, which tomllib does not tell."""

from __future__ import annotations

import re
from dataclasses import dataclass

_KEY = re.compile(
    r"""[ \t]*((?:"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_.-]+)(?:[ \t]*\.[ \t]*[A-Za-z0-9_-]+)*)[ \t]*=[ \t]*"""
)
_TABLE = re.compile(r"[ \t]*\[+[ \t]*([^\]\n]*?)[ \t]*\]")


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, both from 1, of a key and of the value after it."""

    line: int
    column: int
    value_line: int
    value_column: int


def key_places(text: str) -> dict[str, Place]:
    """The places of all top-level keys and tables of a text that tomllib has accepted. Linear in its length."""
    places: dict[str, Place] = {}
    inside = False
    at, line_start, line = 0, 0, 1
    while at < len(text):
        key, table = _KEY.match(text, at), _TABLE.match(text, at)
        if key:
            place = Place(line, key.start(1) - line_start + 1, line, key.end() - line_start + 1)
            if not inside:
                places.setdefault(_plain(key[1]), place)
            at = _after_value(text, key.end())
        else:
            if table:
                inside = True
                column = table.start(1) - line_start + 1
                places.setdefault(_plain(table[1]), Place(line, column, line, column))
            end = text.find("\n", at)
            at = len(text) if end < 0 else end + 1
        newlines = text.count("\n", line_start, at)
        if newlines:
            line += newlines
            line_start = text.rfind("\n", 0, at) + 1
    return places


def _plain(key: str) -> str:
    """The first part of a (dotted, quoted) key."""
    if key[:1] in "\"'":
        return key[1 : key.find(key[0], 1)]
    return key.partition(".")[0].strip()


def _after_value(text: str, at: int) -> int:
    """The start of the line after the value that begins at `at`: strings and brackets may span lines."""
    depth = 0
    while at < len(text):
        ch = text[at]
        if text.startswith(('"""', "'''"), at):
            end = text.find(text[at : at + 3], at + 3)
            while ch == '"' and end > 0 and _escaped(text, end):
                end = text.find('"""', end + 1)
            at = len(text) if end < 0 else end + 3
        elif ch in "\"'":
            end = text.find(ch, at + 1)
            while ch == '"' and end > 0 and _escaped(text, end):
                end = text.find(ch, end + 1)
            at = len(text) if end < 0 else end + 1
        elif ch == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif ch == "\n" and depth <= 0:
            return at + 1
        else:
            depth += (ch in "[{") - (ch in "]}")
            at += 1
    return at


def _escaped(text: str, at: int) -> bool:
    slashes = 0
    while text[at - 1 - slashes] == "\\":
        slashes += 1
    return slashes % 2 == 1
