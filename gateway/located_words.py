"""Pydantic's errors in plain words: what is wrong, and what to write."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

_WANTED = {
    "string_type": "text (numbers, true and false in quotes)",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "dict_type": "keys and values, indented below it",
    "model_type": "keys and values, indented below it",
    "model_attributes_type": "keys and values, indented below it",
    "list_type": "a list, like [a, b]",
    "tuple_type": "a list, like [a, b]",
    "set_type": "a list, like [a, b]",
    "frozen_set_type": "a list, like [a, b]",
}
"""What to write for each kind of error that pydantic knows by type."""


def words(error: Mapping[str, Any], loc: Sequence[str | int], known: Mapping[str, str]) -> tuple[str, str]:
    """What is wrong and what to write, for one of pydantic's errors at `loc`; `known` are the keys of its mapping."""
    kind, context = error["type"], error.get("ctx") or {}
    key, got = str(loc[-1]) if loc else "the file", _shown(error.get("input"))
    if kind == "wrong":
        return str(context.get("what", "")), str(context.get("write", ""))
    if kind == "extra_forbidden":
        near = suggest(key, known)
        return f'unknown key "{key}"', f'"{near}"' if near else f"one of: {', '.join(sorted(known))}"
    if kind == "missing":
        return f'the key "{key}" is missing', f"{key}: {known.get(key) or '...'}"
    if isinstance(loc[-1] if loc else "", int):
        named = next((step for step in reversed(loc) if isinstance(step, str)), "")
        key = f"item {int(loc[-1]) + 1} of {named}" if named else f"item {int(loc[-1]) + 1}"
    if kind in ("literal_error", "enum"):
        allowed = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        near = suggest(str(error.get("input")), allowed)
        return f'"{key}" cannot be {got}', f"{near} (allowed: {one_of(allowed)})" if near else one_of(allowed)
    wanted = _WANTED.get(kind) or (
        "a date like 2026-11-30" if kind.startswith("date") else "a time like 08:30" if kind.startswith("time") else ""
    )
    if wanted:
        return f'"{key}" cannot be {got}', wanted
    bounds = {"less_than_equal": ("le", "at most"), "greater_than_equal": ("ge", "at least")}
    if kind in bounds:
        return f'"{key}" cannot be {got}', f"{bounds[kind][1]} {context.get(bounds[kind][0])}"
    if kind == "too_short":
        return f'"{key}" has too little', f"at least {context.get('min_length')} of them"
    said = str(error.get("msg", "it does not fit"))
    return f'"{key}" cannot be {got}', said[:1].lower() + said[1:]


def suggest(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or "" where none is near. A part of just one word is near: `from`, active_from."""
    folded = {other.casefold(): other for other in known}
    near = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    if not near:
        near = [other for other in folded if word.casefold() in re.split("[_.-]", other)]
    return folded[near[0]] if len(near) == 1 else ""


def one_of(words: Iterable[str]) -> str:
    """The allowed words as a sentence's end: "a, b or c"."""
    *most, last = list(words) or [""]
    return f"{', '.join(most)} or {last}" if most else last


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value).replace("\n", " ")
    return f'"{text[:40]}…"' if len(text) > 40 else f'"{text}"'


def keys_at(model: type[BaseModel], loc: Sequence[str | int]) -> dict[str, str]:
    """The keys that the models at this place know, each with what its description says."""
    kinds = _members(model)
    for step in loc:
        inner: list[Any] = []
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                inner += [f.annotation for n, f in kind.model_fields.items() if step in (n, f.alias)]
            elif get_origin(kind) in (dict, list, tuple, set, frozenset):
                inner += [a for a in get_args(kind)[get_origin(kind) is dict :] if a is not Ellipsis]
        kinds = [member for kind in inner for member in _members(kind)]
    return {
        field_.alias or name: field_.description or ""
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        for name, field_ in kind.model_fields.items()
    }


def _members(kind: Any) -> list[Any]:
    """The members of a union, seen through Annotated and type aliases."""
    kind = getattr(kind, "__value__", kind)
    if get_origin(kind) is Annotated:
        return _members(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [inner for member in get_args(kind) for inner in _members(member)]
    return [kind]
