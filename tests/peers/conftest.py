"""The real servers, started once for all tests here that want them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers.dovecot import RealDovecot
from tests.peers.exim import RealExim
from tests.peers.far_end import FarEnd
from tests.peers.opensmtpd import RealOpenSMTPD
from tests.peers.postfix import RealPostfix


@pytest.fixture(scope="session")
def far_end() -> Iterator[FarEnd]:
    with FarEnd() as far:
        yield far


@pytest.fixture(scope="session")
def dovecot() -> Iterator[RealDovecot]:
    server = RealDovecot()
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postfix(far_end: FarEnd, dovecot: RealDovecot) -> Iterator[RealPostfix]:
    """Trusts loopback, speaks TLS, and knows the accounts."""
    server = RealPostfix(far_end.port, tls=True, sasl=dovecot.sasl)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def exim(far_end: FarEnd) -> Iterator[RealExim]:
    server = RealExim(far_end.port)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def opensmtpd(far_end: FarEnd) -> Iterator[RealOpenSMTPD]:
    server = RealOpenSMTPD(far_end.port)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(params=["postfix", "exim", "opensmtpd"])
def peer(request: pytest.FixtureRequest) -> RealPostfix | RealExim | RealOpenSMTPD:
    """Each of the servers that can stand behind the gateway."""
    return request.getfixturevalue(request.param)
