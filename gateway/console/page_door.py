"""Logging in and out."""

from __future__ import annotations

import asyncio
import hmac
import math
import secrets

import structlog
from starlette.responses import RedirectResponse, Response

from gateway.console import passwords
from gateway.console.texts import LANGUAGES
from gateway.console.visit import Refused, Visit
from gateway.store.accounts import CONSOLE, Account

log = structlog.get_logger("gateway.console")

FORM_COOKIE = "log-in-form"
"""Goes with the form, before there is a session: a form on a page elsewhere cannot have it (double submit)."""


async def log_in(visit: Visit) -> Response:
    """The form, and what was written in it."""
    if visit.request.method != "POST":
        if visit.session is not None:
            return visit.go("/")
        return await asyncio.to_thread(_form, visit, "", 200)
    given = visit.request.cookies.get(visit.parts.place.cookie_named(FORM_COOKIE), "")
    if not given or not hmac.compare_digest(given.encode(), visit.said("form").encode("utf-8", "surrogatepass")):
        return await asyncio.to_thread(_form, visit, "again", 403)
    name, password = visit.said("name", 64).lower(), visit.form.get("password", "")
    wait = visit.parts.attempts.wait(name, visit.where, visit.now)
    if wait:
        answer = await asyncio.to_thread(_form, visit, "wait", 429)
        answer.headers["retry-after"] = str(math.ceil(wait))
        return answer
    # Counted before the password is looked at, or many could try at the same time.
    visit.parts.attempts.failed(name, visit.where, visit.now)
    account = await _known(visit, name, password)
    if account is None:
        shown = name if passwords.NAME.fullmatch(name) else "?"
        await asyncio.to_thread(visit.parts.store.note, CONSOLE, "log-in-refused", shown, "", visit.now, visit.origin)
        log.warning("log-in refused", account=shown, peer=visit.where)
        return await asyncio.to_thread(_form, visit, "wrong", 401)
    visit.parts.attempts.succeeded(name, visit.where)
    return await asyncio.to_thread(begin, visit, account, visit.said("next", 2000))


async def _known(visit: Visit, name: str, password: str) -> Account | None:
    """The account, if password and code are right."""
    store = visit.parts.store
    account = await asyncio.to_thread(store.account, name)
    async with visit.parts.hashing:
        if not await asyncio.to_thread(passwords.fits, password, account.password if account else ""):
            return None
    if account is None or not account.has_code:
        return account
    secret = await asyncio.to_thread(store.code_secret, name)
    step = passwords.step_of(secret, visit.said("code", 20), visit.now) if secret else None
    if step is None or not await asyncio.to_thread(store.use_code, name, step):
        return None
    return account


def begin(visit: Visit, account: Account, after: str, how: str = "") -> Response:
    """Open a session, and show the page `after`; `how` somebody has logged in is kept. Blocks."""
    place = visit.parts.place
    before = visit.request.cookies.get(place.cookie, "")
    visit.parts.store.sweep_sessions(visit.now, visit.parts.idle, visit.parts.most)
    cookie = visit.parts.store.begin_session(account.name, visit.now, visit.origin, before=before, how=how)
    answer = RedirectResponse(place.prefix + local(after), 303)
    answer.set_cookie(
        place.cookie, cookie, path=place.cookie_path, secure=place.secure, httponly=True, samesite="lax",
        max_age=int(visit.parts.most.total_seconds()),
    )  # fmt: skip
    drop(answer, visit, FORM_COOKIE)
    return answer


def _form(visit: Visit, problem: str, status: int) -> Response:
    token = secrets.token_urlsafe(24)
    again = visit.asked("next", 2000) or visit.said("next", 2000)
    over = bool(visit.asked("over"))
    answer = visit.page(
        "log_in.html", status=status, problem=problem, form=token, next=local(again), over=over,
        name=visit.said("name", 64), provider=visit.parts.provider,
    )  # fmt: skip
    place = visit.parts.place
    answer.set_cookie(
        place.cookie_named(FORM_COOKIE), token, path=place.cookie_path, secure=place.secure, httponly=True,
        samesite="strict", max_age=3600,
    )  # fmt: skip
    return answer


def drop(answer: Response, visit: Visit, name: str) -> None:
    """Take a cookie of ours back. Browsers heed that only as strictly as it was set."""
    place = visit.parts.place
    answer.delete_cookie(place.cookie_named(name), path=place.cookie_path, secure=place.secure, httponly=True)


def local(path: str) -> str:
    """A path of ours, whatever was asked for: "//elsewhere" and "/\\elsewhere" lead away."""
    fine = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if fine and not path.startswith("/log-in") else "/"


def log_out(visit: Visit) -> Response:
    """End the session, here and in the store."""
    assert visit.session is not None
    visit.parts.store.end_session(visit.session, visit.now, visit.origin)
    answer = RedirectResponse(visit.href("/log-in"), 303)
    drop(answer, visit, "gateway")
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


def language(visit: Visit) -> Response:
    """Remember a language in the browser."""
    chosen = visit.said("language", 10)
    if chosen not in LANGUAGES:
        raise Refused(400, "wrong-value", chosen)
    answer = RedirectResponse(visit.parts.place.prefix + local(visit.said("next", 2000)), 303)
    answer.set_cookie(
        "language", chosen, path=visit.parts.place.cookie_path, secure=visit.parts.place.secure, httponly=True,
        samesite="lax", max_age=365 * 86400,
    )  # fmt: skip
    return answer
