"""The page of a report: one HTML file without anything from outside, to look at and to send on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files
from itertools import pairwise

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from gateway.evaluation.report import Report
from gateway.evaluation.sample import Said, Sample
from gateway.evaluation.scores import wilson

SHOWN = 2_000
"""Code points of a text that are shown."""
COLOURS = ("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2", "#be185d", "#4d7c0f")


def page(reports: Iterable[Report]) -> str:
    """The whole page. All text of mail is escaped."""
    source = files("gateway.evaluation").joinpath("page.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": _percent, "interval": _interval}
    return environment.from_string(source).render(corpora=[_corpus(report) for report in reports])


def _corpus(report: Report) -> dict[str, object]:
    policies, labels = report.tallies("policies"), report.tallies("labels")
    by_id = {sample.id: (sample, said) for sample, said in report.judged}
    wrong = [
        {"label": label, "kind": kind, "ids": [_shown(label, *by_id[id]) for id in ids]}
        for tallies in (policies, labels)
        for label, tally in sorted(tallies.items())
        for kind, ids in (("miss", tally.misses), ("false stop", tally.false_stops))
        if ids
    ]
    return {
        "path": report.corpus.path.rsplit("/", 1)[-1],
        "form": report.corpus.form,
        "n": len(report.cases),
        "version": report.policy_version,
        "policies": sorted(policies.items()),
        "labels": sorted(labels.items()),
        "sure": report.tallies("policies", lambda sample: not sample.doubtful),
        "checks": [(name, right, of, wilson(right, of)) for name, (right, of, _) in report.checks().items()],
        "wrong": wrong,
        "stopped": [
            {"label": policy, "ids": [_shown(policy, *by_id[id]) for id in ids]}
            for policy, ids in sorted(report.stopped().items())
        ],
        "curves": [
            {"policy": policy, "colour": COLOURS[number % len(COLOURS)], "points": points, "path": _path(points)}
            for number, policy in enumerate(sorted(policies))
            if (points := [(p.false_stops, p.recall) for p in report.curve(policy)])
        ],
        "faults": [(case.sample.id, case.fault) for case in report.cases if case.fault],
        "absent": sorted(report.absent),
    }


def _path(points: list[tuple[float, float]]) -> str:
    """The curve in the picture's own units: x 0 to 400 for false stops of 0 to 2 %, y 200 to 0 for recall."""
    return " ".join(f"{40 + min(x, 0.02) * 20_000:.1f},{210 - y * 200:.1f}" for x, y in [(0.0, 0.0), *points])


def _shown(label: str, sample: Sample, said: Said) -> dict[str, object]:
    text = sample.text or said.new_text
    theirs = [part for name, part in sample.marked.items() if name in (label, *_ALSO.get(label, ()))]
    return {
        "id": sample.id,
        "lang": sample.lang,
        "doubtful": sample.doubtful,
        "text": _marked(text[:SHOWN], said.evidence.get(label, ()), theirs),
        "asked": sample.asked[-600:],
    }


_ALSO = {
    "bare-refusal": ("refusal",),
    "referral-without-route": ("referral", "redirect_requester"),
    "redirect_requester": ("referral",),
    "handoff_to_colleague": ("referral",),
    "dropped-requester": ("referral",),
    "no-escalation": ("out_of_scope",),
    "terse-reply": ("terse_unhelpful",),
}
"""The labels whose evidence tells of another one."""


def _marked(text: str, ours: Iterable[str], theirs: Iterable[str]) -> Markup:
    """The text with our evidence in <mark> and the label's underlined."""
    cuts: list[tuple[int, int, str]] = []
    for pieces, name in ((ours, "ours"), (theirs, "theirs")):
        for piece in pieces:
            pattern = r"\s+".join(re.escape(word) for word in piece.split())
            if pattern and (found := re.search(pattern, text)):
                cuts.append((*found.span(), name))
    edges = sorted({0, len(text), *(edge for start, end, _ in cuts for edge in (start, end))})
    out = Markup()
    for start, end in pairwise(edges):
        names = {name for first, last, name in cuts if first <= start and end <= last}
        piece = escape(text[start:end])
        out += Markup('<mark class="{}">{}</mark>').format(" ".join(sorted(names)), piece) if names else piece
    return out


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f} %"


def _interval(value: tuple[float, float] | None) -> str:
    return "" if value is None else f"{value[0] * 100:.1f} to {value[1] * 100:.1f}"
