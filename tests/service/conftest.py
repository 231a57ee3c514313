"""A sink behind, and a service manager in front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.smtp.sink import Sink
from tests.service.manager import Manager, manager


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as behind:
        yield behind


@pytest.fixture
async def listener(tmp_path: Path) -> AsyncIterator[Manager]:
    async with manager(tmp_path / "notify") as listening:
        yield listening
