"""What a template cannot do: reach attributes, run for long, grow without bound, put a line end into a header."""

from __future__ import annotations

import time

import pytest

from gateway.templating import BadTemplate, CannotRender, compile_template, one_line

REFUSED = {
    "{{ 'x' * 10**9 }}": "arithmetic is not allowed in a template",
    "{{ 2 ** 9999999 }}": "arithmetic is not allowed in a template",
    "{{ '%1000000000d' % 1 }}": "arithmetic is not allowed in a template",
    "{{ 'a' ~ 'b' }}": "joining texts with ~ is not allowed in a template",
    "{% for a in range(1000000000) %}x{% endfor %}": "a call is not allowed in a template",
    "{{ '{:1000000000d}'.format(1) }}": "a call is not allowed in a template",
    "{{ name.__class__ }}": '"__class__" cannot be reached from a template',
    "{{ name['__class__'] }}": None,
    "{{ ''.__class__.__mro__[1].__subclasses__() }}": None,
    "{{ name|attr('__class__') }}": 'there is no filter "attr"',
    "{{ name|_each }}": 'there is no filter "_each"',
    "{{ self._TemplateReference__context }}": None,
    "{{ cycler.__init__.__globals__ }}": None,
    "{{ lipsum() }}": "a call is not allowed in a template",
    "{% set a = 'x' %}{{ a }}": "set is not allowed in a template",
    "{% include 'x' %}": "include is not allowed in a template",
    "{% extends 'x' %}": "extends is not allowed in a template",
    "{% import 'x' as y %}": "import is not allowed in a template",
    "{% macro a() %}{% endmacro %}": "a macro is not allowed in a template",
    "{% for a in [1, 2] %}{% endfor %}": "List is not allowed in a template",
    "{% for a in b recursive %}{% endfor %}": "a recursive loop",
    "{% for a in x %}{% for b in x %}{% for c in x %}.{% endfor %}{% endfor %}{% endfor %}": "loops more than 2 deep",
    "{{ name|join('" + "x" * 41 + "') }}": 'the filter "join" takes a short text or a number',
    "{{ name|indented(width) }}": 'the filter "indented" takes a short text or a number',
    "{{ name[other] }}": "an index that is not a number or a text",
    "{{ name is callable }}": 'there is no test "callable"',
    "x" * 70_000: "the template has more than 65,536 characters",
    "{{ a }}" * 5000: "the template has more than 4,000 parts",
    "{% if a %}" * 3000: None,
}


@pytest.mark.parametrize("source", REFUSED, ids=[source[:30] for source in REFUSED])
def test_refused(source: str) -> None:
    """Refused when read, or (where None) at the latest when rendered: nothing of the object is ever shown."""
    begun = time.monotonic()
    said = REFUSED[source]
    with pytest.raises((BadTemplate, CannotRender)) as caught:
        text = compile_template(source).render({"name": "Dana"})
        raise AssertionError(text)
    if said is not None:
        assert isinstance(caught.value, BadTemplate) and caught.value.what == said
    assert time.monotonic() - begun < 2


_GROWS = "the text grows beyond 65,536 characters"
BOMBS = {
    "{% for a in text %}{% for b in text %}x{% endfor %}{% endfor %}": "for runs over lists only",
    "{% for a in many %}x{% endfor %}": "a list of more than 200 items",
    "{{ text|join('x') }}": "join takes a list",
    "{% for a in some %}{% for b in some %}{{ text }}{% endfor %}{% endfor %}": _GROWS,
    "{{ absent }}": "'absent' is undefined",
    "{{ name.absent }}": "'str object' has no attribute 'absent'",
    "{{ number|first }}": "TypeError: 'int' object is not subscriptable",
}


@pytest.mark.parametrize("source", BOMBS)
def test_bounded_when_rendered(source: str) -> None:
    values = {"text": "a" * 10_000, "many": ["a"] * 201, "some": ["a"] * 200, "name": "Dana", "number": 3}
    begun = time.monotonic()
    with pytest.raises(CannotRender) as caught:
        compile_template(source).render(values)
    assert str(caught.value) == BOMBS[source]
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", "\0", "\u200b"])
def test_one_line_leaves_no_line_end_of_any_kind(end: str) -> None:
    line = one_line(f"Fwd: VPN{end}Bcc: x@evil.example")
    assert line == "Fwd: VPN Bcc: x@evil.example"
    assert len(line.splitlines()) == 1


def test_what_a_template_can_do() -> None:
    source = (
        "{% if a is defined and not b %}{{ a|upper }}{% else %}-{% endif %} "
        "{% for x in c %}{{ loop.index }}{{ x.d }}{% if not loop.last %}, {% endif %}{% endfor %} "
        "{{ e[0] }} {{ e|join('; ') }}"
    )
    compiled = compile_template(source)
    assert set(compiled.names) == {"a", "b", "c", "e"}
    assert compiled.render({"a": "x", "b": "", "c": [{"d": 1}, {"d": 2}], "e": ["p", "q"]}) == "X 11, 22 p p; q"


def test_values_are_never_templates_themselves() -> None:
    assert compile_template("{{ a }}").render({"a": "{{ b }}{% for %}"}) == "{{ b }}{% for %}"
