"""The unit files are right: systemd reads them, the sandbox is tight, and their numbers fit the settings' defaults."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.assembly import _SOCKET_NAMES
from gateway.config import BY_NAME, SETTINGS
from tests.service.unit import SERVICE, UNITS, options, seconds

EXPOSURE = 1.0
"""The most that `systemd-analyze security` may find: 0 is closed, 10 open. What is left is the network itself."""

SOCKETS = sorted(UNITS.glob("*.socket"))
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze here (Debian package systemd)"
)


@needs_systemd
@pytest.mark.peers
def test_systemd_reads_them_without_a_word(tmp_path: Path) -> None:
    for file in sorted(UNITS.iterdir()):
        shutil.copy(file, tmp_path)
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=yes", *sorted(map(str, tmp_path.iterdir()))],
        capture_output=True, text=True, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )  # fmt: skip
    ours = [line for line in (ran.stdout + ran.stderr).splitlines() if "referral-gateway" in line]
    assert ran.returncode == 0 and ours == []


@needs_systemd
@pytest.mark.peers
def test_the_sandbox_is_tight() -> None:
    words = ["systemd-analyze", "--no-pager", "security", "--offline=true", f"--threshold={EXPOSURE * 10:.0f}"]
    ran = subprocess.run([*words, str(SERVICE)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    exposure = re.search(r"Overall exposure level for referral-gateway.service: ([\d.]+)", ran.stdout)
    assert exposure is not None and float(exposure[1]) <= EXPOSURE


def test_the_program_and_its_flags_exist() -> None:
    words = options()["ExecStart"][0].split()
    assert words[:3] == ["/usr/bin/env", "referral-gateway", "serve"]
    flags = {row.flag for row in SETTINGS} | {"--settings"}
    assert {word for word in words if word.startswith("--")} <= flags


def test_the_numbers_fit_the_settings() -> None:
    unit = options()
    grace = BY_NAME["shutdown_grace"].default_value({})
    assert isinstance(grace, float)
    assert seconds(unit["TimeoutStopSec"][0]) > 3 * grace  # doors twice (see Server.close), then our own sending
    most = BY_NAME["max_connections"].default_value({})
    assert isinstance(most, int)
    assert int(unit["LimitNOFILE"][0]) >= 3 * most + 512


def test_settings_find_what_systemd_gives(tmp_path: Path) -> None:
    """State folder and credentials come under the names that the unit uses."""
    (tmp_path / "upstream-password").write_text("x")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path), "STATE_DIRECTORY": "/var/lib/referral-gateway"}
    text = SERVICE.read_text()
    for name, credential in (("key_file", "hold-key"), ("upstream_password_file", "upstream-password")):
        assert BY_NAME[name].default_value(environ) == tmp_path / credential
        assert f"LoadCredential={credential}:" in text
    assert options()["StateDirectory"] == ["referral-gateway"]
    assert BY_NAME["state"].default_value(environ) == Path("/var/lib/referral-gateway")


@pytest.mark.parametrize("file", SOCKETS, ids=lambda file: file.stem)
def test_each_socket_says_what_it_is_for(file: Path) -> None:
    unit = options(file)
    assert unit["FileDescriptorName"][0] in _SOCKET_NAMES
    assert unit["Service"] == [SERVICE.name]
    assert unit["ListenStream"][0].startswith("127.0.0.1:")  # opened to a network by the admin, not by us


def test_each_kind_of_socket_is_told() -> None:
    told = (UNITS / "referral-gateway.socket").read_text()
    assert all(name in told for name in _SOCKET_NAMES - {"smtps"})
    assert len({options(file)["FileDescriptorName"][0] for file in SOCKETS}) == len(SOCKETS) == 3


def test_every_file_explains_itself() -> None:
    for file in UNITS.iterdir():
        assert file.read_text("utf-8").startswith("# "), file.name
