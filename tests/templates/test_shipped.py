"""The shipped templates: golden renders, one set of names in every language, and manners."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from gateway.command_words import COMMANDS
from gateway.notice_html import page
from gateway.template_files import TemplateFile, load_templates

TOP = Path(__file__).parent.parent.parent
GOLDEN = TOP / "tests" / "golden"
TEMPLATES = load_templates(TOP / "templates")
FILES = {key: files[0] for key, files in TEMPLATES.files.items()}
ALL = sorted(FILES)


def finished(template: TemplateFile) -> str:
    rendered = template.render(template.example)
    return "".join(f"{name}: {line}\n" for name, line in rendered.lines.items()) + "\n" + rendered.text


WORKS = {
    "en": "Will that work for you?",
    "de": "Passt das so?",
    "fr": "Est-ce que cela vous convient\u00a0?",
    "es": "¿Le va bien así?",
    "pt": "Está bem assim para si?",
    "it": "Va bene così?",
    "nl": "Is dat zo goed voor u?",
}
"""How a draft ends in each language."""
MAILS = ("notices", "companion", "acks")
"""Folders of templates that are whole mails, with HTML beside the text."""


def golden(path: Path, now: str) -> None:
    """After a change that is meant, write the golden files anew with GOLDEN=write."""
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(now, "utf-8")
    assert now == path.read_text("utf-8")


@pytest.mark.parametrize("key", ALL, ids="/".join)
def test_the_example_renders_as_it_did(key: tuple[str, str]) -> None:
    golden(GOLDEN / key[0] / f"{key[1]}.txt", finished(FILES[key]))


@pytest.mark.parametrize("key", [key for key in ALL if key[1].partition("/")[0] in MAILS], ids="/".join)
def test_the_example_looks_as_it_did(key: tuple[str, str]) -> None:
    template = FILES[key]
    rendered = template.render(template.example)
    links = {each["label"].strip(): each["link"] for each in template.example.get("answers", ())}
    best = next((each for each in links if each.lower() == COMMANDS[key[0]]["fix"].lower()), "")
    golden(GOLDEN / key[0] / f"{key[1]}.html", page(rendered.text, key[0], links, best))


def test_no_golden_file_without_its_template() -> None:
    files = {path.relative_to(GOLDEN).with_suffix("").as_posix() for path in GOLDEN.rglob("*.*")}
    assert files == {"/".join(key) for key in ALL}


def test_translations_need_what_the_english_ones_need() -> None:
    for (lang, name), template in FILES.items():
        english = FILES["en", name]
        assert set(template.needs) == set(english.needs), (lang, name)
        assert set(template.optional) == set(english.optional), (lang, name)
        assert set(template.lines) == set(english.lines), (lang, name)


@pytest.mark.parametrize("lang", sorted(set(COMMANDS) - {"en"}))
def test_every_text_is_there_in_every_language(lang: str) -> None:
    english = {name for each, name in ALL if each == "en"}
    assert english - {name for each, name in ALL if each == lang} == {"replies/reject"}  # SMTP replies are ASCII


SHAMING = re.compile(
    r"\b(fail\w*|fault|forgot\w*|mistake\w*|violat\w*|wrong|blam\w*|careless|must not|not allowed|forbidden|bad|error"
    r"|vergessen|Fehler\w*|falsch\w*|Verstoß\w*|verboten|versäumt|unzulässig|schuld\w*"
    r"|oubli\w*|fautes?|fautif\w*|erreurs?|interdit\w*|négligen\w*"
    r"|olvid\w*|culpa\w*|error\w*|prohibid\w*|incorrect\w*|esquec\w*|erro|erros|proibid\w*|dimentic\w*|colpa\w*"
    r"|sbagli\w*|vietat\w*|vergeten|schuld\w*|fout\w*|verbod\w*|nalatig\w*)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("key", ALL, ids="/".join)
def test_no_note_ever_shames(key: tuple[str, str]) -> None:
    words = "\n".join(line for line in finished(FILES[key]).split("\n") if not line.startswith("label: "))
    assert not SHAMING.search(words)


@pytest.mark.parametrize("key", [key for key in ALL if key[1].startswith("drafts/")], ids="/".join)
def test_drafts_keep_what_is_not_known_in_brackets_and_ask_whether_it_works(key: tuple[str, str]) -> None:
    text = finished(FILES[key])
    assert "[" in text
    assert any(line.endswith(WORKS[key[0]]) for line in text.split("\n"))


@pytest.mark.parametrize("key", [key for key in ALL if key[1].startswith("drafts/")], ids="/".join)
def test_the_next_time_line_stands_only_where_it_is_known(key: tuple[str, str]) -> None:
    template = FILES[key]
    with_line = template.render({**template.example, "next_time": "desk@acme.example"}).text
    without = template.render(template.example).text
    extra = [line for line in with_line.split("\n") if line not in without.split("\n")]
    assert len(extra) == 1 and "desk@acme.example" in extra[0]
    assert "\n\n\n" not in with_line and "\n\n\n" not in without


@pytest.mark.parametrize("key", ALL, ids="/".join)
def test_a_render_with_only_what_is_needed_is_clean(key: tuple[str, str]) -> None:
    template = FILES[key]
    needed = {name: value for name, value in template.example.items() if name in template.needs}
    rendered = template.render(needed)
    assert "None" not in rendered.text and "\n\n\n" not in rendered.text
    assert not re.search(r" [.,;]|\(\)|<>|“”|\"\"", rendered.text)


def test_another_language_falls_back_to_english_and_a_region_to_its_language() -> None:
    values = FILES["en", "acks/sent"].example
    assert TEMPLATES.render("acks/sent", "sv", values).lang == "en"
    assert TEMPLATES.render("acks/sent", "de-AT", values).lang == "de"
