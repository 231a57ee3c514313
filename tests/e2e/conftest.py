"""What the end-to-end tests share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway import service

_read: dict[tuple[Any, ...], Any] = {}
_files_of = service.files_of


@pytest.fixture
def files_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Policies, lexicon, site and templates are read once for all tests with the same ones: that takes seconds."""

    def files_of(settings: Any) -> Any:
        named = (settings.policies, settings.templates, settings.site)
        if named not in _read:
            _read[named] = _files_of(settings)
        return _read[named]

    monkeypatch.setattr(service, "files_of", files_of)
    yield
