"""Policies: which are in force and how they fare, every version with its difference, and a version tried on history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.responses import Response

from gateway.console.visit import Refused, Visit
from gateway.health import Health, health_of
from gateway.replay import Tally, replay_recorded
from gateway.rule_files import difference
from gateway.store.errors import Ambiguous
from gateway.store.versions import Version

DAYS = 30
HISTORY = 50
MOST_LINES = 2000
MOST_REPLAYED = 20_000
"""Judged mails that are judged again from a browser; more with `policy replay`."""
SHOWN = 50


def policies(visit: Visit) -> Response:
    """What is in force, how it fares, and what came into force when."""
    store, current = visit.parts.store, visit.parts.rules.current
    start = visit.now - timedelta(days=DAYS)
    _, states = store.governed_now()
    health: dict[str, Health] = {}
    for name in {*(policy.id for policy in current.policies), *store.policies_seen(start)}:
        health[name] = health_of(name, store.matches(name, start, visit.now), visit.now - timedelta(days=DAYS / 2))
    return visit.page(
        "policies.html",
        policies=current.policies,
        version=current.version,
        health=health,
        states=states,
        days=DAYS,
        events=store.rule_events(HISTORY),
    )


def version(visit: Visit) -> Response:
    """The files of a version, and what it changed."""
    found = _version(visit, visit.request.path_params["version"])
    other = visit.asked("against", 40)
    before = _version(visit, other) if other else None
    lines: list[str] = []
    if before is not None:
        for line in difference(before.files, found.files):
            lines.append(line)
            if len(lines) >= MOST_LINES:
                break
    events = visit.parts.store.rule_events(HISTORY)
    return visit.page(
        "version.html",
        version=found,
        before=before,
        lines=lines,
        files=[(path, octets.decode("utf-8", "replace")) for path, octets in sorted(found.files.items())
               if path.startswith("policies/") and path.endswith(".yaml") and path.count("/") == 1],
        others=[name for name in dict.fromkeys(event.version for event in events) if name and name != found.version],
        cut=len(lines) >= MOST_LINES,
    )  # fmt: skip


def _version(visit: Visit, wanted: str) -> Version:
    try:
        found = visit.parts.store.rule_version(wanted)
    except Ambiguous:
        found = None
    if found is None:
        raise Refused(404, "no-version", wanted[:60], back=visit.href("/policies"))
    return found


def replay(visit: Visit) -> Response:
    """What the policies in force would have made of the newest judged mail that was judged by others."""
    store, span = visit.parts.store, visit.asked("days") or "7"
    if span not in ("1", "7", "30"):
        raise Refused(400, "wrong-value", span, back=visit.href("/policies"))
    since = visit.now - timedelta(days=int(span))
    count = store.recorded_count(since)
    tally, found = Tally(), list[Any]()
    if count <= MOST_REPLAYED:
        versions = store.rule_versions()
        for each in replay_recorded(store.recorded(since), visit.parts.rules.current, versions, tally):
            if each is not None and len(found) < SHOWN:
                found.append(each)
    return visit.page("replay.html", span=span, count=count, most=MOST_REPLAYED, tally=tally, found=found)


def diff_class(line: str) -> str:
    """The kind of a line of a difference."""
    return {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "")


__all__ = ["diff_class", "policies", "replay", "version"]
