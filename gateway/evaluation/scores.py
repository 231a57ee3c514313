"""Scores: counts over samples, and what they are worth. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import sqrt

Z = 1.959963984540054
"""Standard deviations of a normal distribution that hold 95 % of it."""


def wilson(hits: int, of: int) -> tuple[float, float] | None:
    """The 95 % interval of a share (E. B. Wilson, 1927), which also holds for small counts; None of nothing."""
    if not of:
        return None
    share, z2 = hits / of, Z * Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def share(hits: int, of: int) -> float | None:
    return hits / of if of else None


@dataclass(slots=True)
class Tally:
    """The four counts of one label. Ids of `misses` and `false_stops`; `random_*` only over samples drawn blindly."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0
    random_fp: int = 0
    random_tn: int = 0
    misses: list[str] = field(default_factory=list)
    false_stops: list[str] = field(default_factory=list)

    def add(self, id: str, truth: bool, said: bool, *, random: bool = True) -> None:
        if truth and said:
            self.tp += 1
        elif truth:
            self.fn += 1
            self.misses.append(id)
        elif said:
            self.fp += 1
            self.random_fp += random
            self.false_stops.append(id)
        else:
            self.tn += 1
            self.random_tn += random

    @property
    def n(self) -> int:
        return self.tp + self.fp + self.fn + self.tn

    @property
    def precision(self) -> float | None:
        return share(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        return share(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall; None where nothing was there to find."""
        return share(2 * self.tp, 2 * self.tp + self.fp + self.fn) if self.tp + self.fn else None

    @property
    def fpr(self) -> float | None:
        """False positives among the samples drawn blindly that do not have the label."""
        return share(self.random_fp, self.random_fp + self.random_tn)

    def as_json(self) -> dict[str, object]:
        return {
            "n": self.n,
            "tp": self.tp,
            "fp": self.fp,
            "fn": self.fn,
            "tn": self.tn,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "fpr": self.fpr,
            "fpr_all": share(self.fp, self.fp + self.tn),
            "random": {"fp": self.random_fp, "tn": self.random_tn},
            "ci": {
                "precision": wilson(self.tp, self.tp + self.fp),
                "recall": wilson(self.tp, self.tp + self.fn),
                "fpr": wilson(self.random_fp, self.random_fp + self.random_tn),
            },
            "misses": self.misses,
            "false_stops": self.false_stops,
        }


@dataclass(frozen=True, slots=True)
class Point:
    """What a threshold gives: the share of violations found, and of the other mail stopped."""

    threshold: float
    recall: float
    false_stops: float


def curve(scored: Iterable[tuple[bool, float]]) -> tuple[Point, ...]:
    """Recall against false stops for every threshold that changes anything, the strictest first.

    `scored` are pairs of the truth and how sure the gateway is (0: it says nothing, whatever the threshold). The last
    point is what is shipped: everything that the gateway says counts. Empty where it says nothing, and where there is
    nothing to find.
    """
    pairs = sorted(scored, key=lambda pair: -pair[1])
    positives = sum(truth for truth, _ in pairs)
    negatives = len(pairs) - positives
    points: list[Point] = []
    found = wrong = 0
    for number, (truth, sure) in enumerate(pairs, 1):
        if sure <= 0 or not positives:
            break
        found += truth
        wrong += not truth
        if number == len(pairs) or pairs[number][1] < sure:
            points.append(Point(sure, found / positives, share(wrong, negatives) or 0.0))
    return tuple(points)
