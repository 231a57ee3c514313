"""The pinned files: every dependency is in them, each with its hashes, and they name no place to get it from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WANTED = {
    "requirements.txt": PROJECT["dependencies"],
    "requirements-test.txt": [
        *PROJECT["dependencies"],
        *PROJECT["optional-dependencies"]["test"],
        *PROJECT["optional-dependencies"]["postgresql"],
        *PROJECT["optional-dependencies"]["oidc"],
    ],
}


def plain(requirement: str) -> str:
    """A requirement's name as indexes compare it (PEP 503)."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match[0]).lower()


@pytest.mark.parametrize("name", WANTED)
def test_every_dependency_is_pinned_with_hashes(name: str) -> None:
    lines = (ROOT / name).read_text("utf-8").replace("\\\n", "").splitlines()
    pins = {plain(line): line for line in lines if line and line[0].isalnum()}
    assert {plain(each) for each in WANTED[name]} <= set(pins)
    for line in pins.values():
        assert "==" in line and "--hash=sha256:" in line, line


@pytest.mark.parametrize("name", WANTED)
def test_no_address_stands_in_it(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "://" not in text and "@" not in text
    assert not re.search(r"--(index-url|extra-index-url|find-links|trusted-host)\b", text.replace("--no-emit-", ""))


def test_the_tests_use_the_same_versions() -> None:
    def versions(name: str) -> set[str]:
        return set(re.findall(r"(?m)^([\w.-]+==[\w.]+)", (ROOT / name).read_text("utf-8")))

    assert versions("requirements.txt") <= versions("requirements-test.txt")
