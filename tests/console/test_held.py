"""Held mail settled in a browser: by the same code as an answer by mail, once, with a reason."""

from __future__ import annotations

import threading
import time

import pytest

from gateway.mail.message import read_message
from tests.console.scene import Browser, Scene

WAIT = 10.0


@pytest.fixture(scope="module")
def rita(scene: Scene) -> Browser:
    return scene.browser("rita")


def ended(scene: Scene, id: str, word: str) -> None:
    until = time.monotonic() + WAIT
    while scene.outcome(id) != word and time.monotonic() < until:
        time.sleep(0.05)
    assert scene.outcome(id) == word, scene.history(id)


def arrivals(scene: Scene, message_id: str) -> int:
    return sum(read_message(mail.raw).message_id == message_id for mail in scene.house.sink.messages)


def test_send_as_it_is(scene: Scene, rita: Browser) -> None:
    id = scene.hold("send", message_id="<send@acme.example>")
    answer = rita.settle(id, "send", "she has it by phone")
    assert answer.status_code == 303 and answer.headers["location"] == f"/mail/{id}?done=send"
    ended(scene, id, "overridden")
    assert arrivals(scene, "<send@acme.example>") == 1
    row = scene.parts.store.audit_show(id)
    assert row and ("approved", "send: she has it by phone", "rita (console)") in [event[1:] for event in row.history]
    page = rita.get(f"/mail/{id}").text
    assert "she has it by phone" in page and "rita (console)" in page


def test_discard(scene: Scene, rita: Browser) -> None:
    id = scene.hold("discard", message_id="<discard@acme.example>")
    assert rita.settle(id, "discard").status_code == 303
    ended(scene, id, "discarded")
    assert rita.settle(id, "send", "after all").status_code == 303
    ended(scene, id, "overridden")
    assert arrivals(scene, "<discard@acme.example>") == 1


def test_a_false_stop(scene: Scene, rita: Browser) -> None:
    id = scene.hold("wrong")
    assert rita.settle(id, "wrong").status_code == 303
    ended(scene, id, "wrong")


def test_words_go_in_and_are_judged_again(scene: Scene, rita: Browser) -> None:
    id = scene.hold("amend", message_id="<amend@acme.example>")
    empty = rita.settle(id, "amend")
    assert empty.status_code == 400 and "words are missing" in empty.text
    no_date = rita.settle(id, "amend", eta="whenever")
    assert no_date.status_code == 409 and "still waits" in no_date.text
    assert scene.outcome(id) == "held"
    reason = "the chairs of that model are no longer made"
    assert rita.settle(id, "amend", reason=reason).status_code == 303
    ended(scene, id, "amended")
    sent = next(m.raw for m in scene.house.sink.messages if read_message(m.raw).message_id == "<amend@acme.example>")
    assert reason.encode() in sent


@pytest.mark.parametrize("why", ["", "   ", "\n\t"])
def test_a_reason_is_needed(scene: Scene, rita: Browser, why: str) -> None:
    id = scene.ids.get("reason") or scene.hold("reason")
    answer = rita.settle(id, "send", why)
    assert answer.status_code == 400 and "A reason is missing" in answer.text and scene.outcome(id) == "held"


@pytest.mark.parametrize("do", ["", "release", "amend\x00", "SEND", "unclear"])
def test_an_unknown_action(scene: Scene, rita: Browser, do: str) -> None:
    id = scene.ids.get("unknown") or scene.hold("unknown")
    assert rita.settle(id, do).status_code == 400 and scene.outcome(id) == "held"


def test_a_fix_that_there_is_not(scene: Scene, rita: Browser) -> None:
    id = scene.hold("no-fix")
    answer = rita.settle(id, "fix")
    assert answer.status_code == 409 and "no fix" in answer.text and scene.outcome(id) == "held"


def test_a_stale_page(scene: Scene, rita: Browser) -> None:
    id = scene.hold("stale", message_id="<stale@acme.example>")
    seen = rita.seen(id)
    assert rita.settle(id, "discard").status_code == 303
    late = rita.settle(id, "send", seen=seen)
    assert late.status_code == 409 and "changed meanwhile" in late.text
    assert scene.outcome(id) == "discarded" and arrivals(scene, "<stale@acme.example>") == 0


def test_two_reviewers_at_once(scene: Scene, rita: Browser) -> None:
    """Both have the page open and press at the same time: one is told that the other was faster, one mail goes out."""
    id = scene.hold("two", message_id="<two@acme.example>")
    browsers = [scene.browser("rita"), scene.browser("ron")]
    seen = [browser.seen(id) for browser in browsers]
    codes: list[int] = []
    barrier = threading.Barrier(2)

    def press(browser: Browser, page: str) -> None:
        barrier.wait(10)
        codes.append(browser.settle(id, "send", seen=page).status_code)

    threads = [threading.Thread(target=press, args=each) for each in zip(browsers, seen, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(codes) == [303, 409]
    ended(scene, id, "overridden")
    assert arrivals(scene, "<two@acme.example>") == 1 and scene.history(id).count("approved") == 1


def test_taking_on(scene: Scene, rita: Browser) -> None:
    id = scene.hold("claim")
    ron = scene.browser("ron")
    assert rita.post(f"/held/{id}/claim", what="take").status_code == 303
    assert "You look after it" in rita.get(f"/mail/{id}").text
    assert "rita looks after it" in ron.get(f"/mail/{id}").text and "rita" in ron.get("/held").text
    refused = ron.post(f"/held/{id}/settle", do="send", why="x", seen="held.0.")
    assert refused.status_code == 409 and "Somebody else looks after" in refused.text
    assert ron.post(f"/held/{id}/claim", what="take").status_code == 409
    assert ron.post(f"/held/{id}/claim", what="over", over="ada").status_code == 409, "it was not ada's"
    assert ron.post(f"/held/{id}/claim", what="over", over="rita").status_code == 303
    assert rita.post(f"/held/{id}/settle", do="send", why="x", seen="held.0.").status_code == 409
    assert ron.post(f"/held/{id}/claim", what="back").status_code == 303
    assert rita.post(f"/held/{id}/claim", what="nonsense").status_code == 400
    assert [word for word in scene.history(id) if "claimed" in word] == ["claimed", "claimed", "unclaimed"]
    assert scene.outcome(id) == "held"


def test_auditors_look_and_settle_nothing(scene: Scene) -> None:
    id = scene.hold("look")
    otto = scene.browser("otto")
    page = otto.get(f"/mail/{id}").text
    assert "/settle" not in page and "reviewers settle" in page
    assert otto.post(f"/held/{id}/settle", do="send", why="x", seen="held.0.").status_code == 403
    assert "viewed" in scene.history(id) and scene.outcome(id) == "held"


def test_confidential_mail_is_for_admins(scene: Scene) -> None:
    id = scene.hold("secret", subject="Re: Severance of J.", text="No.\n", Sensitivity="Company-Confidential")
    for name in ("rita", "otto"):
        browser = scene.browser(name)
        page = browser.get(f"/mail/{id}").text
        assert "Only admins" in page and "Severance" not in page and "mailtext" not in page
        assert "Severance" not in browser.get("/held").text and "Severance" not in browser.get("/log").text
        assert id not in browser.get("/log?subject=Severance").text, "nor found by its words"
        assert browser.get(f"/mail/{id}/html").status_code == 404
    assert scene.browser("rita").post(f"/held/{id}/settle", do="send", why="x", seen="held.0.").status_code == 403
    ada = scene.browser("ada")
    assert "Severance" in ada.get(f"/mail/{id}").text and ada.settle(id, "discard").status_code == 303
