"""The settings table: precedence, kinds, and that the docs made from it are true."""

from __future__ import annotations

import tomllib
from ipaddress import ip_network
from pathlib import Path

import pytest

from gateway.config import PREFIX, SETTINGS
from gateway.located import BadFiles
from gateway.settings_file import load_settings
from gateway.settings_shown import example_file, readme_table
from gateway.values import Endpoint

HOME = {"HOME": "/home/ada"}
README = Path(__file__).parent.parent / "README.md"


@pytest.fixture(autouse=True)
def no_system_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("gateway.settings_file.SYSTEM_FILE", tmp_path / "absent.toml")


def test_defaults_are_those_of_the_table() -> None:
    settings = load_settings({}, HOME)
    assert settings.listen == (Endpoint("127.0.0.1", 2525),)
    assert settings.upstream is None and settings.observe is False
    assert settings.size_limit == 50 * 1024 * 1024 and settings.client_timeout == 300.0
    assert settings.listed_peers == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert settings.state == Path("/home/ada/.local/state/referral-gateway")
    assert settings.key_file == Path("/home/ada/.config/referral-gateway/hold.key")
    assert settings.database_url == f"sqlite:///{settings.state}/gateway.db"


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('hostname = "file.example"\nlog_level = "debug"\nmax_recipients = 7\n')
    environ = HOME | {f"{PREFIX}HOSTNAME": "env.example", f"{PREFIX}LOG_LEVEL": "error"}
    settings = load_settings({"hostname": "flag.example", "log_level": None}, environ, file)
    assert (settings.hostname, settings.log_level, settings.max_recipients) == ("flag.example", "error", 7)


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("observe = true\n")
    assert load_settings({}, HOME | {f"{PREFIX}SETTINGS": str(tmp_path / "s.toml")}).observe is True


def test_paths_of_a_file_start_at_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('site = "site.yaml"\ntemplates = "/srv/templates"\n')
    settings = load_settings({"policies": "p"}, HOME, file)
    assert settings.site == tmp_path / "site.yaml"
    assert settings.templates == Path("/srv/templates")
    assert settings.policies == Path.cwd() / "p"


def test_lists_are_words_in_the_environment_repeats_on_the_command_line_and_lists_in_toml(tmp_path: Path) -> None:
    want = (Endpoint("127.0.0.1", 2525), Endpoint("::1", 2526, proxy_filter=True, proxy_protocol=True))
    words = ["127.0.0.1:2525", "[::1]:2526,proxy-filter,proxy-protocol"]
    file = tmp_path / "settings.toml"
    file.write_text(f"listen = {words!r}\n")
    assert load_settings({"listen": words}, HOME).listen == want
    assert load_settings({}, HOME | {f"{PREFIX}LISTEN": " ".join(words)}).listen == want
    assert load_settings({}, HOME, file).listen == want
    assert [str(endpoint) for endpoint in want] == words


@pytest.mark.parametrize(("text", "seconds"), [("90", 90.0), ("90s", 90.0), ("1.5h", 5400.0), ("2d", 172800.0)])
def test_times(text: str, seconds: float) -> None:
    assert load_settings({"hold_deadline": text}, HOME).hold_deadline == seconds


@pytest.mark.parametrize(("text", "octets"), [("512K", 524288), ("10M", 10485760), ("1000000", 1000000)])
def test_sizes(text: str, octets: int) -> None:
    assert load_settings({"memory_limit": text}, HOME).memory_limit == octets


def test_the_upstream_is_a_target() -> None:
    target = load_settings({"upstream": "mail.example.org:587,starttls"}, HOME).upstream
    assert target is not None and (target.host, target.port, target.tls) == ("mail.example.org", 587, "starttls")


def test_secrets_come_from_the_environment_or_a_file_and_are_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "pw"
    secret.write_text("open sesame\n")
    by_variable = load_settings({}, HOME | {f"{PREFIX}UPSTREAM_PASSWORD": "s3cr3t"})
    assert by_variable.secret("upstream_password") == "s3cr3t"
    assert "s3cr3t" not in repr(by_variable)
    assert load_settings({"upstream_password_file": str(secret)}, HOME).secret("upstream_password") == "open sesame"
    (tmp_path / "upstream-password").write_text("from systemd")
    by_credential = load_settings({}, HOME | {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert by_credential.secret("upstream_password") == "from systemd"
    assert by_credential.key_file == tmp_path / "hold-key"


def test_an_empty_password_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("\n")
    with pytest.raises(BadFiles, match="the file has no password"):
        load_settings({"upstream_password_file": str(tmp_path / "pw")}, HOME).secret("upstream_password")


def test_the_example_file_has_every_setting_at_its_default(tmp_path: Path) -> None:
    text = example_file()
    file = tmp_path / "settings.toml"
    file.write_text(text)
    plain = load_settings({}, HOME)
    assert load_settings({}, HOME, file) == plain
    lines = [line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in text.split("\n")]
    file.write_text("\n".join(lines))
    assert set(tomllib.loads(file.read_text())) == {row.name for row in SETTINGS if not row.secret}
    assert load_settings({}, HOME, file) == plain


def test_every_setting_has_help_that_is_a_sentence_without_its_full_stop() -> None:
    for row in SETTINGS:
        assert row.help[0].isupper() or row.help.startswith("That"), row.name
        assert not row.help.endswith("."), row.name


def test_the_readme_has_the_table_of_settings() -> None:
    text = README.read_text("utf-8")
    assert text.count("<!-- settings -->") == 1, "README.md needs the markers <!-- settings --> and <!-- /settings -->"
    shown = text.partition("<!-- settings -->")[2].partition("<!-- /settings -->")[0].strip()
    assert shown == readme_table(), "put the output of `python -m gateway.settings_shown` between the markers"
