"""What `doctor` says of OpenID Connect: each trouble by itself, each with a mend."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptojwt.jwk.rsa import new_rsa_key

from gateway import checkup, checkup_provider
from gateway.checkup_parts import Check
from gateway.settings_file import load_settings

KEY = new_rsa_key(kid="one", use="sig").serialize()


class Provider:
    """What it says, by path; a path that is not there is 404."""

    def __init__(self) -> None:
        said = self.said = {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = said.get(self.path)
                self.send_response(404 if found is None else 200)
                self.end_headers()
                self.wfile.write(found if isinstance(found, bytes) else json.dumps(found).encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.known = {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/a", "token_endpoint": f"{self.url}/t",
            "jwks_uri": f"{self.url}/keys",
        }  # fmt: skip
        said["/.well-known/openid-configuration"], said["/keys"] = self.known, {"keys": [KEY]}
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


def checks(tmp_path: Path, issuer: str, url: str = "https://mail.example.org/gateway") -> list[Check]:
    flags = {
        "state": str(tmp_path / "state"), "console_oidc_issuer": issuer, "console_oidc_client": "us",
        "console_url": url,
    }  # fmt: skip
    return list(checkup_provider.check_provider(load_settings(flags, {"HOME": str(tmp_path)}, None)))


def the_bad_one(found: list[Check]) -> Check:
    [bad] = [each for each in found if each.state != "ok"]
    assert bad.state == "bad" and bad.mend
    return bad


def test_all_is_well(tmp_path: Path, provider: Provider) -> None:
    found = checks(tmp_path, provider.url)
    assert [(each.name, each.state) for each in found] == [
        ("way back", "ok"),
        ("provider", "ok"),
        ("provider keys", "ok"),
    ]
    assert "https://mail.example.org/gateway/log-in/oidc/back" in found[0].found and "1 at" in found[2].found
    assert checks(tmp_path, provider.url, "http://127.0.0.1:8025")[0].state == "ok"


def test_nothing_is_said_where_nobody_logs_in_so(tmp_path: Path) -> None:
    assert (
        list(
            checkup_provider.check_provider(
                load_settings({"state": str(tmp_path / "state")}, {"HOME": str(tmp_path)}, None)
            )
        )
        == []
    )


def test_doctor_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "check_provider", lambda _: iter([Check("provider", "ok", "asked")]))
    from datetime import UTC, datetime

    settings = load_settings({"state": str(tmp_path / "state")}, {"HOME": str(tmp_path)}, None)
    assert [each.found for each in checkup.check_all(settings, datetime.now(UTC)) if each.name == "provider"] == [
        "asked"
    ]


def test_browsers_come_back_in_the_clear(tmp_path: Path, provider: Provider) -> None:
    bad = the_bad_one(checks(tmp_path, provider.url, "http://mail.example.org/gw"))
    assert bad.name == "way back" and "in the clear" in bad.found and "https://mail.example.org/gw" in bad.mend


@pytest.mark.parametrize(
    ("path", "says", "name", "found"),
    [
        ("/.well-known/openid-configuration", None, "provider", "answers 404"),
        ("/.well-known/openid-configuration", b"<html>", "provider", "is no JSON"),
        ("/.well-known/openid-configuration", [], "provider", "is no JSON object"),
        ("/.well-known/openid-configuration", {"issuer": "https://other.example"}, "provider", "calls itself https://other"),
        ("/keys", None, "provider keys", "answers 404"),
        ("/keys", b"{", "provider keys", "is no JSON"),
        ("/keys", {"keys": []}, "provider keys", "none that can be used"),
        ("/keys", {"keys": [{"kty": "RSA"}]}, "provider keys", "none that can be used"),
        ("/keys", {"keys": [{"kty": "oct", "k": "AAAA"}]}, "provider keys", "none that can be used"),
    ],
)  # fmt: skip
def test_what_it_says_is_wrong(tmp_path: Path, provider: Provider, path: str, says: Any, name: str, found: str) -> None:
    provider.said[path] = says
    bad = the_bad_one(checks(tmp_path, provider.url))
    assert bad.name == name and found in bad.found


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"])
def test_an_address_in_the_clear(tmp_path: Path, provider: Provider, name: str) -> None:
    provider.known[name] = "http://login.example.org/x"
    assert f"its {name} is http://login.example.org/x" in the_bad_one(checks(tmp_path, provider.url)).found


def test_nobody_answers(tmp_path: Path, provider: Provider) -> None:
    provider.close()
    bad = the_bad_one(checks(tmp_path, provider.url))
    assert bad.name == "provider" and provider.url in bad.found and "console_oidc_issuer" in bad.mend


def test_it_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(checkup_provider, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        bad = the_bad_one(checks(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}"))
    assert bad.name == "provider" and bad.mend
