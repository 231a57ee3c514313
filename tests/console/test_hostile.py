"""Mail that is written to run something in an auditor's browser: stored, shown, and harmless.

Every trick goes through the gateway, and its page is opened in a real Chromium with everything on it unfolded. Then
nothing has run, nothing was asked of anywhere else, and no element is there that is not of our pages.
"""

from __future__ import annotations

import base64
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.smtp.sunk import Fault
from tests.console.scene import PASSWORD, Scene

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")

RUN = "window.top.pwned=1"
SCRIPT = f"<script>{RUN}</script>"
IMG = f"<img src=x onerror={RUN}>"
AWAY = "https://canary.invalid/x"


def word(text: str, charset: str = "utf-8", how: str = "b") -> str:
    """An encoded-word (RFC 2047 §2)."""
    if how == "b":
        return f"=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?="
    return f"=?{charset}?Q?{''.join(f'={octet:02X}' for octet in text.encode(charset))}?="


HEADERS: dict[str, tuple[str, str]] = {
    "subject script": ("Subject", f"Re: {SCRIPT}"),
    "subject img": ("Subject", f'Re: "><{IMG[1:]}'),
    "subject closes title": ("Subject", f"Re: </title></h1>{SCRIPT}"),
    "subject attribute": ("Subject", f'Re: x" autofocus onfocus="{RUN}'),
    "subject template": ("Subject", "Re: {{ 7*7 }}{% raw %} ${7*7} #{7*7} <%= 7*7 %>"),
    "subject encoded b": ("Subject", "Re: " + word(SCRIPT)),
    "subject encoded q": ("Subject", "Re: " + word(IMG, how="q")),
    "subject utf-16": ("Subject", "Re: " + word(SCRIPT, "utf-16be")),
    "subject utf-7": ("Subject", "Re: =?utf-7?Q?+ADw-script+AD4-window.top.pwned+AD0-1+ADw-/script+AD4-?="),
    "subject latin": ("Subject", "Re: " + word("¼script¾alert(1)¼/script¾", "latin-1")),
    "subject direction": ("Subject", "Re: " + word("invoice\u202egnp.exe\u202d \u2066\u2069 \u200f")),
    "subject long": ("Subject", "Re: " + word("<b>" * 9)),
    "subject nul": ("Subject", "Re: " + word(f"a\x00b\x1b[31m{SCRIPT}\x07\x85\u2028x")),
    "subject href": ("Subject", f"Re: javascript:{RUN}//{AWAY}"),
    "subject noscript": ("Subject", f'Re: <noscript><p title="</noscript>{IMG}">'),
    "subject svg": ("Subject", f"Re: <svg/onload={RUN}><animate onbegin={RUN}>"),
    "subject comment": ("Subject", f"Re: <!--><{IMG[1:]}-->"),
    "subject cdata": ("Subject", f"Re: ]]>{SCRIPT}<![CDATA["),
    "from name": ("From", f'"{SCRIPT.replace(chr(34), "")}" <dana.cole@acme.example>'),
    "from encoded": ("From", f"{word(IMG)} <dana.cole@acme.example>"),
    "to name": ("To", f'"</dd>{SCRIPT}" <jill.amory@acme.example>'),
    "to quoted local part": ("To", f'"<img/src=x/onerror={RUN}>"@acme.example, jill.amory@acme.example'),
    "cc name": ("Cc", f"{word(SCRIPT)} <jill.amory@acme.example>"),
    "reply-to": ("Reply-To", f'"{IMG}" <x@acme.example>'),
    "message-id": ("Message-ID", f"<{SCRIPT}@acme.example>"),
    "references": ("References", f"<{IMG}@acme.example> <b@acme.example>"),
    "date": ("Date", f"Mon, 1 Jun 2026 09:00:00 +0000 ({SCRIPT})"),
    "mailer": ("X-Mailer", f"{SCRIPT}{IMG}"),
    "odd field name": ("X-<b>Odd", "value"),
    "field name": ("X-Img-onerror=pwned", IMG),
    "list-unsubscribe": ("X-List-Unsubscribe", f"<javascript:{RUN}>"),
    "organization": ("Organization", f"<iframe srcdoc='{SCRIPT}'>"),
    "face": ("Face", f"<base href='{AWAY}'>"),
    "refresh": ("Refresh", f"0;url={AWAY}"),
    "content-location": ("Content-Location", f"javascript:{RUN}"),
}
"""What each header is, in place of a harmless one."""

HTML: dict[str, str] = {
    "script": SCRIPT,
    "script in capitals": f"<SCRIPT SRC={AWAY}></SCRIPT>",
    "nested script": f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    "img": IMG,
    "img far away": f'<img src="{AWAY}" srcset="{AWAY} 2x">',
    "svg": f"<svg onload={RUN}><script>{RUN}</script></svg>",
    "svg use": f'<svg><use href="data:image/svg+xml,<svg id=x onload={RUN}/>#x"/></svg>',
    "svg animate": f'<svg><a><animate attributeName=href values="javascript:{RUN}"/><text>x</text></a></svg>',
    "svg foreign": f"<svg><foreignObject><body onload={RUN}></foreignObject></svg>",
    "mathml": f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;{IMG}">',
    "mathml href": f'<math href="javascript:{RUN}">x</math>',
    "style": f"<style>@import '{AWAY}';body{{background:url({AWAY})}}</style>",
    "style attribute": f'<p style="background:url({AWAY});position:fixed;top:0">x</p>',
    "link": f'<link rel=stylesheet href="{AWAY}"><link rel=prefetch href="{AWAY}">',
    "meta refresh": f'<meta http-equiv=refresh content="0;url={AWAY}">',
    "meta policy": "<meta http-equiv=Content-Security-Policy content='script-src *'>",
    "base": f'<base href="{AWAY}"><a href="x">x</a>',
    "iframe": f'<iframe src="javascript:{RUN}"></iframe><iframe srcdoc="{SCRIPT}"></iframe>',
    "object": f'<object data="{AWAY}"></object><embed src="{AWAY}"><applet code=x></applet>',
    "form": f'<form action="{AWAY}"><input name=password autofocus onfocus={RUN}><button>Log in</button></form>',
    "javascript link": f'<a href="javascript:{RUN}">click</a><a href="jav&#x09;ascript:{RUN}">click</a>',
    "data link": f'<a href="data:text/html,{SCRIPT}" target=_top>click</a>',
    "event handlers": f"<div onmouseover={RUN} onclick={RUN} onpointerenter={RUN}>x</div>",
    "details toggle": f"<details open ontoggle={RUN}><summary>x</summary></details>",
    "video": f'<video poster="{AWAY}"><source onerror={RUN} src="{AWAY}"></video><audio src={AWAY} autoplay>',
    "marquee": f"<marquee onstart={RUN}>x</marquee><body onload={RUN}>",
    "template": f"<template shadowrootmode=open>{SCRIPT}</template>",
    "textarea": f"<textarea></textarea><xmp></xmp>{IMG}<plaintext>{IMG}",
    "title closes": f"</title></head></body></html>{SCRIPT}",
    "comment": f"<!--><{IMG[1:]}--!><!--[if IE]>{SCRIPT}<![endif]-->",
    "conditional noscript": f'<noscript><style></noscript>{IMG}</style></noscript>',
    "processing": f"<?xml-stylesheet href='{AWAY}'?><?php {RUN} ?><!ENTITY x SYSTEM '{AWAY}'>",
    "control characters": f"<img\x0bsrc=x\x0conerror={RUN}><a href='\x01javascript:{RUN}'>x</a>",
    "broken tags": f"<img src='x' onerror='{RUN}'<p <b <script/x>{RUN}",
    "deep": "<div>" * 3000 + IMG,
    "import map": f'<script type=importmap>{{"imports":{{"x":"{AWAY}"}}}}</script><script type=module>import "x"',
    "ping": f'<a href="/log-out" ping="{AWAY}" download>x</a>',
    "clobbering": "<img name=body><form id=main name=cookie><input name=attributes></form><a id=visit name=csrf></a>",
}  # fmt: skip

PARTS: dict[str, tuple[str, str]] = {
    "file name": ("text/plain", f'attachment; filename="{SCRIPT.replace(chr(34), "")}.txt"'),
    "file name encoded": ("text/plain", f'attachment; filename="{word(IMG)}"'),
    "file name rfc2231": ("text/plain", "attachment; filename*=utf-8''%3Cimg%20src=x%20onerror=window.top.pwned=1%3E"),
    "file name direction": ("application/pdf", "attachment; filename*=utf-8''a%E2%80%AEfdp.exe"),
    "file name path": ("text/plain", 'attachment; filename="../../../../etc/passwd"'),
    "part type": (f'text/x-"><svg/onload={RUN}>', "inline"),
    "part svg": ("image/svg+xml", 'inline; filename="x.svg"'),
    "part html file": ("text/html", 'attachment; filename="x.html"'),
    "part name": (f'application/octet-stream; name="\'{IMG}"', "attachment"),
    "part xml": ("application/xhtml+xml", "inline"),
}

TRICKS = [("header", name) for name in HEADERS] + [("html", name) for name in HTML] + [("part", name) for name in PARTS]


def trick(kind: str, name: str) -> bytes:
    """A mail with it, as octets: the standard library would refuse to write most of these."""
    fields = {
        "From": "Dana Cole <dana.cole@acme.example>", "To": "Jill Amory <jill.amory@acme.example>",
        "Subject": f"Re: {kind} {name}", "Date": "Thu, 26 Nov 2026 09:00:00 +0000",
        "Message-ID": f"<{name.replace(' ', '.')}.{kind}@acme.example>",
    }  # fmt: skip
    text = "Content-Type: text/plain; charset=utf-8\r\n\r\nNo.\r\n"
    if kind == "header":
        field, value = HEADERS[name]
        fields[field] = value
        body = text
    elif kind == "html":
        html = base64.encodebytes(f"<html><body><p>No.</p>{HTML[name]}</body></html>".encode()).decode()
        html = html.replace("\n", "\r\n")
        body = (
            'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
            f"--b\r\n{text}\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: base64\r\n\r\n{html}\r\n--b--\r\n"
        )
    else:
        content_type, disposition = PARTS[name]
        body = (
            'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
            f"--b\r\n{text}\r\n--b\r\nContent-Type: {content_type}\r\nContent-Disposition: {disposition}\r\n\r\n"
            f"<svg xmlns='http://www.w3.org/2000/svg' onload='{RUN}'>{SCRIPT}</svg>\r\n\r\n--b--\r\n"
        )
    header = "".join(f"{field}: {value}\r\n" for field, value in fields.items())
    return (header + "MIME-Version: 1.0\r\n" + body).encode("utf-8", "surrogateescape")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A page as an admin, with all that it asks for and says."""

    def __init__(self, scene: Scene, browser: Any) -> None:
        self.scene = scene
        self.page = browser.new_context().new_page()
        self.away: list[str] = []
        self.said: list[str] = []
        self.page.on("request", self._asked)
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(scene.url + "/log-in")
        self.page.fill("[name=name]", "ada")
        self.page.fill("[name=password]", PASSWORD)
        self.page.press("[name=password]", "Enter")
        self.page.wait_for_url(scene.url + "/")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(self.scene.url):
            self.away.append(request.url)

    def open(self, path: str) -> None:
        """Open a page and everything on it; hover and focus what there is."""
        self.page.goto(self.scene.url + path)
        self.page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        for frame in self.page.locator("iframe").all():
            frame.scroll_into_view_if_needed()
        self.page.wait_for_load_state("networkidle")

    def harmless(self) -> None:
        """Nothing ran, nothing was asked of elsewhere, nothing is there that is not ours."""
        assert self.away == [] and self.said == []
        assert self.page.evaluate("window.pwned") is None
        ours = (
            "a,aside,b,bdi,blockquote,body,br,button,cite,code,dd,details,div,dl,dt,em,fieldset,footer,form,h1,h2,h3,"
        )
        ours += (
            "head,header,html,i,iframe,input,label,legend,li,link,main,mark,meta,nav,ol,option,p,pre,q,search,select,"
        )
        ours += "small,span,summary,svg,path,circle,section,table,tbody,td,textarea,th,thead,time,title,tr,ul"
        names = self.page.evaluate("[...new Set([...document.querySelectorAll('*')].map(each => each.localName))]")
        assert set(names) <= set(ours.split(",")), set(names) - set(ours.split(","))
        attributes = self.page.evaluate(
            "[...document.querySelectorAll('*')].flatMap(each => each.getAttributeNames())"
            ".filter(name => name.startsWith('on') || ['style', 'srcdoc', 'ping', 'background'].includes(name))"
        )
        assert attributes == []
        assert self.page.evaluate("document.querySelectorAll('svg:not(.logo)').length") == 0
        links = self.page.evaluate("[...document.querySelectorAll('[href],[src],[action]')].map(each =>"
                                   " each.href || each.src || each.action)")  # fmt: skip
        assert all(each.startswith(self.scene.url + "/") for each in links if isinstance(each, str)), links
        assert self.page.evaluate("document.baseURI").startswith(self.scene.url)
        assert self.page.locator("main").count() == 1 and self.page.locator("footer").count() == 1, "the page is whole"


@pytest.fixture(scope="module")
def watched(scene: Scene, chromium: Any) -> Watched:
    return Watched(scene, chromium)


def test_there_are_enough_tricks() -> None:
    assert len(TRICKS) >= 60 and len(set(TRICKS)) == len(TRICKS)


@pytest.mark.parametrize(("kind", "name"), TRICKS)
def test_a_trick_is_harmless(scene: Scene, watched: Watched, kind: str, name: str) -> None:
    id = scene.send(f"{kind} {name}", trick(kind, name))
    watched.open(f"/mail/{id}")
    watched.harmless()
    if scene.outcome(id) == "held":
        assert watched.page.locator(".mailtext, .empty").count() >= 1
    if kind == "html" and scene.outcome(id) == "held":
        frame = watched.page.locator("iframe.html")
        assert frame.count() == 1 and frame.get_attribute("sandbox") == ""
        inner = frame.content_frame
        assert inner.locator("p").first.inner_text(timeout=5000) == "No."
        bad = inner.locator(
            "script,img,svg,math,iframe,object,embed,form,input,link,base,video,audio,[href],[src],[style]"
        )
        assert bad.count() == 0


def test_all_of_them_in_the_lists(scene: Scene, watched: Watched) -> None:
    for path in ("/log", "/held", "/", "/accounts", "/log?subject=script", "/log?person=dana.cole@acme.example"):
        watched.open(path)
        assert watched.page.evaluate("window.pwned") is None and watched.away == [] and watched.said == []
        assert watched.page.evaluate("document.querySelectorAll('script, img, object, embed, base').length") == 0


def test_most_of_them_were_held_so_that_their_text_was_shown(scene: Scene) -> None:
    for kind, name in TRICKS:
        if f"{kind} {name}" not in scene.ids:
            scene.send(f"{kind} {name}", trick(kind, name))
    held = sum(scene.outcome(scene.ids[f"{kind} {name}"]) == "held" for kind, name in TRICKS)
    assert held >= 60, held


@pytest.mark.parametrize("bait", [SCRIPT, f'"><{IMG[1:]}', "</textarea>" + SCRIPT, "{{7*7}}", "\u202ex\u0000"])
def test_what_is_typed_or_stands_in_an_address(scene: Scene, watched: Watched, bait: str) -> None:
    from urllib.parse import quote

    for name in ("person", "subject", "policy", "team", "from", "disposition", "older"):
        watched.open(f"/log?{name}={quote(bait)}")
        assert watched.page.evaluate("window.pwned") is None and watched.away == [] and watched.said == []
    for path in (f"/mail/{quote(bait, safe='')}", f"/?done={quote(bait)}", f"/log-in?next={quote(bait)}"):
        watched.open(path)
        assert watched.page.evaluate("window.pwned") is None and watched.away == []


def test_an_upstream_reply_and_a_reason(scene: Scene, watched: Watched) -> None:
    """What the mail server says on refusal, and what a reviewer wrote, stand in the timeline as words."""
    id = scene.hold("upstream", "Re: Upstream")
    reply = f"550 5.7.1 {SCRIPT}{IMG}\r\n".encode()
    scene.house.sink.faults.append(Fault("MAIL", reply=reply, match=b"dana.cole@"))
    browser = scene.browser("ada")
    assert browser.settle(id, "send", f"because {SCRIPT}").status_code == 303
    until = time.monotonic() + 10
    while scene.history(id).count("held") < 2 and time.monotonic() < until:
        time.sleep(0.05)
    watched.open(f"/mail/{id}")
    watched.harmless()
    shown = watched.page.locator(".timeline").first.inner_text()
    assert f"because {SCRIPT}" in shown and "onerror=" in shown


def test_the_frame_alone_runs_nothing_either(scene: Scene, watched: Watched) -> None:
    id = scene.ids.get("html script") or scene.send("html script", trick("html", "script"))
    answer = watched.page.goto(f"{scene.url}/mail/{id}/html")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert (
        policy.endswith("sandbox")
        and "default-src 'none'" in policy
        and answer.headers["x-frame-options"] == "SAMEORIGIN"
    )
    assert watched.page.evaluate("document.querySelectorAll('script').length") == 0
