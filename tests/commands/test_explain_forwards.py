"""`explain --json` on forwards: an agent passes a customer's mail on, and the customer is the requester."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commands.conftest import Run
from tests.mail.clients import LAYOUTS, Quoted, case_of, rows_of
from tests.mail.clients_html import HTML_LAYOUTS, html_case

HEAD = (
    "From: Dana Cole <dana.cole@acme.example>\nTo: network-team@acme.example\nDate: Mon, 5 May 2025 09:00:00 +0200\n"
    "Subject: Screen\nMIME-Version: 1.0\nContent-Type: text/{}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
)
CUSTOMER = Quoted(sender="Jill Amory <jill.amory@customer.example>")


def test_whoever_wrote_the_forwarded_mail_is_the_requester(run: Run, tmp_path: Path) -> None:
    """Each layout of each client once, its locale another each time, the author quoted by a colleague now and then."""
    paths = []
    for number, layout in enumerate([*LAYOUTS, *HTML_LAYOUTS]):
        html = number >= len(LAYOUTS)
        rows = rows_of((HTML_LAYOUTS if html else LAYOUTS)[layout])
        case = (html_case if html else case_of)(layout, rows[number * 5 % len(rows)], CUSTOMER)
        own = "<p>Could you take this?</p>" if html else "Could you take this?\n\n"
        path = tmp_path / f"{number:02}.eml"
        path.write_bytes((HEAD.format("html" if html else "plain") + own + case.text).replace("\n", "\r\n").encode())
        paths.append(str(path))
    result = run("explain", "--json", *paths)
    told = [json.loads(line) for line in result.out.splitlines()]
    assert len(told) == len(paths)
    for each in told:
        assert each["requester"] is not None, each["path"]
        assert each["requester"]["address"] == "jill.amory@customer.example"
        assert each["requester"]["name"] == "Jill Amory"
        assert each["requester"]["grade"] == "quoted"
        assert "requester_absent" in each["facts"]
        assert all("Jill" in span["text"] for span in each["requester"]["evidence"])
