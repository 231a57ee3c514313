"""`policy replay`: what a changed folder would have done to the mail of the last days."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import FINE, FOUND, console, plain, print_json, user_error
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.cases import Case
    from gateway.policy.model import PolicySet
    from gateway.replay import Difference, Tally

_AGO = re.compile(r"([0-9]{1,5})([hdw])\Z")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@with_settings("site", "policies", "templates", *STORE)
def replay(
    settings: Settings,
    against: Annotated[Path, typer.Option("--against", metavar="DIR", help="The changed policy folder")],
    mails: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Argument(metavar="[MAILS]...", help="Mails or folders of them, read anew; default: the audit log"),
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="WHEN", help="From then on: 12h, 7d, 4w, or a day like 2026-11-30")
    ] = "7d",
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line for each difference, then a sum")
    ] = False,
) -> None:
    """Judge past mail under a changed folder, and show what would have come out otherwise.

    Nothing is sent, held or changed. Exit code 0: nothing would differ; 1: something would; 2: files or arguments are
    wrong.
    """
    from gateway.policy.loader import load_policies
    from gateway.replay import Tally
    from gateway.resources import shipped

    at = _since(since)
    changed = load_policies(against, settings.site, shipped=shipped("policies"), templates=settings.templates)
    tally = Tally()
    for found in _mails(settings, changed, mails, tally) if mails else _audit(settings, changed, at, tally):
        if json and found is not None:
            print_json(_as_json(found))
    if json:
        print_json(_sum(tally, changed))
    else:
        _tell(tally, changed, "" if mails else f" since {at.astimezone():%Y-%m-%d %H:%M}")
    raise typer.Exit(FOUND if tally.differs else FINE)


def _audit(settings: Settings, changed: PolicySet, since: datetime, tally: Tally) -> Iterator[Difference | None]:
    from gateway.commands.opened import open_store
    from gateway.replay import replay_recorded

    with open_store(settings) as store:
        count = store.recorded_count(since)
        rows = store.recorded(since)
        yield from _shown(replay_recorded(rows, changed, store.rule_versions(), tally), count)


def _mails(settings: Settings, changed: PolicySet, paths: list[Path], tally: Tally) -> Iterator[Difference | None]:
    from gateway.commands.files import read_policies
    from gateway.replay import replay_cases

    present = read_policies(settings)
    found = [each for path in paths for each in _cases(path)]
    if not found:
        user_error("there is no mail in there", "files that end in .eml, or folders with a message.eml")
    yield from _shown(replay_cases(_read(found, tally), present, changed, tally), len(found))


def _cases(path: Path) -> list[Path]:
    """A mail, a folder with message.eml, or all of those under a folder."""
    if not path.is_dir() or (path / "message.eml").is_file():
        return [path]
    scenes = sorted(each.parent for each in path.rglob("message.eml"))
    inside = set(scenes)
    mails = sorted(each for each in path.rglob("*.eml") if not inside & {each.parent, *each.parents})
    return [*scenes, *mails]


def _read(paths: Iterable[Path], tally: Tally) -> Iterator[Case]:
    from gateway.cases import CannotRead, read_case

    for path in paths:
        try:
            yield read_case(path)
        except CannotRead as cannot:
            print(f"{path}: {cannot}", file=sys.stderr)
            tally.left_out["cannot be read"] += 1


def _shown(found: Iterable[Difference | None], count: int) -> Iterator[Difference | None]:
    """The same, with a bar that runs on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("judging again", total=count)
        for number, each in enumerate(found, 1):
            if number % 100 == 0:
                progress.update(task, completed=number)
            yield each


def _since(text: str) -> datetime:
    """An aware time. "7d" counts back from now; a day or time without a zone is local."""
    ago = _AGO.match(text)
    if ago:
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        user_error(
            f'--since: "{text}" is no time', "12h, 7d, 4w, a day like 2026-11-30 or a time like 2026-11-30T08:30"
        )


def _as_json(found: Difference) -> dict[str, Any]:
    return {
        "id": found.id,
        "at": found.at,
        "team": found.team,
        "agent": found.agent,
        "change": found.kind,
        "policies": found.policies,
        "was": found.was.as_json(),
        "now": found.now.as_json(),
    }


def _sum(tally: Tally, changed: PolicySet) -> dict[str, Any]:
    return {
        "policy_version": changed.version,
        "judged": tally.judged,
        "nobodys": tally.nobodys,
        "left_out": dict(tally.left_out),
        "read_otherwise": dict(tally.stale),
        "changes": {
            kind: {
                "mails": tally.kinds[kind],
                "teams": {team: n for (each, team), n in sorted(tally.by_team.items()) if each == kind},
                "policies": {policy: n for (each, policy), n in sorted(tally.by_policy.items()) if each == kind},
            }
            for kind in tally.in_order()
        },
    }


def _tell(tally: Tally, changed: PolicySet, when: str) -> None:
    out = console()
    out.print(f"{tally.judged:,} mails of agents judged again{when}, under version {changed.version}")
    if not tally.differs:
        out.print("nothing would have come out otherwise")
    for kind in tally.in_order():
        out.print(f"\n{kind}: {tally.kinds[kind]:,}")
        for name, counts in (("team", tally.by_team), ("policy", tally.by_policy)):
            told = sorted(
                ((n, each) for (which, each), n in counts.items() if which == kind), key=lambda t: (-t[0], t[1])
            )
            for number, each in told:
                out.print(f"  {name:<6}  {plain(each) or '(none)':<28} {number:>7,}")
        ids = tally.ids[kind]
        more = tally.kinds[kind] - len(ids)
        for start in range(0, len(ids), 4):
            out.print(f"  {'mails' if not start else '':<6}  {'  '.join(map(plain, ids[start : start + 4]))}")
        if more:
            out.print(f"          and {more:,} more: --json shows all")
    notes = [f"{tally.nobodys:,} of nobody's agent, or written by machines, pass under all policies"]
    notes = notes if tally.nobodys else []
    notes += [f"{number:,} left out: {plain(why)}" for why, number in tally.left_out.most_common()]
    words = "were read with other phrases than this folder has: what they say is taken as it was read then"
    people = "were read for another site file than this one: who is who is taken as it was then"
    notes += [
        f"{tally.stale[part]:,} {told}" for part, told in (("lexicon", words), ("site", people)) if tally.stale[part]
    ]
    if notes:
        out.print()
    for note in notes:
        out.print(f"note  {note}")
