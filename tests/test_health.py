"""Health of a policy: counts, interval, trend, and what is left out because it would be about somebody."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.evaluation.scores import wilson
from gateway.health import Health, health_of
from gateway.store.judging import Match
from tests.e2e.limits import MONDAY

MIDDLE = MONDAY + timedelta(days=15)
AGENTS = ("ann", "ben", "cem", "dot", "eva")


def stop(number: int, answer: str, *, day: float = 1, agent: str = "ann", team: str = "it", why: str = "") -> Match:
    """A hold that was answered after `number` + 1 minutes; "" leaves it waiting."""
    at = MONDAY + timedelta(days=day)
    history: list[tuple[datetime, str, str, str]] = [(at, "held", "why", "")]
    outcome = "held"
    if answer:
        action = "fix" if answer == "fixed" else "send"
        detail = f"{action}: {why}" if why else action
        history += [(at + timedelta(minutes=number + 1), "approved", detail, agent), (at, answer, "250", agent)]
        outcome = answer
    return Match(f"m{number}", at, "p", True, "hold", outcome, f"{agent}@x.example", team, tuple(history))


def passed(outcome: str, *, enforced: bool = True) -> Match:
    disposition = "rewrite" if outcome == "rewritten" else "pass"
    return Match("x", MONDAY, "p", enforced, disposition, outcome, "ann@x.example", "it", ())


def of(*matches: Match) -> Health:
    return health_of("p", matches, MIDDLE)


def test_everything_is_counted_once() -> None:
    stops = [stop(n, "overridden", why="on the phone", agent=AGENTS[n]) for n in range(5)]
    stops += [stop(5, "fixed"), stop(6, "")]
    found = of(*stops, passed("rewritten"), passed("advised"), passed("passed", enforced=False))
    assert (found.matched, found.stopped, found.rewritten, found.advised, found.observed) == (10, 7, 1, 1, 1)
    assert (found.waiting, found.share.overrides, found.share.settled) == (1, 5, 6)
    assert dict(found.ways) == {"overridden": 5, "fixed": 1}
    assert found.share.interval == wilson(5, 6)
    assert found.median_seconds == 3.5 * 60
    assert found.whys == (("on the phone", 5),)
    assert list(found.teams) == ["it"]


def test_figures_over_fewer_than_five_are_left_out() -> None:
    found = of(*(stop(n, "overridden", why="secret", agent=AGENTS[n]) for n in range(4)))
    assert found.share.few and found.share.interval is None
    assert (found.median_seconds, found.whys, found.teams, found.trend) == (None, (), {}, None)


def test_a_team_of_fewer_than_five_people_is_left_out_however_many_mails() -> None:
    few = [stop(n, "overridden", agent=AGENTS[n % 4], team="small") for n in range(40)]
    many = [stop(n, "fixed", agent=AGENTS[n % 5], team="large") for n in range(40)]
    found = of(*few, *many)
    assert list(found.teams) == ["large"] and found.teams["large"].settled == 40


def test_whys_need_five_overrides() -> None:
    found = of(*(stop(n, "fixed") for n in range(10)), *(stop(n, "overridden", why="secret") for n in range(4)))
    assert found.share.settled == 14 and found.whys == ()


def test_a_trend_needs_two_intervals_that_do_not_meet() -> None:
    good = [stop(n, "fixed", day=1) for n in range(20)]
    bad = [stop(n, "overridden", day=20) for n in range(20)]
    assert of(*good, *bad).trend == "rising"
    assert of(
        *(stop(n, "overridden", day=1) for n in range(20)), *(stop(n, "fixed", day=20) for n in range(20))
    ).trend == ("falling")
    mixed = [stop(n, "fixed" if n % 2 else "overridden", day=1 if n < 20 else 20) for n in range(40)]
    assert of(*mixed).trend == "steady"
    assert of(*good, *bad[:4]).trend is None


def test_rejects_are_stops_that_nobody_settles() -> None:
    reject = Match("r", MONDAY, "p", True, "reject", "rejected", "ann@x.example", "it", ())
    found = of(reject)
    assert (found.stopped, found.rejected, found.waiting, found.share.settled) == (1, 1, 0, 0)
