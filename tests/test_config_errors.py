"""Settings that cannot be used: each error names its place and what to write, all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import PREFIX
from gateway.located import BadFiles
from gateway.settings_file import load_settings, require

HOME = {"HOME": "/home/ada"}


@pytest.fixture(autouse=True)
def no_system_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("gateway.settings_file.SYSTEM_FILE", tmp_path / "absent.toml")


def errors(text: str, tmp_path: Path, environ: dict[str, str] | None = None, **flags: object) -> list[str]:
    file = tmp_path / "settings.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadFiles) as caught:
        load_settings(flags, HOME | (environ or {}), file)
    return [str(problem).replace(str(tmp_path) + "/", "") for problem in caught.value.problems]


BAD = {
    "unknown": ("\nlisten_on = 1\n", 'settings.toml:2:1: unknown setting "listen_on". Write: listen'),
    "no such table": (
        "[upstream]\nhost = 'x'\n",
        "settings.toml:1:2: upstream: a table is not text. Write: text in quotes",
    ),
    "table": ("[smtp]\nport = 25\n", 'settings.toml:1:2: there is no table "smtp". Write: settings without a table'),
    "secret": (
        'upstream_password = "x"\n',
        "settings.toml:1:1: upstream_password is a secret and must not stand in this file. "
        'Write: upstream_password_file = "…", or set REFERRAL_GATEWAY_UPSTREAM_PASSWORD in the environment',
    ),
    "type": ("observe = 3\n", "settings.toml:1:11: observe: 3 is neither true nor false. Write: true or false"),
    "not text": ("hostname = 3\n", "settings.toml:1:12: hostname: 3 is not text. Write: text in quotes"),
    "range": (
        "max_recipients = 0",
        "settings.toml:1:18: max_recipients: 0 is not a whole number from 1 to 100000. Write: a number like 1",
    ),
    "choice": (
        'bare_line_ends = "allow"',
        'settings.toml:1:18: bare_line_ends: "allow" is not allowed here. Write: refuse or normalise',
    ),
    "address": (
        'listen = ["localhost"]',
        'settings.toml:1:10: listen: "localhost" is not an address to listen on. '
        "Write: HOST:PORT, for instance 127.0.0.1:2525 or [::1]:465,tls",
    ),
    "bare ipv6": (
        'listen = ["::1:25"]',
        'settings.toml:1:10: listen: "::1:25" is not an address to listen on. '
        "Write: HOST:PORT, for instance 127.0.0.1:2525 or [::1]:465,tls",
    ),
    "option": (
        'listen = ["h:25,ssl"]',
        'settings.toml:1:10: listen: "ssl" is not an option of an address. '
        "Write: tls, starttls, proxy-filter or proxy-protocol",
    ),
    "network": (
        'listed_peers = ["10.0.0.1/8"]',
        'settings.toml:1:16: listed_peers: "10.0.0.1/8" has bits beyond its prefix. '
        "Write: an address or a network, for instance 192.0.2.7 or 10.1.0.0/16",
    ),
    "size": (
        'size_limit = "big"',
        'settings.toml:1:14: size_limit: "big" is not a size. Write: octets, or a number with K, M or G, like 50M',
    ),
    "time": (
        'client_timeout = "5 minutes"',
        'settings.toml:1:18: client_timeout: "5 minutes" is not a length of time. '
        "Write: seconds, or a number with s, m, h or d, like 5m",
    ),
    "mail address": (
        'notices_address = "desk"',
        'settings.toml:1:19: notices_address: "desk" is not a mail address. '
        "Write: an address like gateway@notices.example.org",
    ),
    "injection": (
        'hostname = "a\\r\\nBcc: b"',
        "settings.toml:1:12: hostname: the text has a line end or a control character. Write: one line of plain text",
    ),
    "host": (
        'hostname = "my mail"',
        'settings.toml:1:12: hostname: "my mail" is not a host name. Write: a name like mail.example.org',
    ),
    "syntax": (
        "observe = yes\n",
        'settings.toml:1:11: this is not TOML: invalid value. Write: name = value, with text in "quotes"',
    ),
    "twice": (
        "observe = true\nobserve = true\n",
        "settings.toml:2:1: this is not TOML: cannot overwrite a value. Write: each setting once",
    ),
    "encoding": (
        "hostname = '\udcff'\n",
        "settings.toml:1:13: octet 0xff is not UTF-8. Write: the file saved as UTF-8",
    ),
    "tls": (
        'listen = "h:465,tls"',
        "settings.toml:1:10: h:465,tls needs a certificate. Write: tls_cert (and tls_key), or the address without tls",
    ),
    "same twice": ('listen = "h:25 h:25"', "settings.toml:1:10: h:25 stands here twice. Write: each address once"),
    "url": (
        'database = "postgresql://u:pw@h/d"',
        "settings.toml:1:12: a password in the database's URL. "
        "Write: the URL without it, and database_password_file or REFERRAL_GATEWAY_DATABASE_PASSWORD",
    ),
    "an issuer by a name": (
        'console_oidc_issuer = "login.example.org"',
        'settings.toml:1:23: console_oidc_issuer: "login.example.org" is not an issuer. '
        "Write: https://NAME, as `issuer` stands in its /.well-known/openid-configuration",
    ),
    "an issuer that anybody between can speak for": (
        'console_oidc_issuer = "http://login.example.org"',
        'settings.toml:1:23: console_oidc_issuer: "http://login.example.org" is not an issuer. '
        "Write: https://NAME, as `issuer` stands in its /.well-known/openid-configuration",
    ),
    "an issuer that does not know us": (
        'console_url = "https://mail.example.org"\nconsole_oidc_issuer = "https://login.example.org/"',
        "settings.toml:2:23: a provider that does not know us. Write: console_oidc_client too: our client id there",
    ),
    "an issuer that knows no way back": (
        'console_oidc_issuer = "https://login.example.org/"\nconsole_oidc_client = "gateway"',
        "settings.toml:1:23: the provider must know where to send browsers back. "
        "Write: console_url too: the address of the console as browsers see it",
    ),
    "a client without its provider": (
        'console_oidc_client = "gateway"',
        "settings.toml:1:23: a client id without its provider. Write: console_oidc_issuer too",
    ),
    "a client secret in the file": (
        'console_oidc_secret = "x"',
        "settings.toml:1:1: console_oidc_secret is a secret and must not stand in this file. "
        'Write: console_oidc_secret_file = "…", or set REFERRAL_GATEWAY_CONSOLE_OIDC_SECRET in the environment',
    ),
    "key": (
        'state = "s"\nkey_file = "s/hold.key"',
        "settings.toml:2:12: the key lies inside the state folder, so whoever copies one has both. "
        "Write: a path outside `state`",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file(name: str, tmp_path: Path) -> None:
    text, want = BAD[name]
    assert errors(text, tmp_path) == [want]


def test_the_upstream_says_what_to_write(tmp_path: Path) -> None:
    [said] = errors('upstream = "mail"', tmp_path)
    assert said.startswith("settings.toml:1:12: upstream: 'mail' is not HOST:PORT. Write: ")


def test_all_problems_of_all_sources_at_once(tmp_path: Path) -> None:
    text = '# ours\nlissten = 1\nlog_level = """\nloud"""\n\n"observ" = true\n'
    text += "size_limit = [ # a comment with observe = 1\n1]\n"
    environ = {f"{PREFIX}MAX_RECIPIENT": "3", f"{PREFIX}OBSERVE": "maybe"}
    assert errors(text, tmp_path, environ, hostname="a\nb") == [
        "--hostname: hostname: the text has a line end or a control character. Write: one line of plain text",
        'settings.toml:2:1: unknown setting "lissten". Write: listen',
        'settings.toml:3:13: log_level: "loud" is not allowed here. Write: debug or info or warning or error',
        'settings.toml:6:1: unknown setting "observ". Write: observe',
        "settings.toml:7:14: size_limit: [1] is not a size. Write: octets, or a number with K, M or G, like 50M",
        "REFERRAL_GATEWAY_MAX_RECIPIENT: there is no such setting. Write: REFERRAL_GATEWAY_MAX_RECIPIENTS",
        'REFERRAL_GATEWAY_OBSERVE: observe: "maybe" is neither true nor false. Write: true or false',
    ]


def test_what_a_command_needs_is_asked_for() -> None:
    with pytest.raises(BadFiles) as caught:
        require(load_settings({}, HOME), "upstream", "listen")
    assert str(caught.value) == (
        "--upstream: upstream is not set. Write: --upstream HOST:PORT, or upstream in the settings file"
    )


def test_an_absent_file_is_named() -> None:
    with pytest.raises(BadFiles, match=r"/nowhere/s\.toml:1:1: the file cannot be read"):
        load_settings({}, HOME, "/nowhere/s.toml")


def test_no_secret_is_repeated_in_an_error(tmp_path: Path) -> None:
    said = errors('database = "postgresql://u:hunter2@h/d"\n', tmp_path, {f"{PREFIX}UPSTREAM_PASSWORD": "a\nsecond"})
    assert "hunter2" not in "".join(said) and "second" not in "".join(said)


@pytest.mark.parametrize(
    "line",
    [
        'upstream_password = "hunter2"',
        'upstream_password = "hunter2',
        'upstream = "gw:hunter2@mail.example:25"',
        'database = "postgresql://gw:hunter2@db.example/gateway"',
    ],
)
def test_no_error_shows_a_secret(tmp_path: Path, line: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(BadFiles) as bad:
        load_settings({}, {}, file)
    assert not any("hunter2" in problem.show() + str(problem) for problem in bad.value.problems)
