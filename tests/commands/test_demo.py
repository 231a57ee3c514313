"""`demo` as people run it: in a process of its own, with a terminal, ended with Ctrl-C; and as a check, with --once."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import select
import signal
import smtplib
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.house import mail

ROOT = Path(__file__).parents[2]
DANA, JILL = "dana.cole@acme.example", "jill.amory@acme.example"
STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}


def once(folder: Path, *words: str, width: int = 100) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", "demo", "--once", *words],
        cwd=folder, env=environment(folder) | {"COLUMNS": str(width)}, capture_output=True, text=True, timeout=100,
    )  # fmt: skip


@dataclass
class Terminal:
    """A pseudo-terminal with the demo in it; `seen` is all that it has shown."""

    width: int
    folder: Path
    seen: bytes = b""

    def __post_init__(self) -> None:
        self.end, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 50, self.width, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "demo"], cwd=self.folder, stdin=inner, stdout=inner, stderr=inner,
            env=environment(self.folder) | {"TERM": "xterm-256color"}, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(inner)

    def until(self, words: str, *, after: int = 0, seconds: float = 60) -> str:
        """Read until these words are shown behind `after` characters; those that are, without colours."""
        deadline = time.monotonic() + seconds
        while words not in self.text[after:]:
            assert time.monotonic() < deadline and self._read(), f"never shown: {words}\n{self.text}"
        return self.text[after:]

    def _read(self) -> bool:
        """False when the demo has closed the terminal."""
        if not select.select([self.end], [], [], 1)[0]:
            return True
        try:
            more = os.read(self.end, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return False
        self.seen += more
        return bool(more)

    @property
    def text(self) -> str:
        return STEERING.sub("", self.seen.decode("utf-8", "replace")).replace("\r\n", "\n")

    def interrupt(self) -> int:
        """Press Ctrl-C; the exit code."""
        os.write(self.end, b"\x03")
        deadline = time.monotonic() + 30
        while self._read() and time.monotonic() < deadline and self.process.poll() is None:
            pass
        return self.process.wait(5)


@pytest.fixture(params=[80, 120])
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(request.param, tmp_path)
    try:
        yield opened
    finally:
        if opened.process.poll() is None:
            opened.process.send_signal(signal.SIGKILL)
            opened.process.wait()
        os.close(opened.end)


def test_all_samples_end_as_they_should(tmp_path: Path) -> None:
    ran = once(tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "All 6 samples ended as they should" in ran.stdout and ran.stderr == ""
    assert list(tmp_path.iterdir()) == []  # state, key and database went with it


def test_a_broken_sink_is_noticed(tmp_path: Path) -> None:
    """A server that says 250 and keeps nothing: the samples did not arrive, whatever the log says."""
    ran = once(tmp_path, "--broken-sink")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "as they should, as read back" not in ran.stdout
    assert len(re.findall("not as it should be:", ran.stdout)) == 6
    assert list(tmp_path.iterdir()) == []


def test_it_stays_up_to_be_played_with(terminal: Terminal, tmp_path: Path) -> None:
    shown = terminal.until("Ctrl-C ends the demo.")
    assert "All 6 samples ended as they should" in shown
    table = shown[shown.index("6 mails of support agents") :]  # before it, the progress bar is drawn over and over
    assert max(len(line) for line in table.split("\n")) <= terminal.width
    whole = ("mary.jones@customer.example", "bob.nilsson@acme.example", "dropped-requester", "bare-refusal")
    assert all(word in shown for word in whole)  # neither cut nor broken at the end of a cell
    port = int(re.search(r"listens on 127\.0\.0\.1:(\d+)", shown)[1])  # type: ignore[index]
    assert f"swaks --server 127.0.0.1:{port}" in shown

    def send(to: str, subject: str, text: str) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.sendmail(DANA, [to], mail(DANA, to, subject, text))

    before = len(terminal.text)
    send(JILL, "Re: Chair", "No.\n")
    shown = terminal.until("DISCARD", after=before)
    assert "hold  Re: Chair, from dana.cole@acme.example" in shown and "bare-refusal" in shown
    notice = shown[shown.index("left for dana.cole@acme.example") :]
    assert "Before your mail goes out: Re: Chair" in notice
    answer_to = re.search(r"Reply-To: .*?(referral-gateway\+\S+@[\w.]+)", notice)
    assert answer_to is not None

    before = len(terminal.text)
    send(answer_to[1], "Re: Before your mail goes out", "SEND: it was said on the phone\n")
    terminal.until("left for jill.amory@acme.example", after=before)
    send(JILL, "Re: Lamp", "The lamp \x1b[2J stands in room 4 now.\n")
    terminal.until("stands in room 4 now.", after=before)
    assert b"\x1b[2J" not in terminal.seen  # what is in a mail does not steer the terminal

    assert terminal.interrupt() == 0
    assert "Traceback" not in terminal.text
    assert list(tmp_path.iterdir()) == []
