"""An OpenID Connect provider on loopback: idpyoidc, which shares no code with the library of the console, served by
uvicorn. `spoil` lets a test change what an honest provider would have said."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import uvicorn
from cryptojwt.jwk.rsa import new_rsa_key
from cryptojwt.jws.jws import JWS, factory
from idpyoidc.server import Server
from idpyoidc.server.configure import OPConfiguration
from jinja2 import DictLoader, Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

CLIENT = "gateway-console"
SECRET = "a secret of client and provider, long enough"
PASSWORD = "the word there"
FORM = """<!doctype html><html lang="en"><title>Provider</title><main><h1>Provider</h1>
<form method="post" action="{{ action }}"><input type="hidden" name="token" value="{{ token }}">
<label>Name <input name="username"></label> <label>Password <input type="password" name="password"></label>
<button>Log in</button></form></main></html>"""

Claims = dict[str, Any]


@dataclass
class OidcProvider:
    """`people`: name there -> claims. `spoil` gets the claims and header of an ID token before it is signed, and may
    give another key to sign with. `asked`: what people and the console asked for; `fetched`: how often which document.
    `wait_token`: seconds before a token is given; `drip`: seconds between two octets of the metadata."""

    people: dict[str, Claims]
    back: str
    spoil: Callable[[Claims, Claims], object] | None = None
    spoil_token: Callable[[Claims], object] = lambda token: None
    spoil_metadata: Callable[[Claims], object] = lambda said: None
    asked: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    wait_token: float = 0.0
    drip: float = 0.0
    url: str = ""

    def start(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # it comes back where it was
        self._socket.bind(("127.0.0.1", int(urlsplit(self.url).port or 0) if self.url else 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = self._provider()
        routes = [
            Route("/.well-known/openid-configuration", self._metadata),
            Route("/keys", self._keys),
            Route("/authorization", self._authorization),
            Route("/verify", self._verify, methods=["POST"]),
            Route("/token", self._token, methods=["POST"]),
            Route("/userinfo", self._userinfo),
        ]
        config = uvicorn.Config(Starlette(routes=routes), log_config=None, access_log=False, lifespan="off")
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": [self._socket]}, name="provider", daemon=True
        )
        self._thread.start()
        until = time.monotonic() + 20
        while not self._uvicorn.started:
            assert time.monotonic() < until and self._thread.is_alive()
            time.sleep(0.01)

    def stop(self) -> None:
        self._uvicorn.should_exit = True
        self._thread.join(20)
        self._socket.close()

    def new_key(self) -> Any:
        """Publish one more key; for `spoil` to sign with."""
        self._server.keyjar.import_jwks({"keys": [new_rsa_key(use="sig").serialize(private=True)]}, "")
        return self._server.keyjar.get_issuer_keys("")[-1]

    def _provider(self) -> Server:
        logging.getLogger("idpyoidc").setLevel(logging.CRITICAL)
        claims = {name: {"essential": True} for name in ("email", "email_verified", "preferred_username")}
        secret_keys = {"key_defs": [{"type": "OCT", "use": ["enc"], "kid": name} for name in ("password", "salt")]}
        cookie_keys = {"key_defs": [{"type": "OCT", "use": [use], "kid": use} for use in ("enc", "sig")]}
        server = "idpyoidc.server."
        conf: Claims = {
            "issuer": self.url,
            "httpc_params": {"verify": False, "timeout": 5},
            "key_conf": {"key_defs": [{"type": "RSA", "use": ["sig"]}], "uri_path": "keys"},
            "preference": {"subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"]},
            "token_handler_args": {
                "jwks_def": {  # without a path of its own it writes the keys into the current folder
                    "private_path": "",
                    "key_defs": [{"type": "oct", "bytes": "24", "use": ["enc"], "kid": "code"}],
                },
                "code": {"kwargs": {"lifetime": 600}},
                "token": {"kwargs": {"lifetime": 600}},
                "id_token": {
                    "class": server + "token.id_token.IDToken",
                    "kwargs": {"base_claims": claims},
                },
            },
            "endpoint": {
                "provider_config": {
                    "path": ".well-known/openid-configuration",
                    "class": server + "oidc.provider_config.ProviderConfiguration",
                    "kwargs": {"client_authn_method": None},
                },
                "authorization": {
                    "path": "authorization",
                    "class": server + "oidc.authorization.Authorization",
                    "kwargs": {
                        "client_authn_method": None,
                        "response_types_supported": ["code"],
                        "response_modes_supported": ["query"],
                    },
                },
                "token": {
                    "path": "token",
                    "class": server + "oidc.token.Token",
                    "kwargs": {"client_authn_method": ["client_secret_basic"]},
                },
                "userinfo": {"path": "userinfo", "class": server + "oidc.userinfo.UserInfo", "kwargs": {}},
            },
            "add_on": {
                "pkce": {
                    "function": server + "oauth2.add_on.pkce.add_support",
                    "kwargs": {"essential": True, "code_challenge_method": "S256"},
                }
            },
            "authentication": {
                "user": {
                    "acr": "urn:oasis:names:tc:SAML:2.0:ac:classes:InternetProtocolPassword",
                    "class": server + "user_authn.user.UserPassJinja2",
                    "kwargs": {
                        "verify_endpoint": "/verify",
                        "template": "form",
                        "db": {"class": dict, "kwargs": dict.fromkeys(self.people, PASSWORD)},
                    },
                }
            },
            "userinfo": {"class": server + "user_info.UserInfo", "kwargs": {"db": self.people}},
            "cookie_handler": {
                "class": server + "cookie_handler.CookieHandler",
                "kwargs": {"encrypter": {"kwargs": {"keys": cookie_keys}}, "name": {"session": "provider"}},
            },
            "session_params": {
                "encrypter": {"kwargs": {"keys": secret_keys}},
                "sub_func": {
                    "public": {"class": server + "session.manager.PublicID", "kwargs": {"salt": secrets.token_hex(8)}}
                },
            },
            "authz": {
                "class": server + "authz.AuthzHandling",
                "kwargs": {
                    "grant_config": {
                        "usage_rules": {
                            "authorization_code": {
                                "supports_minting": ["access_token", "id_token"], "max_usage": 1,
                            },
                            "access_token": {},
                        },
                        "expires_in": 600,
                    }
                },
            },
        }  # fmt: skip
        made = Server(OPConfiguration(conf), cwd=".", key_conf=conf["key_conf"])
        made.context.cdb[CLIENT] = {
            "client_secret": SECRET,
            "redirect_uris": [(self.back, {})],
            "token_endpoint_auth_method": "client_secret_basic",
            "response_types_supported": ["code"],
            "response_types": ["code"],
            "allowed_scopes": ["openid", "profile", "email"],
        }
        made.keyjar.add_symmetric(CLIENT, SECRET)
        made.context.authn_broker.get_method_by_id("user").template_handler = _Templates()
        return made

    async def _metadata(self, _: Request) -> Response:
        endpoint = self._server.get_endpoint("provider_config")
        said = endpoint.process_request()["response_args"]
        made = {name: value for name, value in said.items() if name != "jwks_uri"}
        made["jwks_uri"] = f"{self.url}/keys"
        self.fetched.append("metadata")
        self.spoil_metadata(made)
        if self.drip:
            return StreamingResponse(self._dripping(json.dumps(made)), media_type="application/json")
        return JSONResponse(made)

    async def _dripping(self, text: str) -> AsyncIterator[str]:
        for letter in text:
            yield letter
            await asyncio.sleep(self.drip)

    async def _keys(self, _: Request) -> Response:
        self.fetched.append("keys")
        return JSONResponse(json.loads(self._server.keyjar.export_jwks_as_json()))

    async def _authorization(self, request: Request) -> Response:
        self.asked.append(str(request.url))
        endpoint = self._server.get_endpoint("authorization")
        parsed = endpoint.parse_request(request.url.query)
        done = endpoint.process_request(parsed)
        if "http_response" in done:
            return HTMLResponse(done["http_response"])
        return JSONResponse({"error": done.get("error"), "why": done.get("error_description")}, 400)

    async def _verify(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        found = self._server.context.authn_broker.get_method_by_id("user")
        said = found.unpack_token(form.pop("token"))
        try:
            username = found.verify(**form)
        except Exception:
            return HTMLResponse("Wrong.", 403)
        endpoint = self._server.get_endpoint("authorization")
        asked = endpoint.request_cls().from_urlencoded(said["query"])
        session = endpoint.create_session(asked, username, said["authn_class_ref"], int(time.time()), found)
        done = endpoint.authz_part2(user=username, session_id=session, request=asked, authn_method=found)
        answer = endpoint.do_response(request=asked, **done)
        return RedirectResponse(answer["response"], 303)

    async def _token(self, request: Request) -> Response:
        endpoint = self._server.get_endpoint("token")
        info = {"headers": dict(request.headers), "method": "POST", "url": str(request.url)}
        body = (await request.body()).decode()
        self.asked.append(f"token {body}")
        await asyncio.sleep(self.wait_token)
        try:
            parsed = endpoint.parse_request(body, info)
            done = endpoint.process_request(parsed)
        except Exception as error:
            return JSONResponse({"error": "invalid_client", "error_description": str(error)}, 401)
        if "error" in done:
            return JSONResponse({"error": done["error"], "error_description": done.get("error_description", "")}, 400)
        said = dict(done["response_args"])
        if self.spoil is not None:
            read = factory(said["id_token"]).jwt
            claims, header = json.loads(read.part[1]), dict(read.headers)
            key = self.spoil(claims, header) or self._server.keyjar.get_signing_key("RSA", "")[0]
            said["id_token"] = JWS(json.dumps(claims), alg=header["alg"], kid=header.get("kid", "")).sign_compact([key])
        self.spoil_token(said)
        return JSONResponse({name: value for name, value in said.items() if isinstance(value, str | int)})

    async def _userinfo(self, request: Request) -> Response:
        endpoint = self._server.get_endpoint("userinfo")
        info = {"headers": {"authorization": request.headers.get("authorization", "")}}
        parsed = endpoint.parse_request({}, info)
        done = endpoint.process_request(parsed, http_info=info)
        said = dict(done["response_args"])
        self.fetched.append("userinfo")
        self.spoil_token(said)
        return JSONResponse(said)


class _Templates:
    def __init__(self) -> None:
        self._made = Environment(loader=DictLoader({"form": FORM}), autoescape=True)

    def render(self, template: str, **given: Any) -> str:
        return self._made.get_template(template).render(**given)


@contextlib.contextmanager
def oidc_provider(people: dict[str, Claims], back: str, **options: Any) -> Iterator[OidcProvider]:
    made = OidcProvider(people, back, **options)
    made.start()
    try:
        yield made
    finally:
        made.stop()
