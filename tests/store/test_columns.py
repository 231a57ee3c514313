"""What mail contains goes in and comes back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.store.columns import canonical, original, storable

anything = st.text(st.characters(exclude_categories=()))


@given(anything)
@example("\x00")
@example("\x1a0000")
@example("\x1a\x1a")
@example("\ud800\udc00")
def test_any_text_is_storable_and_comes_back(text):
    stored = storable(text)
    stored.encode("utf-8")
    assert "\x00" not in stored
    assert original(stored) == text


def test_ordinary_text_is_stored_as_it_is():
    assert storable("Größe ☂ 🎉\r\n\t") == "Größe ☂ 🎉\r\n\t"


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | anything,
    lambda inner: st.lists(inner) | st.dictionaries(anything, inner),
    max_leaves=10,
)


@given(plain)
def test_json_is_storable_and_comes_back(value):
    text = canonical(value)
    text.encode("utf-8")
    assert "\x00" not in text
    again = json.loads(text)
    assert again == value or "\\ud" in text  # two lone surrogates that make a pair come back as their character


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_one_value_has_one_form(value):
    assert canonical(value) == canonical(dict(reversed(value.items())))


def test_tuples_mappings_and_sets_have_a_form():
    assert canonical({"b": (1, 2), "a": MappingProxyType({"x": frozenset({3, 1})})}) == '{"a":{"x":[1,3]},"b":[1,2]}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), datetime(2026, 1, 1, tzinfo=UTC), b"octets"])
def test_what_has_no_form_is_refused(value):
    with pytest.raises((ValueError, TypeError)):
        canonical({"value": value})
