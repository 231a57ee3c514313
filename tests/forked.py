"""Commands in processes of their own, forked from one that has the gateway's code: to load it takes more than a second
of a processor each time. That they start as programs, too, is what tests of the demo, the service, the console and the
README show."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import reduction
from pathlib import Path
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")


class _Handle:
    """A file that the process gets."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _Handle, (reduction.DupFd(self.number),)

    def become(self, number: int) -> None:
        own = self.number.detach()  # type: ignore[attr-defined]
        os.dup2(own, number)
        os.close(own)


def start(words: Sequence[object], out: int, err: int, *, env: Mapping[str, str], cwd: Path) -> Any:
    """Start `referral-gateway WORDS`; a multiprocessing.Process."""
    _CONTEXT.set_forkserver_preload(["tests.preloaded"])
    command = [str(word) for word in words]
    process = _CONTEXT.Process(target=_run, args=(command, _Handle(out), _Handle(err), dict(env), str(cwd)))
    process.start()
    return process


def run(
    *words: object, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """What `subprocess.run` gives for `referral-gateway WORDS`, with all that it prints."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = start(words, out.fileno(), err.fileno(), env=env or os.environ, cwd=cwd or Path.cwd())
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired([str(word) for word in words], timeout)
        out.seek(0)
        err.seek(0)
        said = out.read().decode(), err.read().decode()
    return subprocess.CompletedProcess([str(word) for word in words], process.exitcode, *said)


def _run(words: list[str], out: _Handle, err: _Handle, env: dict[str, str], cwd: str) -> None:
    import time

    from gateway import cli

    out.become(1)
    err.become(2)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(cwd)
    sys.argv = ["referral-gateway", *words]
    cli.main(words)
