"""The conditions of a policy: sentences over named facts, never patterns over text.

when: handoff                          the fact holds
when: [handoff, requester_absent]      all of a list (under `unless` and `exempt`: any of it)
when:
  all: [handoff, ...]                  also any: and none:, nested as needed; several in one mapping must all hold
  any:
    - empty_forward
    - referral: hand-off               the fact has this value
    - requester.grade: [observed, declared]
    - questions: {at_least: 2}         a number's bounds, at_least and at_most
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gateway.located import Loc, Problem, Tree, one_of, suggest

Lookup = Callable[[str], Any]
"""Gives a named fact's value, or None when it does not hold."""
Kind = Literal["all", "any", "none"]
_KINDS: tuple[Kind, ...] = ("all", "any", "none")


@dataclass(frozen=True, slots=True)
class Has:
    """One fact: it holds, with one of `values` (if any are named) and within the bounds (if any are named)."""

    name: str
    values: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, lookup: Lookup) -> bool:
        value = lookup(self.name)
        if value is None or value is False:
            return False
        if self.values:
            return any(str(item) in self.values for item in (value if isinstance(value, tuple) else (value,)))
        if self.at_least is not None or self.at_most is not None:
            if not isinstance(value, int | float):
                return False
            return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)
        return True

    def names(self) -> Iterator[str]:
        yield self.name

    def __str__(self) -> str:
        bounds = [f"{key} {value:g}" for key in ("at_least", "at_most") if (value := getattr(self, key)) is not None]
        said = " or ".join(self.values) or ", ".join(bounds)
        return f"{self.name}: {said}" if said else self.name


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions of which all, any, or none must hold. No conditions at all: `all` and `none` hold, `any` does not."""

    kind: Kind
    parts: tuple[Condition, ...]

    def holds(self, lookup: Lookup) -> bool:
        if self.kind == "all":
            return all(part.holds(lookup) for part in self.parts)
        found = any(part.holds(lookup) for part in self.parts)
        return found if self.kind == "any" else not found

    def names(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.names()

    def __str__(self) -> str:
        return f"{self.kind}: [{', '.join(map(str, self.parts))}]"


Condition = Has | Group


def reasons(condition: Condition, lookup: Lookup) -> Iterator[str]:
    """The names of the facts that made a condition hold, in the order of the policy; absences have no name."""
    if isinstance(condition, Has):
        if condition.holds(lookup):
            yield condition.name
    elif condition.kind != "none":
        for part in condition.parts:
            if part.holds(lookup):
                yield from reasons(part, lookup)


def lacking(condition: Condition, lookup: Lookup) -> Iterator[str]:
    """What keeps a condition from holding, as the policy says it: "eta", "none: refusal"."""
    if condition.holds(lookup):
        return
    if isinstance(condition, Has) or condition.kind != "all":
        yield str(condition)
        return
    for part in condition.parts:
        yield from lacking(part, lookup)


def confidence(condition: Condition, lookup: Lookup, sure: Callable[[str], float]) -> float:
    """How sure a condition is, 0 (it does not hold) to 1: as sure as the surest way in which it holds.

    `sure` gives a named fact's confidence. An absence is sure: what is too unsure to be a fact is absent.
    A policy whose facts all had to reach some threshold would match exactly where this reaches it.
    """
    if not condition.holds(lookup):
        return 0.0
    if isinstance(condition, Has):
        return sure(condition.name)
    parts = [confidence(part, lookup, sure) for part in condition.parts]
    return min(parts, default=1.0) if condition.kind == "all" else max(parts) if condition.kind == "any" else 1.0


@dataclass(frozen=True, slots=True)
class Grammar:
    """Reads conditions. `names` are the known facts, each with its possible values; `open` are those with any others.

    All others are there or not.
    """

    names: Mapping[str, Sequence[str]]
    open: Collection[str] = ()

    def read(self, value: Any, loc: Loc, tree: Tree, problems: list[Problem], *, lists: Kind = "all") -> Condition:
        """The condition at `loc`; what is wrong with it goes to `problems`. `lists` says what a bare list means."""
        if isinstance(value, str):
            return self._has(value, None, loc, tree, problems, key=False)
        if isinstance(value, list):
            return Group(lists, tuple(self.read(v, (*loc, n), tree, problems) for n, v in enumerate(value)))
        if isinstance(value, dict) and value:
            parts = tuple(self._pair(key, inner, (*loc, key), tree, problems) for key, inner in value.items())
            return parts[0] if len(parts) == 1 else Group("all", parts)
        problems.append(
            tree.problem(loc, "a condition is missing", "a fact, or all:, any: or none: with a list of facts")
        )
        return Group("any", ())

    def _pair(self, key: str, value: Any, loc: Loc, tree: Tree, problems: list[Problem]) -> Condition:
        if key in _KINDS:
            if not isinstance(value, list) or not value:
                problems.append(tree.problem(loc, f'"{key}" needs a list of conditions', f"{key}: [fact, other_fact]"))
                return Group("any", ())
            kind: Kind = key  # type: ignore[assignment]
            return Group(kind, tuple(self.read(v, (*loc, n), tree, problems) for n, v in enumerate(value)))
        return self._has(key, value, loc, tree, problems, key=True)

    def _has(self, name: str, value: Any, loc: Loc, tree: Tree, problems: list[Problem], *, key: bool) -> Condition:
        if name not in self.names:
            write = self._meant(name, key)
            problems.append(tree.problem(loc, f'unknown fact "{name}"', write, key=key))
            return Has(name)
        if value is None or value is True:
            return Has(name)
        if value is False:
            return Group("none", (Has(name),))
        if isinstance(value, dict):
            return self._bounds(name, value, loc, tree, problems)
        allowed = self.names[name]
        if not allowed and name not in self.open:
            problems.append(tree.problem(loc, f'"{name}" has no values: it is there, or not', f"{name}, alone"))
            return Has(name)
        listed = value if isinstance(value, list) else [value]
        for number, item in enumerate(listed):
            at = (*loc, number) if isinstance(value, list) else loc
            if isinstance(item, dict | list) or item is None:
                problems.append(tree.problem(at, f'"{name}" cannot be this', "one value, or a list of values"))
            elif allowed and str(item) not in allowed:
                near = suggest(str(item), allowed)
                write = f"{near} (allowed: {one_of(allowed)})" if near else one_of(allowed)
                problems.append(tree.problem(at, f'"{name}" is never "{item}"', write))
        return Has(name, tuple(str(item) for item in listed))

    def _meant(self, name: str, key: bool) -> str:
        """What somebody may have meant by a name that is none."""
        if key and name in ("not", "no", "never"):
            return "none: with a list"
        about, dot, rest = name.partition(".")
        same = [each.partition(".")[2] for each in self.names if dot and each.startswith(f"{about}.")]
        if same:
            near = {"outside": "external", "inside": "internal"}.get(rest) or suggest(rest, same)
            return f"{about}.{near}" if near in same else one_of(f"{about}.{each}" for each in same)
        near = suggest(name, [*self.names, *(_KINDS if key else ())])
        return near or f"one of: {', '.join(sorted(self.names))} (the clock is no fact; days stand under scope)"

    def _bounds(self, name: str, value: dict[str, Any], loc: Loc, tree: Tree, problems: list[Problem]) -> Condition:
        for key, bound in value.items():
            if key not in ("at_least", "at_most"):
                problems.append(tree.problem((*loc, key), f'unknown key "{key}"', "at_least or at_most", key=True))
            elif isinstance(bound, bool) or not isinstance(bound, int | float):
                problems.append(tree.problem((*loc, key), f'"{key}" needs a number', f"{key}: 2"))
        numbers = {k: v for k, v in value.items() if isinstance(v, int | float) and not isinstance(v, bool)}
        return Has(name, (), numbers.get("at_least"), numbers.get("at_most"))
