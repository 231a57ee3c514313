"""What is wrong is a clear page, in plain words; nothing is done twice, and nothing of ours is shown."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from gateway.console.headers import ALWAYS
from gateway.console.marked import quoted
from gateway.console.place import Place
from gateway.console.texts import LANGUAGES, catalogue, language_of
from gateway.values import WEB, WrongValue
from tests.console.scene import PASSWORD, Browser, Scene


@pytest.fixture(scope="module")
def ada(scene: Scene) -> Browser:
    return scene.browser("ada")


def test_the_database_away(tmp_path: Path) -> None:
    with Scene(tmp_path) as scene:
        id = scene.hold("away")
        rita = scene.browser("rita")
        seen = rita.seen(id)
        files = sorted(scene.house.state.glob("gateway.db*"))
        for path in files:
            path.rename(path.with_name("x" + path.name))
        for answer in (rita.get("/"), rita.get(f"/mail/{id}"), rita.settle(id, "send", seen=seen)):
            assert answer.status_code == 503 and "The database is away" in answer.text
            assert "Traceback" not in answer.text and "sqlite" not in answer.text
        for path in files:
            path.with_name("x" + path.name).rename(path)
        assert rita.get("/").status_code == 200 and scene.outcome(id) == "held", "without a restart"
        assert rita.settle(id, "send").status_code == 303


def test_an_expired_session(scene: Scene) -> None:
    id = scene.hold("expired")
    rita = scene.browser("rita")
    seen = rita.seen(id)
    scene.parts.store.sweep_sessions(scene.parts.clock(), scene.parts.idle * 0, scene.parts.most)
    answer = rita.settle(id, "send", seen=seen)
    assert answer.status_code == 401 and "Your session has ended" in answer.text and "Nothing was done" in answer.text
    assert scene.outcome(id) == "held"
    again = rita.http.get(scene.url + f"/mail/{id}")
    assert again.status_code == 303 and again.headers["location"] == f"/log-in?next=%2Fmail%2F{id}&over=1"
    assert "Your session has ended" in rita.http.get(scene.url + again.headers["location"]).text


@pytest.mark.parametrize(
    "path",
    [
        "/mail/nothing", "/mail/%00", "/mail/%F0%9F%92%A9", "/mail/" + "a" * 3000, "/mail/'%20OR%201=1", "/mail/%25",
        "/policies/version/none", "/policies/version/%00", "/nope", "/mail//html", "/mail/nothing/html",
    ],
)  # fmt: skip
def test_what_is_not_there(ada: Browser, path: str) -> None:
    answer = ada.get(path)
    assert answer.status_code == 404 and "<h1>" in answer.text and "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"csrf=x", "text/plain", 415), (b'{"csrf":"x"}', "application/json", 415), (b"", "", 415),
        (b"x", "multipart/form-data; boundary=x", 415),
        (b"a=" + b"b" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a%d=1" % n for n in range(200)), "application/x-www-form-urlencoded", 400),
        (b"a=\xff\xfe", "application/x-www-form-urlencoded", 400), (b"", "application/x-www-form-urlencoded", 403),
    ],
)  # fmt: skip
def test_what_is_no_form(ada: Browser, content: bytes, kind: str, status: int) -> None:
    headers = {"content-type": kind} if kind else {}
    answer = ada.http.post(ada.url + "/accounts", content=content, headers=headers)
    assert answer.status_code == status, answer.text[:200]


def test_a_form_from_elsewhere(scene: Scene, ada: Browser) -> None:
    ada.get("/accounts")
    form = {"csrf": ada.csrf, "name": "x", "role": "admin"}
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        answer = ada.http.post(ada.url + "/accounts", data=form, headers={"origin": origin})
        assert answer.status_code == 403, origin
    assert "x" not in {account.name for account in scene.parts.store.accounts()}


def test_accounts_that_cannot_be(scene: Scene, ada: Browser) -> None:
    ada.get("/accounts")
    for form, status in (
        ({"name": "", "role": "admin"}, 400), ({"name": "Änne", "role": "admin"}, 400),
        ({"name": "a b", "role": "admin"}, 400), ({"name": "ok", "role": "king"}, 400),
        ({"name": "ok", "role": "reviewer"}, 400), ({"name": "ada", "role": "admin"}, 409),
    ):  # fmt: skip
        assert ada.post("/accounts", **form).status_code == status, form
    assert ada.post("/accounts/ada", what="remove").status_code == 409, "the last admin"
    assert ada.post("/accounts/ada", what="change", role="auditor").status_code == 409
    made = ada.post("/accounts", name="new.one", role="auditor", shown="<b>New</b>")
    password = re.search(r'<code class="secret">([^<]+)</code>', made.text)
    assert password and scene.browser().log_in("new.one", password[1]).status_code == 303
    assert "<b>New</b>" not in ada.get("/accounts").text


def test_every_answer_is_protected(scene: Scene, ada: Browser) -> None:
    anybody = Browser(scene.url)
    for answer in (
        ada.get("/"), ada.get("/nope"), ada.get("/static/console.css"), anybody.get("/"), anybody.get("/log-in"),
        ada.post("/accounts", csrf="x"), ada.http.request("TRACE", scene.url + "/"),
        anybody.http.get(scene.url + "/", headers={"host": "evil.example"}),
    ):  # fmt: skip
        for name, value in ALWAYS.items():
            if name == "cache-control" and "static" in str(answer.url):
                continue
            assert answer.headers[name] == value, (answer.url, name)
        assert "server" not in answer.headers
    policy = ALWAYS["content-security-policy"]
    assert "unsafe" not in policy and "script-src" not in policy and policy.startswith("default-src 'none'")


def test_nothing_inline_nothing_from_elsewhere_and_small(scene: Scene, ada: Browser) -> None:
    id = scene.hold("plain")
    for path in (
        "/log-in",
        "/",
        "/log",
        "/held",
        f"/mail/{id}",
        "/follow",
        "/policies",
        "/integrity",
        "/accounts",
        "/me",
    ):
        text = (Browser(scene.url) if path == "/log-in" else ada).get(path).text
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", text), path
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text), path
    first = ada.get("/")
    style = ada.get("/static/console.css")
    assert len(first.content) + len(style.content) + len(ada.get("/static/icon.svg").content) < 100_000


def test_another_host_is_told_nothing(scene: Scene) -> None:
    """A name that somebody points at our address (DNS rebinding)."""
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", ""):
        answer = httpx.get(scene.url + "/log-in", headers={"host": host})
        assert answer.status_code in (400, 421) and "password" not in answer.text


def test_cookies(scene: Scene) -> None:
    set_ = scene.browser().log_in("otto").headers.get_list("set-cookie")
    cookie = next(each for each in set_ if each.startswith("gateway="))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie and "Secure" not in cookie
    secure = Place.of("https://mail.example.org/gw", ["127.0.0.1"])
    assert secure.secure and secure.cookie == "__Secure-gateway" and secure.cookie_path == "/gw"
    alone = Place.of("https://mail.example.org", ["127.0.0.1"])
    assert alone.cookie == "__Host-gateway" and alone.cookie_path == "/"


def test_cookies_of_a_host_of_its_own(tmp_path: Path) -> None:
    """With the prefix, Secure, no Domain and the path /, or browsers take none of them; and away as they came."""
    with Scene(tmp_path, {"console_url": "https://mail.example.org", "console_proxies": ["127.0.0.1"]}) as scene:
        browser = Browser(scene.url, headers={"host": "mail.example.org"})
        form = browser.http.get(scene.url + "/log-in")
        word = re.search(r'name="form" value="([^"]+)"', form.text)
        data = {"name": "otto", "password": PASSWORD, "form": word[1] if word else ""}
        done = browser.http.post(
            scene.url + "/log-in", data=data, headers={"cookie": f"__Host-log-in-form={data['form']}"}
        )
        assert done.status_code == 303
        cookies = [*form.headers.get_list("set-cookie"), *done.headers.get_list("set-cookie")]
        assert [each.partition("=")[0] for each in cookies] == [
            "__Host-log-in-form", "__Host-gateway", "__Host-log-in-form",
        ]  # fmt: skip
        for each in cookies:
            assert "; Secure" in each and "; Path=/;" in each and "Domain" not in each and "HttpOnly" in each, each


def test_behind_a_proxy(tmp_path: Path) -> None:
    """Under a prefix, with the prefix cut off or not; over TLS as the browser sees it."""
    settings = {"console_url": "https://mail.example.org/gw", "console_proxies": ["127.0.0.1"]}
    with Scene(tmp_path, settings) as scene:
        base = scene.url.removesuffix("/gw")
        headers = {"host": "mail.example.org", "x-forwarded-for": "203.0.113.9", "origin": "https://mail.example.org"}
        for path in ("/gw/log-in", "/log-in"):
            answer = httpx.get(base + path, headers=headers)
            assert answer.status_code == 200 and 'action="/gw/log-in"' in answer.text
            assert answer.headers["strict-transport-security"]
            assert "Secure" in answer.headers["set-cookie"] and "Path=/gw;" in answer.headers["set-cookie"]
        form = re.search(r'name="form" value="([^"]+)"', answer.text)
        data = {"name": "otto", "password": "a long enough sentence", "form": form[1] if form else "", "next": "/log"}
        cookies = {"__Secure-log-in-form": data["form"]}
        done = httpx.post(base + "/gw/log-in", headers=headers, data=data, cookies=cookies)
        assert done.headers["location"] == "/gw/log"
        cookie = done.cookies["__Secure-gateway"]
        page = httpx.get(base + "/gw/log", headers=headers, cookies={"__Secure-gateway": cookie})
        assert page.status_code == 200 and 'href="/gw/held"' in page.text
        assert httpx.get(base + "/gw/", headers=headers).headers["location"] == "/gw/log-in"
        assert httpx.get(base + "/gwx/log", headers=headers).status_code == 404
        assert scene.parts.store.noted("console", 1)[0][4] == "console from 203.0.113.9"


@pytest.mark.parametrize(
    ("peer", "forwarded", "where"),
    [
        ("192.0.2.1", "10.9.9.9", "192.0.2.1"), ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"), ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "<script>", "10.0.0.1"), ("10.0.0.1", "", "10.0.0.1"), ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
    ],
)  # fmt: skip
def test_where_a_browser_is(peer: str, forwarded: str, where: str) -> None:
    import ipaddress

    place = Place.of("", ["127.0.0.1"], [ipaddress.ip_network("10.0.0.0/8")])
    assert place.browser(peer, forwarded) == where


@pytest.mark.parametrize(
    "text", ["mail.example.org", "ftp://x", "https://", "https://x/a?b", "https://u@x", "https://x/a b", "https://x:0"]
)
def test_an_address_of_the_web_that_is_none(text: str) -> None:
    with pytest.raises(WrongValue, match="address of the web"):
        WEB.read(text, Path())


def test_languages(scene: Scene, ada: Browser) -> None:
    assert language_of("", "de-AT,de;q=0.9,en;q=0.1") == "de" and language_of("", "fr, en;q=0.5") == "en"
    assert (
        language_of("", "en;q=0.3, de;q=0.8") == "de"
        and language_of("xx", "") == "en"
        and language_of("de", "en") == "de"
    )
    assert '<html lang="de">' in Browser(scene.url).get("/log-in", headers={"accept-language": "de"}).text
    assert ada.post("/language", language="de", next="//evil.example").headers["location"] == "/"
    german = ada.get("/held").text
    assert "Angehalten" in german and 'lang="de"' in german
    assert ada.post("/language", language="tlh").status_code == 400
    ada.post("/language", language="en", next="/")


def test_every_word_is_in_every_catalogue() -> None:
    """The catalogues are whole: nothing is missing, nothing is left from before, no place holder is lost."""
    from babel.messages.extract import extract_from_dir
    from babel.messages.pofile import read_po

    folder = Path("gateway/console")
    if not folder.exists():
        folder = Path(__file__).parents[2] / folder
    method = [("**.py", "python"), ("**/pages/**.html", "jinja2")]
    words = {message for _, _, message, _, _ in extract_from_dir(folder, method, keywords={"_": None, "gettext": None})}
    for language in LANGUAGES[1:]:
        with (folder / "locale" / language / "console.po").open("rb") as file:
            found = {message.id: message for message in read_po(file, locale=language) if message.id}
        assert set(found) == words, language
        for message in found.values():
            assert message.string and not message.fuzzy, message.id
            holders = [re.findall(r"%\(\w+\)s", str(text)) for text in (message.id, message.string)]
            assert sorted(holders[0]) == sorted(holders[1]), message.id
    assert catalogue("de").gettext("Held") == "Angehalten"


def test_a_fault_of_ours_says_nothing_of_itself(scene: Scene, ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(scene.parts.store, "chain_states", broken)
    answer = ada.get("/integrity")
    assert answer.status_code == 500 and "secret detail" not in answer.text and "our fault" in answer.text


def test_evidence_that_overlaps_is_quoted_once() -> None:
    def span(text: str, start: int, part: str = "1") -> dict[str, object]:
        return {"text": text, "part": part, "start": start, "end": start + len(text)}

    first, second = span("No, we do not give", 13), span("we do not give out desks", 17)
    assert quoted([first, second], 8) == (("No, we do not give out desks", "1"),)
    assert quoted([second, span("not", 23), span("Sorry", 60), span("Sorry", 60, "2")], 8) == (
        ("we do not give out desks", "1"), ("Sorry", "1"), ("Sorry", "2"),
    )  # fmt: skip
    cut = second | {"text": "we do…"}
    assert quoted([first, cut], 8) == (("No, we do not give", "1"), ("we do…", "1")), "no words are made up"
    assert len(quoted([span("a", 3 * n) for n in range(9)], 8)) == 8
