"""The command line as a whole: help that is quick, exit codes that say whose fault it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import __version__, cli
from gateway.commands import shown
from gateway.config import SETTINGS
from gateway.settings_shown import example_file

from .conftest import Run

COMMANDS = (
    "demo", "serve", "explain", "policy check", "policy test", "held list", "held show", "held release", "held discard",
    "audit list", "audit show", "doctor", "db upgrade",
)  # fmt: skip


def test_the_commands_of_the_contract_are_there_and_each_has_help(run: Run) -> None:
    for command in COMMANDS:
        ran = run(*command.split(), "--help")
        assert ran.code == 0 and f"Usage: referral-gateway {command}" in ran.out, command


def test_all_but_the_demo_take_settings_and_state(run: Run) -> None:
    for command in COMMANDS[1:]:
        said = run(*command.split(), "--help").out
        assert "--settings FILE" in said and "--state PATH" in said, command


def test_every_setting_that_is_no_secret_is_a_flag_of_serve(run: Run) -> None:
    said = run("serve", "--help").out
    for row in SETTINGS:
        assert (f"  {row.flag} " in said) != row.secret, row.name


def test_the_first_help_is_pinned(run: Run, pinned: Callable[[str, str], None]) -> None:
    pinned("help", run("--help").out)


def test_help_imports_nothing_heavy() -> None:
    heavy = "pydantic yaml sqlalchemy alembic jinja2 rich structlog aiosmtpd re2 dateparser py3langid cryptography"
    code = f"import gateway.cli, sys; print([name for name in {heavy.split()!r} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_version(run: Run) -> None:
    assert run("--version").out == f"referral-gateway {__version__}\n"


def test_serve_prints_a_settings_file(run: Run) -> None:
    assert run("serve", "--print-settings").out == example_file() + "\n"


def test_serve_without_an_upstream_says_what_to_write(run: Run) -> None:
    ran = run("serve")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "--upstream: upstream is not set\n  Write: --upstream HOST:PORT, or upstream in the settings file\n"
    )


def test_wrong_settings_are_the_users_all_at_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('listen = "x"\nobserv = true\n')
    ran = run("doctor", "--settings", tmp_path / "s.toml", "--upstream", "nowhere")
    assert ran.code == 2
    assert f"{tmp_path}/s.toml:1:10: listen:" in ran.err
    assert "  2 | observ = true\n    | ^" in ran.err
    assert "--upstream: upstream: 'nowhere' is not HOST:PORT" in ran.err


@pytest.mark.parametrize("words", [["nonsense"], ["explain"], ["held", "show"], ["explain", "--nonsense", "x.eml"]])
def test_wrong_arguments_are_the_users(words: list[str], run: Run) -> None:
    assert run(*words).code == 2


def test_our_own_fault_is_three(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(cli, "app", lambda args, prog_name: broken())
    ran = run("explain", "x.eml")
    assert ran.code == shown.OURS
    assert ran.err.endswith("RuntimeError: boom\nThis is a fault of the gateway, not of your files.\n")
