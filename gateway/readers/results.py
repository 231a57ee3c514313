"""Results as they come from a reader. A reader has seen hostile mail, so that nothing but known types is made of what
it says: the pickle may name these and no others (see "Restricting Globals" in the docs of pickle)."""

from __future__ import annotations

import io
import pickle
from datetime import date, datetime, timedelta, timezone

from gateway.mail.address import Mailbox
from gateway.mail.span import Span
from gateway.policy.decision import Decision, Finding, Fix
from gateway.readers.work import Result
from gateway.reading.facts import Agent, Fact, Requester
from gateway.reading.gist import Gist
from gateway.reading.thread import SeenMessage

KNOWN = {
    (each.__module__, each.__qualname__): each
    for each in (
        *(Result, Gist, Agent, Requester, Fact, Span, Mailbox, Decision, Finding, Fix, SeenMessage),
        *(date, datetime, timedelta, timezone, frozenset),
    )
}
"""What a result is made of, by module and name."""


def loads(pickled: bytes) -> Result:
    """The result in an answer. Raises pickle.UnpicklingError, or TypeError, for anything else."""
    result = _Unpickler(io.BytesIO(pickled)).load()
    if not isinstance(result, Result):
        raise pickle.UnpicklingError("no result")
    return result


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        try:
            return KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"a result has no {module}.{name}") from None
