"""The wheel and the sdist hold what they should, and what is installed from them works in any folder."""

from __future__ import annotations

import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, Fresh

pytestmark = pytest.mark.timeout(600)

CARRIED = ("policies", "templates", "systemd")


def shipped_files(*folders: str) -> set[str]:
    """Files of the repository, without what Python leaves behind."""
    return {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_and_its_files(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
        metadata = {Path(name).name for name in opened.namelist() if ".dist-info/" in name}
        entry = opened.read(next(name for name in opened.namelist() if name.endswith("entry_points.txt"))).decode()
    wanted = shipped_files("gateway") | {f"gateway/_data/{name}" for name in shipped_files(*CARRIED)}
    assert names == wanted
    assert any("/migrations/versions/" in name for name in names) and any(name.endswith(".mako") for name in names)
    assert "LICENSE" in metadata and "referral-gateway = gateway.cli:main" in entry
    assert wheel.name.endswith("-py3-none-any.whl")


def test_the_sdist_makes_the_same_wheel(fresh: Fresh, wheel: Path, sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert shipped_files("gateway", "tests", *CARRIED) <= names
    assert {"README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "requirements.txt"} <= names
    assert not any(name.startswith((".", "shared", "dist")) for name in names - {".gitignore"})
    fresh.pip("wheel", "--no-deps", "-w", tmp_path, sdist)
    (again,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert one.namelist() == other.namelist()
        assert all(one.read(name) == other.read(name) for name in one.namelist())


@pytest.fixture(scope="module")
def installed(fresh: Fresh, wheel: Path) -> Fresh:
    """The wheel and exactly what requirements.txt pins, with its hashes."""
    fresh.pip("install", "--require-hashes", "-r", ROOT / "requirements.txt")
    fresh.pip("install", "--no-deps", wheel)
    fresh.pip("check")
    return fresh


def test_demo_runs_from_any_folder(installed: Fresh) -> None:
    ran = installed.gateway("demo", "--once")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "All 6 samples ended as they should" in ran.stdout
    assert list(installed.elsewhere.iterdir()) == []  # and leaves nothing behind


def test_other_commands_find_their_files(installed: Fresh) -> None:
    where = Path(installed.python("import gateway; print(gateway.__file__)"))
    assert where.is_relative_to(installed.folder)
    ran = installed.gateway("explain", "--json", ROOT / "tests" / "mails" / "bare-no.eml")
    assert ran.returncode == 1 and json.loads(ran.stdout)["disposition"] == "hold", ran.stderr
    for words in (("policy", "check"), ("policy", "test"), ("--version",), ("db", "upgrade", "--state", "s")):
        ran = installed.gateway(*words)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    ran = installed.gateway("doctor", "--state", "s")
    assert ran.returncode == 1 and ran.stderr == ""  # all is well but the upstream, which nobody has named
    assert ran.stdout.count("mend:") >= 1 and 'upstream = "HOST:PORT"' in ran.stdout
    shutil.rmtree(installed.elsewhere / "s")


def test_an_editable_install_uses_the_checkout(installed: Fresh, wheel: Path) -> None:
    """What a developer has: the files at the top level of the repository, not copies of them."""
    installed.pip("install", "--no-deps", "-e", ROOT)
    try:
        code = "from gateway.resources import shipped; print(shipped('policies'))"
        assert Path(installed.python(code)) == ROOT / "policies"
        assert installed.gateway("policy", "test").returncode == 0
    finally:
        installed.pip("install", "--no-deps", "--force-reinstall", wheel)
