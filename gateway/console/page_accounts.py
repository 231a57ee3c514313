"""Accounts: who may see these pages. For admins."""

from __future__ import annotations

import asyncio
import secrets

from starlette.responses import Response

from gateway.console import passwords
from gateway.console.visit import Refused, Visit
from gateway.store.accounts import ALL_TEAMS, CONSOLE, ROLES, Account

SHOWN = 30


def accounts(visit: Visit) -> Response:
    return page(visit)


def page(visit: Visit, *, fresh: tuple[str, str] | None = None, problem: str = "", status: int = 200) -> Response:
    """The list; `fresh` is a name and the password that was made for it, shown this once."""
    store = visit.parts.store
    return visit.page(
        "accounts.html",
        status=status,
        accounts=store.accounts(),
        roles=ROLES,
        teams=[(team.id, team.name) for team in visit.parts.site.teams.values()],
        fresh=fresh,
        problem=problem,
        given=visit.form,
        events=store.noted(CONSOLE, SHOWN),
    )


async def add_account(visit: Visit) -> Response:
    """Make an account with a password of ours, which its owner changes."""
    name, role = visit.said("name", 64).lower(), visit.said("role", 20)
    if role not in ROLES:
        raise Refused(400, "wrong-value", role)
    problem = "" if passwords.NAME.fullmatch(name) else "name"
    teams = _teams(visit)
    if not problem and role == "reviewer" and not teams:
        problem = "teams"
    if problem:
        return await asyncio.to_thread(lambda: page(visit, problem=problem, status=400))
    password = secrets.token_urlsafe(12)
    async with visit.parts.hashing:
        stored = await asyncio.to_thread(passwords.hash_of, password)
    shown, address = visit.said("shown", 100), visit.said("address", 200)
    made = Account(name, shown, address, role, teams if role == "reviewer" else (), visit.now, stored)
    if not await asyncio.to_thread(visit.parts.store.add_account, made, visit.account.name, visit.origin):
        return await asyncio.to_thread(lambda: page(visit, problem="taken", status=409))
    return await asyncio.to_thread(lambda: page(visit, fresh=(name, password)))


async def change_account(visit: Visit) -> Response:
    """Another role or teams, a new password, no code, or no account."""
    name, what, me = visit.request.path_params["name"], visit.said("what", 20), visit.account.name
    store = visit.parts.store
    account = await asyncio.to_thread(store.account, name)
    if account is None:
        raise Refused(404, "not-found", back=visit.href("/accounts"))
    if what == "password":
        password = secrets.token_urlsafe(12)
        async with visit.parts.hashing:
            stored = await asyncio.to_thread(passwords.hash_of, password)
        await asyncio.to_thread(store.set_password, name, stored, me, visit.now, visit.origin)
        return await asyncio.to_thread(lambda: page(visit, fresh=(name, password)))
    if what == "code":
        await asyncio.to_thread(store.set_code, name, None, me, visit.now, visit.origin)
    elif what == "remove":
        if not await asyncio.to_thread(store.remove_account, name, me, visit.now, visit.origin):
            raise Refused(409, "last-admin", back=visit.href("/accounts"))
    elif what == "change":
        role, teams = visit.said("role", 20), _teams(visit)
        if role not in ROLES:
            raise Refused(400, "wrong-value", role)
        if role == "reviewer" and not teams:
            return await asyncio.to_thread(lambda: page(visit, problem="teams", status=400))
        kept = teams if role == "reviewer" else ()
        if not await asyncio.to_thread(store.change_account, name, role, kept, me, visit.now, visit.origin):
            raise Refused(409, "last-admin", back=visit.href("/accounts"))
    else:
        raise Refused(400, "wrong-value", what)
    return visit.go("/accounts", done="changed")


def _teams(visit: Visit) -> tuple[str, ...]:
    """One field a team, or all of them."""
    if visit.said("team-all"):
        return (ALL_TEAMS,)
    return tuple(team for team in visit.parts.site.teams if visit.said(f"team-{team}"))
