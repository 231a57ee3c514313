"""Logging in: passwords, codes, sessions, and how often one may be wrong."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from gateway.console import passwords
from gateway.console.attempts import PER_ACCOUNT_AND_PLACE, PER_PLACE, WINDOW, Attempts
from gateway.console.page_door import local
from gateway.store.accounts import CONSOLE, Account, session_id
from tests.console.scene import PASSWORD, Browser, Scene, hashed

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def fresh(scene: Scene) -> str:
    """An account of the test's own."""
    scene.parts.attempts = Attempts()
    name = f"tess{len(scene.parts.store.accounts())}"
    scene.parts.store.add_account(Account(name, "Tess", "", "auditor", (), datetime.now(UTC), hashed()), "test", "here")
    return name


def test_in_and_out(scene: Scene, fresh: str) -> None:
    browser = scene.browser(fresh)
    assert browser.get("/").status_code == 200
    cookie = browser.http.cookies["gateway"]
    assert browser.post("/log-out").status_code == 303
    browser.http.cookies.set("gateway", cookie)
    assert browser.get("/").status_code == 303, "the cookie is worth nothing any more"
    words = [event[1] for event in scene.parts.store.noted(CONSOLE, 5) if event[3] == fresh]
    assert words[:2] == ["log-out", "log-in"]


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + " ", PASSWORD.upper(), "x" * 5000])
def test_a_wrong_password(scene: Scene, fresh: str, password: str) -> None:
    browser = scene.browser()
    answer = browser.log_in(fresh, password)
    assert answer.status_code == 401 and "did not fit" in answer.text and "gateway" not in browser.http.cookies
    assert browser.log_in("no-such-person", password).text.count("did not fit") == 1


def test_a_name_may_be_typed_in_capitals_and_is_never_shown_raw(scene: Scene, fresh: str) -> None:
    assert scene.browser().log_in(fresh.upper()).status_code == 303
    answer = scene.browser().log_in('"><script>alert(1)</script>', "x")
    assert "<script" not in answer.text


def test_a_session_cannot_be_prepared_for_somebody(scene: Scene, fresh: str) -> None:
    browser = scene.browser(fresh)
    first = browser.http.cookies["gateway"]
    page = browser.http.get(scene.url + "/log-in")
    assert page.status_code == 303  # whoever is in needs no form
    other = scene.browser()
    other.http.cookies.set("gateway", "chosen-by-somebody-else", domain="127.0.0.1")
    assert other.log_in(fresh).status_code == 303
    assert other.http.cookies["gateway"] not in (first, "chosen-by-somebody-else")


def test_the_form_needs_its_cookie(scene: Scene, fresh: str) -> None:
    browser = Browser(scene.url)
    answer = browser.http.post(scene.url + "/log-in", data={"name": fresh, "password": PASSWORD, "form": "made up"})
    assert answer.status_code == 403 and "gateway" not in browser.http.cookies


def test_the_cookie_is_not_in_the_database(scene: Scene, fresh: str) -> None:
    cookie = scene.browser(fresh).http.cookies["gateway"]
    octets = b"".join(path.read_bytes() for path in scene.house.state.glob("gateway.db*"))
    assert cookie.encode() not in octets and session_id(cookie).encode() in octets
    assert PASSWORD.encode() not in octets and b"$argon2id$" in octets


def test_too_often_wrong(scene: Scene, fresh: str) -> None:
    browser = scene.browser()
    codes = [browser.log_in(fresh, "wrong").status_code for _ in range(PER_ACCOUNT_AND_PLACE + 1)]
    assert codes == [401] * PER_ACCOUNT_AND_PLACE + [429]
    last = browser.log_in(fresh)
    assert last.status_code == 429 and 0 < int(last.headers["retry-after"]) <= WINDOW.total_seconds()
    assert "quarter of an hour" in last.text


def test_attempts_are_forgotten_in_time_and_counted_by_place() -> None:
    attempts = Attempts()
    for number in range(PER_PLACE):
        assert attempts.wait(f"name{number}", "192.0.2.1", NOW) == 0
        attempts.failed(f"name{number}", "192.0.2.1", NOW)
    assert attempts.wait("another", "192.0.2.1", NOW) == WINDOW.total_seconds()
    assert attempts.wait("another", "192.0.2.2", NOW) == 0
    assert attempts.wait("another", "192.0.2.1", NOW + WINDOW) == 0


def test_who_is_right_takes_nobodys_turn() -> None:
    """Many people may sit behind one address; being right hides nothing of what was wrong."""
    attempts = Attempts()
    for number in range(3 * PER_PLACE):
        attempts.failed(f"name{number}", "192.0.2.1", NOW)  # counted before the password is looked at
        attempts.succeeded(f"name{number}", "192.0.2.1")
    assert attempts.wait("another", "192.0.2.1", NOW) == 0 == attempts.wait_at("192.0.2.1", NOW)
    for number in range(PER_PLACE):
        attempts.failed(f"name{number}", "192.0.2.1", NOW)
        attempts.failed("mallory", "192.0.2.1", NOW)
        attempts.succeeded("mallory", "192.0.2.1")
        if number < PER_PLACE - 1:
            assert attempts.wait("another", "192.0.2.1", NOW) == 0
    assert attempts.wait("another", "192.0.2.1", NOW) > 0 and attempts.wait_at("192.0.2.1", NOW) > 0


def test_attempts_take_bounded_memory() -> None:
    attempts = Attempts()
    for number in range(12_000):
        attempts.failed(f"a{number}", f"10.0.{number // 256}.{number % 256}", NOW)
    assert len(attempts._failed) <= 10_000


def test_a_session_that_rests_ends(scene: Scene, fresh: str) -> None:
    store, now = scene.parts.store, datetime.now(UTC)
    idle, most = timedelta(minutes=30), timedelta(hours=10)
    cookie = store.begin_session(fresh, now, "here")
    assert store.session(cookie, now + timedelta(minutes=29), idle, most) is not None
    assert store.session(cookie, now + timedelta(minutes=58), idle, most) is not None, "used meanwhile"
    assert store.session(cookie, now + timedelta(minutes=89), idle, most) is None


def test_a_session_ends_however_busy_it_is(scene: Scene, fresh: str) -> None:
    store, now = scene.parts.store, datetime.now(UTC)
    idle, most = timedelta(minutes=30), timedelta(hours=10)
    cookie = store.begin_session(fresh, now, "here")
    seen = [store.session(cookie, now + timedelta(minutes=20 * n), idle, most) is not None for n in range(32)]
    assert seen == [True] * 30 + [False] * 2
    assert store.sweep_sessions(now + timedelta(hours=11), idle, most) >= 1


def test_one_time_codes(scene: Scene, fresh: str) -> None:
    browser = scene.browser(fresh)
    secret = base64.b32decode(re.search(r'name="secret" value="([A-Z2-7=]+)"', browser.get("/me").text)[1])  # type: ignore[index]
    code = lambda: TOTP(secret, 6, SHA1(), 30).generate(int(datetime.now(UTC).timestamp())).decode()  # noqa: E731
    back = base64.b32encode(secret).decode()
    assert browser.post("/me/code", what="on", secret=back, code="000000", password=PASSWORD).status_code == 400
    assert browser.post("/me/code", what="on", secret=back, code=code(), password="wrong").status_code == 400
    used = code()
    assert browser.post("/me/code", what="on", secret=back, code=used, password=PASSWORD).status_code == 303
    assert scene.browser().log_in(fresh).status_code == 401, "no code"
    assert scene.browser().log_in(fresh, code=used).status_code == 401, "each code serves once"
    ahead = TOTP(secret, 6, SHA1(), 30).generate(int(datetime.now(UTC).timestamp()) + 30).decode()
    assert scene.browser().log_in(fresh, code=f"{ahead[:3]} {ahead[3:]}").status_code == 303
    assert scene.browser().log_in(fresh, code=ahead).status_code == 401
    octets = b"".join(path.read_bytes() for path in scene.house.state.glob("gateway.db*"))
    assert secret not in octets, "it is sealed"
    browser.get("/me")
    assert browser.post("/me/code", what="off", password=PASSWORD).status_code == 303
    assert scene.browser().log_in(fresh).status_code == 303


def test_codes_of_the_standard() -> None:
    """RFC 6238, appendix B, with six digits."""
    secret = b"12345678901234567890"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        at = datetime.fromtimestamp(seconds, UTC)
        assert passwords.step_of(secret, code, at) == seconds // 30
        assert passwords.step_of(secret, code, at + timedelta(seconds=90)) is None
    for wrong in ("", "28708", "2870822", "abcdef", "２８７０８２"):
        assert passwords.step_of(secret, wrong, datetime.fromtimestamp(59, UTC)) is None


def test_a_new_password_ends_other_sessions(scene: Scene, fresh: str) -> None:
    here, there = scene.browser(fresh), scene.browser(fresh)
    new = "another long sentence"
    for form, why in (
        ({"password": "wrong", "new": new, "again": new}, "present password"),
        ({"password": PASSWORD, "new": new, "again": new + "x"}, "differ"),
        ({"password": PASSWORD, "new": "short", "again": "short"}, "12 characters"),
        ({"password": PASSWORD, "new": f"{fresh}-{fresh}-1", "again": f"{fresh}-{fresh}-1"}, "easy to guess"),
        ({"password": PASSWORD, "new": "a" * 14, "again": "a" * 14}, "easy to guess"),
    ):
        answer = here.post("/me/password", **form)
        assert answer.status_code == 400 and why in answer.text
    assert here.post("/me/password", password=PASSWORD, new=new, again=new).status_code == 303
    assert here.get("/me").status_code == 200 and there.get("/me").status_code == 303
    assert scene.browser().log_in(fresh).status_code == 401 and scene.browser().log_in(fresh, new).status_code == 303


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/log-in", "/\n/x", ""]
)
def test_after_the_door_nobody_is_led_away(path: str) -> None:
    assert local(path) == "/"


def test_after_the_door_one_is_where_one_was(scene: Scene, fresh: str) -> None:
    answer = Browser(scene.url).http.get(scene.url + "/log?subject=chair&team=it-support")
    assert answer.headers["location"] == "/log-in?next=%2Flog%3Fsubject%3Dchair%26team%3Dit-support"
    answer = scene.browser().log_in(fresh, next="/log?subject=chair&team=it-support")
    assert answer.headers["location"] == "/log?subject=chair&team=it-support"


def test_a_role_that_is_taken_away_is_gone_at_once(scene: Scene, fresh: str) -> None:
    browser, ada = scene.browser(fresh), scene.browser("ada")
    ada.get("/accounts")
    assert browser.get("/integrity").status_code == 200
    form = {"what": "change", "role": "reviewer", "team-it-support": "1"}
    assert ada.post(f"/accounts/{fresh}", **form).status_code == 303
    assert browser.get("/integrity").status_code == 303, "log in again"
    assert ada.post(f"/accounts/{fresh}", what="remove").status_code == 303
    assert scene.browser().log_in(fresh).status_code == 401
