"""`evaluate`: how well the reading and the policies do on labelled mail."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from gateway.commands.options import with_settings
from gateway.commands.shown import FINE, OURS, console, plain, print_json, user_error
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.evaluation.forms import Corpus
    from gateway.evaluation.report import Report, Tallies
    from gateway.policy.model import PolicySet

EVERYBODY = 'agents: ["*"]\ngateway: {notices: gateway@gateway.example}\n'
"""The site of real mail: nobody's people are known, so that everybody is an agent."""

TO = "--html FILE, in a folder that is there"
SHOWN = 12
"""Ids that a list of misses shows; `--json` and `--html` have all."""
WIDTH = 80
"""Columns that a report for people fills; only an id that is longer than this goes beyond."""


@with_settings("site", "policies")
def evaluate(
    settings: Settings,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Labelled mail, or folders with it")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each corpus")] = False,
    html: Annotated[
        Optional[Path], typer.Option("--html", metavar="FILE", help="Write a report to look at")  # noqa: UP045
    ] = None,
) -> None:
    """Measure the reading and the policies on labelled mail: found, missed, and wrongly stopped.

    PATH is a scenario folder or a folder of them, a .jsonl of labelled texts or of threads, or a folder or .tar.xz of
    mails with a .tsv beside it. Real mail counts everybody as an agent unless --site says who is one.
    """
    from gateway.cases import CannotRead
    from gateway.evaluation.forms import find_corpora, read_corpus
    from gateway.evaluation.page import page

    if html is not None and (html.is_dir() or not html.parent.is_dir()):
        user_error(f"{html} cannot be written: {'it is a folder' if html.is_dir() else 'there is no such folder'}", TO)
    reports = []
    loaded: dict[bool, PolicySet] = {}
    try:
        for path in [corpus for each in paths for corpus in find_corpora(each)]:
            real = settings.site is None and not _of_the_example(path)
            if real not in loaded:
                loaded[real] = _policies(settings, real)
            reports.append(_run(read_corpus(path, loaded[real]), loaded[real]))
            if json:
                print_json(reports[-1].as_json())
            else:
                _show(reports[-1], first=len(reports) == 1)
    except CannotRead as cannot:
        user_error(str(cannot))
    if html is not None:
        try:
            html.write_text(page(reports), encoding="utf-8")
        except OSError as error:
            user_error(f"{html} cannot be written: {(error.strerror or 'unknown error').lower()}", TO)
    elif not json:
        console().print("\n--html FILE shows each miss beside its text.")
    raise typer.Exit(OURS if any(case.fault for report in reports for case in report.cases) else FINE)


def _of_the_example(path: Path) -> bool:
    """Scenario folders bring the people of the shipped site."""
    return path.is_dir() and any(path.rglob("expect.json"))


def _policies(settings: Settings, real: bool) -> PolicySet:
    from dataclasses import replace

    from gateway.commands.files import read_policies
    from gateway.site.loader import load_site

    policies = read_policies(settings, run=False)
    return replace(policies, site=load_site(EVERYBODY, "everybody is an agent")) if real else policies


def _run(corpus: Corpus, policies: PolicySet) -> Report:
    from rich.console import Console
    from rich.progress import Progress

    from gateway.evaluation.report import evaluate as judge_all

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(Path(corpus.path).name, total=corpus.size)
        return judge_all(
            corpus, (policy.id for policy in policies.policies), policies.version, lambda: progress.advance(task)
        )


# --- for people ---------------------------------------------------------------------------------------------------


def _show(report: Report, *, first: bool) -> None:
    out = console()
    if not first:
        out.print()
    out.print(f"{plain(report.corpus.path)}: {report.corpus.form}, {len(report.cases)} mails")
    checks = report.checks()
    for name, (right, of, _) in checks.items():
        out.print(f"  {name:<24}{right:>5} of {of:<5} {_share(right / of if of else None):>7}")
    for title, kind in (("policy", "policies"), ("label", "labels")):
        tallies = report.tallies(kind)
        if any(tally.tp + tally.fn + tally.fp for tally in tallies.values()):
            out.print(f"\n  {title:<24}found missed wrong precision recall     F1 false stops")
            _rows(tallies)
    doubtful = sum(sample.doubtful for sample, _ in report.judged)
    if doubtful:
        out.print(f"\n  without the {doubtful} doubtful ones")
        _rows(report.tallies("policies", lambda sample: not sample.doubtful))
    if len(report.languages) > 1:
        for lang in report.languages:
            out.print(f"\n  in {plain(lang)}")
            _rows(report.tallies("policies", lambda sample, lang=lang: sample.lang == lang))  # type: ignore[misc]
    for name, (_, _, wrong) in checks.items():
        _ids(f"{name}, not met", wrong)
    for policy, tally in sorted(report.tallies("policies").items()):
        _ids(f"{policy}, missed", tally.misses)
        _ids(f"{policy}, wrongly stopped", tally.false_stops)
    for policy, ids in sorted(report.stopped().items()):
        _ids(f"{policy}, stopped, and no label says whether rightly", ids)
    if report.absent:
        out.print(f"\n  not loaded: {', '.join(sorted(report.absent))}")
    for case in report.cases:
        if case.fault:
            out.print(f"  a fault of ours: {plain(case.sample.id)}: {plain(case.fault)}")


def _rows(tallies: Tallies) -> None:
    out = console()
    for label, tally in sorted(tallies.items()):
        if tally.tp + tally.fn + tally.fp:
            blind = f"{tally.random_fp} of {tally.random_fp + tally.random_tn}" if tally.fpr is not None else ""
            counts = f"{tally.tp:>5}{tally.fn:>7}{tally.fp:>6}"
            shares = f"{_share(tally.precision):>10}{_share(tally.recall):>7}{_share(tally.f1):>7}"
            out.print(f"  {label:<24}{counts}{shares}{blind:>12}".rstrip())


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f} %" if value < 1 else "100 %"


def _ids(what: str, ids: list[str]) -> None:
    """A list of mails, wrapped between ids and never within one, so that each can be copied and searched for."""
    if not ids:
        return
    console().print(f"\n  {what}:")
    pieces = [plain(each) + "," for each in ids[:SHOWN]]
    pieces[-1] = pieces[-1][:-1]
    if len(ids) > SHOWN:
        pieces.append(f"and {len(ids) - SHOWN} more")
    line = pieces[0]
    for piece in pieces[1:]:
        if len(line) + len(piece) + 5 > WIDTH:
            console().print(f"    {line}")
            line = piece
        else:
            line = f"{line} {piece}"
    console().print(f"    {line}")
