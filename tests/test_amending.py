"""What a held mail goes out with: reviewed octets only, changes that go together, and what was judged is what goes."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.amending import CannotRelease, addresses, make_ready, plan_of, without_size
from gateway.mail.amend import CannotAmend
from gateway.store.records import Hold, NewHold

RAW = b"From: Dana <dana@acme.example>\r\nTo: net@acme.example\r\nSubject: x\r\n\r\nNo.\r\n\r\n-- \r\nDana\r\n"
NOW = datetime(2026, 5, 11, 8, 0, tzinfo=UTC)


def hold(raw: bytes = RAW, **changes: Any) -> Hold:
    new = NewHold(
        id="m1", at=NOW, agent="dana@acme.example", raw=b"", sha256=hashlib.sha256(raw).hexdigest(),
        mail_from=b"<dana@acme.example> SIZE=99 RET=HDRS", rcpt_to=(b"<net@acme.example> NOTIFY=NEVER",),
        fix={"add_cc": [{"address": "mary@acme.example", "name": "Mary"}], "possible": True, "why_not": ""},
        token_hash="", may_settle=(), deadline=NOW, body_type={"received": "Received: x\r\n"},
    )  # fmt: skip
    return dataclasses.replace(Hold(new, "releasing", "x", raw), **changes)


def test_as_it_is_means_every_octet() -> None:
    for action in ("send", "note", "consult", "wrong"):
        ready = make_ready(hold(action=action))
        assert ready.raw == b"Received: x\r\n" + RAW and ready.rcpt_to == (b"<net@acme.example> NOTIFY=NEVER",)
        assert ready.mail_from == b"<dana@acme.example> RET=HDRS"


def test_the_fix_and_words_go_together() -> None:
    plan = plan_of(hold(), "The reason: we moved.", fix=True)
    ready = make_ready(hold(action="amend", plan=plan))
    assert b"Cc: Mary <mary@acme.example>\r\n" in ready.raw and b"No.\r\n\r\nThe reason: we moved.\r\n" in ready.raw
    assert ready.rcpt_to[1:] == (b"<mary@acme.example>",)


def test_what_was_not_reviewed_does_not_go() -> None:
    with pytest.raises(CannotRelease, match="not the one that was reviewed"):
        make_ready(dataclasses.replace(hold(action="send"), raw=RAW + b"x"))
    with pytest.raises(CannotRelease, match="not the one that was reviewed"):
        make_ready(dataclasses.replace(hold(action="send"), raw=None))


def test_what_was_not_judged_does_not_go() -> None:
    plan = plan_of(hold(), "The reason: we moved.", fix=False)
    with pytest.raises(CannotRelease, match="not the one that was judged"):
        make_ready(hold(action="amend", plan=plan | {"words": "Something else."}))


def test_what_cannot_be_edited_is_refused_in_words() -> None:
    signed = RAW.replace(b"Subject:", b"DKIM-Signature: v=1; d=x; b=y\r\nSubject:")
    with pytest.raises(CannotAmend):
        plan_of(hold(signed), "The reason: we moved.", fix=False)
    with pytest.raises(CannotRelease, match="cannot be set into it"):
        make_ready(hold(signed, action="amend", plan={"words": "x"}))
    with pytest.raises(CannotRelease, match="Cc header cannot be edited"):
        make_ready(hold(RAW.replace(b"Subject:", b"Cc: a@x\r\nCc: b@x\r\nSubject:"), action="fix"))


def test_paths_are_read_to_their_own_bracket() -> None:
    assert addresses((b"<a@x> NOTIFY=NEVER", b'<"a> b"@x>', b"junk")) == ["a@x", '"a> b"@x']
    assert without_size(b'<"SIZE=1 a"@x> size=3 BODY=8BITMIME') == b'<"SIZE=1 a"@x> BODY=8BITMIME'
