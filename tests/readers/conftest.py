"""Readers of the shipped policies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from gateway.mail.envelope import Envelope
from gateway.policy.loader import load_policies
from gateway.policy.model import PolicySet
from gateway.readers.pool import Readers, _Nursery
from gateway.readers.work import Setup, Task
from gateway.resources import shipped
from tests.e2e.mother import ForkedNursery

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DANA, JILL = "dana.cole@acme.example", "jill.amory@acme.example"
KEY = b"tests"

NO = (
    f"From: Dana Cole <{DANA}>\r\nTo: Jill Amory <{JILL}>\r\nSubject: Re: A new screen\r\n"
    "Date: Mon, 2 Mar 2026 09:00:00 +0100\r\nMessage-ID: <no@t>\r\nReferences: <q@t>\r\n\r\nNo.\r\n\r\n"
    f"On Mon, 2 Mar 2026 at 08:00, Jill Amory <{JILL}> wrote:\r\n> Can I have a new screen?\r\n"
).encode()
"""What the shipped policies hold."""


@pytest.fixture(scope="session")
def rules() -> PolicySet:
    return load_policies(shipped("policies"), None, shipped=shipped("policies"), run=False)


def setup_of(rules: PolicySet) -> Setup:
    return Setup(rules, KEY)


def task(envelope: object = None, **known: object) -> Task:
    return Task("judge", "outbound", envelope or Envelope.of(DANA, [JILL]), NOW, **known)  # type: ignore[arg-type]


@pytest_asyncio.fixture
async def readers(request: pytest.FixtureRequest) -> AsyncIterator[Readers]:
    """One reader at a time, from a nursery that is forked; with STARTED from one that is started as a program."""
    pool = Readers(1, setup_of)
    pool._new = getattr(request, "param", ForkedNursery)
    try:
        yield pool
    finally:
        await pool.close()


STARTED = pytest.mark.parametrize("readers", [_Nursery], indirect=True, ids=["started"])
