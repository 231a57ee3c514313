"""AUTH goes through line by line; who it was is known afterwards, the secret never."""

from __future__ import annotations

import base64
import logging

import pytest

from gateway.smtp.auth import Identity
from gateway.smtp.server import Limits
from gateway.smtp.sink import Sink
from gateway.smtp.target import Target
from tests.smtp.scripted import Scripted


def b64(octets: bytes) -> bytes:
    return base64.b64encode(octets)


def sink() -> Sink:
    return Sink(users={"ann@x.example": "s3cret-pw", "tok@x.example": "T" * 12_288})


async def authenticated(house, *lines: bytes) -> bytes:
    await house.open(sink=sink())
    client = await house.client()
    assert b"AUTH PLAIN LOGIN XOAUTH2" in await client.hello()
    answer = b""
    for line in lines:
        answer = await client.say(line)
    if answer.startswith(b"235"):
        assert (await client.mail(b"x\r\n")).startswith(b"250")
    return answer


@pytest.mark.parametrize(
    "lines",
    [
        [b"AUTH PLAIN " + b64(b"\0ann@x.example\0s3cret-pw")],
        [b"auth plain", b64(b"\0ann@x.example\0s3cret-pw")],
        [b"AUTH LOGIN", b64(b"ann@x.example"), b64(b"s3cret-pw")],
        [b"AUTH login " + b64(b"ann@x.example"), b64(b"s3cret-pw")],
        [b"AUTH XOAUTH2 " + b64(b"user=ann@x.example\1auth=Bearer s3cret-pw\1\1")],
    ],
)
async def test_identity_after_235(house, caplog, lines: list[bytes]) -> None:
    caplog.set_level(logging.DEBUG)
    assert (await authenticated(house, *lines)).startswith(b"235")
    assert house.gate.seen[0].auth_identity == "ann@x.example"
    assert house.sink.messages[0].auth == "ann@x.example"
    assert "s3cret" not in caplog.text and b64(b"s3cret-pw").decode() not in caplog.text


async def test_tokens_of_12_kilobytes(house) -> None:
    token = b64(b"user=tok@x.example\1auth=Bearer " + b"T" * 12_288 + b"\1\1")
    assert (await authenticated(house, b"AUTH XOAUTH2 " + token)).startswith(b"235")
    assert house.gate.seen[0].auth_identity == "tok@x.example"


async def test_refused_cancelled_and_wrong(house) -> None:
    await house.open(sink=sink())
    client = await house.client()
    await client.hello()
    assert (await client.say(b"AUTH PLAIN " + b64(b"\0ann@x.example\0wrong"))).startswith(b"535")
    assert (await client.say(b"AUTH")).startswith(b"501")
    assert (await client.say(b"AUTH CRAM-MD5")).startswith(b"504")
    assert (await client.say(b"AUTH SCRAM-SHA-256-PLUS")).startswith(b"504")
    assert (await client.mail(b"x\r\n")).startswith(b"250")
    assert house.gate.seen[0].auth_identity is None


AUTH_DIALOGUE: dict[bytes, bytes | None] = {
    b"EHLO": b"250-u\r\n250 AUTH LOGIN\r\n",
    b"AUTH": b"334 VXNlcm5hbWU6\r\n",
    b"*": b"501 5.7.0 Authentication aborted\r\n",
}


async def test_cancelling(house) -> None:
    upstream = await house.enter(Scripted(AUTH_DIALOGUE))
    await house.open(upstream=Target(upstream.host, upstream.port))
    client = await house.client()
    await client.hello()
    for line, answer in (
        (b"*", b"501 5.7.0 Authentication aborted\r\n"),
        (b"not base64!", b"501 5.5.2"),
        (b"QUJD\0", b"501 5.5.2"),
        (b"MAIL FROM:<a@x.example>", b"501 5.5.2"),
    ):
        assert (await client.say(b"AUTH LOGIN")).startswith(b"334")
        assert (await client.say(line)).startswith(answer)
    assert upstream.got[1:] == [b"AUTH LOGIN", b"*"] * 4
    client.send(b"AUTH LOGIN\r\n")
    await client.reply()
    client.send(b"QUJD\r\nREVG\r\n")
    upstream.says[b"QUJD"] = b"334 UGFzc3dvcmQ6\r\n"
    assert (await client.reply()).startswith(b"554")
    assert await client.closed()


async def test_a_command_hidden_in_an_answer_is_not_run(house) -> None:
    upstream = await house.enter(Scripted(AUTH_DIALOGUE))
    await house.open(upstream=Target(upstream.host, upstream.port))
    client = await house.client()
    await client.hello()
    assert (await client.say(b"AUTH LOGIN")).startswith(b"334")
    assert (await client.say(b"QUJD\nMAIL FROM:<evil@x.example>")).startswith(b"5")
    assert await client.closed()
    assert not any(b"evil" in line for line in upstream.got)


async def test_an_upstream_that_does_not_let_go_of_auth_is_left(house) -> None:
    upstream = await house.enter(Scripted({**AUTH_DIALOGUE, b"*": b"334 go on\r\n"}))
    await house.open(upstream=Target(upstream.host, upstream.port))
    client = await house.client()
    await client.hello()
    assert (await client.say(b"AUTH LOGIN")).startswith(b"334")
    assert (await client.say(b"not base64!")).startswith(b"451")
    assert (await client.mail(b"x\r\n")).startswith(b"250")
    assert upstream.connections == 2


async def test_auth_only_once_and_not_in_a_mail(house) -> None:
    await house.open(sink=sink())
    client = await house.client()
    await client.hello()
    await client.envelope()
    plain = b"AUTH PLAIN " + b64(b"\0ann@x.example\0s3cret-pw")
    assert (await client.say(plain)).startswith(b"503")
    await client.say(b"RSET")
    assert (await client.say(plain)).startswith(b"235")
    assert (await client.say(plain)).startswith(b"503")


async def test_any_mechanism_and_any_words_of_the_upstream(house) -> None:
    upstream = await house.enter(
        Scripted(
            {
                b"EHLO": b"250-u\r\n250 AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS X-OWN\r\n",
                b"AUTH": b"334 c2VydmVyLWZpcnN0\r\n",
                b"Y2xpZW50": b"334-more\r\n334 lines\r\n",
                b"": b"220 u\r\n",
                b"ZmluYWw=": b"235-2.7.0 welcome\r\n235 2.7.0 in\r\n",
            }
        )
    )
    await house.open(upstream=Target(upstream.host, upstream.port))
    client = await house.client()
    assert b"AUTH SCRAM-SHA-256 X-OWN\r\n" in await client.hello()
    assert await client.say(b"auth scram-sha-256 bixhPXUscj1y") == b"334 c2VydmVyLWZpcnN0\r\n"
    assert await client.say(b"Y2xpZW50") == b"334-more\r\n334 lines\r\n"
    assert await client.say(b"ZmluYWw=") == b"235-2.7.0 welcome\r\n235 2.7.0 in\r\n"
    assert upstream.got[1:] == [b"auth scram-sha-256 bixhPXUscj1y".replace(b"auth", b"AUTH"), b"Y2xpZW50", b"ZmluYWw="]


async def test_an_authenticated_upstream_that_goes_ends_the_session(house) -> None:
    upstream = await house.enter(
        Scripted({b"EHLO": b"250-u\r\n250 AUTH PLAIN\r\n", b"AUTH": b"235 ok\r\n", b"MAIL": None})
    )
    await house.open(upstream=Target(upstream.host, upstream.port))
    client = await house.client()
    await client.hello()
    assert (await client.say(b"AUTH PLAIN " + b64(b"\0a\0b"))).startswith(b"235")
    assert (await client.say(b"MAIL FROM:<a@x.example>")).startswith(b"421")
    assert await client.closed()
    assert upstream.connections == 1


async def test_attempts_and_lines_have_limits(house) -> None:
    await house.open(sink=sink(), limits=Limits(auth_attempts=3, auth_line=16_384))
    client = await house.client()
    await client.hello()
    assert (await client.say(b"AUTH LOGIN")).startswith(b"334")
    assert (await client.say(b"A" * 20_000)).startswith(b"500 5.5.6")
    bad = b"AUTH PLAIN " + b64(b"\0ann@x.example\0wrong")
    assert (await client.say(bad)).startswith(b"535")
    assert (await client.say(bad)).startswith(b"421")
    assert await client.closed()


@pytest.mark.parametrize(
    ("mechanism", "lines", "name"),
    [
        (b"PLAIN", [b64(b"boss\0ann\0pw")], "boss"),
        (b"PLAIN", [b64(b"ann\0pw")], None),
        (b"PLAIN", [b"!!!"], None),
        (b"PLAIN", [b"="], None),
        (b"LOGIN", [b64(b"ann"), b64(b"bob")], "ann"),
        (b"LOGIN", [b64(b"a\r\nb")], None),
        (b"XOAUTH2", [b64(b"auth=Bearer x\1user=ann\1\1")], "ann"),
        (b"OAUTHBEARER", [b64(b"n,a=ann=2Cb@x.example,\1host=h\1auth=Bearer x\1\1")], "ann,b@x.example"),
        (b"OAUTHBEARER", [b64(b"n,,\1auth=Bearer x\1\1")], None),
        (b"SCRAM-SHA-256", [b64(b"n,,n=ann,r=x")], None),
    ],
)
def test_identities(mechanism: bytes, lines: list[bytes], name: str | None) -> None:
    identity = Identity(mechanism)
    for line in lines:
        identity.feed(line)
    assert identity.name == name
