"""The shipped policies, loaded once."""

from __future__ import annotations

import pytest

from gateway.policy.loader import load_policies
from gateway.policy.model import PolicySet
from gateway.resources import shipped


@pytest.fixture(scope="session")
def policies() -> PolicySet:
    return load_policies(shipped(), None, shipped=shipped())
