"""The log: search, and take a part of it away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from starlette.responses import Response, StreamingResponse

from gateway.console.access import teams_seen
from gateway.console.filters import NAMES, WrongFilter, read_filters, read_mark, write_mark
from gateway.console.names import DISPOSITIONS
from gateway.console.secrecy import may_read_line
from gateway.console.visit import Refused, Visit
from gateway.export_forms import csv_lines, json_lines
from gateway.store.accounts import CONSOLE
from gateway.store.exporting import Record
from gateway.store.looking import Filters, Line, Mark

ROWS = 50
EXPORTED = 100_000
"""Mails of one export."""
PAGE = 500


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
        if any(asked.values()):
            more_of_it = ", another page" if older is not None or newer is not None else ""
            visit.note(CONSOLE, "searched", _told(asked) + more_of_it)
        lines = _look(visit, filters, asked["subject"], older, newer)
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


def _look(visit: Visit, filters: Filters, subject: str, older: Mark | None, newer: Mark | None) -> list[Line]:
    """One line more than a page. Where words are looked for, mail whose words may not be read counts in nothing: a link
    to another page would tell that it is there."""
    look = visit.parts.store.look
    if not subject:
        return look(filters, older=older, newer=newer, limit=ROWS + 1)
    found: list[Line] = []
    limit = ROWS + 1  # mostly all may be read, and each line is a row of some kilobytes
    while len(found) <= ROWS and (lines := look(filters, older=older, newer=newer, limit=limit)):
        readable = [line for line, _ in _readable(visit, lines, subject)]
        if newer is None:
            found, older = found + readable, lines[-1].mark
        else:
            found, newer = readable + found, lines[0].mark
        if len(lines) < limit:
            break
        limit = PAGE
    return found[: ROWS + 1] if newer is None else found[-(ROWS + 1) :]


def _readable(visit: Visit, lines: list[Line], subject: str) -> list[tuple[Line, bool]]:
    """Each line with whether its words may be shown; what was found by words that may not be read is left out."""
    read = [(line, may_read_line(visit.account, visit.parts.site, line)) for line in lines]
    return [(line, may) for line, may in read if may or not subject]


def _told(asked: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in asked.items() if value)


def export(visit: Visit) -> Response:
    """The same as a file, in the forms of `audit export`. That it was taken, with which filters, is written first."""
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
    records = _records(visit, filters, asked["subject"])
    written = json_lines(records) if form == "jsonl" else csv_lines(records)
    kinds = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
    name = f"gateway-log-{visit.now:%Y%m%d-%H%M}.{form}"
    return StreamingResponse(
        (f"{line}\n" for line in written),
        media_type=kinds[form],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _records(visit: Visit, filters: Filters, subject: str) -> Iterator[Record]:
    """The decisions, in the schema of `audit export`. Words of confidential mail are in no file from here: the command
    has them, for a reason that the log keeps."""
    older, count = None, 0
    while count < EXPORTED and (lines := visit.parts.store.look(filters, older=older, limit=PAGE)):
        older = lines[-1].mark
        may = {line.id: readable for line, readable in _readable(visit, lines, subject)}
        for record in visit.parts.store.decisions(list(may)):
            count += 1
            yield replace(record, secret=not may[record.subject])
