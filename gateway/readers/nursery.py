"""The nursery: `python -m gateway.readers.nursery FD`, the process that readers are forked from.

It has one thread, reads no mail and holds the rules, so that a new reader stands within milliseconds and shares their
memory. It gets the pickled Setup on standard input, and orders over the socket FD: FORK with a reader's end of its
link, KILL with a process id. It ends when the gateway closes that socket or dies, and its readers end with it.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import socket
import struct
import sys
from dataclasses import replace
from datetime import UTC, datetime

from gateway.mail.envelope import Envelope
from gateway.readers.work import Setup, Task, work
from gateway.readers.worker import die_with, serve
from gateway.reading.acts.glance import glance
from gateway.reading.acts.reader import act_reader

FORK, KILL = b"F", b"K"
ORDER = struct.Struct("!cI")
"""An order and the process id it is about (0 for FORK)."""

IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Service managers and terminals signal the whole group. Mail under way may finish; the gateway ends us."""


def main(number: int, parent: int) -> None:
    """Read the setup, then take orders."""
    die_with(parent)
    for each in IGNORED:
        signal.signal(each, signal.SIG_IGN)
    orders = socket.socket(fileno=number)
    setup: Setup = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the gateway, which made us
    _warm_up(setup)
    gc.collect()
    gc.freeze()  # so that collections in the readers leave the shared memory alone
    readers: set[int] = set()
    while True:
        order, passed, _, _ = socket.recv_fds(orders, ORDER.size, 1)
        if not order:
            break
        kind, pid = ORDER.unpack(order)
        if kind == FORK:
            readers.add(_fork(orders, passed[0], setup))
        elif pid in readers:
            readers.remove(pid)
            _end(pid)
    for pid in readers - {-1}:
        _end(pid)


def _end(reader: int) -> None:
    os.kill(reader, signal.SIGKILL)  # nobody but us waits for readers, so that the id is still theirs
    os.waitpid(reader, 0)


def _fork(orders: socket.socket, link: int, setup: Setup) -> int:
    """The id of a new reader; -1 where there can be none."""
    parent = os.getpid()
    try:
        child = os.fork()
    except OSError:  # no more processes or memory: the gateway sees the link closed
        child = -1
    if child:
        os.close(link)
        return child
    try:
        die_with(parent)
        orders.close()
        serve(socket.socket(fileno=link), setup)
    except OSError:  # the gateway has gone
        pass
    finally:
        os._exit(0)


WARMING = (
    "Ylpea Zephyros Quixote Bravado Kilohertz Marzipan.",  # no small word, so that the model of languages is loaded
    "Hello Ann,\r\n\r\nwe cannot do this before 3 May, because there is no time. Please ask our colleagues.\r\n",
)
"""Texts whose reading loads what is loaded when first needed."""


def _warm_up(setup: Setup) -> None:
    """Read some mail, so that what reading loads is there once for all readers, and counts for none of them."""
    sender = next((entry.address for entry in setup.rules.site.agents.values()), "nobody@example.invalid")
    people = Envelope.of(sender, ["somebody@example.invalid"])
    task = Task("judge", "outbound", people, datetime.now(UTC))
    glance()
    prepared = setup.rules.lexicon.prepare("We cannot do this. " * 30)
    for lang in setup.rules.lexicon.languages:
        act_reader().read(prepared, range(len(prepared.sentences)), lang)  # its buffers and glossaries are there now
    for text in WARMING:
        head = f"From: {sender}\r\nTo: somebody@example.invalid\r\nSubject: Re: your request\r\n\r\n"
        work(task, f"{head}{text}".encode(), replace(setup, judging=True))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
