"""`referral-gateway console` as a process of its own, beside a running gateway: what is settled there goes out here."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.console.scene import Browser, Scene

ROOT = Path(__file__).parents[2]


def test_a_console_beside_the_gateway(tmp_path: Path) -> None:
    with Scene(tmp_path) as scene:
        id = scene.hold("beside", message_id="<beside@acme.example>")
        command = [sys.executable, "-m", "gateway", "console", "--console-listen", "127.0.0.1:0"]
        command += ["--state", str(scene.house.state), "--key-file", str(tmp_path / "keys" / "hold.key")]
        command += ["--site", str(tmp_path / "site.yaml"), "--log-level", "warning"]
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            command, env=environ, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://\S+(?=/\s)", line)
            assert found, line + (process.stdout.read() if process.poll() is not None else "")
            rita = Browser(found[0])
            assert rita.log_in("rita").status_code == 303
            reason = "the chairs of that model are no longer made"
            assert rita.settle(id, "amend", reason=reason).status_code == 303, "judged by a reader of its own"
            until = time.monotonic() + 60
            while scene.outcome(id) != "amended" and time.monotonic() < until:
                time.sleep(0.2)
            assert scene.outcome(id) == "amended", scene.history(id)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        assert process.returncode == 0
