"""One gateway with a console for the tests of a module; each makes mail of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from gateway.console import passwords
from tests.console.scene import Scene


@pytest.fixture(scope="package", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Some hundred log-ins, each a quarter of a second of a processor: what one takes is told in test_passwords."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        patch.setattr(passwords, "_NOBODY", passwords._of_nobody())
        yield


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(Path(tmp_path_factory.mktemp("scene"))) as made:
        yield made
