"""The log in the browser: filters, pages by key, exports, and that all of it is written down."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

import pytest

from gateway.console.filters import WrongFilter, read_filters, read_mark, write_mark
from gateway.store.accounts import CONSOLE
from tests.console.scene import DANA, Browser, Scene, mail

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def past(scene: Scene) -> Scene:
    scene.past(160)
    return scene


@pytest.fixture(scope="module")
def otto(past: Scene) -> Browser:
    return past.browser("otto")


def ids(text: str) -> list[str]:
    return re.findall(r'href="/mail/([^"]+)"', text)


def link(text: str, words: str) -> str:
    found = re.search(rf'href="([^"]+)"[^>]*>{words}<', text)
    return found[1].replace("&amp;", "&") if found else ""


def test_pages_by_key_there_and_back(past: Scene, otto: Browser) -> None:
    pages, path = [], "/log"
    while path:
        text = otto.get(path).text
        pages.append(ids(text))
        path = link(text, "Older")
    every = [line.id for line in past.parts.store.look(read_filters({}, UTC, None), limit=1000)]
    assert list(chain(*pages)) == every and [len(page) for page in pages][:3] == [50, 50, 50]
    text = otto.get(path or "/log").text
    text = otto.get(link(text, "Older")).text
    second = ids(text)
    text = otto.get(link(text, "Older")).text
    back = otto.get(link(text, "Newer")).text
    assert ids(back) == second
    assert ids(otto.get(link(back, "Newer")).text) == pages[0]


def test_a_page_stays_as_it_is_when_mail_comes(past: Scene, otto: Browser) -> None:
    older = link(otto.get("/log").text, "Older")
    before = ids(otto.get(older).text)
    past.hold("meanwhile")
    assert ids(otto.get(older).text) == before


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("person=agent1@acme.example", lambda e: e.agent == "agent1@acme.example"),
        ("person=AGENT1@acme.example", lambda e: e.agent == "agent1@acme.example"),
        ("person=agent", lambda e: e.agent.startswith("agent")),
        ("person=person1", lambda e: e.requester.startswith("person1")),
        ("subject=laptop", lambda e: "laptop" in e.subject.lower()),
        ("subject=%25", lambda e: False),
        ("subject=_", lambda e: False),
        ("policy=dismissive", lambda e: any(f["policy"] == "dismissive" for f in e.findings)),
        ("disposition=reject", lambda e: e.disposition == "reject"),
        ("team=facilities", lambda e: e.team == "facilities"),
        ("override=1", lambda e: e.outcome in ("overridden", "wrong")),
        ("team=it-support&disposition=hold&subject=chair",
         lambda e: e.team == "it-support" and e.disposition == "hold" and "chair" in e.subject.lower()),
        ("person=agent2@acme.example&policy=terse-reply",
         lambda e: e.agent == "agent2@acme.example" and any(f["policy"] == "terse-reply" for f in e.findings)),
    ],
)  # fmt: skip
def test_filters_find_what_fits_and_nothing_else(past: Scene, otto: Browser, query: str, fits: object) -> None:
    rows = past.parts.store.audit_list(limit=1000)
    wanted = {row.entry.id for row in rows if fits(row.entry)}  # type: ignore[operator]
    found: list[str] = []
    path = f"/log?{query}"
    while path:
        text = otto.get(path).text
        found += ids(text)
        path = link(text, "Older")
    assert set(found) == wanted and len(found) == len(wanted)


def test_days_are_those_of_the_site() -> None:
    found = read_filters({"from": "2026-03-29", "to": "2026-03-29"}, BERLIN, None)
    assert found.since == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert found.until == datetime(2026, 3, 29, 22, tzinfo=UTC), "the day on which the clock goes forward has 23 hours"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"from": "yesterday"}, "from"), ({"from": "2026-02-30"}, "from"), ({"to": "20261130"}, "to"),
        ({"from": "0001-01-01"}, "from"), ({"to": "9999-12-31"}, "to"), ({"from": "２０２６-01-01"}, "from"),
        ({"from": "2026-11-30", "to": "2026-11-01"}, "to"), ({"disposition": "explode"}, "disposition"),
        ({"override": "yes"}, "override"), ({"person": "@acme.example"}, "person"),
    ],
)  # fmt: skip
def test_a_wrong_filter(otto: Browser, given: dict[str, str], field: str) -> None:
    with pytest.raises(WrongFilter) as wrong:
        read_filters(given, UTC, None)
    assert wrong.value.field == field
    answer = otto.http.get(otto.url + "/log", params=given)
    assert answer.status_code == 400 and 'role="alert"' in answer.text and "Without filters" in answer.text


@pytest.mark.parametrize("mark", ["x", "~", "20261130T000000.0~", "20261130T000000.0~\u00e4", "99999999T999999.9~a"])
def test_a_wrong_page(otto: Browser, mark: str) -> None:
    with pytest.raises(WrongFilter):
        read_mark(mark, "older")
    assert otto.http.get(otto.url + "/log", params={"older": mark}).status_code == 400


def test_marks_come_back() -> None:
    mark = (datetime(2026, 11, 20, 9, 0, 0, 123456, tzinfo=UTC), "1a2b-3c")
    assert read_mark(write_mark(mark), "older") == mark and read_mark("", "older") is None


def test_searches_are_written_down_and_plain_looks_are_not(past: Scene, otto: Browser) -> None:
    otto.get("/log?subject=badge&team=facilities")
    newest = past.parts.store.noted(CONSOLE, 1)[0]
    assert newest[1] == "searched" and newest[3] == "otto" and newest[2].startswith("subject=badge, team=facilities")
    otto.get("/log")
    assert past.parts.store.noted(CONSOLE, 1)[0] == newest


def test_export(past: Scene, otto: Browser) -> None:
    otto.get("/log")
    answer = otto.post("/log/export", format="jsonl", team="facilities")
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-disposition"].startswith('attachment; filename="gateway-log-')
    assert rows and {row["team"] for row in rows} == {"facilities"}
    assert {(each["schema"], each["kind"]) for each in rows} == {("referral-gateway/log/1", "decision")}
    table = list(csv.DictReader(io.StringIO(otto.post("/log/export", format="csv", team="facilities").text)))
    assert [row["about"] for row in table] == [row["about"] for row in rows]
    word, detail, by, origin = past.parts.store.noted(CONSOLE, 1)[0][1:]
    assert (word, by, origin) == ("exported", "otto", "console from 127.0.0.1") and detail.startswith(
        "csv: team=facilities"
    )


def test_no_export_has_the_words_of_confidential_mail(past: Scene, otto: Browser) -> None:
    id = past.send("secret", mail(DANA, "hr@acme.example", "About Jill's warning", "Not yet, sorry.\n"))
    for form in ("jsonl", "csv"):
        text = otto.post("/log/export", format=form, person="dana.cole@acme.example").text
        assert id in text and "warning" not in text and "hr@acme" not in text and "(confidential)" in text


def test_no_link_tells_that_confidential_words_are_there(past: Scene, otto: Browser) -> None:
    """A link to another page, from a place before all mail, would answer "is there a mail with this word"."""
    past.send("secret", mail(DANA, "hr@acme.example", "About Jill's warning", "Not yet, sorry.\n"))
    query = "newer=20000101T000000.000000~a"
    assert "&amp;older=" in otto.get(f"/log?subject=badge&{query}").text
    assert past.parts.store.noted(CONSOLE, 1)[0][2] == "subject=badge, another page"
    for word in ("warning", "absent"):
        assert "&amp;older=" not in otto.get(f"/log?subject={word}&{query}").text


def test_an_export_of_nothing(past: Scene, otto: Browser) -> None:
    before = past.parts.store.noted(CONSOLE, 1)[0]
    answer = otto.post("/log/export", format="csv", person="nobody@nowhere.example")
    assert answer.status_code == 404 and "Nothing to export" in answer.text and "attachment" not in str(answer.headers)
    assert past.parts.store.noted(CONSOLE, 1)[0] == before
    assert otto.post("/log/export", format="xls").status_code == 400
    assert otto.post("/log/export", format="csv", **{"from": "never"}).status_code == 400


def test_a_cell_is_no_formula(past: Scene, otto: Browser) -> None:
    past.send("formula", mail(DANA, "jill.amory@acme.example", '=HYPERLINK("http://x","y")', "Here you are.\n"))
    table = list(csv.DictReader(io.StringIO(otto.post("/log/export", format="csv", subject="HYPERLINK").text)))
    assert table[0]["subject"].startswith("'=")


def test_the_overview_counts_what_there_is_and_nobody_alone(past: Scene, otto: Browser) -> None:
    text = otto.get("/?days=90").text
    assert re.search(r"IT Support</th><td class=\"n\">\d+", text)
    assert re.search(r"facilities</th><td class=\"n\"><span class=\"muted\">too few people", text), "three people"
    assert "agent1@" not in text and "dana" not in text
    assert otto.get("/?days=31").status_code == 400


def test_a_long_log_of_one_moment(past: Scene) -> None:
    """Mails of the same microsecond are parted by their ids: none is shown twice, none left out."""
    import random
    from dataclasses import replace

    from tests.console.scene import past_entry

    at = datetime.now(UTC) - timedelta(days=200)
    for number in range(30):
        entry = past_entry(number, random.Random(number), 1)
        past.do(past.parts.store.intend(replace(entry, id=f"same-{number:02d}", at=at)))
    filters = read_filters({"to": (at + timedelta(days=1)).date().isoformat()}, UTC, None)
    found, mark = [], None
    while lines := past.parts.store.look(filters, older=mark, limit=7):
        found += [line.id for line in lines]
        mark = lines[-1].mark
    assert found == [f"same-{number:02d}" for number in range(29, -1, -1)]
