"""The README tells the truth: its transcript, its table and its commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(marker: str) -> str:
    return re.search(rf"<!-- {marker} -->\n```\w+\n(.*?)\n```", README, re.DOTALL)[1]


def test_the_transcript_is_what_the_command_prints() -> None:
    line, _, shown = block("transcript: explain").partition("\n")
    words = line.removeprefix("$ referral-gateway ").split()
    ran = subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert ran.returncode == 1, ran.stderr
    assert ran.stdout.rstrip() == shown


def test_both_commands_are_one_line_each() -> None:
    for name in ("demo", "test"):
        assert "\n" not in block(f"command: {name}") and ".venv/bin/" in block(f"command: {name}")


def test_every_command_that_it_names_exists() -> None:
    from typer.main import get_command

    from gateway.cli import app

    known = get_command(app).commands
    for words in re.findall(r"referral-gateway ([a-z]+(?: [a-z]+)?)", README):
        first, _, second = words.partition(" ")
        assert first in known, words
        assert not second or not hasattr(known[first], "commands") or second in known[first].commands, words
