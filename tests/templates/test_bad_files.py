"""Template files that cannot be used: each error at its line and column, all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.located import BadFiles
from gateway.template_files import check_templates, load_templates

SHIPPED = Path(__file__).parent.parent.parent / "templates"

BAD = {
    "no front matter": ("Hello", ["1:1: the front matter is missing. Write: ---, then needs and example, then ---"]),
    "unknown key": ("---\nneed:\n  why: x\n---\nx\n", ['2:1: unknown key "need". Write: "needs"']),
    "syntax": (
        "---\nneeds: {}\n---\none\n{% if why %}\n",
        ["5:1: {% if %} begins here and ends nowhere. Write: {% endif %} below it"],
    ),
    "undeclared": (
        "---\nneeds:\n  why: x\nexample: {why: y}\n---\n{{ why }}\nand {{ whom }}\n",
        ['7:8: "whom" is not declared. Write: "whom: what it is" under needs'],
    ),
    "undeclared, near": (
        '---\nsubject: "{{ subjekt }}"\nneeds:\n  subject: x\n---\n{{ subject }}\n',
        ['2:10: "subjekt" is not declared. Write: subject'],
    ),
    "unknown variable": (
        "---\nneeds:\n  requester: who\nexample: {requester: y}\n---\n{{ requester }}\n",
        ['3:3: the gateway knows no variable "requester". Write: requester_name'],
    ),
    "unused": (
        "---\nneeds:\n  why: x\noptional:\n  team: y\nexample: {why: z}\n---\n{{ why }}\n",
        ['5:3: "team" is declared and not used. Write: nothing, or use it'],
    ),
    "no example": (
        "---\nneeds:\n  why: x\n---\n{{ why }}\n",
        ["2:1: the example does not render: needs why. Write: a value for everything under needs"],
    ),
    "example of something else": (
        "---\nneeds:\n  why: x\nexample:\n  why: y\n  team: z\n---\n{{ why }}\n",
        ['6:3: the example gives "team", which is not declared'],
    ),
    "an if that nothing ends": (
        "---\nneeds:\n  why: x\nexample: {why: y}\n---\nA gift\n{%- if why %}\n  {% if why %}\n{% endif %}\n{{ why }}",
        ["7:1: {% if %} begins here and ends nowhere. Write: {% endif %} below it"],
    ),
    "two faults at once": (
        '---\nsubject: "{{ why }"\nneeds:\n  why: x\n  wy: z\nexample: {why: y}\n---\n{{ why }}\n',
        [
            "2:10: this is not a template: unexpected '}'. Write: {{ name }} or {% if name %}",
            '5:3: the gateway knows no variable "wy". Write: why',
        ],
    ),
    "a call": (
        "---\nneeds:\n  why: x\nexample: {why: y}\n---\n{{ why }}\n  {{ why.upper() }}\n",
        ["7:3: a call is not allowed in a template. Write: text, variables, if, for and filters"],
    ),
    "a filter": (
        "---\nneeds:\n  why: x\nexample: {why: y}\n---\n{{ why|safe }}\n",
        ['6:8: there is no filter "safe". Write: one of join, quoted, wrapped'],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_template(name: str, tmp_path: Path) -> None:
    source, want = BAD[name]
    path = tmp_path / "en" / "x.txt"
    path.parent.mkdir()
    path.write_text(source)
    said = [str(problem).removeprefix(f"{path}:") for problem in check_templates(tmp_path)]
    assert len(said) == len(want)
    for line, part in zip(said, want, strict=True):
        assert line.startswith(part)


def test_all_problems_of_all_files_at_once(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "a.txt").write_text("Hello")
    (tmp_path / "en" / "b.txt").write_text("---\nneeds: {}\n---\n{{ why }} {{ x }}\n{{ whom }}\n")
    (tmp_path / "c.txt").write_text("---\nneeds: {}\n---\n")
    places = [str(problem).removeprefix(f"{tmp_path}/").partition(": ")[0] for problem in check_templates(tmp_path)]
    assert places == ["c.txt:1:1", "en/a.txt:1:1", "en/b.txt:4:4", "en/b.txt:4:14", "en/b.txt:5:4"]


def test_a_folder_replaces_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "de" / "acks").mkdir(parents=True)
    (tmp_path / "de" / "acks" / "expired.txt").write_text('---\nsubject: "Zu spät"\n---\nTut uns leid.\n', "utf-8")
    templates = load_templates(SHIPPED, tmp_path)
    assert templates.render("acks/expired", "de", {}).text == "Tut uns leid.\n"
    assert templates.render("acks/expired", "en", {}).text.startswith("This note is no longer open")
    assert templates.names == load_templates(SHIPPED).names


def test_a_template_that_fails_on_real_values_gives_way_to_the_one_it_replaces(tmp_path: Path) -> None:
    (tmp_path / "en" / "acks").mkdir(parents=True)
    front = "---\nsubject: Sent\nneeds: {subject: x, by: y}\nexample: {subject: a, by: b}\n---\n"
    (tmp_path / "en" / "acks" / "sent.txt").write_text(front + "{{ subject }} {{ by }}\n")
    templates = load_templates(SHIPPED, tmp_path)
    assert templates.render("acks/sent", "en", {"subject": "VPN", "by": "Dana"}).text == "VPN Dana\n"
    assert templates.render("acks/sent", "en", {"subject": "VPN"}).text.startswith('The mail "VPN" has gone out')


def test_a_translation_without_its_english_template_is_refused(tmp_path: Path) -> None:
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "neu.txt").write_text("---\nneeds: {}\n---\nHallo\n")
    [problem] = check_templates(SHIPPED, tmp_path)
    assert problem.what == "there is no en/neu"


def test_an_absent_folder_is_named() -> None:
    with pytest.raises(BadFiles, match=r"/nowhere:1:1: there is no such folder"):
        load_templates(Path("/nowhere"))
