"""The checks of `doctor` for logging in with OpenID Connect: the way there, and the way back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gateway.checkup_parts import Check
from gateway.config import Settings
from gateway.values import is_loopback

if TYPE_CHECKING:
    import httpx2

SECONDS = 15.0
"""How long the provider may take for each of its documents."""


def check_provider(settings: Settings) -> Iterator[Check]:
    """Nothing where nobody logs in so."""
    issuer = settings.console_oidc_issuer
    if not issuer:
        return
    yield _way_back(settings)
    try:
        from gateway.console.provider import unsafe_endpoint
    except ModuleNotFoundError as error:
        yield Check("provider", "bad", f"{error.name} is not installed", "pip install 'referral-gateway[oidc]'")
        return
    url = issuer.rstrip("/") + "/.well-known/openid-configuration"
    known = _read(url)
    if isinstance(known, str):
        mend = "let this machine reach it, or another console_oidc_issuer: it is what stands before /.well-known"
        yield Check("provider", "bad", known, mend)
        return
    if known.get("issuer") != issuer:  # OpenID Connect Discovery 1.0 §4.3
        mend = "console_oidc_issuer as the provider writes it, to the letter, if that is yours"
        yield Check("provider", "bad", f"{issuer} calls itself {_short(known.get('issuer'))}", mend)
        return
    wrong = unsafe_endpoint(known, issuer)
    if wrong:
        mend = "https for each of its addresses, in the settings of the provider"
        yield Check("provider", "bad", f"its {wrong} is {_short(known.get(wrong))}", mend)
        return
    yield Check("provider", "ok", f"{issuer}, as it calls itself")
    keys = _read(known["jwks_uri"])
    if isinstance(keys, str):
        yield Check("provider keys", "bad", keys, "let this machine reach it: nobody is let in without")
        return
    number = _number(keys)
    if not number:
        mend = "a key that signs, RSA or EC, in the settings of the provider"
        yield Check("provider keys", "bad", f"{known['jwks_uri']} has none that can be used", mend)
        return
    yield Check("provider keys", "ok", f"{number} at {known['jwks_uri']}")


def _number(keys: dict[str, Any]) -> int:
    """How many of these keys can be used."""
    from joserfc.errors import JoseError

    from gateway.console.provider import usable_keys

    try:
        return len(usable_keys(keys).keys)
    except (JoseError, ValueError, TypeError, KeyError):
        return 0


def _way_back(settings: Settings) -> Check:
    """The code that comes back lets somebody in: it must not go through the net in the clear (RFC 6749 §3.1.2.1)."""
    back = f"{settings.console_url}/log-in/oidc/back"
    parts = urlsplit(settings.console_url)
    if parts.scheme == "https" or is_loopback(parts.hostname or ""):
        return Check("way back", "ok", f"{back}, which the provider must have among its redirect addresses")
    mend = f'TLS in front, console_url = "https://{parts.netloc}{parts.path}", and the same at the provider'
    return Check("way back", "bad", f"browsers come back to {back} in the clear", mend)


def _read(url: str) -> dict[str, Any] | str:
    """A document, or why it cannot be had."""
    import httpx2

    try:
        answer = asyncio.run(asyncio.wait_for(_get(url), SECONDS))
        answer.raise_for_status()
        said = answer.json()
    except TimeoutError:
        return f"{url}: no whole answer within {SECONDS:g} seconds"
    except httpx2.HTTPStatusError as error:
        return f"{url} answers {error.response.status_code}"
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return f"{url}: {_short(error) or type(error).__name__}"
    except ValueError:
        return f"{url} is no JSON"
    return said if isinstance(said, dict) else f"{url} is no JSON object"


async def _get(url: str) -> httpx2.Response:
    import httpx2

    async with httpx2.AsyncClient(timeout=SECONDS) as client:
        return await client.get(url, headers={"accept": "application/json"})


def _short(value: object) -> str:
    return " ".join(str(value).split())[:120]
