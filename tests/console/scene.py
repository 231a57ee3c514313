"""A whole gateway with its console on real sockets, in a thread of its own, with mail that went through it."""

from __future__ import annotations

import asyncio
import functools
import random
import re
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx

from gateway.commands.console import parts_of
from gateway.console import passwords
from gateway.console.app import console
from gateway.console.parts import Parts
from gateway.console.server import Console
from gateway.resources import shipped
from gateway.store.accounts import Account, Role
from gateway.store.records import AuditEntry
from gateway.values import Endpoint
from tests.e2e.house import House, house, mail

T = TypeVar("T")

PASSWORD = "a long enough sentence"
PEOPLE: dict[str, tuple[Role, tuple[str, ...]]] = {
    "ada": ("admin", ()),
    "otto": ("auditor", ()),
    "rita": ("reviewer", ("it-support",)),
    "ron": ("reviewer", ("it-support",)),
    "vera": ("reviewer", ("facilities",)),
}
DANA = "dana.cole@acme.example"


@functools.cache
def hashed() -> str:
    return passwords.hash_of(PASSWORD)


@dataclass
class Scene:
    """`url` is where the console is; `parts` what it works with; `ids` the mails that were sent, by a name."""

    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    house: House = None  # type: ignore[assignment]
    parts: Parts = None  # type: ignore[assignment]
    url: str = ""
    port: int = 0

    def __enter__(self) -> Scene:
        self._loop = asyncio.new_event_loop()
        self._ready: Future[None] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="scene", daemon=True)
        self._thread.start()
        self._ready.result(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._live())
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            else:
                raise

    def _site(self) -> Path:
        """The shipped site, without its ceilings: here one agent is stopped all day long."""
        text = (shipped("policies") / "site.yaml").read_text("utf-8")
        path = self.folder / "site.yaml"
        path.write_text(re.sub(r"(?m)^(  holds_per_\w+): \d+", r"\1: null", text), "utf-8")
        return path

    async def _live(self) -> None:
        async with house(self.folder, **({"site": str(self._site())} | self.settings)) as self.house:
            service = self.house.service
            self.parts = parts_of(service.settings, service.store, service.rules, service.settling, service.letters)
            for name, (role, teams) in PEOPLE.items():
                self.parts.store.add_account(
                    Account(name, name.title(), f"{name}@acme.example", role, teams, datetime.now(UTC), hashed()),
                    "test",
                    "here",
                )
            pages = Console(console(self.parts), (Endpoint("127.0.0.1", self.port),))
            await pages.open()
            self.url = f"http://127.0.0.1:{pages.ports[0]}{self.parts.place.prefix}"
            self._ready.set_result(None)
            await self._stop.wait()
            await pages.close()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the gateway's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def send(self, name: str, raw: bytes, to: str = "jill.amory@acme.example", sender: str = DANA) -> str:
        """A mail through the gateway; its id, also in `ids`."""
        before = {row.entry.id for row in self.parts.store.audit_list(limit=1000)}
        code, text = self.do(self.house.send(sender, [to], raw))
        assert code == 250, text
        self.ids[name] = next(
            row.entry.id for row in self.parts.store.audit_list(limit=1000) if row.entry.id not in before
        )
        return self.ids[name]

    def hold(self, name: str, subject: str = "Re: Chair", text: str = "No.\n", **headers: str) -> str:
        """A mail that is held: a bare refusal."""
        to = "Jill Amory <jill.amory@acme.example>"
        headers.setdefault("message_id", f"<{name}@acme.example>")  # the same mail twice is held once
        found = self.send(name, mail(f"Dana Cole <{DANA}>", to, subject, text, **headers))
        assert self.outcome(found) == "held", self.parts.store.audit_show(found)
        return found

    def outcome(self, id: str) -> str:
        row = self.parts.store.audit_show(id)
        assert row is not None
        return row.outcome

    def history(self, id: str) -> list[str]:
        row = self.parts.store.audit_show(id)
        assert row is not None
        return [event[1] for event in row.history]

    def browser(self, name: str = "", **options: Any) -> Browser:
        """A client without scripts, logged in as somebody."""
        made = Browser(self.url, **options)
        if name:
            answer = made.log_in(name)
            assert answer.status_code == 303, answer.text
        return made

    def past(self, count: int, days: int = 28, seed: int = 7) -> None:
        """Judged mail of the last days, as the pipeline writes it down."""
        draw = random.Random(seed)
        for number in range(count):
            self.do(self.parts.store.intend(past_entry(number, draw, days)))


TEAMS = {
    "it-support": [f"agent{number}@acme.example" for number in range(8)],
    "facilities": [f"helper{number}@acme.example" for number in range(3)],
}
POLICIES = ("dropped-requester", "bare-refusal", "dismissive", "referral-without-route", "terse-reply", "no-substance")


def past_entry(number: int, draw: random.Random, days: int) -> AuditEntry:
    at = datetime.now(UTC) - timedelta(days=draw.random() * days, minutes=5)
    team = draw.choice(tuple(TEAMS))
    kind = draw.choices(("pass", "hold", "rewrite", "reject"), (80, 12, 6, 2))[0]
    policy = draw.choice(POLICIES)
    ends = {"pass": ("passed",), "rewrite": ("rewritten",), "reject": ("rejected",),
            "hold": ("fixed", "amended", "overridden", "wrong", "discarded")}  # fmt: skip
    finding = {"policy": policy, "why": "You say no, and nothing else.", "mode": "enforce",
               "evidence": [{"text": "No.", "part": "1", "start": 0, "end": 3}]}  # fmt: skip
    matter = draw.choice(("Invoice", "Chair", "VPN access", "Badge", "Printer on floor 3", "Laptop", "Parking"))
    return AuditEntry(
        id=f"past-{number:07d}", at=at, listener="smtp", peer="192.0.2.7", agent=draw.choice(TEAMS[team]), team=team,
        requester=f"person{draw.randrange(400)}@customer.example", requester_grade="observed",
        mail_from="x@acme.example", rcpt_to=(f"person{number % 400}@customer.example",),
        message_id=f"<{number}@acme.example>", subject=f"Re: {matter} {number}", size=2000 + number, sha256="0" * 64,
        lang="en", disposition=kind, reason="nothing found" if kind == "pass" else "You say no, and nothing else.",
        policy_version="0" * 16, findings=() if kind == "pass" else (finding,), facts={},
        outcome=draw.choice(ends[kind]),  # type: ignore[arg-type]
    )  # fmt: skip


class Browser:
    """What a browser does with forms, without running anything."""

    def __init__(self, url: str, **options: Any) -> None:
        self.url = url
        self.http = httpx.Client(timeout=30, **options)
        self.csrf = ""

    def get(self, path: str, **options: Any) -> httpx.Response:
        answer = self.http.get(self.url + path, **options)
        found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
        if found:
            self.csrf = found[1]
        return answer

    def post(self, path: str, csrf: str | None = None, **fields: str) -> httpx.Response:
        token = self.csrf if csrf is None else csrf
        return self.http.post(self.url + path, data={"csrf": token, **fields})

    def log_in(self, name: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        page = self.http.get(self.url + "/log-in")
        form = re.search(r'name="form" value="([^"]+)"', page.text)
        assert form, page.text
        answer = self.http.post(
            self.url + "/log-in", data={"name": name, "password": password, "form": form[1], **fields}
        )
        if answer.status_code == 303:
            self.get("/me")
        return answer

    def seen(self, id: str) -> str:
        """What the page of a held mail puts into its form."""
        found = re.search(r'name="seen" value="([^"]*)"', self.get(f"/mail/{id}").text)
        return found[1] if found else ""

    def settle(self, id: str, do: str, why: str = "asked by phone", **fields: str) -> httpx.Response:
        return self.post(f"/held/{id}/settle", do=do, why=why, seen=fields.pop("seen", self.seen(id)), **fields)
