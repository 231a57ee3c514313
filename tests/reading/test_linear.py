"""Reading takes as long as the text is: a pattern that goes back over a long run would stop the whole gateway."""

from __future__ import annotations

import time

import pytest

from gateway.reading.memory import line_hashes, sentences_of
from tests.reading.conftest import Read, mail

SIZE = 60_000
RUNS = (
    *"-.!_a1(:;,* …@'\"",
    "?!",
    "a-",
    "a.",
    "1 ",
    " \t",
    "a@",
    "On ",
    "to Aa ",
    "Name: ",
    "Mail:\n",
    "From: a\n",
    "\t>\n",
)


@pytest.mark.parametrize("run", RUNS)
def test_a_long_run_takes_no_longer_than_it_is(read_mail: Read, run: str) -> None:
    text = run * (SIZE // len(run))
    for before in ("", "a", "> ", "From: webform@acme.example\n> "):
        started = time.process_time()
        reading = read_mail(mail(f"{before}{text}\n"))
        assert reading.body is not None
        line_hashes(sentences_of(f"{text}x"), b"k")
        assert time.process_time() - started < 1.5, "quadratic patterns took between 5 and 90 seconds here"


@pytest.mark.parametrize(
    "run", ["<svg>", "<object>", "<!--", "<a b='", "<blockquote>", "<title>", "<p>&nbsp;", "<svg></svg "]
)
def test_a_page_takes_no_longer_than_it_is(read_mail: Read, run: str) -> None:
    raw = mail(run * (300_000 // len(run)) + "\nNo.\n").replace(b"text/plain", b"text/html")
    started = time.process_time()
    assert read_mail(raw).body is not None
    assert time.process_time() - started < 2.5
