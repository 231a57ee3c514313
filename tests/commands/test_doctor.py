"""`doctor`: each thing checked, each with a mend, in processes of their own against a sink."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.resources import shipped
from gateway.smtp.sink import Fault, Sink
from tests import forked

ROOT = Path(__file__).parents[2]

EVERYTHING = (
    "settings", "site", "policies", "templates", "key", "store", "bypass", "state folder", "certificate", "upstream",
    "notices",
)  # fmt: skip
Found = dict[str, dict[str, str]]


async def doctor(*words: str | Path) -> tuple[int, Found]:
    """Run it; the exit code and the checks by name."""
    ran = await asyncio.to_thread(forked.run, "doctor", "--json", *words, cwd=ROOT)
    assert not ran.stderr, ran.stderr
    return ran.returncode, {check["name"]: check for check in map(json.loads, ran.stdout.splitlines())}


def certificate(folder: Path, ends: datetime) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(ends - timedelta(days=400))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def ready(home: Path) -> list[str | Path]:
    """Flags of a gateway that has run once: state folder, key, database, site."""
    state = home / "state"
    state.mkdir(mode=0o700)
    return ["--state", state, "--site", shipped("policies") / "site.yaml", "--hostname", "gw.acme.example"]


async def made(ready: list[str | Path]) -> None:
    assert (await asyncio.to_thread(forked.run, "db", "upgrade", "--state", ready[1], cwd=ROOT)).returncode == 0


async def test_all_is_well(ready: list[str | Path], tmp_path: Path) -> None:
    await made(ready)
    cert, key = certificate(tmp_path, datetime.now(UTC) + timedelta(days=100))
    async with Sink() as sink:
        code, found = await doctor(*ready, "--upstream", f"127.0.0.1:{sink.port}", "--tls-cert", cert, "--tls-key", key)
        assert not sink.messages
    assert found.pop("checkpoints")["state"] == "warn", "they stay on this machine"
    assert {name: check["state"] for name, check in found.items()} == dict.fromkeys(
        [
            "settings",
            "site",
            "policies",
            "templates",
            "key",
            "store",
            "bypass",
            "state folder",
            "certificate",
            "upstream",
            "notices",
        ],
        "ok",
    )
    assert code == 0 and not any(check["mend"] for check in found.values())
    assert "8BITMIME" in found["upstream"]["found"]


def troubled(state: Path, folder: Path) -> tuple[Path, Path]:
    """A key and a state folder open to others, a template without front matter, a certificate that has ended."""
    (Path(os.environ["HOME"]) / ".config" / "referral-gateway" / "hold.key").chmod(0o644)
    state.chmod(0o755)
    (folder / "templates" / "en").mkdir(parents=True)
    (folder / "templates" / "en" / "x.txt").write_text("x")
    return certificate(folder, datetime.now(UTC) - timedelta(days=1))


async def test_every_trouble_has_a_mend(ready: list[str | Path], tmp_path: Path) -> None:
    await made(ready)
    cert, key = troubled(Path(ready[1]), tmp_path)
    async with Sink() as sink:
        port = sink.port
    code, found = await doctor(
        *ready, "--upstream", f"127.0.0.1:{port}", "--tls-cert", cert, "--tls-key", key,
        "--templates", tmp_path / "templates", "--policies", tmp_path,
    )  # fmt: skip
    assert code == 1
    assert {name for name, check in found.items() if check["state"] == "bad"} == {
        "policies", "templates", "key", "certificate", "upstream",
    }  # fmt: skip
    assert found["state folder"] == {
        "name": "state folder",
        "state": "warn",
        "found": f"{ready[1]} is open to others (0755)",
        "mend": f"chmod 700 {ready[1]}",
    }
    assert all(check["mend"] for check in found.values() if check["state"] == "bad")


async def test_a_route_that_is_missing_and_a_wrong_password(
    ready: list[str | Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFERRAL_GATEWAY_UPSTREAM_PASSWORD", "wrong")
    async with Sink(users={"gateway": "right"}) as sink:
        refusal = Fault("RCPT", reply=b"550 5.1.1 no such user\r\n", match=b"gateway-doctor", times=None)
        sink.faults.append(refusal)
        code, found = await doctor(*ready, "--upstream", f"127.0.0.1:{sink.port}", "--upstream-user", "gateway")
    assert code == 1
    assert found["account"]["state"] == "bad" and "wrong" not in json.dumps(found["account"])
    assert found["notices"]["state"] == "warn" and "550 5.1.1 no such user" in found["notices"]["found"]
    assert "+tags included" in found["notices"]["mend"]


async def test_before_the_first_start_nothing_is_bad_but_the_missing_upstream(home: Path) -> None:
    code, found = await doctor("--state", home / "none")
    assert code == 1
    assert {name for name, check in found.items() if check["state"] == "bad"} == {"upstream"}
    assert found["site"]["found"] == "no site file is named, so serve judges nothing and passes everything"


async def test_a_mail_server_that_breaks_off_is_told_as_such(ready: list[str | Path]) -> None:
    async with Sink() as sink:
        sink.faults.append(Fault("RCPT", drop="before", match=b"gateway-doctor", times=None))
        code, found = await doctor(*ready, "--upstream", f"127.0.0.1:{sink.port}")
    assert found["upstream"]["state"] == "ok" and "offers , " not in found["upstream"]["found"]
    assert found["notices"]["state"] == "warn" and "broke off" in found["notices"]["found"]
    assert code == 0


async def test_a_language_without_templates_is_told(ready: list[str | Path], tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text('agents: ["*"]\nlang: sv\n')
    _, found = await doctor("--state", ready[1], "--site", site)
    assert found["templates"]["state"] == "warn" and "none in sv" in found["templates"]["found"]


async def test_a_site_whose_held_mail_nobody_could_answer_for(ready: list[str | Path], tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text('agents: ["*"]\n')
    _, found = await doctor("--state", ready[1], "--site", site)
    assert found["notices"]["state"] == "bad" and "nobody can answer" in found["notices"]["found"]
    _, found = await doctor("--state", ready[1], "--site", site, "--observe")
    assert found["notices"]["state"] == "warn"


async def test_a_bypass_is_told_with_its_reason_even_without_the_database(ready: list[str | Path]) -> None:
    from gateway.orders import new_order, write_order

    order = new_order(datetime.now(UTC), timedelta(hours=2), "every mail is held", "priya")
    write_order(Path(ready[1]), order)
    _, found = await doctor(*ready)
    assert found["bypass"]["state"] == "warn" and "by priya: every mail is held" in found["bypass"]["found"]
    assert found["bypass"]["mend"] == "referral-gateway bypass off"


async def test_a_policy_that_fell_back_and_admins_who_are_nobody(ready: list[str | Path], tmp_path: Path) -> None:
    from gateway.store.crypto import load_or_create_key
    from gateway.store.store import Store

    await made(ready)
    state = Path(ready[1])
    key = load_or_create_key(Path.home() / ".config" / "referral-gateway" / "hold.key", state=state)
    store = Store.open(f"sqlite:///{state}/gateway.db", key)
    assert await store.fall_back("bare-refusal", "9 of the last 12 stops were sent all the same", datetime.now(UTC), ())
    await store.close()
    site = tmp_path / "site.yaml"
    site.write_text('agents: ["*"]\ngateway: {notices: gateway@gw.acme.example}\n')
    _, found = await doctor(*ready[:2], "--site", site)
    assert found["canary"]["state"] == "warn" and "9 of the last 12" in found["canary"]["found"]
    assert "policy arm bare-refusal" in found["canary"]["mend"]
    assert found["admins"]["state"] == "warn"
