"""One request of one reader: who they are, how they are spoken to, and the answers that pages give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.console.access import allowed
from gateway.console.texts import Words
from gateway.store.accounts import Account, Session

if TYPE_CHECKING:
    from gateway.console.parts import Parts


class Refused(Exception):
    """The answer is a page that says why, and that nothing was done. `key` names its words in error.html."""

    def __init__(self, status: int, key: str, detail: str = "", *, back: str = "") -> None:
        super().__init__(f"{status} {key} {detail}")
        self.status, self.key, self.detail, self.back = status, key, detail, back


@dataclass
class Visit:
    """What a page is given. `form` is read and its token checked; `where` is the browser's address."""

    parts: Parts
    request: Request
    words: Words
    now: datetime
    where: str
    session: Session | None = None
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        """Whoever is logged in; only for pages that need somebody to be."""
        assert self.session is not None
        return self.session.account

    @property
    def origin(self) -> str:
        """From where, for the log."""
        return f"console from {self.where}"

    def said(self, name: str, most: int = 500) -> str:
        """A field of the form, without blanks around it."""
        return self.form.get(name, "").strip()[:most]

    def asked(self, name: str, most: int = 300) -> str:
        """A parameter of the address."""
        return self.request.query_params.get(name, "").strip()[:most]

    def can(self, route: str, verb: str) -> bool:
        return allowed(route, verb, self.session.account.role if self.session else None)

    def href(self, *segments: str, **query: str) -> str:
        """The address of a page of ours."""
        asked = {name: value for name, value in query.items() if value}
        return self.parts.place.path(*segments) + (f"?{urlencode(asked)}" if asked else "")

    @property
    def local(self) -> str:
        """This page without our prefix, to come back to."""
        path = str(self.request.scope["path"])
        if self.request.method not in ("GET", "HEAD") or path.startswith("/log-in/"):  # nothing to come back to
            return "/"
        query = self.request.url.query
        return path + (f"?{query}" if query else "")

    def note(self, subject: str, outcome: str, detail: str = "") -> None:
        """Write down what the reader did. Blocks. What cannot be written down is not done."""
        self.parts.store.note(subject, outcome, detail, self.account.name, self.now, self.origin)

    def page(self, template: str, *, status: int = 200, **variables: Any) -> Response:
        """A page of ours. Blocks for as long as it takes to write it."""
        given = {
            "visit": self,
            "words": self.words,
            "me": self.session.account if self.session else None,
            "csrf": self.session.csrf if self.session else "",
            "href": self.href,
            "done": self.asked("done"),
            "now": self.now,
            "status": status,
        }
        text = self.parts.template(template, self.words.language).render(given | variables)
        return HTMLResponse(text, status, headers={"content-language": self.words.language})

    def go(self, *segments: str, **query: str) -> Response:
        """Show another page; after a form, so that a reload does nothing twice."""
        return RedirectResponse(self.href(*segments, **query), 303)
