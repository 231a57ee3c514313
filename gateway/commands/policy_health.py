"""`policy health`: how each policy fares with the people it is for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.commands.options import STORE, with_settings
from gateway.commands.shown import console, moment, plain, print_json
from gateway.config import Settings

if TYPE_CHECKING:
    from gateway.health import Health, Share
    from gateway.settlements import Settlement
    from gateway.store.governing import PolicyState
    from gateway.store.sampling import Estimate

WAYS: Mapping[Settlement, str] = {
    "fixed": "FIX",
    "amended": "REASON or ETA",
    "noted": "NOTE",
    "consulted": "CONSULT",
    "overridden": "SEND",
    "wrong": "WRONG",
    "discarded": "DISCARD",
}


@with_settings(*STORE)
def health(
    settings: Settings,
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="How far back: 30d, 12h, or a date")] = "30d",
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line: policies, then the estimate")] = False,
) -> None:
    """How often each policy stopped mail, how that was settled, and how often people sent it all the same.

    No agent is named or ranked. Figures over fewer than five mails, and teams of which fewer than five people were
    concerned, are left out.
    """
    from gateway.commands.opened import open_store
    from gateway.commands.since import since as start_of
    from gateway.health import health_of

    now = datetime.now(UTC)
    start = start_of(since, now)
    middle = start + (now - start) / 2
    with open_store(settings) as store:
        _, states = store.governed_now()
        names = sorted({*store.policies_seen(start), *states})
        found = [health_of(name, store.matches(name, start, now), middle) for name in names]
        estimate = store.estimate(start, now)
    if json:
        for each in found:
            print_json(as_json(each, states.get(each.policy)))
        print_json({"estimate": _estimate(estimate)})
        return
    out = console()
    out.print(f"since {moment(start, zone=True)}\n")
    for each in found:
        for line in _lines(each, states.get(each.policy)):
            out.print(line)
        out.print("")
    if not found:
        out.print("no policy has matched anything\n")
    out.print(_missed(estimate))


def _lines(each: Health, state: PolicyState | None) -> list[str]:
    counts = [f"matched {each.matched}", f"stopped {each.stopped}"]
    others = (("rejected", each.rejected), ("rewritten", each.rewritten), ("advice only", each.advised))
    counts += [f"{name} {number}" for name, number in (*others, ("on record only", each.observed)) if number]
    lines = [plain(each.policy), f"  {', '.join(counts)}"]
    if state is not None and state.state == "observe":
        lines.append(f"  only observes since {moment(state.at)}: {plain(state.why)}")
    if each.waiting:
        lines.append(f"  waiting for a word: {each.waiting}")
    if each.share.few:
        if each.stopped:
            lines.append("  settled: fewer than 5, so no figures")
        return lines
    counted = (f"{word} {each.ways[way]}" for way, word in WAYS.items() if each.ways[way])
    lines.append("  settled: " + ", ".join(counted))
    trend = f", {each.trend}" if each.trend else ""
    lines.append(f"  sent all the same: {_percent(each.share)}{trend}")
    if each.median_seconds is not None:
        lines.append(f"  half of them settled within {_time(each.median_seconds)}")
    lines += [f"    {number} x  {plain(why)}" for why, number in each.whys]
    lines += [f"  {plain(team)}: {_percent(share)}" for team, share in each.teams.items() if not share.few]
    return lines


def _percent(share: Share) -> str:
    low, high = share.interval or (0.0, 1.0)
    return f"{share.overrides} of {share.settled} ({low:.0%} to {high:.0%})"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _missed(estimate: Estimate) -> str:
    from gateway.evaluation.scores import wilson

    interval = wilson(estimate.missed, estimate.reviewed)
    if interval is None:
        return f"missed: nobody has reviewed any of {estimate.passed} passed mails; referral-gateway policy sample"
    low, high = interval
    return (
        f"missed: {estimate.missed} of {estimate.reviewed} reviewed, so {low:.1%} to {high:.1%} of {estimate.passed} "
        f"passed mails ({low * estimate.passed:.0f} to {high * estimate.passed:.0f})"
    )


def as_json(each: Health, state: PolicyState | None) -> dict[str, Any]:
    """The contract of `policy health --json`; null stands for what is left out because it is over too few."""
    few = each.share.few
    return {
        "policy": each.policy,
        "matched": each.matched,
        "observed": each.observed,
        "rewritten": each.rewritten,
        "stopped": each.stopped,
        "rejected": each.rejected,
        "advised": each.advised,
        "waiting": each.waiting,
        "settled": None if few else {way: each.ways.get(way, 0) for way in WAYS},
        "override_share": None if few else each.share.overrides / each.share.settled,
        "override_interval": each.share.interval,
        "median_seconds": each.median_seconds,
        "trend": each.trend,
        "whys": [{"why": why, "n": number} for why, number in each.whys],
        "teams": {
            team: {"overrides": share.overrides, "settled": share.settled, "interval": share.interval}
            for team, share in each.teams.items()
            if not share.few
        },
        "fell_back": {"at": state.at, "why": state.why} if state is not None and state.state == "observe" else None,
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    from dataclasses import asdict

    from gateway.evaluation.scores import wilson

    return asdict(estimate) | {"miss_interval": wilson(estimate.missed, estimate.reviewed)}
