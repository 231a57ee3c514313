"""Logging in with OpenID Connect: off to the provider, and back. Who has no account here gets none."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from starlette.responses import RedirectResponse, Response

from gateway.console.page_door import begin, drop, local
from gateway.console.visit import Refused, Visit
from gateway.store.accounts import CONSOLE, Account

if TYPE_CHECKING:
    from gateway.console.provider import Provider

log = structlog.get_logger("gateway.console")

HOW = "OpenID Connect"
COOKIE = "oidc"
WITHIN = timedelta(minutes=10)
"""How long somebody may take at the provider."""
CLOCKS_APART = timedelta(minutes=1)
"""How far the clock of another console may be ahead, where somebody has begun there."""
MOST_TEXT = 200
MOST_AFTER = 1200
"""Octets of the address that is shown afterwards: browsers drop a cookie of over 4096 (RFC 6265bis §5.6)."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A log-in under way, as the browser keeps it: the key of all that is asked, when that was, and the page that is
    shown afterwards. Sealed: a browser may keep a cookie for longer than it was told."""

    key: str
    at: datetime
    after: str

    def sealed(self, visit: Visit) -> str:
        body = json.dumps([self.key, self.at.timestamp(), self.after], ensure_ascii=False).encode()
        return visit.parts.store.seal_cookie(body, COOKIE)

    @classmethod
    def of(cls, visit: Visit) -> Begun | None:
        """That of this browser; None where it has begun none, or what it brings is not ours."""
        cookie = visit.request.cookies.get(visit.parts.place.cookie_named(COOKIE), "")
        body = visit.parts.store.open_cookie(cookie, COOKIE)
        if body is None:
            return None
        key, at, after = json.loads(body)
        return cls(key, datetime.fromtimestamp(at, UTC), after)


async def leave(visit: Visit) -> Response:
    """Send the browser to the provider, with a cookie that only it can come back with.

    state, nonce and verifier are all made from that cookie (OpenID Connect Core 1.0 §15.5.2), so that nothing is kept
    here for people who never come back.
    """
    provider = _provider(visit)
    if visit.session is not None:
        return visit.go("/")
    _not_too_often(visit)
    key = secrets.token_urlsafe(32)
    url = await provider.door(_of(key, "state"), _of(key, "nonce"), _of(key, "verifier"))
    answer = RedirectResponse(url, 303)
    place = visit.parts.place
    # Lax: the way back starts at the provider's page.
    answer.set_cookie(
        place.cookie_named(COOKIE), Begun(key, visit.now, _after(visit)).sealed(visit),
        path=place.cookie_path, secure=place.secure, httponly=True, samesite="lax",
        max_age=int(WITHIN.total_seconds()),
    )  # fmt: skip
    return answer


async def come_back(visit: Visit) -> Response:
    """Let in whoever the provider says it is, if they have an account."""
    provider = _provider(visit)
    _not_too_often(visit)
    begun = Begun.of(visit)
    said = visit.asked("state", 200).encode("utf-8", "surrogatepass")
    if begun is None or not hmac.compare_digest(_of(begun.key, "state").encode(), said):
        # Neither counted nor noted: any page of the web can send a browser here, and nobody guesses 256 bits.
        raise Refused(403, "oidc-untrusted", "this log-in was not begun in this browser")
    visit.parts.attempts.failed_at(visit.where, visit.now)  # before the exchange, or many could try at the same time
    try:
        account = await _account(visit, provider, begun)
    except Refused as refused:
        if refused.status == 503:  # a provider that is away has refused nobody
            visit.parts.attempts.taken_back(visit.where)
        else:
            why = {"oidc-unknown": "no account", "oidc-unverified": "not verified", "oidc-ended": "ended there"}
            detail = f"{HOW}: {' '.join((why.get(refused.key, ''), refused.detail)).strip()}"
            note = visit.parts.store.note
            await asyncio.to_thread(note, CONSOLE, "log-in-refused", detail, "", visit.now, visit.origin)
            log.warning("log-in refused", why=detail, peer=visit.where)
        raise
    visit.parts.attempts.taken_back(visit.where)
    answer = await asyncio.to_thread(begin, visit, account, begun.after, HOW)
    drop(answer, visit, COOKIE)
    return answer


async def _account(visit: Visit, provider: Provider, begun: Begun) -> Account:
    """The account of whoever comes back. Raises Refused."""
    key = begun.key
    if not -CLOCKS_APART <= visit.now - begun.at <= WITHIN:
        raise Refused(403, "oidc-untrusted", "this log-in was begun too long ago")
    if not visit.parts.attempts.first_use(_of(key, "state")):
        raise Refused(403, "oidc-untrusted", "this log-in was used before")
    error = visit.asked("error", 60)
    if error:
        raise Refused(403, "oidc-ended", error if error.isprintable() else "")
    code = visit.asked("code", 4000)
    claims = await provider.person(code, visit.asked("iss", 1000), _of(key, "nonce"), _of(key, "verifier"), visit.now)
    return await asyncio.to_thread(_of_claims, visit, provider.claim, claims)


def _of_claims(visit: Visit, claim: str, claims: Mapping[str, Any]) -> Account:
    """Whose account the claim names: by address for `email`, which must be verified, by name for any other."""
    value = claims.get(claim)
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > MOST_TEXT:
        raise Refused(403, "oidc-unknown", f"({claim})")
    value = _lower(value.strip())
    verified = claims.get("email_verified")
    if claim == "email" and verified is not True and verified != "true":  # some providers write it as text
        raise Refused(403, "oidc-unverified", value)
    accounts = visit.parts.store.accounts()
    found = [each for each in accounts if _lower(each.address if claim == "email" else each.name) == value]
    if len(found) != 1:  # an address that two have says nothing
        raise Refused(403, "oidc-unknown", value)
    return found[0]


def _lower(text: str) -> str:
    """In small letters, of ASCII alone: "ſmith" and "smith" may be two people of the provider."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def _after(visit: Visit) -> str:
    """The page that was asked for, or the first one, where it would not fit into the cookie."""
    path = local(visit.asked("next", MOST_AFTER + 1))
    return path if len(path.encode("utf-8", "surrogatepass")) <= MOST_AFTER else "/"


def _provider(visit: Visit) -> Provider:
    if visit.parts.provider is None:
        raise Refused(404, "not-found")
    return visit.parts.provider


def _not_too_often(visit: Visit) -> None:
    wait = visit.parts.attempts.wait_at(visit.where, visit.now)
    if wait:
        raise Refused(429, "oidc-wait", f"{math.ceil(wait / 60)} min")


def _of(key: str, what: str) -> str:
    """64 hex digits; RFC 7636 §4.1 wants 43 to 128 characters of a verifier."""
    return hmac.digest(key.encode("utf-8", "surrogatepass"), what.encode(), hashlib.sha256).hex()
