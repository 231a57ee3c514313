"""Commands run in this process, with a home of their own, in UTC; what they print is compared with pinned files."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway import cli
from tests import databases

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in list(os.environ):
        if name.startswith(("REFERRAL_GATEWAY_", "XDG_")) or name in ("STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("LOGNAME", "ada")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("gateway.config.SYSTEM_FILE", tmp_path / "absent.toml")
    monkeypatch.setattr("gateway.settings_file.SYSTEM_FILE", tmp_path / "absent.toml")
    monkeypatch.setattr("gateway.store.engine.Database.create", databases.create)
    monkeypatch.chdir(HERE / "mails")
    time.tzset()
    yield tmp_path
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*words: str | Path) -> Ran:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        said = capsys.readouterr()
        code = ended.value.code
        return Ran(code if isinstance(code, int) else 0, said.out, said.err)

    return command


@pytest.fixture
def pinned(tmp_path: Path) -> Callable[[str, str], None]:
    """Compare an output with its pinned file. After a change that is meant, write it anew with GOLDEN=write."""

    def compare(name: str, text: str) -> None:
        text = text.replace(str(tmp_path), "TMP")
        text = re.sub(r"\b[0-9a-f]{16}\b", "VERSION", text)
        # The reading goes deeper all the time; its own tests pin facts.
        text = re.sub(r"(?m)^(  facts  .*\n)(?:    .*\n)*", r"\1    …\n", text)
        path = HERE / "expected" / f"{name}.txt"
        if os.environ.get("GOLDEN") == "write":
            path.write_text(text, "utf-8")
        assert text == path.read_text("utf-8")

    return compare
