"""What has been proven already: the examples of files that say the same as when they passed are not run again.

Those of the shipped files are known from the start (`proven.txt`, written by `python -m tests.prove`): the tests run
them, with the code that they are shipped with. Files that an admin changes are proven when they are read, once.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from pathlib import Path

SHIPPED = Path(__file__).with_name("proven.txt")
MOST = 2_000
"""Proofs that are kept."""


def proof_of(*texts: str) -> str:
    """A digest over all that the outcome depends on."""
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


PROVEN: OrderedDict[str, None] = OrderedDict.fromkeys(SHIPPED.read_text("ascii").split() if SHIPPED.exists() else ())


def keep(proof: str) -> None:
    """Everything behind this proof has passed."""
    PROVEN[proof] = None
    if len(PROVEN) > MOST:
        PROVEN.popitem(last=False)
