"""Readers for gateways in tests: their nursery is forked from a process that has all the code and phrases already.

A nursery takes seconds of a processor to start, and nearly every gateway that judges mail starts one. What is forked
here runs `gateway.readers.nursery` from its beginning: its setup, its orders and its end are its own. That it also
starts as a program is what tests/readers, the bombs and every `referral-gateway serve` in the tests show.

`python -m tests.e2e.mother FD` takes the requests that come to the listening socket FD, each with the nursery's orders
and its standard input, and answers with a process id.
"""

from __future__ import annotations

import atexit
import functools
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.readers.pool import _environment, _Nursery

REPOSITORY = Path(__file__).parents[2]
PID = struct.Struct("!I")
ADDRESS = "GATEWAY_TEST_MOTHER"
"""The environment variable that tells other processes of the same run where she is."""


class ForkedNursery(_Nursery):
    """A nursery that the mother of this run forks."""

    def _begin(self, orders: socket.socket) -> Any:
        return Forked(orders)


class Forked:
    """What the pool uses of a Popen."""

    def __init__(self, orders: socket.socket) -> None:
        read, write = os.pipe()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
                link.connect(address())
                socket.send_fds(link, [b"N"], [orders.fileno(), read])
                (self.pid,) = PID.unpack(link.recv(PID.size))
                self._handle = os.pidfd_open(self.pid)
        finally:
            os.close(read)
        self.stdin = os.fdopen(write, "wb")

    def poll(self) -> int | None:
        return 0 if select.select([self._handle], [], [], 0)[0] else None

    def wait(self, timeout: float | None = None) -> int:
        if not select.select([self._handle], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("nursery", timeout or 0)
        return 0

    def kill(self) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def __del__(self) -> None:
        os.close(self._handle)


@functools.cache
def address() -> str:
    """Where she takes requests; she is started by the first who asks in a run, and ends with them."""
    if ADDRESS in os.environ:
        return os.environ[ADDRESS]
    folder = tempfile.TemporaryDirectory(prefix="rg-mother-")
    path = f"{folder.name}/requests"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(path)
        listening.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.mother", str(listening.fileno())], cwd=REPOSITORY,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[listening.fileno()], env=_environment(),
        )  # fmt: skip
    os.environ[ADDRESS] = path

    def end(owner: int = os.getpid()) -> None:
        if os.getpid() == owner:
            assert process.stdin is not None
            process.stdin.close()  # which tells her
            process.wait()
            folder.cleanup()

    atexit.register(end)
    return path


# --- the program -----------------------------------------------------------------------------------------------------


def once(make: Callable[..., Any], key: Callable[..., Any]) -> Callable[..., Any]:
    """`make`, called once for each key."""
    made: dict[Any, Any] = {}

    def kept(*arguments: Any, **more: Any) -> Any:
        found = key(*arguments, **more)
        if found not in made:
            made[found] = make(*arguments, **more)
        return made[found]

    return kept


def main(number: int) -> None:
    import gc

    from gateway.readers import nursery
    from gateway.readers.work import Setup
    from gateway.reading import automaton, lexicon
    from tests.e2e.house import _shipped_rules

    # What is compiled of the same phrases is the same; a setup that is unpickled finds it here.
    automaton.re2.compile = once(automaton.re2.compile, lambda source, options: (source, options.never_capture))
    compiled = once(lexicon.PatternSet, lambda sources: sources)
    lexicon.PatternSet = lambda sources: compiled(tuple(sources))  # type: ignore[assignment, misc]
    nursery._warm_up(Setup(_shipped_rules(None), bytes(32)))
    nursery._warm_up = lambda _: None  # those that are forked are warm
    gc.collect()
    gc.freeze()
    requests = socket.socket(fileno=number)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nothing is left of those that end
    while True:
        ready, _, _ = select.select([0, requests], [], [])
        if requests in ready:
            link, _ = requests.accept()
            with link:
                _, passed, _, _ = socket.recv_fds(link, 1, 2)
                if len(passed) == 2:
                    _fork(requests, link, *passed)
        if 0 in ready:
            return


def _fork(requests: socket.socket, link: socket.socket, orders: int, setup: int) -> None:
    from gateway.readers import nursery

    parent = os.getpid()
    child = os.fork()
    if child:
        os.close(orders)
        os.close(setup)
        link.send(PID.pack(child))
        return
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        requests.close()
        link.close()
        os.dup2(setup, 0)
        os.close(setup)
        sys.stdin = os.fdopen(0, closefd=False)
        nursery.main(orders, parent)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
