"""What all tests share: where the corpus is, and that CI skips nothing."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before anybody loads numpy: see gateway.reading.acts

import hypothesis
import pytest
import structlog

if os.environ.get("GATEWAY_NO_SKIPS"):
    # CI asks whether this change is right, the same question each time; new examples are looked for elsewhere.
    hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
    hypothesis.settings.load_profile("ci")


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    """Commands set the log up for their process; it must not outlive the test."""
    yield
    structlog.reset_defaults()


def pytest_collection_finish() -> None:
    """Tests by the thousand, and all that they import, stay to the end: nobody need look for garbage among them."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped and os.environ.get("GATEWAY_NO_SKIPS"):
        terminalreporter.write_line(f"{len(skipped)} skipped, and GATEWAY_NO_SKIPS allows none", red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a skip is a failure: a part that was not installed would else go unnoticed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("GATEWAY_NO_SKIPS") and reporter and reporter.stats.get("skipped") and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
