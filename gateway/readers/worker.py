"""One reader: a process that reads mail after mail, and is ended by the kernel when one takes too much of it.

It speaks with the gateway over one socket. A task comes as two lengths, the pickled Task and the mail's octets; the
answer goes as a kind, whether the reader ends now, a length and the pickled Result (see `TASK`, `ANSWER`).
"""

from __future__ import annotations

import ctypes
import os
import pickle
import resource
import signal
import socket
import struct
import traceback
from contextlib import suppress
from typing import BinaryIO

from gateway.readers.work import Setup, work

HELLO = struct.Struct("!I")
"""The first word of a reader: its process id."""
TASK = struct.Struct("!IQ")
"""Before a task: the octets of the pickled Task, the octets of the mail."""
ANSWER = struct.Struct("!c?I")
"""Before an answer: its kind, whether the reader ends after it, its octets."""
DONE, TOO_MUCH, FAULT = b"D", b"M", b"F"
"""Kinds of answers: a Result; no memory left; a fault of ours, as "type<TAB>where", never with its words."""

PROCESSOR_SECONDS = 1.5
"""Processor time that one mail may take. By the processor's clock: a busy machine must not make mail unreadable."""
MEMORY = 64 << 20
"""Octets of memory that one mail may take, beside its own octets."""
SWOLLEN = 24 << 20
"""A reader that has grown by so many octets gives way to a fresh one, so that each mail finds the same room."""

_PAGE = resource.getpagesize()
_PR_SET_PDEATHSIG = 1
"""prctl(2)."""
_libc = ctypes.CDLL(None)


def die_with(parent: int) -> None:
    """Have the kernel end this process with the one that made it."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it was gone before we could ask
        os._exit(1)


def serve(link: socket.socket, setup: Setup) -> None:
    """Read the mail that comes over `link`, until it is closed or this reader is swollen."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold mail
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("500")  # where memory is short: rather a reader than the gateway
    link.sendall(HELLO.pack(os.getpid()))
    stream = link.makefile("rb")
    begun = _memory()
    while header := stream.read(TASK.size):
        task_octets, octets = TASK.unpack(header)
        kind, answer = _answer(stream, task_octets, octets, setup)
        swollen = kind == TOO_MUCH or _memory() - begun > SWOLLEN
        link.sendall(ANSWER.pack(kind, swollen, len(answer)) + answer)
        if swollen:
            return


def _answer(stream: BinaryIO, task_octets: int, octets: int, setup: Setup) -> tuple[bytes, bytes]:
    _limit_memory(_memory() + MEMORY + octets)
    try:
        task = pickle.loads(stream.read(task_octets))  # noqa: S301 - from the gateway, which made us
        raw = stream.read(octets)
        signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)  # then SIGPROF ends us, whatever we are in
        result = work(task, raw, setup)
        return DONE, pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
    except (MemoryError, RecursionError):
        return TOO_MUCH, b""
    except Exception as fault:
        frames = traceback.extract_tb(fault.__traceback__)
        where = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
        return FAULT, f"{type(fault).__name__}\t{where}".encode()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        _limit_memory(resource.RLIM_INFINITY)


def _limit_memory(octets: int) -> None:
    """Allow so many octets of data. Past them allocations fail: MemoryError, or an abort in a library."""
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if hard != resource.RLIM_INFINITY and (octets == resource.RLIM_INFINITY or octets > hard):
        octets = hard
    resource.setrlimit(resource.RLIMIT_DATA, (octets, hard))


def _memory() -> int:
    """Octets of data of this process, as RLIMIT_DATA counts them (proc(5), statm)."""
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[5]) * _PAGE
