"""Quotes are a help and no need: a mail whose thread the gateway saw is judged the same without them.

People who delete what they answer are the ones of whom nothing but the thread tells who asked.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.cases import Case, judge, read_case
from gateway.mail.message import read_message
from gateway.mail.quoting import split_body
from gateway.policy.loader import load_policies
from gateway.policy.model import PolicySet
from tests.evaluation.stripped import without_quotes

TESTS = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("GATEWAY_CORPUS") or TESTS.parent.parent / "shared" / "corpus") / "scenarios"
FOLDERS = [
    pytest.param(told.parent, id=f"{root.name}-{told.parent.name}")
    for root in (CORPUS, TESTS / "paraphrases")
    for told in sorted(root.glob("*/expect.json"))
    if any(json.loads(each.read_text())["seen_by_gateway"] for each in told.parent.glob("context/*.json"))
]


@pytest.fixture(scope="module")
def policies() -> PolicySet:
    top = TESTS.parent / "policies"
    return load_policies(top, None, shipped=top, run=False)


def verdict(case: Case, policies: PolicySet) -> dict[str, Any]:
    """What counts as how a case came out."""
    reading, decision = judge(case, policies)
    return {
        "findings": {finding.policy for finding in decision.enforced if not finding.exempt},
        "disposition": decision.disposition,
        "requester": reading.requester.mailbox.key if reading.requester else None,
        "add_cc": sorted(box.key for box in decision.add_cc),
        "notify_supervisor": decision.notify_supervisor,
    }


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_same_without_quotes(folder: Path, policies: PolicySet) -> None:
    case = read_case(folder)
    bare = replace(case, raw=without_quotes(case.raw))
    assert not split_body(read_message(bare.raw)).has_quote
    assert verdict(bare, policies) == verdict(case, policies)


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no scenarios in {CORPUS}; GATEWAY_CORPUS names the folder")
def test_enough_of_the_scenarios_have_a_thread_that_was_seen_and_a_quote() -> None:
    cases = [read_case(path) for param in FOLDERS if (path := param.values[0]).parent == CORPUS]  # type: ignore[union-attr]
    assert len(cases) >= 66
    assert sum(without_quotes(case.raw) != case.raw for case in cases) >= 60


HEAD = "From: Dana Cole <dana.cole@acme.example>\nSubject: {}\nMIME-Version: 1.0\n"
QUOTE = "On Mon, 2 Jun 2025 at 10:00, Rita Blom <rita.blom@acme.example> wrote:\n> Is it done?\n> Rita\n"
PAGE = (
    '<html><body><p>Nicht vor <b>Montag</b> &amp; nicht früher.</p><img src="cid:logo"><br>'
    '<div class="gmail_quote"><div class="gmail_attr">On Mon, 2 Jun 2025 at 10:00, Rita Blom '
    '&lt;<a href="mailto:rita.blom@acme.example">rita.blom@acme.example</a>&gt; wrote:<br></div>'
    '<blockquote class="gmail_quote"><p>Is it <i>done</i>?</p></blockquote></div></body></html>'
)


def mail(body: str, *fields: str, subject: str = "Re: It", charset: str = "utf-8") -> bytes:
    head = HEAD.format(subject) + "".join(f"{field}\n" for field in fields)
    return f"{head}\n{body}".replace("\n", "\r\n").encode(charset)


def texts(raw: bytes) -> list[str]:
    return [part.text or "" for part in read_message(raw).parts if part.is_text]


def test_plain_text_without_its_quote() -> None:
    raw = mail(f"Not before Monday.\n\n{QUOTE}", "Content-Type: text/plain; charset=utf-8")
    assert without_quotes(raw) == raw.partition(b"\r\n\r\nOn Mon")[0] + b"\r\n"


def test_answers_between_quotes_stay() -> None:
    raw = mail(f"{QUOTE}\nNot before Monday.\n\n> And the key?\n\nRita has it.\n")
    assert texts(without_quotes(raw)) == ["Not before Monday.\n\nRita has it.\n"]


def test_a_forwarded_mail_goes_with_its_head() -> None:
    original = "-----Original Message-----\nFrom: Rita Blom <rita.blom@acme.example>\nTo: a@b.example\nSubject: It\n"
    raw = mail(f"Yours please.\n\n{original}\nIs it done?\n", subject="FW: It")
    assert texts(without_quotes(raw)) == ["Yours please.\n"]


def test_flowed_lines_go_whole() -> None:
    quote = QUOTE.replace("> Is it done?", "> Is it \n> done?")
    raw = mail(f"Not before \nMonday.\n\n{quote}", "Content-Type: text/plain; format=flowed")
    assert texts(without_quotes(raw)) == ["Not before \nMonday.\n"]


@pytest.mark.parametrize("encoding", ["8bit", "quoted-printable", "base64"])
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_html_keeps_its_own_elements_in_every_encoding(encoding: str, charset: str) -> None:
    import base64
    import quopri

    octets = PAGE.encode(charset)
    if encoding == "base64":
        octets = base64.encodebytes(octets)
    elif encoding == "quoted-printable":
        octets = quopri.encodestring(octets)
    fields = (f"Content-Type: text/html; charset={charset}", f"Content-Transfer-Encoding: {encoding}")
    raw = mail("", *fields) + octets.replace(b"\n", b"\r\n")
    (text,) = texts(without_quotes(raw))
    assert text.rstrip() == (
        '<html><body><p>Nicht vor <b>Montag</b> &amp; nicht früher.</p><img src="cid:logo"><br></body></html>'
    )


def test_both_alternatives_lose_theirs_and_all_else_stays() -> None:
    parts = (
        f"--b\nContent-Type: text/plain\n\nNot before Monday.\n\n{QUOTE}\n"
        f"--b\nContent-Type: text/html; charset=utf-8\n\n{PAGE}\n"
    )
    file = "--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\n> kept\n--b--\n"
    raw = mail(parts + file, 'Content-Type: multipart/alternative; boundary="b"', "X-Kept:   as  it is")
    bare = without_quotes(raw)
    assert bare.partition(b"\r\n\r\n")[0] == raw.partition(b"\r\n\r\n")[0]
    assert bare.endswith(file.replace("\n", "\r\n").encode())
    assert b"Rita" not in bare and b"Is it" not in bare
    assert "Nicht vor <b>Montag</b>" in texts(bare)[1]


def test_a_mail_without_quotes_stays_as_it_is() -> None:
    raw = mail("Not before Monday.   \n\n-- \nDana\n\n\n")
    assert without_quotes(raw) == raw
