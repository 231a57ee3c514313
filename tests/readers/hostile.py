"""Envelopes that do to a reader what a hostile mail might do: whoever looks at one is lost."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Hostile:
    """Pickled by reference, so that it acts in the reader and nowhere else."""

    how: str

    @property
    def mail_from(self) -> None:
        match self.how:
            case "endless":
                while True:
                    pass
            case "stuck":
                time.sleep(3600)
            case "greedy":
                kept = []
                while True:
                    kept.append(bytearray(1 << 20))
            case "recursive":
                return self.mail_from
            case "abort":
                os.kill(os.getpid(), signal.SIGABRT)
            case "faulty":
                raise ValueError("words of the mail")
        raise AssertionError(self.how)

    @property
    def recipients(self) -> None:
        return self.mail_from
