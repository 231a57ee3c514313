"""Logging in with OpenID Connect at a real provider: who is let in, and every answer that is not to be believed."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from cryptojwt.jwk.hmac import SYMKey
from cryptojwt.jwk.rsa import new_rsa_key

from gateway.console import fetched
from gateway.console import provider as provider_module
from gateway.console.attempts import PER_PLACE, Attempts
from gateway.console.page_oidc import WITHIN, _lower
from gateway.store.accounts import CONSOLE, Account
from tests.console.oidc_provider import CLIENT, PASSWORD, SECRET, Claims, OidcProvider, oidc_provider
from tests.console.scene import Browser, Scene
from tests.console.test_browser import CHROMIUM, playwright, serious

pytestmark = pytest.mark.filterwarnings("ignore::Warning:idpyoidc.*")  # it is for tests only, and says so

PREFIX = "/gateway"
SOMEBODY = {"email": "somebody@acme.example", "email_verified": True, "preferred_username": "otto"}
PEOPLE: dict[str, Claims] = {
    "ada": {"email": "Ada@Acme.example", "email_verified": True, "preferred_username": "ada"},
    "otto-there": {"email": "otto@acme.example", "email_verified": False, "preferred_username": "otto"},
    "rita-there": {"email": "rita@acme.example", "preferred_username": "rita"},
    "ron-there": {"email": "ron@acme.example", "email_verified": "true", "preferred_username": "ron"},
    "somebody": SOMEBODY,
    "twice": {"email": "twice@acme.example", "email_verified": True, "preferred_username": "twice"},
    "nothing": {"preferred_username": "nothing"},
}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def provider(port: int) -> Iterator[OidcProvider]:
    with oidc_provider(PEOPLE, f"http://127.0.0.1:{port}{PREFIX}/log-in/oidc/back") as made:
        yield made


@pytest.fixture(scope="module")
def place(port: int, provider: OidcProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = Path(tmp_path_factory.mktemp("oidc"))
    secret = folder / "oidc-secret"
    secret.write_text(SECRET + "\n")
    settings = {
        "console_url": f"http://127.0.0.1:{port}{PREFIX}",
        "console_oidc_issuer": provider.url,
        "console_oidc_name": "Acme",
        "console_oidc_client": CLIENT,
        "console_oidc_secret_file": str(secret),
    }
    with Scene(folder, settings, port=port) as made:
        for name in ("one", "two"):
            account = Account(name, "", "twice@acme.example", "auditor", (), datetime.now(UTC))
            made.parts.store.add_account(account, "test", "here")
        yield made


@pytest.fixture
def scene(place: Scene, provider: OidcProvider) -> Iterator[Scene]:
    place.parts.attempts = Attempts()
    provider.asked.clear()
    provider.fetched.clear()
    yield place
    provider.spoil, provider.wait_token, provider.drip = None, 0.0, 0.0
    provider.spoil_token = provider.spoil_metadata = lambda said: None
    _forget(place)


def _forget(scene: Scene) -> None:
    """As if the console had just been started."""
    assert scene.parts.provider is not None
    scene.parts.provider.metadata.forget()
    scene.parts.provider.keys.forget()
    scene.parts.provider.claim = "email"


def off(browser: Browser, **query: str) -> str:
    """The address at the provider that the console sends a browser to."""
    asked = f"?{urlencode(query)}" if query else ""
    answer = browser.http.get(f"{browser.url}/log-in/oidc{asked}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def way_back(there: str, who: str, password: str = PASSWORD) -> str:
    """Somebody logs in at the provider; where it sends the browser."""
    form = httpx.get(there).text
    token = re.search(r'name="token" value="([^"]+)"', form)
    assert token, form
    url = f"{urlsplit(there).scheme}://{urlsplit(there).netloc}/verify"
    answer = httpx.post(url, data={"token": token[1], "username": who, "password": password})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def through(browser: Browser, who: str, **query: str) -> httpx.Response:
    return browser.http.get(way_back(off(browser, **query), who))


def noted(scene: Scene, count: int = 1) -> list[tuple[str, str, str, str]]:
    return [event[1:] for event in scene.parts.store.noted(CONSOLE, count)]


def shut_out(scene: Scene, browser: Browser, answer: httpx.Response, why: str, status: int = 403) -> None:
    """A clear page, no session, and an event with the reason and from where."""
    assert answer.status_code == status, answer.text
    assert "Nothing was done" in answer.text or "Nobody is let in" in answer.text
    assert f'href="{PREFIX}/log-in"' in answer.text
    assert "gateway" not in browser.http.cookies and browser.get("/").status_code == 303
    assert noted(scene) == [("log-in-refused", f"OpenID Connect: {why}", "", "console from 127.0.0.1")]


def test_in_and_to_where_one_was(scene: Scene, provider: OidcProvider) -> None:
    """By verified address, whatever its capitals, behind a path prefix."""
    browser = scene.browser()
    door = browser.get("/log-in?next=%2Flog%3Fteam%3Dit-support")
    href = re.search(r'href="([^"]+/log-in/oidc[^"]*)"[^>]*>Log in with Acme', door.text)
    assert href and href[1] == f"{PREFIX}/log-in/oidc?next=%2Flog%3Fteam%3Dit-support"
    answer = through(browser, "ada", next="/log?team=it-support")
    assert answer.status_code == 303 and answer.headers["location"] == f"{PREFIX}/log?team=it-support"
    assert "Ada" in browser.get("/me").text and browser.get("/accounts").status_code == 200
    assert noted(scene) == [("log-in", "OpenID Connect", "ada", "console from 127.0.0.1")]
    asked = parse_qs(urlsplit(provider.asked[0]).query)
    assert asked["code_challenge_method"] == ["S256"] and len(asked["code_challenge"][0]) == 43
    assert asked["response_type"] == ["code"] and len(asked["nonce"][0]) == len(asked["state"][0]) == 64
    sent = parse_qs(provider.asked[-1].removeprefix("token "))
    assert 43 <= len(sent["code_verifier"][0]) <= 128 and sent["redirect_uri"] == [provider.back]
    assert browser.post("/log-out").status_code == 303 and browser.get("/").status_code == 303


def test_the_way_back_leads_nowhere_else(scene: Scene) -> None:
    answer = through(scene.browser(), "ada", next="//evil.example/")
    assert answer.headers["location"] == f"{PREFIX}/"


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("/log?subject=" + "a" * 1180, "/log?subject=" + "a" * 1180),
        ("/log?subject=" + "a" * 1200, "/"),
        ("/log?subject=" + "ä" * 700, "/"),
        ("/log?subject=" + "a" * 9000, "/"),
        ("/log?subject=" + '"' * 1180, "/log?subject=" + "%22" * 1180),
    ],
    ids=["long", "too long", "accents", "far too long", "quotes"],
)
def test_a_long_way_back(scene: Scene, asked: str, shown: str) -> None:
    """A cookie of over 4096 octets browsers drop, and then nobody could come back."""
    browser = scene.browser()
    answer = browser.http.get(f"{browser.url}/log-in/oidc", params={"next": asked})
    assert answer.status_code == 303 and len(answer.headers["set-cookie"]) < 4096
    answer = browser.http.get(way_back(answer.headers["location"], "ada"))
    assert answer.status_code == 303 and answer.headers["location"] == PREFIX + shown


def test_who_is_in_needs_no_provider(scene: Scene) -> None:
    answer = scene.browser("otto").http.get(f"{scene.url}/log-in/oidc")
    assert answer.status_code == 303 and answer.headers["location"] == f"{PREFIX}/"


def test_a_role_stays_what_it_is_here(scene: Scene) -> None:
    browser = scene.browser()
    assert through(browser, "ron-there").status_code == 303, "verified, though written as text"
    assert browser.get("/integrity").status_code == 403 and browser.get("/held").status_code == 200


@pytest.mark.parametrize(
    ("who", "why", "said"),
    [
        ("somebody", "no account somebody@acme.example", "You have no account here"),
        ("twice", "no account twice@acme.example", "You have no account here"),
        ("nothing", "no account (email)", "You have no account here"),
        ("otto-there", "not verified otto@acme.example", "not verified"),
        ("rita-there", "not verified rita@acme.example", "not verified"),
    ],
)
def test_nobody_gets_an_account_that_is_not_theirs(scene: Scene, who: str, why: str, said: str) -> None:
    browser = scene.browser()
    before = scene.parts.store.accounts()
    answer = through(browser, who)
    shut_out(scene, browser, answer, why)
    assert said in answer.text and [each.name for each in scene.parts.store.accounts()] == [
        each.name for each in before
    ]


def test_by_name_where_the_site_says_so(scene: Scene) -> None:
    assert scene.parts.provider is not None
    scene.parts.provider.claim = "preferred_username"
    browser = scene.browser()
    assert through(browser, "otto-there").status_code == 303 and "Otto" in browser.get("/me").text
    other = scene.browser()
    shut_out(scene, other, through(other, "nothing"), "no account nothing")


def late(claims: Claims, _: Claims) -> None:
    claims["exp"] = claims["iat"] = int(datetime.now(UTC).timestamp()) - 61


def other_key(claims: Claims, header: Claims) -> object:
    return new_rsa_key(kid=header["kid"])


def unknown_key(claims: Claims, header: Claims) -> object:
    header["kid"] = "nobody's"
    return new_rsa_key(kid=header["kid"])


def our_secret(claims: Claims, header: Claims) -> object:
    """Signed with the secret that we share: a provider's own keys are wanted."""
    header["alg"] = "HS256"
    return SYMKey(key=SECRET, kid=header["kid"])


def put(**given: object) -> Callable[[Claims, Claims], object]:
    return lambda claims, _: claims.update(given)


def without(name: str) -> Callable[[Claims, Claims], object]:
    return lambda claims, _: claims.pop(name) and None


def tomorrow(claims: Claims, _: Claims) -> None:
    claims["iat"] = claims["nbf"] = claims["iat"] + 86400


BOTH = [CLIENT, "another-client"]
SPOILT: dict[str, tuple[Callable[[Claims, Claims], object], str]] = {
    "another nonce": (put(nonce="x" * 64), "invalid_claim: Invalid claim: 'nonce'"),
    "no nonce": (without("nonce"), "missing_claim: Missing claim: 'nonce'"),
    "for somebody else": (put(aud=BOTH[1:]), "invalid_claim: Invalid claim: 'aud'"),
    "for two, by the other": (put(aud=BOTH, azp=BOTH[1]), "invalid_claim: Invalid claim: 'azp'"),
    "for two, by nobody": (put(aud=BOTH), "missing_claim: Missing claim: 'azp'"),
    "by another issuer": (put(iss="https://evil.example"), "invalid_claim: Invalid claim: 'iss'"),
    "by no issuer": (without("iss"), "missing_claim: Missing claim: 'iss'"),
    "expired": (late, "expired_token: The token is expired"),
    "without an end": (without("exp"), "missing_claim: Missing claim: 'exp'"),
    "of tomorrow": (tomorrow, "invalid_claim: The token was issued in the future"),
    "signed with another key": (other_key, "bad_signature"),
    "signed with an unknown key": (unknown_key, "invalid_key_id: No key for kid: 'nobody's'"),
    "signed with our secret": (our_secret, "unsupported_algorithm: Algorithm of 'HS256' is not allowed"),
    "for another access token": (put(at_hash="x" * 22), "invalid_claim: Invalid claim: 'at_hash'"),
    "no subject": (without("sub"), "missing_claim: Missing claim: 'sub'"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_an_id_token_that_is_not_to_be_believed(scene: Scene, provider: OidcProvider, name: str) -> None:
    provider.spoil, why = SPOILT[name]
    browser = scene.browser()
    shut_out(scene, browser, through(browser, "ada"), f"ID token: {why}")


def test_the_spoiling_itself_spoils_nothing(scene: Scene, provider: OidcProvider) -> None:
    """The test of the tests above: the same provider, signing anew what it had said."""
    provider.spoil = lambda claims, header: None
    assert through(scene.browser(), "ada").status_code == 303


def unsigned(said: Claims) -> None:
    _, body, _ = said["id_token"].split(".")
    said["id_token"] = f"eyJhbGciOiJub25lIn0.{body}."


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (unsigned, "ID token: unsupported_algorithm: Algorithm of 'none' is not allowed"),
        (lambda said: said.update(id_token=said["id_token"][:-8] + "AAAAAAAA"), "ID token: bad_signature"),
        (lambda said: said.update(id_token="x"), "ID token: decode_error: Invalid JSON Web Signature"),
        (lambda said: said.pop("id_token"), "no ID token"),
    ],
    ids=["unsigned", "cut", "no token at all", "none"],
)
def test_no_id_token_to_speak_of(scene: Scene, provider: OidcProvider, spoil: Any, why: str) -> None:
    provider.spoil_token = spoil
    browser = scene.browser()
    shut_out(scene, browser, through(browser, "ada"), why)


def not_begun(scene: Scene, answer: httpx.Response) -> None:
    """Refused, and no word of it in the log: any page of the web can send a browser here."""
    assert answer.status_code == 403 and "Nothing was done" in answer.text
    assert not any("not begun" in event[2] for event in scene.parts.store.noted(CONSOLE, 50))


def test_each_way_back_serves_once(scene: Scene) -> None:
    """A replayed state: also with the cookie that it was made from, which browsers no longer have."""
    browser = scene.browser()
    there = off(browser)
    cookie = browser.http.cookies["oidc"]
    back = way_back(there, "ada")
    assert browser.http.get(back).status_code == 303 and "oidc" not in browser.http.cookies
    other = scene.browser()
    not_begun(scene, other.http.get(back))
    other.http.cookies.set("oidc", cookie)
    shut_out(scene, other, other.http.get(back), "this log-in was used before")
    scene.parts.attempts = Attempts()  # the console was started anew: then the provider's own memory is left
    shut_out(scene, other, other.http.get(back), "the provider gives no token (invalid_grant)")


def test_its_cookie_is_as_safe_as_that_of_the_session(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene.parts, "place", replace(scene.parts.place, secure=True))
    set_ = scene.browser().http.get(f"{scene.url}/log-in/oidc").headers["set-cookie"]
    assert set_.startswith("__Secure-oidc=") and "; Secure" in set_ and "HttpOnly" in set_ and f"Path={PREFIX};" in set_


def test_a_log_in_that_was_begun_long_ago(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The age is in the sealed cookie: a browser may keep it for longer than it was told."""
    browser = scene.browser()
    began = datetime.now(UTC) - WITHIN - timedelta(seconds=30)
    monkeypatch.setattr(scene.parts, "clock", lambda: began)
    back = way_back(off(browser), "ada")
    monkeypatch.undo()
    shut_out(scene, browser, browser.http.get(back), "this log-in was begun too long ago")


@pytest.mark.parametrize(
    "change", [lambda cookie: "A" + cookie[1:], lambda cookie: cookie[:-4] + "AAA=", lambda _: "x"]
)
def test_a_cookie_that_was_changed(scene: Scene, change: Callable[[str], str]) -> None:
    browser = scene.browser()
    back = way_back(off(browser), "ada")
    other = scene.browser()
    other.http.cookies.set("oidc", change(browser.http.cookies["oidc"]))
    not_begun(scene, other.http.get(back))


def test_a_log_in_that_somebody_else_began(scene: Scene) -> None:
    """An attacker's own way back, in a browser of somebody who has begun one too."""
    theirs, mine = scene.browser(), scene.browser()
    back = way_back(off(theirs), "ron-there")
    off(mine)
    not_begun(scene, mine.http.get(back))
    state = parse_qs(urlsplit(off(mine)).query)["state"][0]
    code = parse_qs(urlsplit(back).query)["code"][0]
    answer = mine.http.get(f"{scene.url}/log-in/oidc/back", params={"state": state, "code": code})
    shut_out(scene, mine, answer, "the provider gives no token (invalid_grant)")  # PKCE: the code is another's


@pytest.mark.parametrize("query", ["", "state=", "state=%ff%00&code=x", "code=x", "state=x&code=" + "y" * 5000])
def test_a_way_back_that_is_none(scene: Scene, query: str) -> None:
    browser = scene.browser()
    off(browser)
    not_begun(scene, browser.http.get(f"{scene.url}/log-in/oidc/back?{query}"))


def test_another_issuer_answers(scene: Scene) -> None:
    browser = scene.browser()
    back = way_back(off(browser), "ada").replace("iss=http", "iss=https")
    shut_out(scene, browser, browser.http.get(back), "another issuer has answered")


def test_ended_at_the_provider(scene: Scene) -> None:
    browser = scene.browser()
    state = parse_qs(urlsplit(off(browser)).query)["state"][0]
    answer = browser.http.get(f"{scene.url}/log-in/oidc/back?state={state}&error=access_denied")
    shut_out(scene, browser, answer, "ended there access_denied")


def test_too_often(scene: Scene) -> None:
    """Nobody can ask the provider, or fill the log, without end."""
    browser = scene.browser()
    for _ in range(PER_PLACE + 2):  # what any page of the web can make a browser ask for locks nobody out
        not_begun(scene, browser.http.get(f"{scene.url}/log-in/oidc/back?state=x"))
    state = ""
    for _ in range(PER_PLACE):
        state = parse_qs(urlsplit(off(browser)).query)["state"][0]
        answer = browser.http.get(f"{scene.url}/log-in/oidc/back?state={state}&error=access_denied")
        assert answer.status_code == 403
    assert browser.http.get(f"{scene.url}/log-in/oidc/back?state={state}").status_code == 429
    assert browser.http.get(f"{scene.url}/log-in/oidc").status_code == 429
    scene.parts.attempts = Attempts()
    assert through(browser, "ada").status_code == 303


def test_what_the_provider_tells_only_when_asked(scene: Scene, provider: OidcProvider) -> None:
    """Claims that are not in the ID token are asked for, and must be about the same person."""
    provider.spoil = lambda claims, _: [claims.pop(name, None) for name in ("email", "email_verified")] and None
    assert through(scene.browser(), "ada").status_code == 303
    provider.spoil_token = lambda said: said.update(sub="somebody else") if "sub" in said else None
    browser = scene.browser()
    shut_out(scene, browser, through(browser, "ada"), "UserInfo is about somebody else")


ADA = "Ada@Acme.example"


@pytest.mark.parametrize(
    ("token", "userinfo", "let_in"),
    [
        ({"email": ADA}, {"email": ADA, "email_verified": True}, True),
        ({"email": ADA}, {"email": ADA, "email_verified": "true"}, True),
        ({"email": ADA}, {"email": ADA, "email_verified": False}, False),
        ({"email": ADA}, {"email": ADA, "email_verified": 1}, False),
        ({"email": ADA}, {"email": ADA}, False),
        ({"email": ADA}, {"email_verified": True}, False),
        ({"email": ADA}, {"email": "other@acme.example", "email_verified": True}, False),
        ({"email": ADA, "email_verified": False}, {"email": ADA, "email_verified": True}, False),
        ({"email": ADA, "email_verified": None}, {"email": ADA, "email_verified": True}, False),
    ],
)
def test_verified_where_only_userinfo_says_so(
    scene: Scene, provider: OidcProvider, token: Claims, userinfo: Claims, let_in: bool
) -> None:
    """Some providers say it only when asked. Of the same address, and never against what the ID token says."""

    def only(said: Claims, what: Claims) -> None:
        for name in ("email", "email_verified"):
            said.pop(name, None)
        said.update(what)

    provider.spoil = lambda claims, _: only(claims, token)
    provider.spoil_token = lambda said: only(said, userinfo) if "sub" in said else None
    browser = scene.browser()
    answer = through(browser, "ada")
    assert provider.fetched.count("userinfo") == ("email_verified" not in token)
    if let_in:
        assert answer.status_code == 303 and "Ada" in browser.get("/me").text
    else:
        shut_out(scene, browser, answer, "not verified ada@acme.example")


def test_a_new_key(scene: Scene, provider: OidcProvider) -> None:
    """The provider signs with a key that it did not have when it was last asked."""
    assert through(scene.browser(), "ada").status_code == 303
    key = provider.new_key()
    provider.spoil = lambda claims, header: header.update(kid=key.kid) or key
    provider.fetched.clear()
    assert through(scene.browser(), "ada").status_code == 303
    assert provider.fetched == ["keys"], "not because it was asked for everything"


AWAY = "That log-in is away"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda said: said.update(issuer="https://evil.example"),
        lambda said: said.pop("token_endpoint"),
        lambda said: said.update(token_endpoint="http://evil.example/token"),
        lambda said: said.update(jwks_uri="file:///etc/passwd"),
        lambda said: 1 / 0,  # answers 500
    ],
)
def test_a_provider_that_says_odd_things_of_itself(scene: Scene, provider: OidcProvider, spoil: Any) -> None:
    provider.spoil_metadata = spoil
    _forget(scene)
    answer = scene.browser().http.get(f"{scene.url}/log-in/oidc")
    assert answer.status_code == 503 and AWAY in answer.text and "evil" not in answer.headers.get("location", "")


def test_a_provider_whose_keys_are_away(scene: Scene, provider: OidcProvider) -> None:
    """Without its keys nothing that it says can be believed; nobody is let in, and nobody is blamed."""
    provider.spoil_metadata = lambda said: said.update(jwks_uri=f"http://127.0.0.1:{free_port()}/keys")
    _forget(scene)
    before, browser = noted(scene), scene.browser()
    answer = through(browser, "ada")
    assert answer.status_code == 503 and AWAY in answer.text
    assert "gateway" not in browser.http.cookies and noted(scene) == before


def test_the_secret_is_wrong(scene: Scene) -> None:
    assert scene.parts.provider is not None
    kept, scene.parts.provider.secret = scene.parts.provider.secret, "not the secret"
    try:
        browser = scene.browser()
        shut_out(scene, browser, through(browser, "ada"), "the provider gives no token (invalid_client)")
    finally:
        scene.parts.provider.secret = kept


def test_a_provider_that_is_away(scene: Scene, provider: OidcProvider) -> None:
    """A clear page, before and in the middle; name and password still serve; and nothing is left wrong afterwards."""
    browser = scene.browser()
    back = way_back(off(browser), "ada")
    before = noted(scene)
    provider.stop()
    try:
        middle = browser.http.get(back)
        assert middle.status_code == 503 and AWAY in middle.text and "Acme" in middle.text
        _forget(scene)
        first = scene.browser().http.get(f"{scene.url}/log-in/oidc")
        assert first.status_code == 503 and "still work" in first.text
        assert noted(scene) == before, "nobody was refused"
        assert scene.browser().log_in("ada").status_code == 303
    finally:
        provider.start()
    _forget(scene)
    assert through(scene.browser(), "ada").status_code == 303


def test_many_at_once_ask_the_provider_once(scene: Scene, provider: OidcProvider) -> None:
    _forget(scene)
    provider.spoil_metadata = lambda said: time.sleep(0.5)
    with ThreadPoolExecutor(6) as many:
        found = list(many.map(lambda _: through(scene.browser(), "ada").status_code, range(6)))
    assert found == [303] * 6 and sorted(provider.fetched) == ["keys", "metadata"]


def test_that_it_was_away_is_remembered_for_a_moment(
    scene: Scene, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who come next do not wait for it as well, and it is not asked again by each of them."""
    _forget(scene)
    provider.spoil_metadata = lambda said: 1 / 0
    for _ in range(3):
        answer = scene.browser().http.get(f"{scene.url}/log-in/oidc")
        assert answer.status_code == 503 and AWAY in answer.text
    assert provider.fetched == ["metadata"]
    provider.spoil_metadata = lambda said: None
    monkeypatch.setattr(fetched, "AWAY_SECONDS", 0.0)
    assert through(scene.browser(), "ada").status_code == 303


def test_a_provider_that_answers_octet_by_octet(
    scene: Scene, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No single octet is late, and the whole is."""
    _forget(scene)
    provider.drip = 0.2
    monkeypatch.setattr(provider_module, "SECONDS", 1.0)
    began = time.monotonic()
    answer = scene.browser().http.get(f"{scene.url}/log-in/oidc")
    assert answer.status_code == 503 and "in time" in answer.text and time.monotonic() - began < 5


def test_an_exchange_that_takes_too_long(scene: Scene, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer in time, and all of them together not: nobody is let in, nobody is blamed."""
    browser = scene.browser()
    back = way_back(off(browser), "ada")
    before = noted(scene)
    provider.wait_token = 5.0
    monkeypatch.setattr(provider_module, "TOGETHER_SECONDS", 1.0)
    began = time.monotonic()
    answer = browser.http.get(back)
    assert answer.status_code == 503 and AWAY in answer.text and time.monotonic() - began < 4
    assert "gateway" not in browser.http.cookies and noted(scene) == before


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")
def test_in_a_browser(scene: Scene, provider: OidcProvider) -> None:
    """From our page to theirs and back, as a person does it; the policy of our pages lets it happen."""
    wrong: list[str] = []
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page()
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(scene.url + "/held")
        assert serious(page) == []
        page.click("text=Log in with Acme")
        page.wait_for_url(provider.url + "/**")
        page.fill("[name=username]", "ada")
        page.fill("[name=password]", PASSWORD)
        page.click("button")
        page.wait_for_url(scene.url + "/held")
        assert page.locator(".who .name").inner_text() == "Ada"
        page.click("text=Log out")
        page.click("text=Log in with Acme")
        page.fill("[name=username]", "somebody")
        page.fill("[name=password]", PASSWORD)
        wrong.clear()  # the provider has no icon
        page.click("button")
        page.wait_for_url(scene.url + "/log-in/oidc/back?**")
        assert page.locator("h1").inner_text() == "You have no account here"
        assert "somebody@acme.example" in page.locator(".detail").inner_text() and serious(page) == []
        page.click("text=Deutsch")
        assert page.locator(".other").inner_text() == "Mit Acme anmelden"
        assert serious(page) == []
        chromium.close()
    assert [each for each in wrong if "403" not in each] == []


def test_no_provider_no_door(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Scene(Path(tmp_path_factory.mktemp("plain"))) as plain:
        browser = plain.browser()
        assert "oidc" not in browser.get("/log-in").text
        assert browser.http.get(plain.url + "/log-in/oidc").status_code == 404
        assert browser.http.get(plain.url + "/log-in/oidc/back?state=x&code=y").status_code == 404


@pytest.mark.parametrize("name", ["\u017fam", "\u212aarl", "stra\u00dfe"])
def test_letters_that_only_resemble_are_others(name: str) -> None:
    """What Unicode folds to another name may be another person of the provider."""
    assert _lower(name) == name and _lower("ADA@Acme.Example") == "ada@acme.example"
