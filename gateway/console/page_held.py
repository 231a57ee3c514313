"""Held mail: who looks after it, and what becomes of it. Settled by the same code as an answer by mail."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from gateway.answers import MAX_WHY, Answer
from gateway.console.access import settles_team, teams_seen
from gateway.console.page_mail import found, seen_of
from gateway.console.secrecy import may_read, may_read_entry
from gateway.console.visit import Refused, Visit
from gateway.mail.address import Mailbox
from gateway.settling import CannotSettle
from gateway.store.records import Hold, HoldState

WAITING: tuple[HoldState, ...] = ("held", "in-doubt", "approved", "releasing")
LISTED = 200


async def held(visit: Visit) -> Response:
    """What waits, the oldest first."""
    store = visit.parts.store
    lists = [await store.held_list(state, limit=LISTED) for state in WAITING]
    return await asyncio.to_thread(_page, visit, [hold for each in lists for hold in each])


def _page(visit: Visit, holds: list[Hold]) -> Response:
    site, account = visit.parts.site, visit.account
    seen = teams_seen(account)
    claims = visit.parts.store.hold_claims(visit.now)
    rows = []
    for hold in sorted(holds, key=lambda each: (WAITING.index(each.state), each.new.at)):
        agent = site.agent(hold.new.agent)
        team = agent.team if agent is not None else ""
        if seen is not None and team not in seen:
            continue
        told = hold.new.told
        requester = told.get("requester") or {}
        readable = may_read(account, site, bool(told.get("confidential")), (
            hold.new.agent, str(requester.get("address", "")), *map(address_of, hold.new.rcpt_to),
        ))  # fmt: skip
        rows.append(
            {
                "hold": hold, "team": site.teams[team].name if team in site.teams else team,
                "requester": requester.get("address", "") if readable else "", "readable": readable,
                "policies": told.get("policies", ()), "claim": claims.get(hold.new.id),
                "late": hold.new.deadline < visit.now,
            }
        )  # fmt: skip
    return visit.page("held.html", rows=rows, full=len(holds) >= LISTED)


def address_of(argument: bytes) -> str:
    """The address in a RCPT argument."""
    text = argument.decode("utf-8", "replace")
    return text[text.find("<") + 1 : text.rfind(">")] if "<" in text else text.partition(" ")[0]


async def _mine(visit: Visit) -> Hold:
    """The hold that the form is about, if the reader may settle it."""
    row, hold = await found(visit)
    if hold is None:
        raise Refused(404, "no-mail")
    site = visit.parts.site
    if not settles_team(visit.account, row.entry.team) or not may_read_entry(visit.account, site, row.entry, hold):
        raise Refused(403, "not-allowed")
    return hold


async def claim(visit: Visit) -> Response:
    """Take a held mail on, take it over from a colleague, or hand it back."""
    hold = await _mine(visit)
    id, me, store = hold.new.id, visit.account.name, visit.parts.store
    what = visit.said("what", 20)
    if what == "back":
        await asyncio.to_thread(store.unclaim_hold, id, me, visit.now, visit.origin)
        return visit.go("/mail", id, done="unclaimed")
    if what not in ("take", "over"):
        raise Refused(400, "wrong-value", what)
    over = visit.said("over", 64) if what == "over" else ""
    got = await asyncio.to_thread(lambda: store.claim_hold(id, me, visit.now, visit.origin, over=over))
    if got.by != me:
        raise Refused(409, "claimed", got.by, back=visit.href("/mail", id))
    return visit.go("/mail", id, done="claimed")


async def settle(visit: Visit) -> Response:
    """Let it go, mend it, put words in, or throw it away. Once: whoever comes second hears who was first."""
    hold = await _mine(visit)
    id = hold.new.id
    back = visit.href("/mail", id)
    claims = await asyncio.to_thread(visit.parts.store.hold_claims, visit.now)
    other = claims.get(id)
    if other is not None and other.by != visit.account.name:
        raise Refused(409, "claimed", other.by, back=back)
    if visit.said("seen") != seen_of(hold):
        raise Refused(409, "stale", hold.approved_by, back=back)
    why = " ".join(visit.said("why", MAX_WHY).split())
    if not why:
        raise Refused(400, "no-reason", back=back)
    by = f"{visit.account.name} (console)"
    do = visit.said("do", 20)
    if do in ("arrived", "again"):
        state: HoldState = "released" if do == "arrived" else "held"
        done = await visit.parts.settling.resolve(hold, state, by, why, origin=visit.origin)
    else:
        try:
            done = await visit.parts.settling.settle(
                hold, _answer(visit, hold, do, why, back), by=by, to=Mailbox(hold.new.agent), origin=visit.origin
            )
        except CannotSettle as cannot:
            raise Refused(409, "cannot", cannot.detail or cannot.problem, back=back) from cannot
    if not done:
        fresh = await visit.parts.store.held(id)
        raise Refused(409, "stale", fresh.approved_by if fresh else "", back=back)
    await asyncio.to_thread(visit.parts.store.unclaim_hold, id, visit.account.name, visit.now, visit.origin)
    return visit.go("/mail", id, done=do)


def _answer(visit: Visit, hold: Hold, do: str, why: str, back: str) -> Answer:
    """What the form asks for. Raises Refused."""
    if do == "fix" and not hold.new.fix.get("possible"):
        raise Refused(409, "no-fix", str(hold.new.fix.get("why_not", "")), back=back)
    if do in ("fix", "send", "wrong", "discard", "note", "consult"):
        return Answer(do, why)  # type: ignore[arg-type]
    if do == "amend":
        reason, eta = (" ".join(visit.said(name, MAX_WHY).split()) for name in ("reason", "eta"))
        if not reason and not eta:
            raise Refused(400, "no-words", back=back)
        return Answer(
            "amend", why, reason=reason, eta=eta, fix=bool(hold.new.fix.get("possible") and visit.said("fix"))
        )
    raise Refused(400, "wrong-value", do)
