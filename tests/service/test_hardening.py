"""The gateway works inside what its unit allows: the unit's own filters, set up here, around the real program."""

from __future__ import annotations

import asyncio
import ctypes.util
import shutil
import signal
import smtplib
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.smtp.sink import Sink
from tests.e2e.house import mail
from tests.service.manager import ROOT, Manager, serve
from tests.smtp.certificates import certificate

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(
        shutil.which("systemd-analyze") is None or ctypes.util.find_library("seccomp") is None,
        reason="no systemd-analyze or no libseccomp here (Debian packages systemd, libseccomp2)",
    ),
]

CAGED = (sys.executable, "-m", "tests.service.caged")
DANA, JILL = "dana.cole@acme.example", "jill.amory@acme.example"


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("writable code", "import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)"),
        ("code made later", "import ctypes; l = ctypes.CDLL(None, use_errno=True); l.mmap.restype = ctypes.c_void_p;"
                            "l.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int);"
                            "at = l.mmap(None, 4096, 3, 0x22, -1, 0);"
                            "assert l.mprotect(at, 4096, 5) == 0, 'Operation not permitted'"),
        ("netlink", "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)"),
        ("changing owners", "import os; os.chown('/tmp', -1, -1)"),
        ("another root", "import os; os.chroot('/')"),
        ("more resources", "import os; os.sched_setaffinity(0, {0})"),
        ("privileged ports", "import socket; socket.create_server(('127.0.0.1', 1))"),
    ],
)  # fmt: skip
def test_the_cage_is_closed(what: str, code: str) -> None:
    """Else the tests below would show nothing."""
    if what == "privileged ports" and int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 1:
        code = "raise PermissionError(1, 'Operation not permitted')"  # this machine lets everybody open them
    ran = subprocess.run([*CAGED, sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 1 and ("not permitted" in ran.stderr or "Permission denied" in ran.stderr), ran.stderr


async def test_the_gateway_works_inside(tmp_path: Path, sink: Sink, listener: Manager) -> None:
    """Start, TLS, a mail that passes, one that is held with its notice, a large one that is spooled, reload, stop."""
    cert, key = certificate(tmp_path)
    flags = ("--listen", "127.0.0.1:0,starttls", "--tls-cert", str(cert), "--tls-key", str(key))
    flags += ("--memory-limit", "64K")
    environ = {"NOTIFY_SOCKET": listener.address, "WATCHDOG_USEC": "6000000"}
    async with serve(tmp_path, sink.port, *flags, through=CAGED, environ=environ) as served:
        ready = await listener.hear("READY")
        port = int(listener.status(ready).split(";")[0].rpartition(":")[2])

        def send() -> None:
            with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
                client.starttls()
                client.sendmail(DANA, [JILL], mail(DANA, JILL, "Re: Chair", "The chair stands in room 4 now.\n"))
                client.sendmail(DANA, [JILL], mail(DANA, JILL, "Re: Table", "No.\n"))
                long = "The list that you asked for:\n" + "a line of the list\n" * 10_000
                client.sendmail(DANA, [JILL], mail(DANA, JILL, "Re: List", long))

        await asyncio.to_thread(send)
        arrived = b"".join(sunk.raw for sunk in await sink.wait_for(3))
        assert b"Subject: Re: Chair" in arrived and b"Subject: Re: List" in arrived
        assert b"Subject: Before your mail goes out: Re: Table" in arrived
        served.signal(signal.SIGHUP)
        await listener.hear("READY", await listener.hear("RELOADING", ready + 1))
        served.signal(signal.SIGTERM)
        assert await served.ended() == 0
    said = served.log.read_text()
    assert "fault" not in said and "not permitted" not in said, said


@pytest.mark.parametrize("command", [("doctor",), ("policy", "test"), ("explain", "tests/mails/bare-no.eml")])
def test_commands_work_inside(tmp_path: Path, command: tuple[str, ...]) -> None:
    """An admin may run them with systemd-run and the unit's options."""
    ran = subprocess.run(
        [*CAGED, sys.executable, "-m", "gateway", *command],
        cwd=ROOT, capture_output=True, text=True, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert ran.returncode in (0, 1) and "Traceback" not in ran.stderr, ran.stderr
