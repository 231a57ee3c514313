"""The leak guard, clause by clause, on real mails: one hand-off that may be mended, and what must stop each mending."""

from __future__ import annotations

import time
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.examples import judge
from gateway.policy.file import ExamplePart
from gateway.policy.guard import CLAUSES, may_add
from gateway.policy.model import PolicySet
from gateway.reading.reader import Reading

ASKED = "The wall socket at my new desk has no link light. Can you help?"
SAFE: dict[str, Any] = {
    "name": "a hand-off that may be mended",
    "expect": "hit",
    "from": "Dana Cole <dana.cole@acme.example>",
    "to": ["network-team@acme.example"],
    "subject": "Fwd: No link",
    "text": "Hi all,\n\nplease take this one over. The socket is not patched.\n\nDana",
    "quoted": {"style": "forward", "from": "Rita Blom <rita.blom@acme.example>", "text": ASKED},
    "context": [
        {"from": "Rita Blom <rita.blom@acme.example>", "to": ["it-support@acme.example"], "text": ASKED},
    ],
}


def judged(policies: PolicySet, **changes: Any) -> tuple[Reading, Decision]:
    example = deepcopy(SAFE) | changes
    return judge(ExamplePart.model_validate(example), policies, policies.site)


def dropped(decision: Decision) -> Any:
    return next(finding for finding in decision.findings if finding.policy == "dropped-requester")


def test_the_safe_one_is_mended(policies: PolicySet) -> None:
    _, decision = judged(policies)
    assert decision.disposition == "rewrite"
    assert [who.address for who in decision.add_cc] == ["rita.blom@acme.example"]
    fix = dropped(decision).fix
    assert (fix.automatic, fix.possible, fix.clause, fix.why_not) == (True, True, "", "")


INTERNAL = {"from": "bob.nilsson@acme.example", "to": ["dana.cole@acme.example"],
            "text": "She breaks that socket every month with her suitcase."}  # fmt: skip

UNSAFE: list[tuple[str, dict[str, Any]]] = [
    ("bcc", {"bcc": ["rita.blom@acme.example"]}),
    ("bcc-field", {"headers": {"Bcc": "helen.brandt@acme.example"}}),
    ("grade", {"context": []}),
    ("grade", {"linked_by": "tag"}),
    ("confidential", {"headers": {"Sensitivity": "Company-Confidential"}}),
    ("confidential", {"subject": "Internal only: Fwd: No link"}),
    ("confidential", {"context": [*SAFE["context"], {**INTERNAL, "subject": "CONFIDENTIAL: Re: No link"}]}),
    ("confidential", {"context": [*SAFE["context"], {**INTERNAL, "text": "So it is.\n" * 400 + "Off the record."}]}),
    ("confidential", {"context": [*SAFE["context"], {**INTERNAL, "text": "Between us: this stays confidential."}]}),
    (
        "domain",
        {
            "quoted": {"style": "forward", "from": "jo@customer.example", "text": ASKED},
            "context": [{"from": "jo@customer.example", "to": ["it-support@acme.example"], "text": ASKED}],
        },
    ),
    # History that the gateway never saw counts as not shown to them.
    ("history", {"context": [{**SAFE["context"][0], "text": "Hello? Anybody there? Please call me about my socket."}]}),
    (
        "history",
        {
            "quoted": {**SAFE["quoted"], "text": f"{ASKED}\n\n> {INTERNAL['text']}"},
            "context": [*SAFE["context"], INTERNAL],
        },
    ),
    ("history", {"quoted": {**SAFE["quoted"], "text": "\n".join(f"{ASKED} {n} times over." for n in range(900))}}),
    ("history", {"quoted": {**SAFE["quoted"], "subject": "Dismissal of Rita Blom in May"}}),
    ("attachment", {"quoted": {**SAFE["quoted"], "style": "attached"}}),
    (
        "copied",
        {
            "text": f"Please take this one over. Bob says:\n\n{INTERNAL['text']}",
            "context": [*SAFE["context"], INTERNAL],
        },
    ),
    (
        "copied",
        {"text": f"{SAFE['text']}\n\n-- \nDana Cole\n{INTERNAL['text']}", "context": [*SAFE["context"], INTERNAL]},
    ),
]


@pytest.mark.parametrize(("clause", "changes"), UNSAFE, ids=[f"{n}-{clause}" for n, (clause, _) in enumerate(UNSAFE)])
def test_each_clause_holds_the_mail(policies: PolicySet, clause: str, changes: dict[str, Any]) -> None:
    _, decision = judged(policies, **changes)
    assert decision.disposition == "hold"
    assert len(decision.add_cc) == 1, "what a fix would add is named all the same"
    fix = dropped(decision).fix
    assert (fix.clause, fix.automatic, fix.possible) == (clause, False, True)
    assert fix.why_not and fix.why_not in decision.reason


def test_every_clause_has_a_test() -> None:
    tested = {clause for clause, _ in UNSAFE} | {"sealed", "unreadable"}
    assert tested == {clause for clause, *_ in CLAUSES}


@pytest.mark.parametrize(
    ("kind", "clause", "possible"),
    [
        (b'multipart/signed; protocol="application/pgp-signature"; boundary="b"', "sealed", False),
        (b'multipart/mixed; boundary="b"', "attachment", True),
    ],
)
def test_signed_mail_is_never_altered(policies: PolicySet, kind: bytes, clause: str, possible: bool) -> None:
    reading, decision = reread(policies, wrap(kind, b"application/pgp-signature"))
    assert decision.disposition == "hold"
    fix = dropped(decision).fix
    assert (fix.clause, fix.possible) == (clause, possible)
    assert reading.requester is not None and [who.address for who in decision.add_cc] == ["rita.blom@acme.example"]


def test_a_picture_inside_the_text_is_part_of_it(policies: PolicySet) -> None:
    _, decision = reread(policies, wrap(b'multipart/related; boundary="b"', b"image/png"))
    assert decision.disposition == "rewrite"


def test_the_other_alternative_is_looked_at_too(policies: PolicySet) -> None:
    """Plain text that is harmless, and HTML that quotes what they never got."""
    secret = b"<p>Please take this one over. The socket is not patched.</p><blockquote type=cite>%s</blockquote>"
    harmless = secret % b"The wall socket at my new desk has no link light. Can you help?"
    _, decision = reread(policies, alternative(harmless))
    assert decision.disposition == "rewrite"
    _, decision = reread(policies, alternative(secret % INTERNAL["text"].encode()))
    assert (decision.disposition, dropped(decision).fix.clause) == ("hold", "history")
    hidden = b"<p>Please take this one over. The socket is not patched.</p><p>%s</p>" % INTERNAL["text"].encode()
    _, decision = reread(policies, alternative(hidden))
    assert (decision.disposition, dropped(decision).fix.clause) == ("hold", "copied")


PAGE = b"<p>Please take this one over. The socket is not patched.</p>%s<blockquote type=cite>" + ASKED.encode()


@pytest.mark.parametrize(
    ("extra", "clause"),
    [
        (b"<div style='display:none'>%s</div>", "unreadable"),
        (b"<textarea>%s</textarea>", "unreadable"),
        (b"<svg><text>%s</text></svg>", "unreadable"),
        (b"<select><option>%s</option></select>", "unreadable"),
        (b"<object>%s</object>", "unreadable"),
        (b"<!-- %s -->", "copied"),
        (b"<!--[if mso]><p>%s</p><![endif]-->", "copied"),
        (b'<img src="cid:1" alt="%s">', "copied"),
        (b"<style>p { color: black }</style><!-- a comment of the mail program --><img alt='Logo of ACME IT'>", ""),
    ],
)
def test_words_that_only_some_clients_show(policies: PolicySet, extra: bytes, clause: str) -> None:
    reading, _ = judged(policies, context=[*SAFE["context"], INTERNAL])
    raw = alternative(PAGE % (extra.replace(b"%s", INTERNAL["text"].encode())) + b"</blockquote>")
    from gateway.mail.message import read_message
    from gateway.reading.reader import read

    decision = decide(read(read_message(raw), reading.envelope, reading.context), policies, now=reading.context.now)
    fix = dropped(decision).fix
    assert (decision.disposition, fix.clause) == (("hold", clause) if clause else ("rewrite", ""))


def test_two_long_alternatives_are_compared_in_no_time(policies: PolicySet) -> None:
    lines = [b"this is the sentence that has the number %d." % number for number in range(900)]
    page = b"<p>Please take this one over.</p>" + b"".join(b"<p>%s</p>" % line for line in lines)
    raw = alternative(page).replace(TEXT, TEXT + b"\r\n" + b"\r\n\r\n".join(lines) + b"\r\n")
    started = time.process_time()
    _, decision = reread(policies, raw)
    assert decision.findings
    assert time.process_time() - started < 1.0


def test_what_is_too_long_is_unreadable(policies: PolicySet) -> None:
    long = "> .\n" * 30_000
    reading, _ = judged(policies, text=f"{SAFE['text']}\n\n{long}")
    assert reading.facts["unreadable"].value == "longer than what is read"


def test_what_was_not_read_is_not_shown(policies: PolicySet) -> None:
    reading, _ = judged(policies)
    policy = policies.get("dropped-requester")
    assert policy is not None
    from gateway.reading.facts import Fact

    unread = replace(reading, facts=reading.facts | {"unreadable": Fact("unreadable", "too many parts")})
    assert may_add(unread, policy, policies.site).clause == "unreadable"
    assert may_add(replace(reading, body=None), policy, policies.site).clause == "unreadable"


def test_history_that_they_got_is_shown_under_any_form_of_their_address(policies: PolicySet) -> None:
    told = {
        "from": "dana.cole@acme.example",
        "to": ["Rita.Blom+work@ACME.example"],
        "text": "We look into the patching.",
    }
    quoted = {**SAFE["quoted"], "text": f"{ASKED}\n\n> We look into\n> the patching."}
    assert judged(policies, quoted=quoted, context=[*SAFE["context"], told])[1].disposition == "rewrite"
    elsewhere = {**told, "to": ["rita.bloom@acme.example"]}
    assert judged(policies, quoted=quoted, context=[*SAFE["context"], elsewhere])[1].disposition == "hold"


def test_other_domains_can_be_allowed(policies: PolicySet) -> None:
    changes = dict(UNSAFE)["domain"]
    for allowed, disposition in (("customer.example", "rewrite"), ("anybody", "rewrite"), ("other.example", "hold")):
        rules = tuple(replace(p, rewrite_for=frozenset({"internal", allowed})) for p in policies.policies)
        reading, _ = judged(policies, **changes)
        assert decide(reading, replace(policies, policies=rules), now=reading.context.now).disposition == disposition


# --- mails that an example cannot say --------------------------------------------------------------------------------


def reread(policies: PolicySet, raw: bytes) -> tuple[Reading, Decision]:
    """The safe example with other octets."""
    from gateway.mail.message import read_message
    from gateway.reading.reader import read

    safe, _ = judged(policies)
    reading = read(read_message(raw), safe.envelope, safe.context)
    return reading, decide(reading, policies, now=safe.context.now)


HEAD = (
    b"From: dana.cole@acme.example\r\nTo: network-team@acme.example\r\nSubject: Fwd: No link\r\nMIME-Version: 1.0\r\n"
    b"In-Reply-To: <context-0@example.invalid>\r\nContent-Type: %s\r\n\r\n"
)
TEXT = b"Please take this one over. The socket is not patched.\r\n\r\n> " + ASKED.encode() + b"\r\n"


def wrap(kind: bytes, second: bytes) -> bytes:
    parts = b"--b\r\nContent-Type: text/plain\r\n\r\n%s\r\n--b\r\nContent-Type: %s\r\n\r\nxx\r\n--b--\r\n" % (
        TEXT,
        second,
    )
    return HEAD % kind + parts


def alternative(html: bytes) -> bytes:
    parts = b"--b\r\nContent-Type: text/plain\r\n\r\n%s\r\n--b\r\nContent-Type: text/html\r\n\r\n%s\r\n--b--\r\n" % (
        TEXT,
        html,
    )
    return HEAD % b'multipart/alternative; boundary="b"' + parts
