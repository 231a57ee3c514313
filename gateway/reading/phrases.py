"""The small language in which lexicons write phrases, turned into RE2 (linear time by construction).

    can't help you       these words in this order; commas and spaces between them do not matter, nor does case
    (will|shall) not     one of several
    [please] take        optional words
    {we} {cannot}        a word set of the same file (`words:`), or of the phrase's own making
    pass* / *sperren     a word that begins / ends so
    _                    exactly one word
    ...                  at most four words, with no mark between them
    #                    a number
    'll                  what begins with an apostrophe is written onto the word before: {we} 'll
    <                    at the start: only at the beginning of a sentence
    >                    at the end: only at the end of a sentence
    ,  :  ?              such a mark itself (a comma also means a semicolon or a dash)

A phrase begins and ends at the edge of a word. Nothing else is special: there is no raw pattern.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_PHRASE = 1000
"""Phrases longer than this many characters (sets not counted) are refused."""
MAX_DEPTH = 6
"""Word sets and brackets nested deeper than this are refused."""

_TOKEN = re.compile(r"\s+|\.\.\.|\{\w+\}|[()\[\]{}|<>,:?#_]|[^\s()\[\]{}|<>,:?#_]+")

# The text is matched as octets (RE2 in Latin-1 mode) in which everything that is no letter has become ASCII: an edge of
# a word is then a class of a few ranges. Unicode classes here would make the automaton fifty times as large.
_LETTER = r"a-z0-9_\x80-\xff"
LETTERS = frozenset(octet for octet in range(256) if re.match(rf"[{_LETTER}]", chr(octet)))
"""The octets of which words are made."""
LINE_FEED = 10
_GAP = r"[ ,]+"
_WORD = r"[^ \n.,;:!?()-][^ \n.,;:!?()]*"  # a lone dash is a mark, no word
_LEFT = rf"(?:[^{_LETTER}']|[^{_LETTER}](?:[cdjlmnst]|qu)')"  # a word may follow an elision: l'alternative
_RIGHT = rf"[^{_LETTER}]"
_START = rf"\n[^{_LETTER}\n]*"
_END = rf"[^{_LETTER}\n]*\n"
_MARKS = {",": r" ?[,;-]", ":": r" ?:", "?": r" ?\?"}
_STRANGE = re.compile(r"[^\x00-\x7f\w]")
_DASHES = re.compile(r"[–—]")


class BadPhrase(ValueError):
    """A phrase that cannot be read: `str()` says what is wrong, `write` what to do."""

    def __init__(self, what: str, write: str) -> None:
        super().__init__(what)
        self.write = write


Known = dict[tuple[str, bool, int], str]
"""The sources of word sets by name, whether a word stands before, and depth: most phrases share a few large ones."""


@dataclass(slots=True)
class _Reader:
    """The tokens of one phrase and how far they are read."""

    tokens: list[str]
    words: Mapping[str, list[str]]
    known: Known
    depth: int = 0
    at: int = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]


def compile_phrase(phrase: str, words: Mapping[str, list[str]], known: Known | None = None) -> str:
    """The RE2 source of a phrase; its first group is the phrase itself without the edges. Raises BadPhrase.

    For octets as `octets_of` makes them, in Latin-1 mode. `known` keeps what was made of `words`, for the next phrase.
    """
    if not phrase.strip():
        raise BadPhrase("an empty phrase", "the words to look for")
    if len(phrase) > MAX_PHRASE:
        raise BadPhrase(f"a phrase longer than {MAX_PHRASE} characters", "several phrases")
    body = phrase.strip()
    start, end = body.startswith("<"), body.endswith(">")
    body = body[1 if start else 0 : len(body) - 1 if end else len(body)]
    reader = _Reader([t for t in _TOKEN.findall(fold(body)) if not t.isspace()], words, {} if known is None else known)
    source = _choice(reader, led=False)
    if reader.at < len(reader.tokens):
        raise BadPhrase(f'"{reader.peek()}" without its opening bracket', "brackets in pairs")
    return f"{_START if start else _LEFT}({source}){_END if end else _RIGHT}"


def fold(text: str) -> str:
    """The form in which phrases and mail are compared: lower case, one kind of apostrophe; the length never changes."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered.replace("`", "'").replace("\t", " ")  # of _SAME, all that is ASCII
    if len(lowered) != len(text):
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return _ANY_SAME.sub(lambda found: _SAME[found.group()], lowered)


def octets_of(folded: str) -> bytes:
    """Folded text as phrases read it: UTF-8 between two line feeds, what is neither letter nor ASCII made a blank."""
    folded = folded.replace("*", " ").replace("_", " ")  # emphasis of plain text: *not*, __never__
    if not folded.isascii():
        folded = _STRANGE.sub(" ", _DASHES.sub(";", folded))
    return b"\n" + folded.encode("utf-8", "replace") + b"\n"


_SAME = (
    dict.fromkeys("’‘`´ʼ", "'") | dict.fromkeys("\u00a0\u202f\u2009\t\u200b", " ") | dict.fromkeys("\u2010\u2011", "-")
)
_ANY_SAME = re.compile(f"[{''.join(_SAME)}]")


def _choice(reader: _Reader, led: bool) -> str:
    """One or several sequences. `led` says that a word stands before: each sequence then brings its own gap."""
    branches = [_sequence(reader, led)]
    while reader.peek() == "|":
        reader.take()
        branches.append(_sequence(reader, led))
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"


def _sequence(reader: _Reader, led: bool) -> str:
    out: list[str] = []
    begun = False  # whether a word that must stand has come already
    while reader.peek() and reader.peek() not in ")]|":
        token = reader.take()
        after = led or begun
        if token == "...":
            out.append(f"(?: +(?:{_WORD})){{0,4}}" if after else f"(?:(?:{_WORD}) +){{0,4}}")
        elif token == "[":
            inner = _inside(reader, "]", after)
            out.append(f"(?:{inner})?" if after else f"(?:{inner}{_GAP})?")
        elif token in _MARKS:
            out.append(_MARKS[token])
            begun = begun or token == ","
        else:
            out.append(_word(reader, token, after))
            begun = True
    if not begun:
        raise BadPhrase("a phrase, or one side of a choice, without a word that must stand", "at least one plain word")
    return "".join(out)


def _word(reader: _Reader, token: str, led: bool) -> str:
    gap = _GAP if led else ""
    if token == "(":
        return f"(?:{_inside(reader, ')', led)})"
    if token.startswith("{") and token.endswith("}"):
        return _set(reader, token[1:-1], led)
    if token == "_":
        return gap + _WORD
    if token == "#":
        return gap + r"[0-9]+"
    if token in ">)]{}<":
        write = "< only at the start, > only at the end, brackets in pairs, {name}"
        raise BadPhrase(f'"{token}" in the middle of a phrase', write)
    bare = token.strip("*")
    if not bare:
        raise BadPhrase('"*" alone', '"_" for one word, "..." for some')
    if bare[0] == "'" or (bare[0] == "-" and len(bare) > 1):
        gap = ""  # 'll, 's, -moi: written onto the word before
    before = r"[a-z\x80-\xff]*" if token.startswith("*") else ""
    behind = r"[a-z\x80-\xff']*" if token.endswith("*") else ""
    return gap + before + re.escape(bare) + behind


def _inside(reader: _Reader, closing: str, led: bool) -> str:
    reader.depth += 1
    if reader.depth > MAX_DEPTH:
        raise BadPhrase("brackets nested too deep", "a flatter phrase")
    source = _choice(reader, led)
    if reader.peek() != closing:
        raise BadPhrase(f'a bracket without its "{closing}"', "brackets in pairs")
    reader.take()
    reader.depth -= 1
    return source


def _set(reader: _Reader, name: str, led: bool) -> str:
    key = (name, led, reader.depth)
    if key in reader.known:
        return reader.known[key]
    members = reader.words.get(name)
    if members is None:
        raise BadPhrase(f'no word set "{name}"', f"one of {', '.join(sorted(reader.words)) or 'words: first'}")
    if reader.depth >= MAX_DEPTH:
        raise BadPhrase(f'the word set "{name}" uses itself, or sets are nested too deep', "plain words in it")
    branches = []
    for member in members:
        tokens = [t for t in _TOKEN.findall(fold(member)) if not t.isspace()]
        inner = _Reader(tokens, reader.words, reader.known, reader.depth + 1)
        branches.append(_choice(inner, led))
        if inner.at < len(inner.tokens):
            what = f'"{inner.peek()}" without its opening bracket in the word set "{name}"'
            raise BadPhrase(what, "brackets in pairs")
    source = reader.known[key] = f"(?:{'|'.join(branches)})"
    return source
