"""A file as an instance of a model: whole, or as much of it as is right, so that one fault hides no other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.located import MAX_PROBLEMS, BadFiles, Loc, Problem, Tree
from gateway.located_words import keys_at, words

Model = TypeVar("Model", bound=BaseModel)
Way = tuple[str | int, ...]
"""A `Loc` that can stand in a set."""

MOST_ROUNDS = 20
"""How often what does not fit is left out, and the rest tried again: faults inside each other take a round each."""


def validate(model: type[Model], tree: Tree) -> Model:
    """The tree as an instance of `model`. Raises BadFiles with every error at its place."""
    problems: list[Problem] = []
    fitting = fit(model, tree, problems)
    if problems or fitting is None:
        raise BadFiles(problems)
    return fitting.file


@dataclass(frozen=True, slots=True)
class Fitting(Generic[Model]):
    """What fits of a file: the model, and the tree of that. `gone` are the places of what was left out."""

    file: Model
    tree: Tree
    gone: frozenset[Way]

    def lost(self, *way: str) -> bool:
        """True where something under these keys was left out: nothing is to be said that may only come of that."""
        return any(place[: len(way)] == way for place in self.gone)


def fit(
    model: type[Model], tree: Tree, problems: list[Problem], stand_ins: Mapping[str, Any] | None = None
) -> Fitting[Model] | None:
    """As much of the tree as fits `model`; what does not is added to `problems` and left out.

    `stand_ins` are values for required top-level keys that are missing or wrong. None where nothing fits.
    """
    if tree.data is None:
        problems.append(tree.at(1, 1, "the file is empty", "its required keys"))
        return None
    refused = {(problem.line, problem.column) for problem in problems if problem.path == tree.name}
    gone: set[Way] = set()  # places in the tree as it was given
    left = tree
    told: list[Problem] = []
    given: dict[str, Any] = {}
    for _ in range(MOST_ROUNDS):
        try:
            found = model.model_validate({**given, **left.data} if given else left.data)
        except ValidationError as error:
            wrong = _wrong(model, left, error)
        else:
            problems += told[:MAX_PROBLEMS]
            return Fitting(found, left, frozenset(gone))
        before = len(gone), len(given)
        for way, problem, missing in [(_way(loc, gone), problem, missing) for loc, problem, missing in wrong]:
            holder = way[:-1]
            known = not missing and (problem.line, problem.column) in refused
            if not known and not any(part[: len(way)] == way for part in gone):
                told.append(problem)  # else it is missed only because it was wrong and is left out
            key = str(way[0]) if way else ""
            if len(way) == 1 and key in (stand_ins or {}):
                given[key] = (stand_ins or {})[key]
            gone.add(holder if missing and holder else way)
        if () in gone or (len(gone), len(given)) == before:
            break
        left = tree.without(gone)
    problems += told[:MAX_PROBLEMS]
    return None


def _way(loc: Loc, gone: Collection[Way]) -> Way:
    """The place in the whole tree that `loc` leads to in the one without what is gone."""
    way: Way = ()
    for step in loc:
        if isinstance(step, int):
            at = -1
            for _ in range(step + 1):
                at += 1
                while (*way, at) in gone:
                    at += 1
            step = at
        way = (*way, step)
    return way


def _wrong(model: type[BaseModel], tree: Tree, error: ValidationError) -> list[tuple[Way, Problem, bool]]:
    """Pydantic's errors in our words, one for each place: a value that fits no form of a union is told of once.

    The last of the three is true where something is missing.
    """
    told: dict[tuple[tuple[int, int], str], tuple[Way, Problem, bool]] = {}
    for item in error.errors(include_url=False):
        kind = item["type"]
        loc = _real(tree, item["loc"], keep_last=kind == "missing")
        place = tree.place(loc, key=kind == "extra_forbidden")
        what, write = words(item, loc, keys_at(model, loc[:-1]))
        key = place, what if kind == "missing" else ""
        told.setdefault(key, (loc, tree.at(*place, what, write), kind == "missing"))
    return list(told.values())


def _real(tree: Tree, loc: Loc, *, keep_last: bool) -> Way:
    """A pydantic location without the names of union members and validators, which stand in no file."""
    node: Any = tree.data
    kept: list[str | int] = []
    for number, step in enumerate(loc):
        inside = dict(enumerate(node)) if isinstance(node, list) else node if isinstance(node, dict) else {}
        if step in inside:
            node = inside[step]
        elif not (keep_last and number == len(loc) - 1):
            continue
        kept.append(step)
    return tuple(kept)
