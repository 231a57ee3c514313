"""The log: search, and take a part of it away."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from gateway.console.access import teams_seen
from gateway.console.filters import NAMES, WrongFilter, read_filters, read_mark, write_mark
from gateway.console.names import DISPOSITIONS
from gateway.console.secrecy import may_read_line
from gateway.console.visit import Refused, Visit
from gateway.store.accounts import CONSOLE
from gateway.store.looking import Filters, Line

ROWS = 50
EXPORTED = 100_000
"""Mails of one export."""
PAGE = 500

COLUMNS = (
    "id", "at", "agent", "team", "requester", "rcpt_to", "subject", "disposition", "outcome", "policies",
)  # fmt: skip


def log_page(visit: Visit) -> Response:
    """One page of what fits the filters. What was looked for is written down."""
    asked = {name: visit.asked(name) for name in NAMES}
    problem: WrongFilter | None = None
    lines: list[Line] = []
    older = newer = None
    status = 200
    try:
        filters = read_filters(asked, visit.parts.site.zone, teams_seen(visit.account))
        older, newer = read_mark(visit.asked("older"), "older"), read_mark(visit.asked("newer"), "newer")
        if any(asked.values()) and older is None and newer is None:
            visit.note(CONSOLE, "searched", _told(asked))
        lines = visit.parts.store.look(filters, older=older, newer=newer, limit=ROWS + 1)
    except WrongFilter as wrong:
        problem, status = wrong, 400
    more = len(lines) > ROWS
    if more:
        lines = lines[1:] if newer is not None else lines[:ROWS]
    shown = _readable(visit, lines, asked["subject"])
    given = {name: value for name, value in asked.items() if value}
    first, last = (lines[0].mark, lines[-1].mark) if lines else (None, None)
    return visit.page(
        "log.html",
        status=status,
        lines=shown,
        asked=asked,
        problem=problem,
        policies=sorted(policy.id for policy in visit.parts.rules.current.policies),
        teams=_teams(visit),
        dispositions=tuple(DISPOSITIONS),
        newest=visit.href("/log", **given),
        newer=visit.href("/log", **given, newer=write_mark(first))
        if first and (older is not None or (newer is not None and more))
        else "",
        older=visit.href("/log", **given, older=write_mark(last)) if last and (more if newer is None else True) else "",
        paged=older is not None or newer is not None,
    )


def _teams(visit: Visit) -> list[tuple[str, str]]:
    seen = teams_seen(visit.account)
    return [(team.id, team.name) for team in visit.parts.site.teams.values() if seen is None or team.id in seen]


def _readable(visit: Visit, lines: list[Line], subject: str) -> list[tuple[Line, bool]]:
    """Each line with whether its words may be shown; what was found by words that may not be read is left out."""
    read = [(line, may_read_line(visit.account, visit.parts.site, line)) for line in lines]
    return [(line, may) for line, may in read if may or not subject]


def _told(asked: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in asked.items() if value)


def export(visit: Visit) -> Response:
    """The same as a file, JSON Lines or CSV. That it was taken, with which filters, is written down first."""
    form = visit.said("format", 10)
    if form not in ("jsonl", "csv"):
        raise Refused(400, "wrong-value", form)
    asked = {name: visit.said(name) for name in NAMES}
    try:
        filters = read_filters(asked, visit.parts.site.zone, teams_seen(visit.account))
    except WrongFilter as wrong:
        raise Refused(400, "wrong-value", wrong.value) from wrong
    if not visit.parts.store.look(filters, limit=1):
        raise Refused(404, "nothing-to-export", back=visit.href("/log", **asked))
    visit.note(CONSOLE, "exported", f"{form}: {_told(asked) or 'everything'}")
    rows = _rows(visit, filters, asked["subject"])
    kinds = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
    name = f"gateway-log-{visit.now:%Y%m%d-%H%M}.{form}"
    return StreamingResponse(
        _json(rows) if form == "jsonl" else _csv(rows),
        media_type=kinds[form],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _rows(visit: Visit, filters: Filters, subject: str) -> Iterator[dict[str, Any]]:
    older, count = None, 0
    while count < EXPORTED and (lines := visit.parts.store.look(filters, older=older, limit=PAGE)):
        older = lines[-1].mark
        for line, may in _readable(visit, lines, subject):
            count += 1
            yield {
                "id": line.id, "at": line.at.isoformat(), "agent": line.agent, "team": line.team,
                "requester": line.requester if may else "", "rcpt_to": list(line.rcpt_to) if may else [],
                "subject": line.subject if may else "", "disposition": line.disposition, "outcome": line.outcome,
                "policies": list(line.policies), "confidential": not may,
            }  # fmt: skip


def _json(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=True) + "\n"


def _csv(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """RFC 4180. Cells that a spreadsheet would run as a formula begin with an apostrophe."""
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(COLUMNS)
    for row in rows:
        cells = [" ".join(row[name]) if isinstance(row[name], list) else str(row[name]) for name in COLUMNS]
        writer.writerow([f"'{cell}" if cell[:1] in tuple("=+-@\t\r") else cell for cell in cells])
        yield line.getvalue()
        line.seek(0)
        line.truncate()
