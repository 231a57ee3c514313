"""The overview: what was stopped, what is open, and how often people sent all the same. Nobody is ranked."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

from starlette.responses import Response

from gateway.console.access import teams_seen
from gateway.console.charts import columns
from gateway.console.names import DISPOSITIONS
from gateway.console.visit import Refused, Visit
from gateway.health import FEW
from gateway.store.looking import OVERRIDDEN, Counts

SPANS = ("7", "30", "90")
KEPT = timedelta(seconds=60)
"""How long counts are shown before they are counted again."""

_counted: dict[tuple[int, str, tuple[str, ...] | None], tuple[datetime, Counts]] = {}


def overview(visit: Visit) -> Response:
    """Figures of 7, 30 or 90 days. Days are those of UTC, as the database has them."""
    span = visit.asked("days") or "30"
    if span not in SPANS:
        raise Refused(400, "wrong-value", span, back=visit.href("/"))
    teams, gettext = teams_seen(visit.account), visit.words.catalogue.gettext
    counts = _counts(visit, span, teams)
    today = visit.now.date()
    days = [str(today - timedelta(days=back)) for back in range(int(span) - 1, -1, -1)]
    labels = {day: visit.words.day(datetime.combine(date.fromisoformat(day), datetime.min.time(), visit.now.tzinfo))
              for day in days}  # fmt: skip
    stops = {kind: gettext(DISPOSITIONS[kind]) for kind in ("rewrite", "hold", "reject")}
    kinds: Counter[str] = Counter()
    for (_, kind), n in counts.days.items():
        kinds[kind] += n
    policies: Counter[str] = Counter()
    for (policy, _), n in counts.policies.items():
        policies[policy] += n
    return visit.page(
        "overview.html",
        span=span,
        spans=SPANS,
        chart=columns(days, stops, counts.days, labels),
        kinds=kinds,
        stops=stops,
        mails=counts.mails,
        stopped=sum(kinds.values()),
        policies=policies.most_common(12),
        most=max(policies.values(), default=1),
        teams=_teams(visit, counts),
        overrides=sum(counts.outcomes.get(word, 0) for word in OVERRIDDEN),
        wrong=counts.outcomes.get("wrong", 0),
        waiting=counts.outcomes.get("held", 0),
        ledger=visit.parts.store.open_ledger(visit.now, teams),
        rules=visit.parts.rules,
        table=[(labels[day], {kind: counts.days.get((day, kind), 0) for kind in stops}) for day in reversed(days)],
        few=FEW,
    )


def _teams(visit: Visit, counts: Counts) -> list[tuple[str, int | None]]:
    """Stops by team; None where fewer than FEW people were concerned: that would be about somebody."""
    known = visit.parts.site.teams
    rows = [
        (known[team].name if team in known else team, n if people >= FEW else None)
        for team, (n, people) in sorted(counts.teams.items())
        if team
    ]
    return sorted(rows, key=lambda row: row[1] is None)


def _counts(visit: Visit, span: str, teams: tuple[str, ...] | None) -> Counts:
    """Counted at most once in KEPT for all readers who may see the same."""
    key = (id(visit.parts), span, teams)
    found = _counted.get(key)
    if found is not None and visit.now - found[0] < KEPT:
        return found[1]
    since = datetime.combine(visit.now.date() - timedelta(days=int(span) - 1), datetime.min.time(), visit.now.tzinfo)
    counts = visit.parts.store.counts(since, visit.now + timedelta(days=1), teams)
    _counted.clear() if len(_counted) > 50 else None
    _counted[key] = (visit.now, counts)
    return counts
