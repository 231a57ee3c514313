"""`user` and `console`: accounts from the command line, and what is said where they cannot be."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from gateway.commands.shown import here
from gateway.console import passwords
from gateway.store.store import Store
from tests.commands.conftest import Run

WORD = "a long enough sentence\n"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    key = tmp_path / "keys" / "hold.key"
    key.parent.mkdir()
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    store = Store.open(f"sqlite:///{tmp_path}/state/gateway.db", bytes(range(32)))
    store.upgrade()
    store.close_now()
    monkeypatch.setattr("sys.stdin", io.StringIO(WORD))
    return ["--state", str(tmp_path / "state"), "--key-file", str(key)]


def test_add_list_remove(run: Run, state: list[str], tmp_path: Path) -> None:
    added = run("user", "add", "ada", "--role", "admin", "--shown", "Ada Lovelace", *state)
    assert (added.code, added.out) == (0, "ada is an admin now\n")
    store = Store.open(f"sqlite:///{tmp_path}/state/gateway.db", bytes(range(32)), create=False)
    found = store.account("ada")
    assert found is not None and passwords.fits(WORD.strip(), found.password)
    assert store.noted("account/ada", 1)[0][1:] == ("account-added", "admin", "ada (command line)", here())
    store.close_now()
    listed = run("user", "list", *state)
    assert "ada" in listed.out and "admin" in listed.out and "never logged in" in listed.out
    assert json.loads(run("user", "list", "--json", *state).out)["role"] == "admin"
    last = run("user", "remove", "ada", *state)
    assert last.code == 2 and "last admin" in last.err
    assert run("user", "remove", "bob", *state).code == 2


def test_an_account_without_a_password(run: Run, state: list[str], tmp_path: Path) -> None:
    """For people who log in with OpenID Connect only: no password fits, the empty one neither."""
    added = run("user", "add", "ada", "--role", "admin", "--address", "ada@acme.example", "--no-password", *state)
    assert (added.code, added.out) == (0, "ada is an admin now\n")
    store = Store.open(f"sqlite:///{tmp_path}/state/gateway.db", bytes(range(32)), create=False)
    found = store.account("ada")
    store.close_now()
    assert found is not None and not any(passwords.fits(word, found.password) for word in ("", WORD.strip()))


def test_a_reviewer_has_teams_of_the_site_file(run: Run, state: list[str]) -> None:
    site = str(Path(__file__).parents[2] / "policies" / "site.yaml")
    none = run("user", "add", "rita", "--role", "reviewer", *state)
    assert none.code == 2 and "--team" in none.err
    wrong = run("user", "add", "rita", "--role", "reviewer", "--team", "itsupport", "--site", site, *state)
    assert wrong.code == 2 and "it-support" in wrong.err
    fine = run("user", "add", "rita", "--role", "reviewer", "--team", "it-support", "--site", site, *state)
    assert (fine.code, fine.out) == (0, "rita is a reviewer now\n")
    assert run("user", "add", "rita", "--role", "reviewer", "--team", "*", *state).code == 2, "the name is taken"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Ada", "--role", "admin"), "cannot be a name"), (("a b", "--role", "admin"), "cannot be a name"),
        (("ada", "--role", "king"), "no role"), (("ada", "--role", "auditor", "--team", "x"), "sees every team"),
    ],
)  # fmt: skip
def test_accounts_that_cannot_be(run: Run, state: list[str], words: tuple[str, ...], said: str) -> None:
    ran = run("user", "add", *words, *state)
    assert ran.code == 2 and said in ran.err and "Write:" in ran.err


@pytest.mark.parametrize("word", ["", "short", "ada-ada-ada-ada", "aaaaaaaaaaaaaaa"])
def test_passwords_that_will_not_do(run: Run, state: list[str], word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(word + "\n"))
    ran = run("user", "add", "ada", "--role", "admin", *state)
    assert ran.code == 2 and "the password is" in ran.err


def test_console_says_what_it_lacks(run: Run, state: list[str], tmp_path: Path) -> None:
    tls = run("console", "--console-listen", "127.0.0.1:0,tls", *state)
    assert tls.code == 2 and "no certificate" in tls.err
    url = run("console", "--console-url", "mail.example.org", *state)
    assert url.code == 2 and "not an address of the web" in url.err
    away = run("console", "--state", str(tmp_path / "elsewhere"))
    assert away.code == 2 and "no database" in away.err
    taken = run("console", "--console-listen", "192.0.2.77:80", *state)
    assert taken.code == 2 and "cannot listen" in taken.err


def test_open_id_connect_without_its_library(run: Run, state: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "gateway.console.provider", raising=False)
    monkeypatch.setitem(sys.modules, "httpx2", None)  # as where the extra is not installed
    oidc = ["--console-oidc-issuer", "https://login.example.org", "--console-oidc-client", "gateway"]
    told = run("console", "--console-url", "http://127.0.0.1:8025", "--console-listen", "127.0.0.1:0", *oidc, *state)
    assert told.code == 2 and "(httpx2)" in told.err and "pip install 'referral-gateway[oidc]'" in told.err
