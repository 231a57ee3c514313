"""Template files: a folder for each language, a front matter that says what a template needs, and an example of it.

templates/en/notices/hold.txt

---
subject: "Before your mail goes out: {{ subject }}"      one line, itself a template; `would_pass` too, in reasons/
needs:
  agent_name: how the sender is spoken to                must have a value
optional:
  next_time: whom to ask next time                       empty when there is no value
example:
  agent_name: Dana
---
Hello {{ agent_name }}, …

A translation needs no more than its own lines and text: what it does not say of needs, optional and example is as in
the English file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gateway import proven
from gateway.command_words import SYNONYMS, command
from gateway.located import BadFiles, Problem, Tree, read_text, read_yaml, suggest
from gateway.located_model import fit
from gateway.templating import BadTemplate, CannotRender, Compiled, Later, compile_template, one_line
from gateway.vocabulary import VOCABULARY

SUFFIX = ".txt"
OF_A_HOLD = ("notices/hold", "reasons/", "drafts/", "answers/")
"""The templates of the notice that comes with a hold."""
LINES = ("subject", "would_pass", "label")
"""The one-line texts of a front matter, themselves templates."""
LANG = re.compile(r"[a-z]{2,3}")
FALLBACK = "en"
"""The language whose folder has every template."""
MAX_LINE = 200
"""Characters of a one-line text: a subject, or what would have passed."""
MOST_KNOWN = 2_000
"""Files that are not checked again while they say the same: a reload after an edit takes only what was edited."""


class FrontMatter(BaseModel):
    """What stands above a template's text."""

    model_config = ConfigDict(extra="forbid", strict=True)

    subject: str = Field(default="", description='subject: "…"')
    would_pass: str = Field(default="", description='would_pass: "…"')
    label: str = Field(default="", description='label: "WORD: what to write"')
    needs: dict[str, str] = Field(default_factory=dict, description="name: what it is")
    optional: dict[str, str] = Field(default_factory=dict, description="name: what it is")
    example: dict[str, Any] = Field(default_factory=dict, description="name: value")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished text. `lines` has the one-line texts by name (LINES), without any line end."""

    text: str
    lang: str
    lines: Mapping[str, str] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        return self.lines.get("subject", "")


@dataclass(frozen=True, slots=True, eq=False)
class TemplateFile:
    """One template in one language. The same file read again is the same object, as long as its text is the same."""

    name: str
    lang: str
    path: str
    needs: Mapping[str, str]
    optional: Mapping[str, str]
    example: Mapping[str, Any]
    body: Compiled | Later
    lines: Mapping[str, Compiled | Later]

    def render(self, values: Mapping[str, Any]) -> Rendered:
        """Raises CannotRender; the message names the template and what is missing."""
        missing = [name for name in self.needs if values.get(name) in (None, "")]
        if missing:
            raise CannotRender(f"{self.path} needs {', '.join(missing)}")
        known = {name: values.get(name) for name in (*self.needs, *self.optional)}
        try:
            lines = {name: one_line(line.render(known))[:MAX_LINE] for name, line in self.lines.items()}
            text = self.body.render(known)
        except CannotRender as cannot:
            raise CannotRender(f"{self.path}: {cannot}") from None
        return Rendered(text, self.lang, lines)


@dataclass(frozen=True, slots=True)
class Templates:
    """All templates by (language, name), the one that counts first, then those that it replaces."""

    files: Mapping[tuple[str, str], tuple[TemplateFile, ...]]

    def find(self, name: str, lang: str) -> tuple[TemplateFile, ...]:
        """The templates to try: in this language, then in English; "de-AT" finds "de". Empty where there is neither."""
        base = lang.lower().partition("-")[0]
        found = self.files.get((base, name), ())
        return found if base == FALLBACK else found + self.files.get((FALLBACK, name), ())

    def has(self, name: str, lang: str | None = None) -> bool:
        """True if there is such a template (in exactly this language, where one is given)."""
        return ((lang or FALLBACK).lower().partition("-")[0], name) in self.files

    def render(self, name: str, lang: str, values: Mapping[str, Any]) -> Rendered:
        """The text. Where a folder's own template meets values that it cannot work with, the one it replaces is used.

        Raises CannotRender: no such template, or values that are missing for all of them.
        """
        why = f"there is no template {name}"
        for template in self.find(name, lang):
            try:
                return template.render(values)
            except CannotRender as cannot:
                why = str(cannot)
        raise CannotRender(why)

    def warm(self, languages: Collection[str]) -> None:
        """Render what a held mail needs once, from the examples: to compile it takes longer than a loop may stand."""
        for (lang, name), found in self.files.items():
            if lang in languages and name.startswith(OF_A_HOLD):
                with suppress(CannotRender):
                    found[0].render(found[0].example)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted({name for _, name in self.files}))


def load_templates(*folders: Path) -> Templates:
    """Read template folders; a file of a later folder replaces the same file of an earlier one.

    Of folders that say what they said when they were proven, nothing is compiled before it is rendered.

    Raises BadFiles with every problem: syntax, undeclared or unused variables, an example that does not render.
    """
    templates, problems = inspect_templates(*folders)
    if problems:
        raise BadFiles(problems)
    return templates


def inspect_templates(*folders: Path) -> tuple[Templates, list[Problem]]:
    """As `load_templates`, without raising: the files that can be used, and everything that is wrong."""
    files: dict[tuple[str, str], tuple[TemplateFile, ...]] = {}
    problems: list[Problem] = []
    passed: list[str] = []
    for number, folder in enumerate(folders):
        if not folder.is_dir():
            problems.append(
                Problem(str(folder), 1, 1, "there is no such folder", "a folder with a folder for each language")
            )
            continue
        paths = sorted(
            folder.rglob(f"*{SUFFIX}"), key=lambda path: (path.relative_to(folder).parts[0] != FALLBACK, path)
        )
        passed.append(
            proven.proof_of("templates", *passed, *_contents(folder, paths))
        )  # later ones build on earlier ones
        good = passed[-1] in proven.PROVEN
        for path in paths:  # the English ones first: translations take from them what they do not say
            lang, _, name = path.relative_to(folder).with_suffix("").as_posix().partition("/")
            if not name:
                problems.append(
                    Problem(str(path), 1, 1, "a template outside a language's folder", f"{FALLBACK}/{path.name}")
                )
                continue
            if not LANG.fullmatch(lang):
                what = f'"{lang}" is no language code, so nobody is ever written to in it'
                problems.append(Problem(str(path), 1, 1, what, "a folder such as en or pt"))
                continue
            try:
                english = files.get((FALLBACK, name), (None,))[0] if lang != FALLBACK else None
                before = files.get((lang, name), ())
                read = read_template(path, lang, name, english, good)
                problems += _unlike(read, before[0] if before else english)
                files[lang, name] = (read, *before)
            except BadFiles as bad:
                problems += bad.problems
                continue
            if (
                number
                and not any((tongue, name) in files for tongue in (FALLBACK, lang) if tongue != lang)
                and lang != FALLBACK
            ):
                problems.append(
                    Problem(str(path), 1, 1, f"there is no {FALLBACK}/{name}", f"the template in {FALLBACK} too")
                )
    for each in passed if not problems else ():
        proven.keep(each)
    return Templates(files), problems


def _unlike(own: TemplateFile, other: TemplateFile | None) -> Iterator[Problem]:
    """Lines that the template which this one replaces or translates has, and the word of another answer."""
    for line in sorted(set(other.lines if other else ()) - set(own.lines)):
        what = f'there is no "{line}", which the template has that this one stands for'
        yield Problem(own.path, 1, 1, what, f'{line}: "…" above the text')
    kind, _, answer = own.name.partition("/")
    if kind == "answers" and "label" in own.lines:
        word = re.match(r"[^\W\d_]+", own.render(own.example).lines["label"])
        meant = SYNONYMS.get(word[0].lower()) if word else None
        if meant != answer:
            what = f'"{word[0] if word else ""}" is {f"the word for {meant}" if meant else "no word for an answer"}'
            yield Problem(own.path, 2, 1, what, f"label: {command(answer, own.lang)}")  # type: ignore[arg-type]


def _contents(folder: Path, paths: Iterable[Path]) -> Iterator[str]:
    """Names and texts. What cannot be read has none; that is told where it is read for good."""
    for path in paths:
        yield path.relative_to(folder).as_posix()
        with suppress(BadFiles):
            yield read_text(path, "")


def check_templates(*folders: Path) -> tuple[Problem, ...]:
    """Every problem of these folders; an empty tuple when they can be used."""
    return BadFiles(inspect_templates(*folders)[1]).problems


def names_in(*folders: Path) -> frozenset[str]:
    """The names of all templates whose files are there, whatever is in them."""
    paths = (path.relative_to(folder) for folder in folders for path in folder.rglob(f"*{SUFFIX}"))
    return frozenset(path.with_suffix("").as_posix().partition("/")[2] for path in paths)


def read_template(
    path: Path, lang: str, name: str, english: TemplateFile | None = None, good: bool = False
) -> TemplateFile:
    """One file; `english` is what it translates. Raises BadFiles with all its problems."""
    shown = str(path)
    return _template_of(shown, read_text(path, shown).replace("\r\n", "\n"), lang, name, english, good)


@lru_cache(MOST_KNOWN)
def _template_of(shown: str, text: str, lang: str, name: str, english: TemplateFile | None, good: bool) -> TemplateFile:
    parts = text.split("\n---\n", 1)
    if not text.startswith("---\n") or len(parts) != 2:
        raise BadFiles([Problem(shown, 1, 1, "the front matter is missing", "---, then needs and example, then ---")])
    problems: list[Problem] = []
    tree = read_yaml("\n" + parts[0][4:], shown, problems)  # one line in front: line numbers are those of the file
    fitting = fit(FrontMatter, tree, problems) if tree is not None and tree.data is not None else None
    front = fitting.file if fitting else FrontMatter()
    own = front.needs.keys() | front.optional.keys()
    if english is not None and not own:
        front = front.model_copy(
            update={
                "needs": dict(english.needs),
                "optional": dict(english.optional),
                "example": {**english.example, **front.example},
            }
        )
    if good and not problems:
        later = {key: Later(source) for key in LINES if (source := getattr(front, key))}
        return TemplateFile(name, lang, shown, front.needs, front.optional, front.example, Later(parts[1]), later)
    told = not problems
    """Whether the front matter says all that it means to say."""
    names: dict[str, tuple[int, int]] = {}
    lines: dict[str, Compiled] = {}
    for key in LINES:
        source = getattr(front, key)
        if source and tree is not None:
            compiled = _compiled(source, lambda bad, k=key: _beside(tree, k, bad), problems)
            if compiled:
                lines[key] = compiled
                names |= {n: tree.place((key,)) for n in compiled.names if n not in names}
    offset = parts[0].count("\n") + 2
    body_lines = text.split("\n")
    body = _compiled(
        parts[1], lambda bad: _within(shown, body_lines, bad.line + offset, bad.word, bad.what, bad.write), problems
    )
    if body:
        for variable, line in body.names.items():
            place = _within(shown, body_lines, line + offset, variable, "", "")
            names.setdefault(variable, (place.line, place.column))
    if tree is not None:
        whole = body is not None and len(lines) == sum(bool(getattr(front, key)) for key in LINES)
        problems += _declared(tree, front, names, own, told=told, whole=told and whole)
    if problems or body is None or tree is None:
        raise BadFiles(problems)
    template = TemplateFile(name, lang, shown, front.needs, front.optional, front.example, body, lines)
    try:
        template.render(front.example)
    except CannotRender as cannot:
        what = f"the example does not render: {str(cannot).removeprefix(shown).removeprefix(': ').strip()}"
        raise BadFiles([tree.problem(("example",), what, "a value for everything under needs", key=True)]) from None
    return template


def _declared(
    tree: Tree,
    front: FrontMatter,
    names: Mapping[str, tuple[int, int]],
    own: Collection[str],
    *,
    told: bool,
    whole: bool,
) -> Iterable[Problem]:
    """Every variable declared, every declaration of the file's own used and known to the program.

    Nothing is called undeclared unless all declarations are `told`, nor unused unless the `whole` text is known.
    """
    declared = {**front.needs, **front.optional}
    for name, place in names.items():
        if told and name not in declared:
            near = suggest(name, declared)
            yield tree.at(*place, f'"{name}" is not declared', near or f'"{name}: what it is" under needs')
    for key in ("needs", "optional"):
        for name in getattr(front, key) if own else ():
            if name not in VOCABULARY:
                near = suggest(name, VOCABULARY)
                write = near or f"one of {', '.join(sorted(VOCABULARY))}"
                yield tree.problem((key, name), f'the gateway knows no variable "{name}"', write, key=True)
            elif whole and name not in names:
                yield tree.problem((key, name), f'"{name}" is declared and not used', "nothing, or use it", key=True)
            elif key == "optional" and name in front.needs:
                yield tree.problem((key, name), f'"{name}" is needed and optional', "it in one of the two", key=True)
    for name in front.example:
        if told and name not in declared:
            near = suggest(name, declared)
            yield tree.problem(("example", name), f'the example gives "{name}", which is not declared', near, key=True)


def _compiled(source: str, place: Any, problems: list[Problem]) -> Compiled | None:
    try:
        return compile_template(source)
    except BadTemplate as bad:
        problems.append(place(bad))
        return None


def _beside(tree: Tree, key: str, bad: BadTemplate) -> Problem:
    return tree.problem((key,), bad.what, bad.write)


def _within(path: str, lines: list[str], line: int, word: str, what: str, write: str) -> Problem:
    """A problem in the body; Jinja gives no columns, so it is where the word, or the first tag, stands in its line."""
    source = lines[line - 1] if line <= len(lines) else ""
    at = source.find(word) if word else -1
    if at < 0:
        at = min((i for i in (source.find("{{"), source.find("{%")) if i >= 0), default=0)
    return Problem(path, line, at + 1, what, write, source)
