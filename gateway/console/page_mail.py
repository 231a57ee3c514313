"""One mail: why it was stopped or not, and everything that became of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import structlog
from starlette.responses import HTMLResponse, Response

from gateway import notices
from gateway.console import headers
from gateway.console.access import sees_team, settles_team
from gateway.console.mail_html import frame
from gateway.console.marked import READ, html_of, show_mail
from gateway.console.secrecy import may_read_entry
from gateway.console.visit import Refused, Visit
from gateway.mail.message import read_headers, read_message
from gateway.notice_facts import NoticeFinding, shortened
from gateway.reading.thread import SeenMessage
from gateway.store.errors import Ambiguous
from gateway.store.records import AuditRow, Hold
from gateway.templating import CannotRender

log = structlog.get_logger("gateway.console")

MOST_THREAD = 20

NO_ANSWERS: dict[str, Any] = {"passes": {}, "draft": ""}


async def mail(visit: Visit) -> Response:
    """Everything about one mail; that it was looked at is written down first."""
    row, hold = await found(visit)
    return await asyncio.to_thread(_page, visit, row, hold)


async def found(visit: Visit) -> tuple[AuditRow, Hold | None]:
    """The mail that the address names, and its hold. What somebody may not see is not there for them."""
    store, wanted = visit.parts.store, visit.request.path_params["id"]
    row = await asyncio.to_thread(store.audit_show, wanted)
    if row is None or not sees_team(visit.account, row.entry.team):
        raise Refused(404, "no-mail", wanted[:60])
    hold = await store.held(row.entry.id) if row.entry.disposition == "hold" or row.outcome == "held" else None
    return row, hold


async def mail_html(visit: Visit) -> Response:
    """The HTML of a held mail, cleaned, for the frame of its page."""
    row, hold = await found(visit)
    if hold is None or hold.raw is None or not may_read_entry(visit.account, visit.parts.site, row.entry, hold):
        raise Refused(404, "no-mail")
    raw = hold.raw[:READ]
    html = await asyncio.to_thread(lambda: html_of(read_message(raw)))
    if html is None:
        raise Refused(404, "no-mail")
    cut = visit.words.catalogue.gettext("The rest is not shown.")
    page = await asyncio.to_thread(frame, html, visit.words.language, cut)
    return HTMLResponse(
        page, headers={"content-security-policy": headers.FRAME_POLICY, "x-frame-options": "SAMEORIGIN"}
    )


def _page(visit: Visit, row: AuditRow, hold: Hold | None) -> Response:
    store, entry, site = visit.parts.store, row.entry, visit.parts.site
    visit.note(entry.id, "viewed")
    readable = may_read_entry(visit.account, site, entry, hold)
    claimed = store.hold_claims(visit.now).get(entry.id) if hold is not None else None
    shown = None
    if readable and hold is not None and hold.raw is not None:
        shown = show_mail(hold.raw, entry.findings)
    views = [event for event in visit.parts.store.timeline(entry.id) if event.what == "viewed"]
    history = [event for event in row.history if event[1] != "viewed"]
    return visit.page(
        "mail.html",
        entry=entry,
        outcome=row.outcome,
        hold=hold,
        readable=readable,
        shown=shown,
        claimed=claimed,
        history=history,
        views=views[-20:][::-1],
        seen=seen_of(hold) if hold is not None else "",
        settles=hold is not None and readable and settles_team(visit.account, entry.team),
        thread=_thread(visit, row, hold) if readable else (),
        rules=_rules_of(visit, row),
        answers=_answers(visit, row, hold) if readable and hold is not None else NO_ANSWERS,
    )


def seen_of(hold: Hold) -> str:
    """What a page saw of a hold: a form from a page that saw something else is out of date."""
    return f"{hold.state}.{hold.tries}.{hold.approved_by}"


def _thread(visit: Visit, row: AuditRow, hold: Hold | None) -> tuple[SeenMessage, ...]:
    """The earlier mails that the gateway saw, the oldest first: who to whom, never their words."""
    entry = row.entry
    references = read_headers(hold.raw).references if hold is not None and hold.raw else ()
    wanted = tuple(filter(None, (*references, entry.message_id)))
    thread = visit.parts.store.thread_now(wanted, visit.parts.site.ticket_tags(entry.subject)) if wanted else None
    if thread is None:
        return ()
    earlier = [each for each in (*thread.by_id, *thread.by_tag) if each.message_id != entry.message_id]
    return tuple(earlier[-MOST_THREAD:])


def _rules_of(visit: Visit, row: AuditRow) -> dict[str, str]:
    """The text of each policy that matched, as it was when it did; "" where that version is not kept."""
    try:
        version = visit.parts.store.rule_version(row.entry.policy_version) if row.entry.policy_version else None
    except Ambiguous:
        version = None
    names = dict.fromkeys(str(finding["policy"]) for finding in row.entry.findings if finding.get("policy"))
    if version is None:
        return dict.fromkeys(names, "")
    return {name: version.files.get(f"policies/{name}.yaml", b"").decode("utf-8", "replace") for name in names}


def _answers(visit: Visit, row: AuditRow, hold: Hold) -> dict[str, Any]:
    """What would have passed, by policy, and the draft of the notice, written with the templates of today."""
    current, letters = visit.parts.rules.current, visit.parts.letters
    found = []
    for finding in row.entry.findings:
        policy = current.get(str(finding["policy"]))
        words = shortened(str(span["text"]) for span in finding.get("evidence", ()))
        policy = policy.for_team(row.entry.team) if policy is not None else None
        passes, template = (policy.would_pass, policy.draft) if policy is not None else ("", "")
        found.append(NoticeFinding(str(finding["policy"]), str(finding["why"]), words, passes, template))
    try:
        facts = replace(letters.facts_of(hold), lang=visit.words.language, findings=tuple(found))
        reasons = notices.reasons(facts, visit.parts.rules.templates)
        would = {each["policy"]: each["would_pass"] for each in reasons if each["would_pass"]}
        return {"passes": would, "draft": notices.draft(facts, visit.parts.rules.templates)}
    except (CannotRender, ValueError, KeyError) as error:
        log.warning("what would have passed cannot be told", mail=row.entry.id, fault=type(error).__name__)
        return NO_ANSWERS
