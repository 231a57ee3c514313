"""How a stopped mail was settled, from its history alone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway.settlements import settled
from tests.e2e.limits import MONDAY


def history(*told: str) -> list[tuple[datetime, str, str, str]]:
    """ "outcome: detail" after one another, a minute apart."""
    lines = [each.partition("=") for each in told]
    return [(MONDAY + timedelta(minutes=n), line[0], line[2], "") for n, line in enumerate(lines)]


@pytest.mark.parametrize(
    ("told", "how", "minute", "why"),
    [
        (("held", "approved=send: on the phone", "overridden=250 ok"), "overridden", 1, "on the phone"),
        (("held", "approved=fix", "fixed=250 ok"), "fixed", 1, ""),
        (("held", "approved=wrong: they were in Cc", "wrong"), "wrong", 1, "they were in Cc"),
        (("held", "approved=consult", "consult"), "consulted", 1, ""),
        (("held", "approved=amend", "amended"), "amended", 1, ""),
        (("held", "approved=note", "noted"), "noted", 1, ""),
        (("held", "discarded", "approved=send: after all", "overridden"), "overridden", 2, "after all"),
        (("held", "discarded=sent twice"), "discarded", 1, "sent twice"),
        (("held", "approved=send: now", "deferred", "overridden"), "overridden", 1, "now"),
        (("held", "approved=send: a", "held=refused", "approved=fix", "fixed"), "fixed", 3, ""),
    ],
)
def test_settled(told: tuple[str, ...], how: str, minute: int, why: str) -> None:
    assert settled(history(*told)) == (how, MONDAY + timedelta(minutes=minute), why)


@pytest.mark.parametrize("told", [(), ("held",), ("held", "approved=send", "held=refused"), ("pending", "rejected")])
def test_not_settled(told: tuple[str, ...]) -> None:
    assert settled(history(*told)) is None
