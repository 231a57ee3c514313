"""Reads the shipped unit: options in order, with every value given for each."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

UNITS = Path(__file__).parents[2] / "systemd"
SERVICE = UNITS / "referral-gateway.service"


def options(file: Path = SERVICE) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in file.read_text("utf-8").splitlines():
        if match := re.match(r"([A-Za-z]+)=(.*)", line):
            found.setdefault(match[1], []).append(match[2])
    return found


def seconds(text: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(s|min)", text).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "min": 60}[unit]


@cache
def members(group: str) -> frozenset[str]:
    """The system calls of a group such as @system-service, as this systemd knows it."""
    ran = subprocess.run(
        ["systemd-analyze", "--no-pager", "syscall-filter", group], capture_output=True, text=True, check=True
    )
    names = [line.strip() for line in ran.stdout.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
    return frozenset().union(*({name} if not name.startswith("@") else members(name) for name in names))


def allowed_calls() -> frozenset[str]:
    """The system calls that SystemCallFilter= leaves: lines with ~ take away (systemd.exec(5))."""
    calls: frozenset[str] = frozenset()
    for value in options()["SystemCallFilter"]:
        for name in value.removeprefix("~").split():
            group = members(name) if name.startswith("@") else frozenset({name})
            calls = calls - group if value.startswith("~") else calls | group
    return calls
