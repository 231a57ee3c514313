"""Outcomes as they come from a reader. A reader has seen hostile mail, so that nothing but known types is made of what
it says: the pickle may name these and no others (see "Restricting Globals" in the docs of pickle)."""

from __future__ import annotations

import io
import pickle
from datetime import date, datetime, timedelta, timezone

from gateway.mail.address import Mailbox
from gateway.mail.span import Span
from gateway.policy.decision import Decision, Finding, Fix
from gateway.readers.work import Outcome
from gateway.reading.facts import Agent, Fact, Requester
from gateway.reading.gist import Gist
from gateway.reading.thread import SeenMessage

KNOWN = {
    (each.__module__, each.__qualname__): each
    for each in (
        *(Outcome, Gist, Agent, Requester, Fact, Span, Mailbox, Decision, Finding, Fix, SeenMessage),
        *(date, datetime, timedelta, timezone, frozenset),
    )
}
"""What an outcome is made of, by module and name."""


def loads(pickled: bytes) -> Outcome:
    """The outcome in an answer. Raises pickle.UnpicklingError, or TypeError, for anything else."""
    outcome = _Unpickler(io.BytesIO(pickled)).load()
    if not isinstance(outcome, Outcome):
        raise pickle.UnpicklingError("no outcome")
    return outcome


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        try:
            return KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"an outcome has no {module}.{name}") from None
