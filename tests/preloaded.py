"""What a process has that commands are forked from (see tests/forked.py)."""

from __future__ import annotations

import gc
import importlib
import threading

import pytest  # noqa: F401 - each process imports the program that asked for it

from tests.e2e.house import _shipped_rules

for name in ("checkup", "cli", "commands.opened", "health", "replay", "service"):
    importlib.import_module(f"gateway.{name}")
_shipped_rules(None)
assert threading.active_count() == 1
gc.collect()
gc.freeze()
