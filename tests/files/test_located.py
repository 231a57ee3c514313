"""Errors in files that people edit: each at its place, all at once, with what to write."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from gateway.located import MAX_BYTES, BadFiles, Tree, load_yaml, suggest
from gateway.located_model import validate


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    phrases: list[str]
    weight: float = 1.0


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str = Field(description="a few words")
    mode: Literal["enforce", "observe"] = "enforce"
    inner: dict[str, Inner] = {}
    either: str | list[str] = ""


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(BadFiles) as bad:
        validate(Outer, load_yaml(text, "x.yaml"))
    return [str(problem) for problem in bad.value.problems]


def test_only_true_false_null_and_decimal_numbers_are_anything_but_text() -> None:
    text = "[no, on, Yes, True, 12:30, 0049, 0x10, 1_000, 2026-11-30, .5, true, false, null, ~, 7, -2.5, '7', 1e3]"
    assert load_yaml(text, "x").data == [
        "no", "on", "Yes", "True", "12:30", "0049", "0x10", "1_000", "2026-11-30", ".5",
        True, False, None, None, 7, -2.5, "7", "1e3",
    ]  # fmt: skip


def test_keys_are_always_text() -> None:
    assert load_yaml("no: 1\n404: 2\ntrue: 3\n", "x").data == {"no": 1, "404": 2, "true": 3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: x\ntitle: y", 'x.yaml:2:1: the key "title" stands here a second time (first in line 1)'),
        ("title: &a x", "x.yaml:1:8: an anchor (&)"),
        ("title: *a", "x.yaml:1:8: an alias (*)"),
        ("title: !!str x", "x.yaml:1:8: a tag (!)"),
        ("? [a]\n: b", "x.yaml:1:3: a key that is a list or a mapping"),
        ("title: x\n---\ntitle: y", "x.yaml:2:1: a second document (---)"),
        ("inner:\n\ta: b", "x.yaml:2:1: a tab in the indentation"),
        ("title: 'x", "x.yaml:1:8: this is not YAML"),
        ("title: a: b", "x.yaml:1:9: this is not YAML"),
        ("title: x\nmode: \x07", "x.yaml:2:7: this is not YAML: control characters are not allowed"),
        ("", "x.yaml:1:1: the file is empty"),
        ("[" * 40, "x.yaml:1:33: nested deeper than 32"),
        ("[" * 100_000, "nested deeper than 32"),
        (b"title: caf\xe9", "x.yaml:1:11: octet 0xe9 is not UTF-8"),
        (b"x" * (MAX_BYTES + 1), "x.yaml:1:1: the file is larger than 1,000,000 octets"),
    ],
)
def test_what_is_refused(text: str | bytes, said: str) -> None:
    (problem,) = problems(text)
    assert said in problem
    assert "Write: " in problem


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadFiles, match="cannot be read: no such file"):
        load_yaml(tmp_path / "absent.yaml")


def test_a_byte_order_mark_and_crlf_are_fine() -> None:
    assert load_yaml(b"\xef\xbb\xbftitle: x\r\nmode: observe\r\n", "x").data == {"title": "x", "mode": "observe"}


def test_every_error_at_once_each_at_its_place() -> None:
    text = "mod: enforce\nmode: enforced\ninner:\n  a: {phrases: x, weight: heavy}\n  b: {}\neither: {c: 1}\n"
    assert problems(text) == [
        'x.yaml:1:1: the key "title" is missing. Write: title: a few words',
        'x.yaml:1:1: unknown key "mod". Write: "mode"',
        'x.yaml:2:7: "mode" cannot be "enforced". Write: enforce (allowed: enforce or observe)',
        'x.yaml:4:16: "phrases" cannot be "x". Write: a list, like [a, b]',
        'x.yaml:4:27: "weight" cannot be "heavy". Write: a number',
        'x.yaml:5:3: the key "phrases" is missing. Write: phrases: ...',
        'x.yaml:6:9: "either" cannot be a mapping. Write: text (numbers, true and false in quotes)',
    ]


def test_the_command_line_form_shows_the_line() -> None:
    with pytest.raises(BadFiles) as bad:
        validate(Outer, load_yaml("title: x\nmode: obseve\n", "p/x.yaml"))
    assert bad.value.show() == (
        'p/x.yaml:2:7: "mode" cannot be "obseve"\n'
        "  2 | mode: obseve\n"
        "    |       ^\n"
        "  Write: observe (allowed: enforce or observe)"
    )


def test_a_place_that_is_not_there_is_the_nearest_above() -> None:
    tree: Tree = load_yaml("a:\n  b: [x, y]\n", "x")
    assert tree.place(("a", "b", 1)) == (2, 10)
    assert tree.place(("a", "b"), key=True) == (2, 3)
    assert tree.place(("a", "b", 7)) == tree.place(("a", "b"), key=True)
    assert tree.place(("z",)) == (1, 1)


def test_suggestions_are_near_or_absent() -> None:
    assert suggest("Requester", ["requester", "agent"]) == "requester"
    assert suggest("xyz", ["requester", "agent"]) == ""


def test_five_hundred_rules_are_read_with_their_places_in_no_time() -> None:
    """Measured 25 ms; the goal is 50 ms, the bound here a multiple, so that a busy machine passes."""
    rule = '  r{n}:\n    weight: {n}\n    phrases:\n      - we cannot do that\n      - "no way {n}"\n'
    text = "title: x\ninner:\n" + "".join(rule.format(n=n) for n in range(500))
    best = 9.0
    for _ in range(5):
        start = time.perf_counter()
        validate(Outer, load_yaml(text, "x.yaml"))
        best = min(best, time.perf_counter() - start)
    assert best < 0.25, f"{best:.3f} s"


YAMLISH = st.text(alphabet="ab: -[]{}\n\t'\"|>&*!#?,%@`~0.1\u20ac\x00", max_size=80)


@given(st.one_of(YAMLISH, st.text(max_size=80), st.binary(max_size=80)))
def test_no_text_does_anything_else_than_load_or_say_where(text: str | bytes) -> None:
    try:
        load_yaml(text, "x.yaml")
    except BadFiles as bad:
        for problem in bad.problems:
            assert problem.line >= 1 and problem.column >= 1 and problem.what
            assert problem.show()
