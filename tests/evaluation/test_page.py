"""The page: whole, safe to open anywhere, and as usable by keyboard and ear as by eye."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import gateway.cases
from gateway.reading.reader import Reading
from tests.commands.conftest import Run, home, run
from tests.evaluation.conftest import row

__all__ = ["home", "run"]

Paged = Callable[..., str]
VOID = {"meta", "link", "img", "br", "hr", "input", "wbr"}


@pytest.fixture
def paged(run: Run, tmp_path: Path) -> Paged:
    def made(*paths: Path) -> str:
        page = tmp_path / "page.html"
        assert run("evaluate", *paths, "--html", page).code == 0
        return page.read_text("utf-8")

    return made


def written(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), "utf-8")
    return path


class Outline(HTMLParser):
    """Every element with its attributes; what is not closed in its order is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_all_of_it_is_well_formed_and_every_link_leads_somewhere(
    paged: Paged, labelled: Path, threads: Path, ordinary: Path
) -> None:
    outline = Outline(paged(labelled, threads, ordinary))
    ids = [attributes["id"] for _, attributes in outline.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = {href[1:] for each in outline.all("a") if (href := each["href"]) is not None}
    named |= {name for _, each in outline.found if (name := each.get("aria-labelledby"))}
    assert named <= set(ids)
    assert {"c1", "c2", "c3"} <= named  # the table of contents
    assert all(re.fullmatch(r"[a-z0-9-]+", id or "") for id in ids)


def test_headings_captions_and_scopes(paged: Paged, labelled: Path) -> None:
    html = paged(labelled)
    outline = Outline(html)
    levels = [int(tag[1]) for tag, _ in outline.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(outline.all("caption")) == len(outline.all("table")) > 0
    assert all(each.get("scope") in ("col", "row") for each in outline.all("th"))
    assert all(each.get("aria-label") for each in outline.all("svg"))
    assert all(each.get("tabindex") == "0" for _, each in outline.found if "card" in (each.get("class") or ""))


def test_nothing_from_outside_and_a_strict_policy(paged: Paged, labelled: Path) -> None:
    html = paged(labelled)
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" in html
    assert "unsafe-inline" not in html
    outline = Outline(html)
    for tag, attributes in outline.found:
        assert tag not in ("script", "link", "img", "iframe", "form", "object")
        assert "style" not in attributes and "src" not in attributes
        assert not any(name.startswith("on") for name in attributes)
    assert "http://" not in html and "https://" not in html and "url(" not in html


def test_text_of_mail_is_only_text(paged: Paged, tmp_path: Path) -> None:
    hostile = "No, we can't do that. <script>alert(1)</script></style><img src=x onerror=alert(1)>"
    odd = row('"><script>x', hostile, selection="candidate", lang="<i>")
    odd["previous_question"] = "<script>ask</script>"
    odd["evidence"] = {"refusal": "<b>elsewhere</b>"}
    html = paged(written(tmp_path / "<b>.jsonl", odd, row("half\ud800", "No \ud83d\x00.", _bare_refusal=True)))
    assert "<script" not in html and "<img" not in html and "<i>" not in html and html.count("</style>") == 1
    assert "&lt;script&gt;alert(1)" in html and "\x00" not in html and "half\ufffd" in html
    Outline(html)


def test_every_line_of_mail_runs_in_its_own_direction(paged: Paged, tmp_path: Path) -> None:
    html = paged(written(tmp_path / "a.jsonl", row("a", "\u05dc\u05d0.\nSo what", _bare_refusal=True)))
    assert '<dd class="mail" dir="auto">\u05dc\u05d0.' in html
    assert re.search(r"\.mail \{[^}]*unicode-bidi: plaintext", html)


def test_a_miss_stands_beside_its_text_and_what_was_read(paged: Paged, labelled: Path) -> None:
    html = paged(labelled)
    (missed,) = re.findall(r'<article id="c1-policy-bare-refusal-miss-1">.*?</article>', html, re.DOTALL)
    assert '<a href="#c1-policy-bare-refusal-miss-1"><bdi>bare-missed</bdi></a>' in missed
    assert "Could you move the printer to room 12, please?" in missed and "The printer is grey." in missed
    assert "<dt>Label</dt><dd>bare-refusal, refusal</dd>" in missed and "<dt>Gateway</dt><dd>pass" in missed
    (alarm,) = re.findall(r'<article id="c1-policy-bare-refusal-false-stop-1">.*?</article>', html, re.DOTALL)
    assert re.search(r'<mark class="ours">No', alarm) and re.search(r"refusal [^<]*<q dir=\"auto\">No", alarm)


def test_a_long_text_says_that_it_is_cut(paged: Paged, tmp_path: Path) -> None:
    html = paged(written(tmp_path / "a.jsonl", row("a", "So what. " * 1_000, _bare_refusal=True)))
    assert "… 7,000 more characters" in html and len(html) < 40_000


def test_two_thousand_misses_make_a_page_that_can_be_sent(
    paged: Paged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are the same, and read once: what is asked is how large a page they make."""
    real, once = gateway.cases.read, list[Reading]()

    def read(*given: Any) -> Reading:
        if not once:
            once.append(real(*given))
        return once[0]

    monkeypatch.setattr(gateway.cases, "read", read)
    rows = [row(f"a{number}", "Done.", _bare_refusal=True) for number in range(2_000)]
    assert len(paged(written(tmp_path / "a.jsonl", *rows))) < 2_500_000


def test_corpora_of_one_name_are_told_apart(paged: Paged, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    html = paged(*(written(tmp_path / name / "a.jsonl", row("a", "Done.")) for name in ("one", "two")))
    assert "<bdi>one/a.jsonl</bdi>" in html and "<bdi>two/a.jsonl</bdi>" in html


def test_the_curve_sweeps_made_up_confidences(
    run: Run, paged: Paged, labelled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal of each mail is as sure as its place in the corpus says: the finding is no surer than it."""
    real, sure = gateway.cases.read, iter([0.9, 0.7, 0.6])

    def unsure(*given: Any) -> Reading:
        reading = real(*given)
        if "refusal" in reading.facts and "reason" not in reading.facts:
            reading.facts["refusal"] = replace(reading.facts["refusal"], confidence=next(sure))
        return reading

    monkeypatch.setattr(gateway.cases, "read", unsure)
    rows = [json.loads(line) for line in labelled.read_text("utf-8").splitlines()]
    rows[2]["selection"] = "random"
    ran = run("evaluate", "--json", written(labelled, *rows))
    points = json.loads(ran.out)["curves"]["bare-refusal"]
    assert points == [
        {"threshold": 0.9, "recall": pytest.approx(1 / 3), "false_stops": 0.0, "shipped": False},
        {"threshold": 0.7, "recall": pytest.approx(1 / 3), "false_stops": pytest.approx(1 / 3), "shipped": False},
        {"threshold": 0.6, "recall": pytest.approx(2 / 3), "false_stops": pytest.approx(1 / 3), "shipped": True},
    ]
    sure = iter([0.9, 0.7, 0.6])
    html = paged(labelled)
    assert "recall 66.7\N{NO-BREAK SPACE}%, false stops 33.3\N{NO-BREAK SPACE}%" in html
    assert html.count('<circle class="shipped"') == 1
