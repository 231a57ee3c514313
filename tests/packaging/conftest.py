"""Built and installed as a user would: sdist and wheel once, and one fresh environment for all tests here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*words: str | Path, cwd: Path, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A program with nothing of this test run in its environment."""
    foreign = ("PYTHON", "REFERRAL_", "XDG_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environ |= {"COLUMNS": "100", "PIP_DISABLE_PIP_VERSION_CHECK": "1"} | ({"HOME": str(home)} if home else {})
    return subprocess.run(
        [str(word) for word in words], cwd=cwd, env=environ, capture_output=True, text=True, timeout=300,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@dataclass(frozen=True)
class Fresh:
    """A fresh virtual environment; `elsewhere` is an empty folder that has nothing to do with the repository."""

    folder: Path
    elsewhere: Path
    home: Path

    def pip(self, *words: str | Path) -> None:
        ran = run(self.folder / "bin" / "python", "-m", "pip", "-q", *words, cwd=self.elsewhere)
        assert ran.returncode == 0, ran.stderr

    def gateway(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return run(self.folder / "bin" / "referral-gateway", *words, cwd=self.elsewhere, home=self.home)

    def python(self, code: str) -> str:
        ran = run(self.folder / "bin" / "python", "-c", code, cwd=self.elsewhere)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    """Skips where pip reaches no packages; with GATEWAY_NO_SKIPS that fails the run."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    probe = run(
        sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--retries", "1", "hatchling", cwd=folder.parent
    )
    if probe.returncode:
        pytest.skip("pip reaches no packages here")
    venv.create(folder, with_pip=True)
    yield Fresh(folder, tmp_path_factory.mktemp("elsewhere"), tmp_path_factory.mktemp("home"))
    shutil.rmtree(folder)  # else pytest keeps three of them, each of some hundred megabytes


@pytest.fixture(scope="session")
def sdist(fresh: Fresh, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By the build backend itself: pip has no word for it."""
    folder, tools = tmp_path_factory.mktemp("sdist"), tmp_path_factory.mktemp("tools")
    venv.create(tools / "venv", with_pip=True)
    python = tools / "venv" / "bin" / "python"
    ran = run(python, "-m", "pip", "install", "-q", "hatchling", cwd=tools)
    assert ran.returncode == 0, ran.stderr
    ran = run(python, "-c", f"import hatchling.build; hatchling.build.build_sdist({str(folder)!r})", cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    (found,) = folder.glob("*.tar.gz")
    return found


@pytest.fixture(scope="session")
def wheel(fresh: Fresh, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    fresh.pip("wheel", "--no-deps", "-w", folder, ROOT)
    (found,) = folder.glob("*.whl")
    return found
