"""Dovecot as the account keeper of a real Postfix: passwords for PLAIN and LOGIN, signed tokens for XOAUTH2."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

from tests.peers.daemon import Daemon, free_port, need


class RealDovecot(Daemon):
    """The auth service alone. `sasl` is what Postfix's `smtpd_sasl_path` takes; every user's password is `password`."""

    name = "dovecot"
    password = "correct-horse"

    def __init__(self) -> None:
        need("dovecot", root=True)
        super().__init__()
        self.port = free_port()
        self._key = b"0123456789abcdef0123456789abcdef"

    @property
    def sasl(self) -> str:
        return f"inet:127.0.0.1:{self.port}"

    def token(self, user: str, *, seconds: int = 600, padding: int = 0) -> str:
        """A token (JWT, HS256) that the service takes for `user`; with negative `seconds` it has run out."""
        now = int(time.time())
        claims = {"sub": user, "iat": now - 60, "exp": now + seconds, "scope": "mail", "pad": "x" * padding}
        parts = [_b64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
        signed = ".".join(parts)
        return signed + "." + _b64(hmac.new(self._key, signed.encode(), hashlib.sha256).digest())

    def start(self) -> RealDovecot:
        keys = self.folder / "keys" / "default" / "HS256"
        keys.mkdir(parents=True)
        (keys / "default").write_text(base64.b64encode(self._key).decode())
        (self.folder / "oauth2.conf").write_text(
            "introspection_mode = local\n"
            f"local_validation_key_dict = fs:posix:prefix={self.folder}/keys/\n"
            "username_attribute = sub\n"
        )
        (self.folder / "dovecot.conf").write_text(
            f"""\
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.log}
protocols =
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {self.folder}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={self.password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = {self.port}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""
        )
        self.run("dovecot", "-F", "-c", str(self.folder / "dovecot.conf"), ports=(self.port,))
        return self


def _b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
