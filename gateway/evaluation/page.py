"""The page of a report: one HTML file without anything from outside, to look at and to send on."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from gateway.evaluation.chart import ROWS, chart, end_of_axis
from gateway.evaluation.evidence import clean, mark, not_in, words_of
from gateway.evaluation.report import Report, Tallies
from gateway.evaluation.sample import Said, Sample
from gateway.evaluation.scores import share, wilson

SHOWN = 2_000
"""Code points of a text that are shown."""
ASKED = 600
"""Code points that are shown of what was asked, from its end."""

FORMS: Mapping[str, str] = {"scenarios": "scenario folders", "labelled": "labelled texts", "threads": "threads"}
ASKED_AS: Mapping[str, str] = {"scenarios": "Why", "labelled": "Question", "threads": "Note"}
"""What the text beside a sample of each form is."""


def page(reports: Sequence[Report]) -> str:
    """The whole page. All text of mail is escaped; the style is allowed by its hash, and nothing else is allowed."""
    folder = files("gateway.evaluation")
    style = "\n" + folder.joinpath("page.css").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": _percent, "interval": _interval, "tick": _tick, "breaks": _breaks}
    names = _names([report.corpus.path for report in reports])
    return environment.from_string(folder.joinpath("page.html").read_text(encoding="utf-8")).render(
        corpora=[
            _corpus(f"c{n}", name, report) for n, (name, report) in enumerate(zip(names, reports, strict=True), 1)
        ],
        versions=sorted({report.policy_version for report in reports}),
        style=Markup(style),
        style_hash=Markup("sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()),
        most_rows=ROWS,
    )


def _names(paths: Sequence[str]) -> list[str]:
    """The last part of each path; where two are the same, as many parts as tell them apart."""
    parts = [path.rstrip("/").split("/") for path in paths]
    return [
        clean("/".join(own[-next((n for n in range(1, len(own)) if _alone(own, parts, n)), len(own)) :]))
        for own in parts
    ]


def _alone(own: list[str], parts: list[list[str]], n: int) -> bool:
    return sum(other[-n:] == own[-n:] for other in parts) == 1


def _corpus(key: str, name: str, report: Report) -> dict[str, object]:
    policies, labels, checks = report.tallies("policies"), report.tallies("labels"), report.checks()
    tables = [
        ("policy", "Policies", "What each policy found, missed and wrongly stopped", _rows(policies)),
        ("label", "Labels", "What the reading found of each label", _rows(labels)),
    ]
    cases = _Cases(key, report)
    lists = [
        (
            "checks-wrong",
            "Checks not met",
            cases.groups("check", ((n, "not met", ids) for n, (_, _, ids) in checks.items())),
        ),
        ("policy-wrong", "Misses and false stops of policies", cases.groups("policy", _wrong(policies, "false stop"))),
        ("label-wrong", "Misses and false findings of labels", cases.groups("label", _wrong(labels, "false finding"))),
        (
            "unlabelled",
            "Stopped, and no label says whether rightly",
            cases.groups("unlabelled", ((policy, "stopped", ids) for policy, ids in sorted(report.stopped().items()))),
        ),
    ]
    shown = {policy: tally for policy, tally in sorted(policies.items()) if tally.tp + tally.fn}
    curves = {policy: report.curve(policy) for policy in shown}
    end = end_of_axis(list(curves.values()))
    faults = [(clean(case.sample.id), clean(case.fault)) for case in report.cases if case.fault]
    jumps = [
        *([("checks", "Checks")] if checks else []),
        *((key, title) for key, title, _, rows in tables if rows),
        *([("curves", "Curves")] if curves else []),
        *((key, title) for key, title, groups in lists if groups),
        *([("faults", "Faults of the gateway")] if faults else []),
    ]
    return {
        "key": key,
        "name": name,
        "form": FORMS.get(report.corpus.form, report.corpus.form),
        "n": len(report.cases),
        **_whole(report, policies),
        "checks": [(name, right, of, wilson(right, of)) for name, (right, of, _) in checks.items() if of],
        "tables": tables,
        "charts": [chart(policy, tally, curves[policy], end) for policy, tally in shown.items()],
        "end": end,
        "blind": any(map(report.drawn_blindly, shown)),
        "lists": lists,
        "jumps": jumps,
        "faults": faults,
        "absent": sorted(report.absent),
    }


def _whole(report: Report, policies: Tallies) -> dict[str, object]:
    """The corpus in one line: violations found, and mails stopped in vain by whichever policy."""
    found = sum(tally.tp for tally in policies.values())
    violations = found + sum(tally.fn for tally in policies.values())
    wrong = {id for tally in policies.values() for id in tally.false_stops}
    drawn = [
        sample.id
        for sample, _ in report.judged
        if sample.random and any(sample.policies.get(policy) is False for policy in policies)
    ]
    in_vain = sum(id in wrong for id in drawn)
    return {
        "found": found,
        "violations": violations,
        "recall": share(found, violations),
        "recall_ci": wilson(found, violations),
        "in_vain": in_vain,
        "drawn": len(drawn),
        "in_vain_ci": wilson(in_vain, len(drawn)),
    }


def _rows(tallies: Tallies) -> list[tuple[str, Any, Any]]:
    return [(label, tally, tally.as_json()) for label, tally in sorted(tallies.items())]


def _wrong(tallies: Tallies, wrongly: str) -> Iterable[tuple[str, str, list[str]]]:
    for label, tally in sorted(tallies.items()):
        yield label, "miss", tally.misses
        yield label, wrongly, tally.false_stops


class _Cases:
    """The mails that the lists show, each with an anchor of its own."""

    def __init__(self, key: str, report: Report) -> None:
        self._key = key
        self._form = report.corpus.form
        self._by_id = {sample.id: (sample, said) for sample, said in report.judged}

    def groups(self, kind: str, lists: Iterable[tuple[str, str, list[str]]]) -> list[dict[str, object]]:
        """One group for each (label, what went wrong, ids), without the empty ones."""
        found: list[dict[str, object]] = []
        for label, what, ids in lists:
            if ids:
                key = "-".join(
                    re.sub(r"[^a-z0-9]+", "-", one.lower()).strip("-") for one in (self._key, kind, label, what)
                )
                found.append(
                    {
                        "key": key,
                        "label": label,
                        "said": f"{len(ids)} {_called(what, len(ids))}",
                        "tone": "soft" if what == "stopped" else "bad",
                        "cases": [self._shown(f"{key}-{n}", label, *self._by_id[id]) for n, id in enumerate(ids, 1)],
                    }
                )
        return found

    def _shown(self, key: str, label: str, sample: Sample, said: Said) -> dict[str, object]:
        text = clean(sample.text or said.new_text).strip("\n")
        theirs = [clean(piece) for piece in words_of(label, sample.marked)]
        asked = clean(sample.asked).strip()
        return {
            "key": key,
            "id": clean(sample.id),
            "about": ", ".join([*([sample.lang] if sample.lang else []), *(["doubtful"] if sample.doubtful else [])]),
            "asked": ("… " if len(asked) > ASKED else "") + asked[-ASKED:],
            "asked_as": ASKED_AS.get(self._form, "About it"),
            "text": mark(text[:SHOWN], said.evidence.get(label, ()), theirs),
            "cut": max(0, len(text) - SHOWN),
            "theirs": not_in(text[:SHOWN], theirs),
            "truth": sorted(name for name, truth in (*sample.policies.items(), *sample.labels.items()) if truth),
            "disposition": said.disposition + (f" (unreadable: {clean(said.unreadable)})" if said.unreadable else ""),
            "stops": sorted(said.policies),
            "facts": [
                {
                    "name": _fact(name, fact.value, fact.confidence),
                    "words": clean(fact.evidence[0].text)[:120] if fact.evidence else "",
                }
                for name, fact in sorted(said.facts.items())
            ],
        }


def _called(what: str, n: int) -> str:
    return what if n == 1 or not what.startswith(("miss", "false")) else "misses" if what == "miss" else what + "s"


def _fact(name: str, value: object, confidence: float) -> str:
    said = name if value is True else f"{name}={clean(str(value))}"
    return said if confidence >= 1 else f"{said} ({confidence:.2f})"


def _percent(value: float | None) -> str:
    return "–" if value is None else "100\N{NO-BREAK SPACE}%" if value == 1 else f"{value * 100:.1f}\N{NO-BREAK SPACE}%"


def _breaks(name: str) -> Markup:
    """A name that may be broken behind its underscores, where a phone has no room for it."""
    return escape(name).replace("_", Markup("_<wbr>"))


def _tick(value: float) -> str:
    return f"{value * 100:g}\N{NO-BREAK SPACE}%" if value else "0"


def _interval(value: tuple[float, float] | None) -> str:
    return "" if value is None else f"{value[0] * 100:.1f} to {value[1] * 100:.1f}"
