#!/usr/bin/env python3
"""Checks an exported log of the referral gateway. Standard library only; read it, then run it:

    python3 verifier.py --key HEX [--checkpoints FILE] EXPORT

EXPORT is what `referral-gateway audit export --proof` writes, FILE the checkpoints that were kept elsewhere (a file, a
syslog or a mailbox), HEX the public key that you wrote down when the gateway was set up. It prints what it finds wrong
and ends with 0 (nothing), 1 (something) or 2 (the files cannot be read).

How the log is made
    A chain is what one process wrote. Each entry has a link with a number that counts from 1, and
        commitment = SHA-256(salt | kind | 0 | payload)       payload, head: JSON with sorted keys, no blanks, ASCII
        hash       = SHA-256(head), head = at, chain, commitment, instance, kind, prev (the hash before), seq
    A checkpoint names the newest link of every chain that grew, names the checkpoint before it, and is signed
    (Ed25519, RFC 8032). Kept where the gateway's own machine cannot reach, it shows what came later: entries edited,
    removed, swapped or put in; a chain cut off or made again; an older database put back; another gateway's entries.

    A person's entries can be erased: payload and salt go, the link stays. The erasure is an entry of its own that names
    the links; a payload that is missing without one is a finding.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

VERSION = 1
NOTHING = "0" * 64
"""What stands before the first link of a chain, and before the first checkpoint."""
ERASURE = "erasure/1"
BACKWARDS = 5.0
"""Seconds that a clock may go back between two entries: a correction, no finding."""

Finding = tuple[str, str]
"""(kind, words): "edited", "removed", "remade", "truncated", "foreign", "unsigned", "missing", "clock", "unread"."""


def canonical(value: Any) -> bytes:
    """The one JSON text of a value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii")


def commitment(salt: bytes, kind: str, payload: Any) -> str:
    """Binds a link to its payload; without the salt nobody can try out what an erased payload may have been."""
    return hashlib.sha256(salt + kind.encode() + b"\0" + canonical(payload)).hexdigest()


def link_hash(instance: str, chain: str, seq: int, at: str, kind: str, committed: str, prev: str) -> str:
    """The hash of a link: everything before it is in `prev`."""
    head = {
        "at": at,
        "chain": chain,
        "commitment": committed,
        "instance": instance,
        "kind": kind,
        "prev": prev,
        "seq": seq,
        "v": VERSION,
    }
    return hashlib.sha256(canonical(head)).hexdigest()


def checkpoint_octets(checkpoint: Mapping[str, Any]) -> bytes:
    """What is signed: the checkpoint without its signature."""
    return canonical({name: value for name, value in checkpoint.items() if name != "signature"})


# --- checking ---------------------------------------------------------------------------------------------------------


class Check:
    """Takes links chain by chain in their order, then checkpoints; `findings` says what is wrong, each thing once."""

    def __init__(self, instance: str = "") -> None:
        self.instance = instance
        self.findings: list[Finding] = []
        self.entries = 0
        self.erased = 0
        self.left_out = 0
        self._wanted: dict[str, dict[int, str]] = {}
        """chain -> number -> hash that a checkpoint knows."""
        self._last: dict[str, tuple[int, str, str]] = {}
        self._bare: set[tuple[str, int]] = set()
        self._erasures: list[tuple[str, int, int]] = []
        self._met: set[tuple[str, int]] = set()
        self.covered: dict[str, int] = {}

    def checkpoints(self, lines: Iterable[Mapping[str, Any]], keys: Sequence[bytes]) -> None:
        """Take the checkpoints in their order, before the links. A checkpoint may hand over to the next key."""
        prev, number, known = NOTHING, 0, list(keys)
        for point in lines:
            number += 1
            name = f"checkpoint {point.get('n')}"
            octets = checkpoint_octets(point)
            signature = bytes.fromhex(str(point.get("signature", "")))
            if not any(verify(key, octets, signature) for key in known):
                self._find("unsigned", f"{name} is not signed by a key that is known here")
                return
            if point["n"] != number or point["prev"] != prev:
                self._find("removed", f"before {name} a checkpoint is missing or was exchanged")
            if self.instance and point["instance"] != self.instance:
                self._find("foreign", f"{name} is of another gateway ({point['instance']})")
            self.instance = self.instance or str(point["instance"])
            if point.get("next_key"):
                known.append(bytes.fromhex(point["next_key"]))
            for chain, seq, found in point["heads"]:
                self._wanted.setdefault(chain, {})[seq] = found
                self.covered[chain] = max(self.covered.get(chain, 0), seq)
            prev, number = hashlib.sha256(octets).hexdigest(), point["n"]

    def link(self, link: Mapping[str, Any]) -> None:
        """One link with its payload; a null payload was erased, if an erasure says so, or `left_out` of this export."""
        chain, seq = str(link["chain"]), int(link["seq"])
        where = f"{chain}:{seq}"
        last, prev, before = self._last.get(chain, (0, NOTHING, ""))
        self.entries += 1
        if seq != last + 1:
            many = f"{last + 1} to {seq - 1}" if seq > last + 2 else str(last + 1)
            what = f"{chain}: entry {many} is not there" if seq > last else f"{where} is there twice or out of order"
            self._find("removed", what)
        elif link["hash"] != link_hash(self.instance, chain, seq, link["at"], link["kind"], link["commitment"], prev):
            self._find("edited", f"{where}: the link does not fit the one before it")
        wanted = self._wanted.get(chain, {}).get(seq)
        if wanted is not None:
            self._met.add((chain, seq))
            if wanted != link["hash"]:
                self._find("remade", f"{where} is not what the checkpoint saw: the chain was made again")
        if before and _seconds(link["at"]) < _seconds(before) - BACKWARDS:
            self._find("clock", f"{where}: the clock went back from {before} to {link['at']}")
        self._payload(link, chain, seq)
        self._last[chain] = (seq, str(link["hash"]), str(link["at"]))

    def _payload(self, link: Mapping[str, Any], chain: str, seq: int) -> None:
        salt, payload = link.get("salt"), link.get("payload")
        if link.get("left_out"):
            self.left_out += 1
            return
        if payload is None:
            self._bare.add((chain, seq))
            return
        if salt is None or commitment(bytes.fromhex(salt), link["kind"], payload) != link["commitment"]:
            self._find("edited", f"{chain}:{seq}: what the entry says was changed")
        elif link["kind"] == ERASURE:
            self._erasures += [(str(of), int(first), int(last)) for of, first, last in payload["said"]["links"]]

    def end(self) -> None:
        """After the last link."""
        for chain, numbers in self._wanted.items():
            last = self._last.get(chain, (0, "", ""))[0]
            if any(seq > last for seq in numbers):
                what = f"{chain} ends at {last}, and a checkpoint saw {max(numbers)}: cut off, or an older database"
                self._find("truncated", what)
        for chain, seq in sorted(self._bare):
            if any(of == chain and first <= seq <= last for of, first, last in self._erasures):
                self.erased += 1
            else:
                self._find("missing", f"{chain}:{seq}: what the entry says is gone, and no erasure names it")

    @property
    def uncovered(self) -> int:
        """Entries newer than every checkpoint: these can still be cut off without a trace."""
        return sum(seq - min(seq, self.covered.get(chain, 0)) for chain, (seq, _, _) in self._last.items())

    def _find(self, kind: str, words: str) -> None:
        self.findings.append((kind, words))


def _seconds(at: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(at).timestamp()


# --- Ed25519, RFC 8032 §5.1: verification only ------------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def _x_of(y: int, sign: int) -> int | None:
    """§5.1.3: the x of a compressed point; None where there is none."""
    if y >= P:
        return None
    squared = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if squared == 0:
        return None if sign else 0
    x = pow(squared, (P + 3) // 8, P)
    if (x * x - squared) % P:
        x = x * ROOT % P
    if (x * x - squared) % P:
        return None
    return P - x if x & 1 != sign else x


def _point(octets: bytes) -> Point | None:
    number = int.from_bytes(octets, "little")
    y = number & ((1 << 255) - 1)
    x = _x_of(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def _add(a: Point, b: Point) -> Point:
    """§5.1.4, in extended coordinates."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, d - c, d + c, f + e
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(number: int, point: Point) -> Point:
    sum_: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            sum_ = _add(sum_, point)
        point, number = _add(point, point), number >> 1
    return sum_


_Y = 4 * pow(5, P - 2, P) % P
_X = _x_of(_Y, 0) or 0
BASE: Point = (_X, _Y, 1, _X * _Y % P)


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """§5.1.7. True when `signature` (64 octets) of `message` was made with the private half of `key` (32 octets)."""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r = _point(key), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = _times(s, BASE), _add(r, _times(h, a))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


# --- the command ------------------------------------------------------------------------------------------------------


class Unreadable(Exception):
    """A file is not what it should be; the text names the line."""


def read_lines(path: str) -> Iterator[dict[str, Any]]:
    """JSON Lines. Raises Unreadable."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    found = json.loads(line)
                except ValueError as error:
                    raise Unreadable(f"{path}:{number}: not JSON: {error}") from None
                if not isinstance(found, dict):
                    raise Unreadable(f"{path}:{number}: an object belongs here")
                yield found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. 0 fine, 1 something is wrong, 2 the files cannot be read."""
    words = argparse.ArgumentParser(description="Checks an exported log of the referral gateway.")
    words.add_argument("export", help="what `audit export --proof` wrote")
    words.add_argument("--key", action="append", default=[], help="public key, 64 hex digits; may be given again")
    words.add_argument("--checkpoints", help="checkpoints that were kept elsewhere, JSON Lines")
    given = words.parse_args(arguments)
    check = Check()
    try:
        keys = [bytes.fromhex(key) for key in given.key]
        if given.checkpoints:
            check.checkpoints(read_lines(given.checkpoints), keys)
        for line in read_lines(given.export):
            if line.get("kind") == "instance":
                if check.instance and check.instance != line["instance"]:
                    check.findings.append(("foreign", f"the export is of another gateway ({line['instance']})"))
                check.instance = check.instance or line["instance"]
            elif "hash" in line:
                check.link(line)
        check.end()
    except (Unreadable, OSError) as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return 2
    except (KeyError, ValueError, TypeError) as error:
        print(f"not a log of the referral gateway: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    for kind, what in check.findings:
        print(f"{kind:<10} {what}")
    if not given.checkpoints:
        print("without checkpoints nobody can see whether the end was cut off or the whole log made again")
    seen = f"{check.entries} entries, {check.erased} erased, {check.left_out} left out"
    found = f"{len(check.findings)} findings" if check.findings else "nothing wrong"
    print(f"{seen}, {check.uncovered} newer than the last checkpoint: {found}")
    return 1 if check.findings else 0


if __name__ == "__main__":
    sys.exit(main())
