"""Charts as figures of our own: where each bar and label stands, for a template that draws them as SVG. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log10

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 18, 30
GAP = 0.28
"""Share of a day that is left empty."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece of a column. `kind` names its colour; `title` says what it is."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A label and where it stands."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart of stacked columns over days."""

    width: int
    height: int
    left: int
    base: int
    right: int
    bars: tuple[Bar, ...]
    rows: tuple[Tick, ...]
    days: tuple[Tick, ...]


def columns(
    days: Sequence[str], kinds: Mapping[str, str], counts: Mapping[tuple[str, str], int], labels: Mapping[str, str]
) -> Columns:
    """Columns of `counts[(day, kind)]`, stacked in the order of `kinds` (kind -> its name); `labels`: what days are
    called."""
    tallest = max((sum(counts.get((day, kind), 0) for kind in kinds) for day in days), default=0)
    top, step = _scale(tallest)
    inner, base = HEIGHT - TOP - BOTTOM, HEIGHT - BOTTOM
    slot = (WIDTH - LEFT - RIGHT) / max(len(days), 1)
    bars: list[Bar] = []
    for number, day in enumerate(days):
        floor = float(base)
        for kind, name in kinds.items():
            count = counts.get((day, kind), 0)
            if count:
                height = inner * count / top
                floor -= height
                x = LEFT + slot * (number + GAP / 2)
                bars.append(
                    Bar(round(x, 1), round(floor, 1), round(slot * (1 - GAP), 1), round(height, 1), kind,
                        f"{labels[day]}: {name} {count}")
                )  # fmt: skip
    rows = tuple(Tick(round(base - inner * value / top, 1), str(value)) for value in range(0, top + 1, step))
    every = max(1, ceil(len(days) / 7))
    shown = [number for number in range(len(days)) if (len(days) - 1 - number) % every == 0]
    ticks = tuple(Tick(round(LEFT + slot * (number + 0.5), 1), labels[days[number]]) for number in shown)
    return Columns(WIDTH, HEIGHT, LEFT, base, WIDTH - RIGHT, tuple(bars), rows, ticks)


def _scale(tallest: int) -> tuple[int, int]:
    """The top of the axis and the step between its lines: at most five steps of 1, 2 or 5 times a power of ten."""
    if tallest <= 4:
        return 4, 1
    rough = tallest / 4
    power = 10 ** int(log10(rough))
    step = next(int(factor * power) for factor in (1, 2, 5, 10) if factor * power >= rough)
    return ceil(tallest / step) * step, step
