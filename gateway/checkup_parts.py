"""What a check of `doctor` comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found. `mend` says what to do; it is empty when all is well."""

    name: str
    state: State
    found: str
    mend: str = ""
