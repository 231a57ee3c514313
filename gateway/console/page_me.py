"""One's own account: password and one-time codes."""

from __future__ import annotations

import asyncio
import base64
import binascii
import io

import segno
from starlette.responses import Response

from gateway.console import passwords
from gateway.console.visit import Visit


def me(visit: Visit) -> Response:
    return _page(visit)


def _page(visit: Visit, *, problem: str = "", status: int = 200, secret: bytes | None = None) -> Response:
    """`problem` names what is wrong with what was written; `secret` is the one of a form that came back."""
    account = visit.account
    again = secret or passwords.new_secret()
    return visit.page(
        "me.html", status=status, problem=problem, account=account, least=passwords.LEAST,
        secret=base64.b32encode(again).decode(), picture=_picture(again, account.name, visit),
    )  # fmt: skip


def _picture(secret: bytes, name: str, visit: Visit) -> str:
    """The code that a phone reads, as SVG of our own making."""
    uri = passwords.code_uri(secret, name, f"Referral gateway {visit.parts.site.name}".strip()[:60])
    out = io.BytesIO()
    segno.make(uri, error="m").save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=3, svgclass="qr", lineclass=None
    )
    return out.getvalue().decode("ascii")


async def set_password(visit: Visit) -> Response:
    """A new password, for whoever knows the old one. All other sessions end."""
    account, store = visit.account, visit.parts.store
    new = visit.form.get("new", "")
    problem = passwords.weakness(new, account.name)
    if new != visit.form.get("again", ""):
        problem = "differs"
    if not problem and not await _knows(visit):
        problem = "wrong"
    if problem:
        return await asyncio.to_thread(lambda: _page(visit, problem=problem, status=400))
    async with visit.parts.hashing:
        stored = await asyncio.to_thread(passwords.hash_of, new)
    assert visit.session is not None
    keep = visit.session.id
    await asyncio.to_thread(
        lambda: store.set_password(account.name, stored, account.name, visit.now, visit.origin, keep=keep)
    )
    return visit.go("/me", done="password")


async def set_code(visit: Visit) -> Response:
    """Switch one-time codes on, with the first of them, or off."""
    account, store = visit.account, visit.parts.store
    if not await _knows(visit):
        return await asyncio.to_thread(lambda: _page(visit, problem="wrong", status=400))
    if visit.said("what", 10) == "off":
        await asyncio.to_thread(store.set_code, account.name, None, account.name, visit.now, visit.origin)
        return visit.go("/me", done="code-off")
    try:
        secret = base64.b32decode(visit.said("secret", 64))
    except binascii.Error:
        secret = b""
    step = (
        passwords.step_of(secret, visit.said("code", 20), visit.now) if len(secret) == passwords.SECRET_OCTETS else None
    )
    if step is None:
        return await asyncio.to_thread(lambda: _page(visit, problem="code", status=400, secret=secret or None))
    used: int = step
    await asyncio.to_thread(
        lambda: store.set_code(account.name, secret, account.name, visit.now, visit.origin, step=used)
    )
    return visit.go("/me", done="code-on")


async def _knows(visit: Visit) -> bool:
    """Whether the password in the form is the reader's; as often wrong as at the door."""
    account, attempts = visit.account, visit.parts.attempts
    if attempts.wait(account.name, visit.where, visit.now):
        return False
    stored = await asyncio.to_thread(visit.parts.store.account, account.name)
    async with visit.parts.hashing:
        fine = await asyncio.to_thread(
            passwords.fits, visit.form.get("password", ""), stored.password if stored else ""
        )
    if not fine:
        attempts.failed(account.name, visit.where, visit.now)
    return fine
