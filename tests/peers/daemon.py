"""What the real servers have in common: a folder of their own, a port on loopback, a start and an end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest


def need(*programs: str, root: bool = False) -> None:
    """Skip with the reason when this machine cannot run the peer."""
    missing = [name for name in programs if shutil.which(name) is None and not Path(name).exists()]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    if root and os.geteuid() != 0:
        pytest.skip("this peer needs root")


def free_port() -> int:
    """A port on loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon:
    """One server process in the foreground, with its files in `folder` (readable to its unprivileged user)."""

    name = "daemon"

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"gw-{self.name}-"))
        self.folder.chmod(0o755)
        self.host = "127.0.0.1"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def said(self) -> str:
        """What the server wrote so far."""
        written = (self.log, self.folder / "out")
        return "\n".join(file.read_text("utf-8", "replace") for file in written if file.exists())

    def run(
        self, *command: str, ports: tuple[int, ...], seconds: float = 15.0, env: dict[str, str] | None = None
    ) -> None:
        """Start `command` and wait until every port answers."""
        with (self.folder / "out").open("ab") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd=self.folder,
                env=env,
            )
        end = time.monotonic() + seconds
        for port in ports:
            while not listens(port):
                if self._process.poll() is not None or time.monotonic() > end:
                    report = self.said()
                    self.stop()
                    raise RuntimeError(f"{self.name} does not start:\n{report[-4000:]}")
                time.sleep(0.02)

    def ask_to_stop(self) -> None:
        """Tell the process to end."""
        assert self._process is not None
        self._process.terminate()

    def stop(self) -> None:
        """End this server, by its own process, and remove its folder."""
        if self._process is not None:
            if self._process.poll() is None:
                self.ask_to_stop()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, 9)  # the session that `run` made for it
                self._process.wait(10)
            self._process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def accounts(self, **ids: int) -> str:
        """Shell lines that, in a mount namespace of its own, add users and groups to what the process sees."""
        for name, line in (("passwd", "{0}:x:{1}:{1}::/nonexistent:/usr/sbin/nologin\n"), ("group", "{0}:x:{1}:\n")):
            known = Path(f"/etc/{name}").read_text()
            (self.folder / name).write_text(
                known + "".join(line.format(user.replace("_", "-"), n) for user, n in ids.items())
            )
        return f"mount --bind {self.folder}/passwd /etc/passwd\nmount --bind {self.folder}/group /etc/group\n"


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def can_unshare() -> bool:
    """True where a mount namespace of one's own can be had."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return (
        subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0
    )
