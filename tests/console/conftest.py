"""One gateway with a console for the tests of a module; each makes mail of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.scene import Scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(Path(tmp_path_factory.mktemp("scene"))) as made:
        yield made
