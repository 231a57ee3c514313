"""What is logged: one line an event, whoever logs it, and never the words of an exception."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterator

import pytest
import structlog

from gateway.commands.serve import set_up_log
from gateway.settings_file import load_settings


@pytest.fixture(autouse=True)
def before() -> Iterator[None]:
    """The log as it was, afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("gateway")
    handlers, level = list(root.handlers), ours.level
    yield
    root.handlers = handlers
    ours.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def fail() -> None:
    raise ValueError("Dear Jill, the words of a mail")


def test_all_loggers_write_the_same_lines(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in "again":  # which changes nothing
        set_up_log(load_settings({"log_format": "json", "log_level": "info"}, {"HOME": "/nowhere"}, None))
    structlog.get_logger("gateway.service").info("started", listening=["127.0.0.1:25"])
    logging.getLogger("gateway.smtp.dialogue").warning("upstream away: %s", "refused")
    logging.getLogger("gateway.smtp.dialogue").debug("too little to tell")
    logging.getLogger("mail.log").info("a library's small talk")
    said = lines(capsys)
    assert [each["event"] for each in said] == ["started", "upstream away: refused"]
    assert said[1]["level"] == "warning" and said[0]["listening"] == ["127.0.0.1:25"]


def test_words_of_exceptions_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_log(load_settings({"log_format": "json"}, {"HOME": "/nowhere"}, None))
    try:
        fail()
    except ValueError as error:
        structlog.get_logger("gateway.pipeline").exception("fault while reading")
        text = f"Task exception was never retrieved\nfuture: <Task exception={error!r}>"
        logging.getLogger("asyncio").error(text, exc_info=error)
    ours, theirs = lines(capsys)
    for each in (ours, theirs):
        assert each["fault"] == "ValueError" and each["at"].startswith("test_log.py:")
        assert "Jill" not in json.dumps(each)
    assert theirs["event"] == "Task exception was never retrieved"


def test_a_log_that_cannot_be_written_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the journal is gone: the next write says EPIPE."""
    reading, writing = os.pipe()
    os.close(reading)
    set_up_log(load_settings({}, {"HOME": "/nowhere"}, None))
    with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "w") as broken:
        monkeypatch.setattr("sys.stderr", broken)
        structlog.get_logger("gateway.pipeline").warning("somebody ought to know")
        logging.getLogger("gateway.smtp.dialogue").warning("somebody ought to know")
        monkeypatch.undo()
    structlog.get_logger("gateway.pipeline").warning("after it was closed")
