"""Templates: a small Jinja for the words that the gateway itself writes.

Admins may write templates, so a template can do little: text, variables, `if`, `for` over lists, and the filters
below. No calls, no arithmetic, no assignments, no includes: nothing in a template can loop for long, grow without bound
or reach an attribute that was not meant for it. What is undefined when a mail is to be written would be noticed by the
wrong person, so every variable is declared, and every template renders its own example before it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError

MAX_SOURCE = 64 * 1024
"""Characters of one template file."""
MAX_OUTPUT = 64 * 1024
"""Characters of one rendered text."""
MAX_ITEMS = 200
"""Items of one list that a `for` runs over."""
MAX_LOOPS = 2
"""`for` inside `for`, at most this deep."""
MAX_NODES = 4000
"""Nodes of a template's syntax tree."""
MAX_FILTER_TEXT = 40
"""Characters of a filter's argument."""

_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.For, nodes.Filter,
    nodes.Getattr, nodes.Getitem, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr,
    nodes.Test, nodes.Keyword,
)  # fmt: skip
_TESTS = frozenset({"defined", "none", "in"})
_WORDS: Mapping[str, str] = {
    "Call": "a call", "Mul": "arithmetic", "Pow": "arithmetic", "Add": "arithmetic", "Sub": "arithmetic",
    "Div": "arithmetic", "FloorDiv": "arithmetic", "Mod": "arithmetic", "Neg": "arithmetic", "Pos": "arithmetic",
    "Include": "include", "Import": "import", "FromImport": "import", "Extends": "extends", "Block": "a block",
    "Macro": "a macro", "CallBlock": "a call", "Assign": "set", "AssignBlock": "set", "FilterBlock": "a filter block",
    "Concat": "joining texts with ~", "Slice": "a slice", "With": "with",
}  # fmt: skip


class BadTemplate(Exception):
    """A template that cannot be used: `what` is wrong in `line` (from 1), what to `write` instead."""

    def __init__(self, line: int, what: str, write: str = "", word: str = "") -> None:
        super().__init__(f"line {line}: {what}")
        self.line = line
        self.what = what
        self.write = write
        self.word = word


class CannotRender(Exception):
    """A template met values that it cannot work with. The text says which."""


def _joined(value: Any, separator: str = ", ") -> str:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise SecurityError("join takes a list")
    return separator.join(str(item) for item in value[:MAX_ITEMS])


def _quoted(value: Any) -> str:
    return "\n".join(f"> {line}".rstrip() for line in str(value).split("\n"))


def _wrapped(value: Any, width: int = 72) -> str:
    """Paragraphs broken at `width`, the lines of a list or a quote left alone."""
    width = max(20, min(int(width), 200))
    out: list[str] = []
    for line in str(value).split("\n"):
        out += wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
    return "\n".join(out)


def _indented(value: Any, width: int = 4) -> str:
    pad = " " * max(0, min(int(width), 20))
    return "\n".join((pad + line).rstrip() for line in str(value).split("\n"))


def one_line(value: Any) -> str:
    """The value on one line: whatever is not printable, line ends of every kind included, becomes a space."""
    return " ".join("".join(ch if ch.isprintable() else " " for ch in str(value)).split())


FILTERS = {
    "join": _joined,
    "quoted": _quoted,
    "wrapped": _wrapped,
    "indented": _indented,
    "one_line": one_line,
    "upper": lambda value: str(value).upper(),
    "lower": lambda value: str(value).lower(),
    "trim": lambda value: str(value).strip(),
    "first": lambda value: value[0] if value else "",
    "last": lambda value: value[-1] if value else "",
    "length": lambda value: len(value),
}
"""All filters there are."""


def _each(value: Any) -> Any:
    """What a `for` runs over: a list of bounded length, never the characters of a text; nothing where none is given."""
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise SecurityError("for runs over lists only")
    if len(value) > MAX_ITEMS:
        raise SecurityError(f"a list of more than {MAX_ITEMS} items")
    return value


class _Sandbox(ImmutableSandboxedEnvironment):
    """The second wall: should anything pass the syntax check, it still meets Jinja's sandbox without any global."""

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self.globals.clear()
        self.filters = {**FILTERS, "_each": _each}
        self.tests = {name: self.tests[name] for name in _TESTS}

    def is_safe_callable(self, obj: Any) -> bool:
        return False


_ENVIRONMENT: Environment = _Sandbox()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A checked template. `names` are the variables it speaks of, each with the line where it does so first."""

    template: Template
    names: Mapping[str, int]

    def render(self, values: Mapping[str, Any]) -> str:
        """The text. Raises CannotRender: a variable is missing, a list or the result is too long."""
        out: list[str] = []
        size = 0
        try:
            for piece in self.template.generate(values):
                size += len(piece)
                if size > MAX_OUTPUT:
                    raise CannotRender(f"the text grows beyond {MAX_OUTPUT:,} characters")
                out.append(piece)
        except (UndefinedError, SecurityError) as error:
            raise CannotRender(str(error)) from None
        except (TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
            raise CannotRender(f"{type(error).__name__}: {error}"[:200]) from None
        return "".join(out)


class Later:
    """A template that is known to be good (`gateway.proven`), compiled when it is first rendered."""

    __slots__ = ("_made", "_source")

    def __init__(self, source: str) -> None:
        self._source = source
        self._made: Compiled | None = None

    def render(self, values: Mapping[str, Any]) -> str:
        """As `Compiled.render`."""
        if self._made is None:
            self._made = compile_template(self._source)
        return self._made.render(values)


def compile_template(source: str) -> Compiled:
    """Check a template's syntax tree and compile it. Raises BadTemplate."""
    if len(source) > MAX_SOURCE:
        raise BadTemplate(1, f"the template has more than {MAX_SOURCE:,} characters", "a shorter one")
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        raise _unclosed(source) or BadTemplate(
            error.lineno, f"this is not a template: {error.message}", "{{ name }} or {% if name %}"
        ) from None
    except RecursionError:
        raise BadTemplate(1, "the template is nested too deeply", "a flatter one") from None
    names: dict[str, int] = {}
    count = 0
    stack: list[tuple[nodes.Node, int, frozenset[str]]] = [(tree, 0, frozenset())]
    while stack:
        node, depth, local = stack.pop()
        count += 1
        if count > MAX_NODES:
            raise BadTemplate(node.lineno, f"the template has more than {MAX_NODES:,} parts", "a shorter one")
        _check(node, depth)
        inner = local
        if isinstance(node, nodes.For):
            depth += 1
            inner = local | {"loop"} | {name.name for name in node.target.find_all(nodes.Name)}
            if isinstance(node.target, nodes.Name):
                inner |= {node.target.name}
        elif isinstance(node, nodes.Name) and node.ctx == "load" and node.name not in local:
            names[node.name] = min(node.lineno, names.get(node.name, node.lineno))
        for field_name, child in node.iter_fields():
            children = child if isinstance(child, list) else [child]
            outside = isinstance(node, nodes.For) and field_name == "iter"
            stack += [(c, depth, local if outside else inner) for c in children if isinstance(c, nodes.Node)]
    for loop in list(tree.find_all(nodes.For)):
        loop.iter = nodes.Filter(loop.iter, "_each", [], [], None, None, lineno=loop.lineno)
    tree.set_environment(_ENVIRONMENT)
    try:
        return Compiled(_ENVIRONMENT.from_string(tree), names)
    except (TemplateSyntaxError, SyntaxError, RecursionError) as error:
        raise BadTemplate(getattr(error, "lineno", 1) or 1, f"this is not a template: {error}") from None


def _unclosed(source: str) -> BadTemplate | None:
    """Where the innermost unended block begins (Jinja points at the end of the file); None if all are ended."""
    opened: list[tuple[int, str]] = []
    begins = False
    try:
        for line, kind, word in _ENVIRONMENT.lex(source):
            if kind == "name" and begins:
                if word.startswith("end") and opened:
                    opened.pop()
                elif word in ("if", "for"):
                    opened.append((line, word))
            begins = kind == "block_begin" or (begins and kind == "whitespace")
    except TemplateSyntaxError:
        return None
    if not opened:
        return None
    line, word = opened[-1]
    return BadTemplate(
        line, f"{{% {word} %}} begins here and ends nowhere", f"{{% end{word} %}} below it", f"{{% {word} "
    )


def _check(node: nodes.Node, depth: int) -> None:
    line = node.lineno
    if not isinstance(node, _ALLOWED):
        word = _WORDS.get(type(node).__name__, type(node).__name__)
        raise BadTemplate(line, f"{word} is not allowed in a template", "text, variables, if, for and filters")
    if isinstance(node, nodes.Filter):
        if node.name not in FILTERS:
            raise BadTemplate(line, f'there is no filter "{node.name}"', f"one of {', '.join(FILTERS)}", node.name)
        fine = all(isinstance(a, nodes.Const) and len(str(a.value)) <= MAX_FILTER_TEXT for a in node.args)
        if not fine or node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise BadTemplate(
                line, f'the filter "{node.name}" takes a short text or a number', f"{node.name}(…)", node.name
            )
    elif isinstance(node, nodes.Test) and (node.name not in _TESTS or node.args or node.kwargs):
        raise BadTemplate(line, f'there is no test "{node.name}"', "is defined or is none", node.name)
    elif isinstance(node, nodes.For):
        if depth >= MAX_LOOPS:
            raise BadTemplate(line, f"loops more than {MAX_LOOPS} deep", "flatter loops")
        if node.recursive:
            raise BadTemplate(line, "a recursive loop", "for … in … without recursive")
    elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        raise BadTemplate(line, f'"{node.attr}" cannot be reached from a template', "a declared name", node.attr)
    elif isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Const):
        raise BadTemplate(line, "an index that is not a number or a text", "name.part or name[0]")
