"""Passwords (argon2id) and one-time codes (RFC 6238). Everything here takes its time: not for the event loop."""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

LEAST = 12
"""Characters of a password; NIST SP 800-63B-4 §3.1.1.2 asks for length, and for nothing about kinds of characters."""
MOST = 1000
"""Characters of a password that are hashed."""

STEP_SECONDS = 30
SECRET_OCTETS = 20
"""RFC 4226 §4, R6."""
DRIFT = 1
"""Time steps that a phone's clock may be off (RFC 6238 §5.2)."""

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")

_HASHER = PasswordHasher()  # RFC 9106 §4, the second choice: 3 passes over 64 MiB


def _of_nobody() -> str:
    """A hash of no password, drawn and not computed: every command that knows of the console would pay for that."""
    salt, tag = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    work = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${work}${salt}${tag}"


_NOBODY = _of_nobody()
"""What is checked where there is no such account, so that it takes as long."""


def hash_of(password: str) -> str:
    """The hash to store."""
    return _HASHER.hash(password)


def fits(password: str, stored: str) -> bool:
    """Whether this is the password. An empty `stored` fits nothing, and takes as long to say so."""
    try:
        return _HASHER.verify(stored or _NOBODY, password[:MOST]) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


def weakness(password: str, name: str) -> str:
    """What is wrong with a new password: "short", "long", "name"; "" where it will do."""
    if len(password) < LEAST:
        return "short"
    if len(password) > MOST:
        return "long"
    return "name" if len(set(password)) < 5 or name in password.lower() else ""


def new_secret() -> bytes:
    """A secret for one-time codes."""
    return secrets.token_bytes(SECRET_OCTETS)


def code_uri(secret: bytes, account: str, issuer: str) -> str:
    """What an authenticator app reads from a picture."""
    return _totp(secret).get_provisioning_uri(account, issuer)


def step_of(secret: bytes, code: str, now: datetime) -> int | None:
    """The time step that a code is of; None where it is wrong or over."""
    digits = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    step = int(now.timestamp()) // STEP_SECONDS
    for each in range(step - DRIFT, step + DRIFT + 1):
        try:
            _totp(secret).verify(digits.encode(), each * STEP_SECONDS)
        except InvalidToken:
            continue
        return each
    return None


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, 6, SHA1(), STEP_SECONDS, enforce_key_length=False)
