"""Hand-offs and promises that are open."""

from __future__ import annotations

from starlette.responses import Response

from gateway.answers import MAX_WHY
from gateway.console.access import settles_team, teams_seen
from gateway.console.visit import Refused, Visit
from gateway.follow.entries import Entry

LISTED = 200


def follow(visit: Visit) -> Response:
    """What is open, by when it is due."""
    closed = visit.asked("closed") == "1"
    seen = teams_seen(visit.account)
    teams = seen if seen is not None else ("",)
    found: list[Entry] = []
    for team in teams:
        found += visit.parts.store.ledger_list(kinds=("handoff", "promise"), closed=closed, team=team, limit=LISTED)
    found.sort(key=lambda entry: (entry.state == "closed", entry.due))
    rows = [(entry, settles_team(visit.account, entry.team) and entry.state != "closed") for entry in found[:LISTED]]
    return visit.page("follow.html", rows=rows, closed=closed, full=len(found) > LISTED)


def close_entry(visit: Visit) -> Response:
    """Close an entry by a person's word."""
    entry = visit.parts.store.ledger_show(visit.request.path_params["id"])
    if entry is None or not settles_team(visit.account, entry.team):
        raise Refused(404, "not-found")
    why = " ".join(visit.said("why", MAX_WHY).split())
    back = visit.href("/follow")
    if not why:
        raise Refused(400, "no-reason", back=back)
    if not visit.parts.store.ledger_close(entry, f"{visit.account.name} (console)", why, visit.now, visit.origin):
        raise Refused(409, "stale", entry.closed_by, back=back)
    return visit.go("/follow", done="closed")
