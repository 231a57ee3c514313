"""Files that people edit, read so that every error names its place: path, line, column, what is wrong, what to write.

YAML here is the plain part of YAML 1.2: mappings, lists and scalars. Anchors, aliases, tags, several documents in a
file, duplicate keys and tabs for indentation are refused. Only `true`, `false`, `null` and decimal numbers are anything
but text: `no`, `on`, `12:30`, `0049` and dates stay text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic_core import PydanticCustomError

from gateway.located_words import one_of, suggest

__all__ = ["BadFiles", "Problem", "Tree", "Wrong", "load_yaml", "one_of", "read_text", "read_yaml", "suggest"]

MAX_BYTES = 1_000_000
"""Files larger than this many octets are refused unread."""
MAX_DEPTH = 32
"""Mappings and lists nested deeper than this are refused."""
MAX_PROBLEMS = 200
"""A file with more problems than this is reported up to here."""

Loc = Sequence[str | int]
"""The way to a value: keys and list positions from the top of the file."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}(?:[eE][-+]?[0-9]{1,3})?\Z")


_SECRET = re.compile(r"^\s*\w*(?:password|passphrase|secret|credential)\w*\s*[=:]|:[^\s/:@]+@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Problem:
    """One error in a file. `line` and `column` count from 1; `source` is the line itself, where known."""

    path: str
    line: int
    column: int
    what: str
    write: str
    source: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.what}" + (f". Write: {self.write}" if self.write else "")

    def show(self) -> str:
        """The form of the command line: the place and the error, the line with a mark below, and what to write.

        A line that seems to hold a secret is not shown: what commands print ends up in journals and tickets.
        """
        shown = [f"{self.path}:{self.line}:{self.column}: {self.what}"]
        if self.source.strip() and not _SECRET.search(self.source):
            number = str(self.line)
            at = max(0, min(self.column - 1, len(self.source)))
            start = max(0, at - 60)  # a long line is cut, so that the mark stays on the screen
            shown.append(f"  {number} | {self.source[start : start + 100]}")
            shown.append(f"  {' ' * len(number)} | {' ' * (at - start)}^")
        if self.write:
            shown.append(f"  Write: {self.write}")
        return "\n".join(shown)


class BadFiles(Exception):
    """Some files cannot be used. `problems` holds all of them, in the order of path, line and column."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems, key=lambda p: (p.path, p.line, p.column)))
        super().__init__("\n".join(map(str, self.problems)))

    def show(self) -> str:
        """All problems in the form of the command line, an empty line between them."""
        return "\n\n".join(problem.show() for problem in self.problems)


class Wrong(PydanticCustomError):
    """What a model's own validator raises: what is wrong, and what to write instead."""

    def __new__(cls, what: str, write: str = "") -> Wrong:
        return super().__new__(cls, "wrong", "{what}", {"what": what, "write": write})


class Node:
    """A value with its place. `inside` has the nodes of a mapping or a list, `keys` the places of a mapping's keys."""

    __slots__ = ("column", "inside", "keys", "line", "value")

    def __init__(self, value: Any, line: int, column: int) -> None:
        self.value = value
        self.line = line
        self.column = column
        self.inside: dict[str, Node] | list[Node] | None = None
        self.keys: dict[str, tuple[int, int]] | None = None

    def without(self, gone: frozenset[tuple[str | int, ...]], at: tuple[str | int, ...]) -> Node:
        """A copy of this node, which stands at `at`, without the nodes whose way from the top is in `gone`."""
        if self.inside is None:
            return self
        left = Node(None, self.line, self.column)
        if isinstance(self.inside, dict):
            kept = {key: node.without(gone, (*at, key)) for key, node in self.inside.items() if (*at, key) not in gone}
            left.inside, left.keys = kept, self.keys
            left.value = {key: node.value for key, node in kept.items()}
        else:
            ways = ((*at, number) for number in range(len(self.inside)))
            left.inside = [
                node.without(gone, way) for way, node in zip(ways, self.inside, strict=True) if way not in gone
            ]
            left.value = [node.value for node in left.inside]
        return left


class Tree:
    """One file as plain values (`data`: dict, list, str, int, float, bool, None), with the place of each of them."""

    def __init__(self, name: str, text: str, top: Node) -> None:
        self.name = name
        self.text = text
        self.data: Any = top.value
        self._top = top
        self._lines: list[str] | None = None

    def place(self, loc: Loc = (), *, key: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of the value at `loc` (of its key, if `key`), or of the nearest key above it."""
        node, at = self._top, (self._top.line, self._top.column)
        for step in loc:
            inside = node.inside
            if isinstance(inside, dict) and isinstance(step, str) and step in inside:
                at = (node.keys or {})[step]
                node = inside[step]
            elif isinstance(inside, list) and isinstance(step, int) and step < len(inside):
                node = inside[step]
                at = (node.line, node.column)
            else:
                return at
        return at if key else (node.line, node.column)

    def without(self, gone: Collection[Loc]) -> Tree:
        """The same file without the values at these places; what remains keeps the place where it stands."""
        return Tree(self.name, self.text, self._top.without(frozenset(map(tuple, gone)), ()))

    def problem(self, loc: Loc, what: str, write: str = "", *, key: bool = False) -> Problem:
        """A problem at the value (or key) that `loc` leads to."""
        return self.at(*self.place(loc, key=key), what, write)

    def at(self, line: int, column: int, what: str, write: str = "") -> Problem:
        """A problem at a line and column, both from 1."""
        if self._lines is None:
            self._lines = self.text.split("\n")
        source = self._lines[line - 1].rstrip("\r") if 0 < line <= len(self._lines) else ""
        return Problem(self.name, line, column, what, write, source)


def load_yaml(source: Path | str | bytes, name: str = "") -> Tree:
    """Read a file (a Path) or a text; `name` is how problems call it (default: the path). Raises BadFiles."""
    problems: list[Problem] = []
    tree = read_yaml(source, name, problems)
    if tree is None or problems:
        raise BadFiles(problems)
    return tree


def read_yaml(source: Path | str | bytes, name: str, problems: list[Problem]) -> Tree | None:
    """As `load_yaml`; what is wrong is added to `problems`. None where nothing can be made of the file."""
    name = name or (str(source) if isinstance(source, Path) else "text")
    try:
        text = read_text(source, name)
    except BadFiles as bad:
        problems += bad.problems
        return None
    tree = Tree(name, text, Node(None, 1, 1))
    tabs = _tabs(tree) if "\t" in text else []
    if tabs:
        problems += tabs[:MAX_PROBLEMS]
        return None
    wrong: list[Problem] = []
    try:
        return Tree(name, text, _build(tree, wrong))
    except yaml.YAMLError as error:
        wrong.append(_not_yaml(tree, error))
        return None
    finally:
        problems += wrong[:MAX_PROBLEMS]


def read_text(source: Path | str | bytes, name: str) -> str:
    """The UTF-8 text of a file or of octets, without a byte order mark.

    Raises BadFiles: it cannot be opened, it is larger than MAX_BYTES, it is not UTF-8.
    """
    if isinstance(source, str):
        return source
    if isinstance(source, Path):
        try:
            with source.open("rb") as file:
                source = file.read(MAX_BYTES + 1)
        except OSError as error:
            what = f"the file cannot be read: {(error.strerror or 'unknown error').lower()}"
            raise BadFiles([Problem(name, 1, 1, what, "a readable file at this path")]) from None
    if len(source) > MAX_BYTES:
        raise BadFiles([Problem(name, 1, 1, f"the file is larger than {MAX_BYTES:,} octets", "several smaller files")])
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        column = len(source[source.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8", "replace")) + 1
        what = f"octet 0x{source[error.start]:02x} is not UTF-8"
        raise BadFiles([Problem(name, line, column, what, "the file saved as UTF-8")]) from None


def _build(tree: Tree, problems: list[Problem]) -> Node:
    """The nodes of one document, built from events, so that hostile nesting cannot exhaust the C stack."""
    loader = _LOADER(tree.text)
    next_event = loader.get_event
    builder = _Builder(tree, problems)
    try:
        while builder.take(next_event()):
            pass
    finally:
        loader.dispose()
    return builder.top or Node(None, 1, 1)


class _Builder:
    """Takes the events of a document one by one. `stack` holds the open mappings and lists, the innermost last."""

    def __init__(self, tree: Tree, problems: list[Problem]) -> None:
        self.tree = tree
        self.problems = problems
        self.top: Node | None = None
        self.stack: list[Node] = []
        self.key: list[str | None] = []
        """For every open mapping the key whose value comes next."""

    def take(self, event: Any) -> bool:
        """False when nothing more is to be read."""
        kind, mark = type(event), event.start_mark
        if kind is yaml.ScalarEvent:
            node = Node(event.value, mark.line + 1, mark.column + 1)
            if not event.style:
                node.value = _resolve(event.value)
        elif kind is yaml.MappingStartEvent:
            node = Node({}, mark.line + 1, mark.column + 1)
            node.inside, node.keys = {}, {}
        elif kind is yaml.SequenceStartEvent:
            node = Node([], mark.line + 1, mark.column + 1)
            node.inside = []
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self.stack.pop()
            self.key.pop()
            return True
        elif kind is yaml.AliasEvent:
            node = Node(None, mark.line + 1, mark.column + 1)
            self._refuse(node, "an alias (*)", "the value itself; text that starts with * in quotes")
            self._put(node, "")
            return True
        elif kind is yaml.DocumentStartEvent and self.top is not None:
            self.problems.append(
                self.tree.at(mark.line + 1, mark.column + 1, "a second document (---)", "one document a file")
            )
            return False
        else:
            return kind is not yaml.StreamEndEvent
        if event.anchor or event.tag:
            what, sign = ("an anchor (&)", "&") if event.anchor else ("a tag (!)", "!")
            self._refuse(node, what, f"the value alone; text that starts with {sign} in quotes")
        self._put(node, event.value if kind is yaml.ScalarEvent else None)
        if node.inside is None:
            return True
        if len(self.stack) >= MAX_DEPTH:
            self._refuse(node, f"nested deeper than {MAX_DEPTH}", "a flatter form")
            return False
        self.stack.append(node)
        self.key.append(None)
        return True

    def _put(self, node: Node, text: str | None) -> None:
        """Put a node into the innermost open mapping (as a key, or as the value of the key before it) or list."""
        if not self.stack:
            self.top = node
            return
        parent = self.stack[-1]
        if parent.keys is None:
            parent.inside.append(node)  # type: ignore[union-attr, arg-type]
            parent.value.append(node.value)
            return
        key = self.key[-1]
        if key is not None:
            if key not in parent.value:
                parent.inside[key] = node  # type: ignore[index, call-overload]
                parent.value[key] = node.value
            self.key[-1] = None
            return
        if text is None:
            self._refuse(node, "a key that is a list or a mapping", "a word as the key")
        self.key[-1] = text or ""  # keys are always text, so that `no:` and `404:` are themselves
        if text in parent.keys:
            first = parent.keys[text][0]
            self._refuse(node, f'the key "{text}" stands here a second time (first in line {first})', "each key once")
        elif text is not None:
            parent.keys[text] = (node.line, node.column)

    def _refuse(self, node: Node, what: str, write: str) -> None:
        self.problems.append(self.tree.at(node.line, node.column, what, write))


def _resolve(text: str) -> Any:
    """A plain scalar's value: null, true, false, a decimal number, else the text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-0123456789":
        if _INT.match(text):
            return int(text)
        if _FLOAT.match(text):
            return float(text)
    return text


def _tabs(tree: Tree) -> list[Problem]:
    """Tabs before the first word of a line, which YAML counts as nothing and people as something."""
    return [
        tree.at(number, line.index("\t") + 1, "a tab in the indentation", "spaces instead of the tab")
        for number, line in enumerate(tree.text.split("\n"), 1)
        if "\t" in line[: len(line) - len(line.lstrip())] and line.strip()
    ]


def _not_yaml(tree: Tree, error: yaml.YAMLError) -> Problem:
    """A syntax error in the words and at the place of the YAML library."""
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read")
    mark = getattr(error, "problem_mark", None)
    if "end of stream" in said or mark is None:  # where a quote opens says more than the end of the file
        mark = getattr(error, "context_mark", None) or mark
    if mark is not None:
        line, column = mark.line + 1, mark.column + 1
    else:
        before = tree.text.encode("utf-8", "replace")[: getattr(error, "position", 0)].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    if "nesting depth" in said:  # libyaml's own bound, met while it looks ahead
        return tree.at(line, column, f"nested deeper than {MAX_DEPTH}", "a flatter form")
    return tree.at(line, column, f"this is not YAML: {said}", _syntax_hint(said))


def _syntax_hint(said: str) -> str:
    if "cannot start any token" in said:
        return "the text in quotes if it starts with one of @ ` % & * ! | > { } [ ]"
    if "mapping values are not allowed" in said:
        return "the text in quotes if it has a colon followed by a space; else check the indentation"
    if "did not find expected" in said or "could not find expected" in said:
        return "the same indentation for all keys of a mapping; close every quote and bracket"
    if "control characters" in said:
        return "printable characters only"
    if "end of stream" in said:
        return "the quote or bracket that ends what begins here"
    return "plain YAML"
