"""The console as an ASGI application: every request passes the same door, whatever page it is for.

host -> session -> role (`access`) -> form and its token -> the page. What goes wrong on the way is a page too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qsl, quote

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.console import headers
from gateway.console.access import OPEN, allowed
from gateway.console.page_accounts import accounts, add_account, change_account
from gateway.console.page_door import language, log_in, log_out
from gateway.console.page_follow import close_entry, follow
from gateway.console.page_held import claim, held, settle
from gateway.console.page_integrity import integrity, verify
from gateway.console.page_log import export, log_page
from gateway.console.page_mail import mail, mail_html
from gateway.console.page_me import me, set_code, set_password
from gateway.console.page_oidc import come_back, leave
from gateway.console.page_overview import overview
from gateway.console.page_policies import policies, replay, version
from gateway.console.parts import Parts
from gateway.console.texts import Words, language_of
from gateway.console.visit import Refused, Visit
from gateway.store.errors import Ambiguous, StoreAway, Unknown

log = structlog.get_logger("gateway.console")

MOST_FORM = 64 * 1024
MOST_FIELDS = 100

Page = Callable[[Visit], Awaitable[Response] | Response]

STATIC = Path(__file__).with_name("static")
ASSETS = {"console.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}

PAGES: dict[tuple[str, str], Page] = {
    ("/", "GET"): overview,
    ("/log", "GET"): log_page,
    ("/log/export", "POST"): export,
    ("/mail/{id}", "GET"): mail,
    ("/mail/{id}/html", "GET"): mail_html,
    ("/held", "GET"): held,
    ("/held/{id}/claim", "POST"): claim,
    ("/held/{id}/settle", "POST"): settle,
    ("/follow", "GET"): follow,
    ("/follow/{id}/close", "POST"): close_entry,
    ("/policies", "GET"): policies,
    ("/policies/version/{version}", "GET"): version,
    ("/policies/replay", "GET"): replay,
    ("/integrity", "GET"): integrity,
    ("/integrity/verify", "POST"): verify,
    ("/accounts", "GET"): accounts,
    ("/accounts", "POST"): add_account,
    ("/accounts/{name}", "POST"): change_account,
    ("/me", "GET"): me,
    ("/me/password", "POST"): set_password,
    ("/me/code", "POST"): set_code,
    ("/log-out", "POST"): log_out,
    ("/log-in", "GET"): log_in,
    ("/log-in", "POST"): log_in,
    ("/log-in/oidc", "GET"): leave,
    ("/log-in/oidc/back", "GET"): come_back,
    ("/language", "POST"): language,
}
"""Every page, by route and verb; `access` has who may see it, and a test that the two tables are about the same."""


def console(parts: Parts) -> ASGIApp:
    """The application. It starts and closes nothing of what it is given."""
    routes = [Route("/static/{name}", _static, methods=["GET"]), Route("/healthz", _healthz, methods=["GET"])]
    for path in dict.fromkeys(route for route, _ in PAGES):
        verbs = {verb: page for (route, verb), page in PAGES.items() if route == path}
        routes.append(Route(path, _door(parts, path, verbs), methods=list(verbs)))
    app = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _not_here(parts), Exception: _fault(parts)},
    )
    return _Guard(_Prefix(app, parts), parts)


def _door(parts: Parts, route: str, verbs: dict[str, Page]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        verb = "GET" if request.method == "HEAD" else request.method
        visit = _visit(parts, request)
        try:
            await _enter(visit, route, verb)
            return await _of(verbs[verb], visit)
        except Refused as refused:
            return await _refusal(visit, refused)
        except (Unknown, Ambiguous):
            return await _refusal(visit, Refused(404, "not-found"))
        except StoreAway as away:
            log.error("the store is away", route=route, why=str(away))
            return await _refusal(visit, Refused(503, "store-away"))
        except Exception as error:
            log.error("fault of the console", route=route, exc_info=error)
            return await _refusal(visit, Refused(500, "fault"))

    return answer


async def _of(page: Page, visit: Visit) -> Response:
    """Pages that only read run in a thread, those that settle on the loop, where what they wake lives."""
    if asyncio.iscoroutinefunction(page):
        answer: Response = await page(visit)
        return answer
    return await asyncio.to_thread(page, visit)  # type: ignore[arg-type]


def _visit(parts: Parts, request: Request) -> Visit:
    chosen = language_of(request.cookies.get("language", ""), request.headers.get("accept-language", ""))
    peer = request.client.host if request.client else ""
    where = parts.place.browser(peer, request.headers.get("x-forwarded-for", ""))
    return Visit(parts, request, Words(chosen, parts.site.zone), parts.clock(), where)


async def _enter(visit: Visit, route: str, verb: str) -> None:
    """Let somebody in, or raise Refused. A form has its token checked before anything of it is done."""
    parts, request = visit.parts, visit.request
    cookie = request.cookies.get(parts.place.cookie, "")
    if cookie:
        visit.session = await asyncio.to_thread(parts.store.session, cookie, visit.now, parts.idle, parts.most)
    role = visit.session.account.role if visit.session else None
    if verb == "POST":
        visit.form = await _form(request)
        origin = request.headers.get("origin", "")
        if origin and not parts.place.own(origin, request.headers.get("host", "")):
            raise Refused(403, "not-ours")
    if visit.session is None and (route, verb) not in OPEN:
        raise Refused(401, "log-in-first" if not cookie else "session-over")
    if not allowed(route, verb, role):
        raise Refused(403, "not-allowed")
    if verb == "POST" and (route, verb) not in OPEN:
        assert visit.session is not None
        if not parts.store.same_csrf(visit.session, visit.form.get("csrf", "")):
            raise Refused(403, "not-ours")


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form, each once. Raises Refused for what is no form, or too large."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Refused(415, "no-form")
    octets = bytearray()
    async for piece in request.stream():
        octets += piece
        if len(octets) > MOST_FORM:
            raise Refused(413, "too-large")
    try:
        pairs = parse_qsl(octets.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Refused(400, "no-form") from error
    return {name: value.replace("\r\n", "\n") for name, value in reversed(pairs)}


async def _refusal(visit: Visit, refused: Refused) -> Response:
    """A page that says why. Whoever only has to log in gets there, and back."""
    request = visit.request
    if refused.status == 401 and request.method in ("GET", "HEAD"):
        back = visit.local
        over = "1" if refused.key == "session-over" else ""
        return RedirectResponse(visit.href("/log-in", next=back if back != "/" else "", over=over), 303)
    return await asyncio.to_thread(
        lambda: visit.page(
            "error.html", status=refused.status, key=refused.key, detail=refused.detail, back=refused.back
        )
    )


def _not_here(parts: Parts) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        key = {404: "not-found", 405: "no-such-verb"}.get(error.status_code, "fault")
        made = await _refusal(_visit(parts, request), Refused(error.status_code, key))
        made.headers.update(error.headers or {})
        return made

    return answer


def _fault(parts: Parts) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        log.error("fault of the console", path=request.scope.get("path", "")[:100], exc_info=error)
        return await _refusal(_visit(parts, request), Refused(500, "fault"))

    return answer


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in ASSETS:
        raise HTTPException(404)
    return FileResponse(STATIC / name, media_type=ASSETS[name], headers={"cache-control": "private, max-age=3600"})


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok\n")


class _Prefix:
    """Takes paths with the prefix of a reverse proxy, and those of which it has cut the prefix off."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app, self._prefix = app, parts.place.prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and self._prefix and (path + "/").startswith(self._prefix + "/"):
            path = path[len(self._prefix) :] or "/"
            scope = dict(scope, path=path, raw_path=quote(path).encode())
        await self._app(scope, receive, send)


class _Guard:
    """Answers for other hosts nothing at all, and gives every answer the headers that protect it."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app, self._place = app, parts.place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                had = {name.lower() for name, _ in message["headers"]}
                always = dict(headers.ALWAYS)
                if self._place.secure:
                    always["strict-transport-security"] = headers.TLS_ONLY
                more = [(n.encode(), v.encode()) for n, v in always.items() if n.encode() not in had]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        if not self._place.takes(host):
            await PlainTextResponse("There is nothing here under this name.\n", 421)(scope, receive, guarded)
            return
        await self._app(scope, receive, guarded)
