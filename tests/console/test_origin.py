"""Every event that console and gateway write says who, and from where: one walk over all routes that write."""

from __future__ import annotations

import base64
import platform
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from gateway.console.access import ACCESS, OPEN
from gateway.follow.entries import Entry, Trail
from gateway.mail.address import Mailbox
from gateway.store.exporting import LogFilter
from tests.console.scene import DANA, PASSWORD, PEOPLE, Browser, Scene
from tests.e2e.house import mail

FROM = "198.51.100.7"
ORIGIN = f"console from {FROM}"
SENT = ("overridden", "amended")
WRITES_NOTHING = {("/language", "POST")}
ELSEWHERE = {("/log-in/oidc", "GET"), ("/log-in/oidc/back", "GET")}
"""Needs a provider: `test_oidc` looks at each of its events."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Behind a reverse proxy, so that "from where" is not just this machine."""
    folder = Path(tmp_path_factory.mktemp("origin"))
    with Scene(folder, {"console_proxies": ["127.0.0.1"]}) as made:
        yield made


def browser(scene: Scene, name: str = "") -> Browser:
    return scene.browser(name, headers={"x-forwarded-for": FROM})


class Walk:
    """What each step wrote, by route."""

    def __init__(self, scene: Scene) -> None:
        self._file = f"file:{scene.house.state / 'gateway.db'}?mode=ro"
        self.done: set[tuple[str, str]] = set()
        self.last = 0
        self.new()

    def new(self) -> list[tuple[str, str, str]]:
        """(outcome, by, origin) of the events since the last look."""
        connection = sqlite3.connect(self._file, uri=True)
        rows = connection.execute(
            'select id, outcome, "by", origin from audit_events where id > ? order by id', (self.last,)
        ).fetchall()
        connection.close()
        self.last = max([self.last, *(row[0] for row in rows)])
        return [row[1:] for row in rows]

    def step(self, route: str, verb: str, by: str, *words: str) -> None:
        """The step before was of this route: it wrote these words, and all that it wrote says by whom and from where.

        What the gateway does about it afterwards is not the console's.
        """
        people = (*PEOPLE, *(f"{name} (console)" for name in PEOPLE))
        events = [event for event in self.new() if event[1] in people and event[0] not in SENT]
        assert [event[0] for event in events] == list(words), (route, events)
        assert {event[1].removesuffix(" (console)") for event in events} == {by}, events
        assert {event[2] for event in events} == {ORIGIN}, events
        self.done.add((route, verb))


def promise(scene: Scene) -> str:
    id = scene.send("promise", mail(f"Dana <{DANA}>", "jill.amory@acme.example", "Chair", "It comes on Friday.\n"))
    now = datetime.now(UTC)
    later = now + timedelta(days=9)
    entry = Entry(
        id="p-origin", kind="promise", at=now, mail_id=id, agent=Mailbox(DANA, "Dana"), team="it-support",
        requester=Mailbox("jill.amory@acme.example"), owners=(), subject="Chair", thread=(), due=later, next_at=later,
    )  # fmt: skip
    scene.do(scene.parts.store.outcome(id, "passed", trail=Trail(now, (entry,))))
    return entry.id


def test_every_route_that_writes(scene: Scene) -> None:
    held = {name: scene.hold(f"origin-{name}") for name in ("claim", "discard", "send", "amend", "view", "other")}
    entry = promise(scene)
    walk = Walk(scene)

    rita = browser(scene, "rita")
    walk.step("/log-in", "POST", "rita", "log-in")
    ada = browser(scene, "ada")
    walk.step("/log-in", "POST", "ada", "log-in")

    assert rita.post(f"/follow/{entry}/close", why="rung up").status_code == 303
    walk.step("/follow/{id}/close", "POST", "rita", "promise-closed")

    assert rita.post(f"/held/{held['claim']}/claim", what="take").status_code == 303
    walk.step("/held/{id}/claim", "POST", "rita", "claimed")
    assert rita.post(f"/held/{held['claim']}/claim", what="back").status_code == 303
    walk.step("/held/{id}/claim", "POST", "rita", "unclaimed")
    assert rita.get(f"/mail/{held['view']}").status_code == 200
    walk.step("/mail/{id}", "GET", "rita", "viewed")
    for name, words, fields in (
        ("send", ("approved",), {}),
        ("amend", ("approved", "plan"), {"reason": "they are no longer made"}),
        ("discard", ("discarded",), {}),
    ):
        seen = rita.seen(held[name])
        walk.step("/mail/{id}", "GET", "rita", "viewed")
        assert rita.post(f"/held/{held[name]}/claim", what="take").status_code == 303
        walk.step("/held/{id}/claim", "POST", "rita", "claimed")
        assert rita.post(f"/held/{held[name]}/settle", do=name, why="by phone", seen=seen, **fields).status_code == 303
        walk.step("/held/{id}/settle", "POST", "rita", *words, "unclaimed")

    assert ada.get("/log?subject=chair").status_code == 200
    walk.step("/log", "GET", "ada", "searched")
    assert ada.post("/log/export", format="csv", subject="chair").status_code == 200
    walk.step("/log/export", "POST", "ada", "exported")
    assert ada.post("/integrity/verify").status_code == 200
    walk.step("/integrity/verify", "POST", "ada", "verified")

    assert ada.post("/accounts", name="tess", role="auditor").status_code == 200
    walk.step("/accounts", "POST", "ada", "account-added")
    for what, word in (("change", "account-changed"), ("password", "password-set"), ("code", "code-removed")):
        assert ada.post("/accounts/tess", what=what, role="auditor").status_code in (200, 303)
        walk.step("/accounts/{name}", "POST", "ada", word)
    assert ada.post("/accounts/tess", what="remove").status_code == 303
    walk.step("/accounts/{name}", "POST", "ada", "account-removed")

    secret = re.search(r'name="secret" value="([A-Z2-7=]+)"', rita.get("/me").text)
    assert secret
    code = TOTP(base64.b32decode(secret[1]), 6, SHA1(), 30).generate(int(datetime.now(UTC).timestamp())).decode()
    assert rita.post("/me/code", what="on", secret=secret[1], code=code, password=PASSWORD).status_code == 303
    walk.step("/me/code", "POST", "rita", "code-set")
    assert rita.post("/me/code", what="off", password=PASSWORD).status_code == 303
    walk.step("/me/code", "POST", "rita", "code-removed")
    new = "another long sentence"
    assert rita.post("/me/password", password=PASSWORD, new=new, again=new).status_code == 303
    walk.step("/me/password", "POST", "rita", "password-set")
    assert rita.post("/log-out").status_code == 303
    walk.step("/log-out", "POST", "rita", "log-out")
    assert browser(scene).log_in("rita", "wrong").status_code == 401
    assert walk.new() == [("log-in-refused", "", ORIGIN)]
    assert ada.post("/language", language="en", next="/").status_code == 303
    assert walk.new() == []

    forms = {key for key in (*ACCESS, *OPEN) if key[1] == "POST"}
    assert forms - walk.done == WRITES_NOTHING, "each route with a form is in this walk"


def test_what_the_gateway_does_itself_says_so_too(scene: Scene) -> None:
    """Whatever is in the log: nobody has to guess from where it came."""
    scene.hold("origin-answered")
    scene.do(scene.parts.store.log("gateway", "clock-jumped", "+7.0 s"))
    found: set[tuple[str, str, str]] = set()
    for record in scene.parts.store.records(LogFilter()):
        if not record.is_decision:
            found.add((record.what, record.by, record.origin))
    assert found and not [each for each in found if not each[2]], found
    own = f"serve on {platform.node()}"
    assert {origin for what, by, origin in found if not by and what != "log-in-refused"} == {own}
    assert {what for what, _, origin in found if origin == own} > {"started", "held", "overridden", "in-force"}


def test_pages_that_are_only_read_write_nothing(scene: Scene) -> None:
    ada, walk = browser(scene, "ada"), Walk(scene)
    written = {("/log", "GET"), ("/mail/{id}", "GET")}
    for route, verb in (*ACCESS, *OPEN):
        if verb == "GET" and (route, verb) not in written | ELSEWHERE:
            ada.get(re.sub(r"\{\w+\}", "none", route))
            assert walk.new() == [], route
