"""Forwards of some forty client layouts in 23 locales: author, recipients, subject, date and where the body starts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from gateway.mail.message import read_message
from gateway.mail.quoting import Body, split_body
from tests.mail.clients import LAYOUTS, LOCALES, Case, Quoted, case_of, rows_of
from tests.mail.clients_html import HTML_LAYOUTS, html_case

TRAPS = yaml.safe_load(Path(__file__).with_name("traps.yaml").read_text("utf-8"))
LONG = "Screen: dark since noon, and the keyboard does not work any more either since"
# What differs from Quoted() in the forwarded mail, and what must then be read otherwise.
VARIANTS: dict[str, tuple[dict[str, str], dict[str, object]]] = {
    "plain": ({}, {}),
    "name only": ({"sender": "Jill Amory"}, {"address": ""}),
    "address only": ({"sender": "jill@acme.example"}, {"name": ""}),
    "address in brackets": ({"sender": "<jill@acme.example>"}, {"name": ""}),
    "address twice": ({"sender": "jill@acme.example <jill@acme.example>"}, {"name": ""}),
    "quoted comma": ({"sender": '"Amory, Jill" <jill@acme.example>'}, {"name": "Amory, Jill"}),
    "bare comma": ({"sender": "Amory, Jill (IT) <jill@acme.example>"}, {"name": "Amory, Jill (IT)"}),
    "single quotes": ({"sender": "'Jill Amory' <jill@acme.example>"}, {}),
    "recipients on several lines": (
        {"to": '"Romero, Kit" <kit@acme.example>,\n Lee Wong <lee@acme.example>,\n"Bob (IT)" <bob@acme.example>'},
        {
            "to": [
                ("Romero, Kit", "kit@acme.example"),
                ("Lee Wong", "lee@acme.example"),
                ("Bob (IT)", "bob@acme.example"),
            ]
        },
    ),
    "semicolons and commas": (
        {"to": "Romero, Kit <kit@acme.example>; Lee Wong <lee@acme.example>;\nBob <bob@acme.example>"},
        {"to": [("Romero, Kit", "kit@acme.example"), ("Lee Wong", "lee@acme.example"), ("Bob", "bob@acme.example")]},
    ),
    "recipients without addresses": (
        {"to": "Romero, Kit; Wong, Lee; bob@acme.example"},
        {"to": [("Romero, Kit", ""), ("Wong, Lee", ""), ("", "bob@acme.example")]},
    ),
    "no copy": ({"cc": ""}, {"cc": []}),
    "no subject": ({"subject": ""}, {"subject": ""}),
    "folded subject": ({"subject": f"{LONG}\n the last update"}, {"subject": f"{LONG} the last update"}),
    "subject with a label": ({"subject": "AW: Re: [#48213] Von: nix"}, {"subject": "AW: Re: [#48213] Von: nix"}),
    "body with labels": ({"body": "From: the shop you can see the harbour.\n\nTo: nobody."}, {}),
    "body with more labels": ({"body": "Dear team,\nTo: be honest, it is dark.\nDate: never."}, {}),
}


def body_of(text: str, subject: str = "Fwd: Screen", kind: str = "plain") -> Body:
    head = (
        "From: Dana Cole <dana.cole@acme.example>\nTo: network-team@acme.example\n"
        f"Date: Sun, 4 May 2025 09:00:00 +0200\nSubject: {subject}\nMIME-Version: 1.0\n"
        f"Content-Type: text/{kind}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    )
    return split_body(read_message((head + text).replace("\n", "\r\n").encode()))


def faults(case: Case, above: str, **wanted: object) -> list[str]:
    """What the reading of a case gets wrong, in words; nothing where all is right."""
    if "in HTML" in case.name:
        own = "".join(f"<div>{line or '<br>'}</div>" for line in above.split("\n")) if above else ""
        body = body_of(f'<html><body><div dir="ltr">{own}</div>{case.text}</body></html>', kind="html")
    else:
        body = body_of(f"{above}\n\n{case.text}" if above else case.text)
    if not body.authors:
        return [f"{case.name}: no author"]
    author = body.authors[0]
    seen: dict[str, object] = {
        "new": body.new.text,
        "name": author.mailbox.name,
        "address": author.mailbox.address,
        "to": [(each.name, each.address) for each in author.to],
        "cc": [(each.name, each.address) for each in author.cc],
        "subject": " ".join(author.subject.split()),
        "date_text": author.date_text,
        "date": author.date.replace(tzinfo=None, second=0) if author.date else None,
        "body": body.quoted_text.strip("-\n "),  # KMail closes the quote with a rule
        "forward": body.has_forward,
        "authors": len(body.authors),
    }
    return [f"{case.name}: {key} {seen[key]!r} is not {value!r}" for key, value in wanted.items() if seen[key] != value]


def wanted_of(case: Case, others: dict[str, object]) -> dict[str, object]:
    """What must be read from a case of Quoted(), with the differences of a variant."""
    wanted: dict[str, object] = {
        "name": "Jill Amory",
        "address": "jill@acme.example",
        "to": [("IT Support", "it@acme.example")],
        "cc": [("Kit Romero", "kit@acme.example"), ("", "lee@acme.example")],
        "subject": "Screen: dark since noon",
        "date_text": case.quoted.date.replace("\u202f", " ") if "in HTML" in case.name else case.quoted.date,
        "date": datetime(2025, 5, 3, 10, 2),
        "body": case.quoted.body,
        "forward": True,
        "authors": 1,
    }
    return wanted | others


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_forward_in_every_locale(layout: str, variant: str) -> None:
    changes, others = VARIANTS[variant]
    wrong = []
    for row in rows_of(LAYOUTS[layout]):
        case = case_of(layout, row, replace(Quoted(), **changes))
        wanted = wanted_of(case, others)
        wrong += faults(case, "Could you take this?\n\nDana", new="Could you take this?", **wanted)
        wrong += faults(case, "", new="", **wanted)
    assert not wrong


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "folded subject"])
@pytest.mark.parametrize("layout", HTML_LAYOUTS)
def test_html_forward_in_every_locale(layout: str, variant: str) -> None:
    changes, others = VARIANTS[variant]
    wrong = []
    for row in rows_of(HTML_LAYOUTS[layout]):
        case = html_case(layout, row, replace(Quoted(), **changes))
        wanted = wanted_of(case, others)
        wrong += faults(case, "Could you take this?\n\nDana", new="Could you take this?", **wanted)
        wrong += faults(case, "", new="", **wanted)
    assert not wrong


def test_every_locale_has_its_clients() -> None:
    assert len(LAYOUTS) > 36
    for layout in LAYOUTS:
        spoken = {row.split()[0] for row in rows_of(LAYOUTS[layout])}
        assert spoken <= LOCALES and len(spoken) > 20, layout


@pytest.mark.parametrize("outer", LAYOUTS)
def test_forward_of_a_forward(outer: str) -> None:
    """Whatever client forwards what another one has forwarded, in whatever two languages: both authors are found."""
    rows = rows_of(LAYOUTS[outer])
    for number, inner in enumerate(LAYOUTS):
        inner_rows = rows_of(LAYOUTS[inner])
        old = Quoted("Kit Romero <kit@acme.example>", "Jill <jill@acme.example>", "", "Old screen", "Is it on?\n\nKit")
        inside = case_of(inner, inner_rows[number * 5 % len(inner_rows)], old)
        quoted = Quoted(body=f"See below.\n\nJill\n\n{inside.text}".rstrip("\n"))
        case = case_of(outer, rows[number * 7 % len(rows)], quoted)
        body = body_of(f"Please take this one.\n\nDana\n\n{case.text}")
        found = [(author.mailbox.address, author.subject) for author in body.authors]
        assert found == [
            ("jill@acme.example", "Screen: dark since noon"),
            ("kit@acme.example", "Old screen"),
        ], f"{case.name} around {inside.name}"
        assert body.new.text == "Please take this one."


@pytest.mark.parametrize("subject", ["Re: Screen", "Fwd: Screen"])
@pytest.mark.parametrize("trap", TRAPS, ids=lambda text: text.split("\n")[0])
def test_what_looks_like_a_head_and_is_none(trap: str, subject: str) -> None:
    for above in ("", "Hello,\n\n"):
        body = body_of(above + trap, subject)
        assert body.authors == ()
        assert body.new.text.split() == (above + trap).split()
