"""The report of one corpus: every sample judged, counted by label, policy, language and doubt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gateway.evaluation.forms import Corpus
from gateway.evaluation.sample import Said, Sample, say
from gateway.evaluation.scores import Point, Tally, curve, share, wilson

Tallies = dict[str, Tally]


@dataclass(frozen=True, slots=True)
class Case:
    """A sample with what was said of it; `fault` where reading it raised."""

    sample: Sample
    said: Said | None
    fault: str = ""


@dataclass(slots=True)
class Report:
    """All figures of one corpus. `labels` and `policies` count all samples, `sure_*` those that are not doubtful."""

    corpus: Corpus
    policy_version: str
    absent: frozenset[str]
    """Policies that labels speak of and that are not loaded."""
    cases: list[Case] = field(default_factory=list)

    @property
    def judged(self) -> Iterator[tuple[Sample, Said]]:
        return ((case.sample, case.said) for case in self.cases if case.said is not None)

    def tallies(self, kind: str, keep: Callable[[Sample], bool] = lambda sample: True) -> Tallies:
        """Label, or policy, -> its counts over the samples that `keep` keeps. `kind` is "labels" or "policies"."""
        found: Tallies = defaultdict(Tally)
        for sample, said in self.judged:
            if not keep(sample):
                continue
            told: Mapping[str, float] = getattr(said, kind)
            for label, truth in getattr(sample, kind).items():
                if truth is not None and label not in self.absent:
                    found[label].add(sample.id, bool(truth), told.get(label, 0.0) > 0, random=sample.random)
        return dict(found)

    def checks(self) -> dict[str, tuple[int, int, list[str]]]:
        """Check -> (right, of, ids of the wrong ones)."""
        found: dict[str, list[Any]] = {}
        for sample, said in self.judged:
            for name, right in said.checks.items():
                if right is not None:
                    counts = found.setdefault(name, [0, 0, []])
                    counts[0] += right
                    counts[1] += 1
                    if not right:
                        counts[2].append(sample.id)
        return {name: (right, of, wrong) for name, (right, of, wrong) in found.items()}

    def stopped(self) -> dict[str, list[str]]:
        """Policy -> ids of the mails whose label says nothing of it, and that it would stop: read each."""
        found: dict[str, list[str]] = defaultdict(list)
        for sample, said in self.judged:
            for policy in said.policies:
                if policy not in sample.policies and policy not in said.notices:
                    found[policy].append(sample.id)
        return dict(found)

    def curve(self, policy: str) -> tuple[Point, ...]:
        """The policy's curve; the last point is what is shipped. False stops are those among mail drawn blindly."""
        blind = self.drawn_blindly(policy)
        return curve(
            (bool(truth), said.policies.get(policy, 0.0))
            for sample, said in self.judged
            if (truth := sample.policies.get(policy)) is not None and (truth or sample.random or not blind)
        )

    def drawn_blindly(self, policy: str) -> bool:
        """Whether any mail that should pass was drawn without looking at it; false stops count among all otherwise."""
        return any(sample.random and sample.policies.get(policy) is False for sample, _ in self.judged)

    @property
    def languages(self) -> list[str]:
        return sorted({sample.lang for sample, _ in self.judged if sample.lang})

    def as_json(self) -> dict[str, Any]:
        """Everything, in the keys of the contract (DESIGN.md §6)."""
        sure = {kind: self.tallies(kind, lambda sample: not sample.doubtful) for kind in ("labels", "policies")}
        policies = self.tallies("policies")
        return {
            "path": self.corpus.path,
            "form": self.corpus.form,
            "n": len(self.cases),
            "policy_version": self.policy_version,
            "labels": _json(self.tallies("labels")),
            "policies": _json(policies),
            "without_doubtful": {kind: _json(tallies) for kind, tallies in sure.items()},
            "languages": {
                lang: {kind: _json(self.tallies(kind, _of(lang))) for kind in ("labels", "policies")}
                for lang in self.languages
            },
            "checks": {
                name: {"right": right, "n": of, "share": share(right, of), "ci": wilson(right, of), "wrong": wrong}
                for name, (right, of, wrong) in self.checks().items()
            },
            "curves": {
                policy: [{**asdict(point), "shipped": point is points[-1]} for point in points]
                for policy in policies
                if (points := self.curve(policy))
            },
            "stopped_unlabelled": self.stopped(),
            "unreadable": {s.id: said.unreadable for s, said in self.judged if said.unreadable},
            "absent_policies": sorted(self.absent),
            "faults": {case.sample.id: case.fault for case in self.cases if case.fault},
        }


def evaluate(corpus: Corpus, policies: Iterable[str], version: str, tick: Callable[[], None]) -> Report:
    """Judge every sample; `policies` are the ids of those loaded; `tick` is called after each.

    One mail that raises is a fault of that mail in the report, and never ends the run.
    """
    loaded = frozenset(policies)
    report = Report(corpus, version, frozenset())
    named: set[str] = set()
    for sample in corpus.samples():
        named |= set(sample.policies)
        try:
            report.cases.append(Case(sample, say(sample)))
        except Exception as fault:
            report.cases.append(Case(sample, None, f"{type(fault).__name__}: {fault}"))
        tick()
    report.absent = frozenset(named - loaded)
    return report


def _of(lang: str) -> Callable[[Sample], bool]:
    return lambda sample: sample.lang == lang


def _json(tallies: Tallies) -> dict[str, Any]:
    return {label: tally.as_json() for label, tally in sorted(tallies.items())}
