"""The OpenID Connect provider: where it sends people to log in, and what it says of them afterwards.

Authorization code flow (OpenID Connect Core 1.0 §3.1) with PKCE (RFC 7636). Authlib asks and checks; what is here says
what is believed. Needs the extra `oidc`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from gateway.console.fetched import Document, Fetched
from gateway.console.visit import Refused
from gateway.values import is_loopback

log = structlog.get_logger("gateway.console")

SCOPE = "openid profile email"
SECONDS = 10.0
"""How long the provider may take for an answer, to its last octet."""
TOGETHER_SECONDS = 15.0
"""How long it may take for all that one page needs of it."""
LEEWAY_SECONDS = 60
"""How far its clock may be off."""
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures that only the provider can make: no "none", and none under the secret that we share with it."""


@dataclass
class Provider:
    """`issuer` is its name for itself, to the letter; `client` and `secret` are ours there ("": a public client);
    `back` is the address to which it sends browsers; `claim` says which account somebody has."""

    issuer: str
    client: str
    secret: str
    back: str
    claim: str
    name: str

    def __post_init__(self) -> None:
        self.metadata = Fetched(self._metadata)
        self.keys = Fetched(self._key_list)

    async def door(self, state: str, nonce: str, verifier: str) -> str:
        """The address at which somebody logs in there. Raises Refused (503) while the provider is away."""
        async with self._in_time(TOGETHER_SECONDS):
            known = await self.metadata.get()
        async with self._client(known) as client:
            url, _ = client.create_authorization_url(
                known["authorization_endpoint"], state=state, nonce=nonce, response_type="code",
                code_challenge=create_s256_code_challenge(verifier), code_challenge_method="S256",
            )  # fmt: skip
        return str(url)

    async def person(self, code: str, said_issuer: str, nonce: str, verifier: str, now: datetime) -> Mapping[str, Any]:
        """What the provider says of whoever came back with this code. Raises Refused: 503 while it is away, 403 where
        what it says is not to be believed."""
        async with self._in_time(TOGETHER_SECONDS):
            return await self._person(code, said_issuer, nonce, verifier, now)

    async def _person(self, code: str, said_issuer: str, nonce: str, verifier: str, now: datetime) -> Mapping[str, Any]:
        known = await self.metadata.get()
        # RFC 9207 §2.4: the answer of another provider must not be taken for one of this.
        if said_issuer != self.issuer and (
            said_issuer or known.get("authorization_response_iss_parameter_supported") is True
        ):
            raise untrusted("another issuer has answered")
        async with self._client(known) as client:
            try:
                token = await client.fetch_token(
                    known["token_endpoint"], grant_type="authorization_code", code=code, code_verifier=verifier
                )
            except OAuthError as error:
                log.warning("the provider gives no token", error=error.error, why=error.description)
                raise untrusted(f"the provider gives no token ({_short(error.error)})") from error
            except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
                raise self._away(error) from error
            claims = await self._id_token(token, nonce, known, now)
            unsaid = self.claim == "email" and "email_verified" not in claims
            if (self.claim in claims and not unsaid) or not known.get("userinfo_endpoint"):
                return claims
            told = await self._userinfo(client, known["userinfo_endpoint"], claims["sub"])
            if self.claim not in claims:
                return told
            # What is said of another address is not said of this one.
            same = "email_verified" in told and told.get("email") == claims["email"]
            return {**claims, "email_verified": told["email_verified"]} if same else claims

    async def _id_token(
        self, token: Mapping[str, Any], nonce: str, known: Mapping[str, Any], now: datetime
    ) -> Mapping[str, Any]:
        """The claims of the ID token, once they are checked (OpenID Connect Core 1.0 §3.1.3.7)."""
        text = token.get("id_token")
        if not isinstance(text, str):
            raise untrusted("no ID token")
        offered = known.get("id_token_signing_alg_values_supported")
        allowed = [each for each in SIGNATURES if not isinstance(offered, list) or each in offered]
        registry = JWSRegistry(algorithms=allowed, strict_check_header=False)
        try:
            keys = await self.keys.get()
            try:
                read = jwt.decode(text, usable_keys(keys), registry=registry)
            except InvalidKeyIdError:  # it may have taken a new key since (§10.1.1)
                read = jwt.decode(text, usable_keys(await self.keys.get(beyond=keys)), registry=registry)
            wanted = {
                "iss": {"essential": True, "value": self.issuer},
                "aud": {"essential": True, "value": self.client},
                "sub": {"essential": True},
            }
            given = {"nonce": nonce, "client_id": self.client, "access_token": token.get("access_token")}
            claims = CodeIDToken(read.claims, read.header, wanted, given)  # type: ignore[arg-type]
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            log.warning("the ID token is not to be believed", why=str(error))
            raise untrusted(f"ID token: {_short(error).rstrip(': ')}") from error
        if not isinstance(claims["sub"], str):
            raise untrusted("ID token: no subject")
        return dict(claims)

    async def _userinfo(self, client: AsyncOAuth2Client, url: str, subject: str) -> Mapping[str, Any]:
        """What the provider tells only when asked (§5.3); it must be about the same person (§5.3.2)."""
        try:
            answer = await client.get(url, headers={"accept": "application/json"})
            answer.raise_for_status()
            said = answer.json()
        except (httpx2.HTTPError, httpx2.InvalidURL, OAuthError, ValueError) as error:
            raise self._away(error) from error
        if not isinstance(said, dict) or said.get("sub") != subject:
            raise untrusted("UserInfo is about somebody else")
        return said

    async def _metadata(self) -> Document:
        """What the provider says of itself (OpenID Connect Discovery 1.0 §4)."""
        found = await self._get(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != self.issuer:  # §4.3
            raise self._away(ValueError(f"it calls itself {_short(found.get('issuer'))}"))
        wrong = unsafe_endpoint(found, self.issuer)
        if wrong:
            raise self._away(ValueError(f"its {wrong} is {_short(found.get(wrong))}"))
        self.keys.forget()
        return found

    async def _key_list(self) -> Document:
        """Its keys, as JWK Set (RFC 7517 §5)."""
        return await self._get((await self.metadata.get())["jwks_uri"])

    async def _get(self, url: str) -> Document:
        try:
            async with self._in_time(SECONDS), httpx2.AsyncClient(timeout=SECONDS) as client:
                answer = await client.get(url, headers={"accept": "application/json"})
            answer.raise_for_status()
            said = answer.json()
            if not isinstance(said, dict):
                raise ValueError(f"{url} is no JSON object")
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise self._away(error) from error
        return said

    def _client(self, known: Mapping[str, Any]) -> AsyncOAuth2Client:
        """Ours, as the provider wants us to say who we are (RFC 6749 §2.3.1)."""
        ways = known.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        way = "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
        return AsyncOAuth2Client(
            self.client, self.secret or None, token_endpoint_auth_method=way if self.secret else "none", scope=SCOPE,
            redirect_uri=self.back, timeout=SECONDS,
        )  # fmt: skip

    @contextlib.asynccontextmanager
    async def _in_time(self, seconds: float) -> AsyncIterator[None]:
        """Who answers octet by octet does not answer either: the time-outs of the client are for one octet each."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise self._away(TimeoutError(f"no whole answer within {seconds:g} seconds")) from error

    def _away(self, error: Exception) -> Refused:
        log.error("the OpenID Connect provider is away", issuer=self.issuer, why=str(error) or type(error).__name__)
        return Refused(503, "oidc-away", self.name)


def unsafe_endpoint(known: Mapping[str, Any], issuer: str) -> str:
    """The first address of the provider that is missing or goes through the net in the clear; "" where all are well."""
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
        url = known.get(name)
        parts = urlsplit(url if isinstance(url, str) else "")
        plain = parts.scheme == "http" and is_loopback(parts.hostname or "") and issuer.startswith("http:")
        fine = bool(parts.hostname) and (parts.scheme == "https" or plain)
        if not fine and (name in known or name != "userinfo_endpoint"):
            return name
    return ""


def usable_keys(said: Mapping[str, Any]) -> KeySet:
    """Those of a JWK Set that an ID token can be signed with, and that only the provider has."""
    listed = said.get("keys")
    fit = [
        key for key in (listed if isinstance(listed, list) else ())
        if isinstance(key, dict) and key.get("kty") in ("RSA", "EC") and key.get("use", "sig") == "sig"
    ]  # fmt: skip
    return KeySet.import_key_set({"keys": fit})


def untrusted(why: str) -> Refused:
    """Nobody is let in on this; `why` stands on the page and in the log."""
    return Refused(403, "oidc-untrusted", why)


def _short(value: object) -> str:
    text = "".join(ch if ch.isprintable() else "?" for ch in str(value))
    return text if len(text) <= 80 else text[:79] + "…"
