#!/usr/bin/env python3
"""Checks an exported log of the referral gateway. Standard library only; read it, then run it:

    python3 verifier.py --key HEX --checkpoints FILE EXPORT

EXPORT is what `referral-gateway audit export --proof` writes, FILE the checkpoints that were kept elsewhere (a file, a
syslog or a mailbox), HEX the public key that you wrote down when the gateway was set up. It prints what it finds wrong,
then every erasure, and ends with 0 (nothing wrong), 1 (something) or 2 (the files cannot be read).

How the log is made
    A chain is what one process wrote. Each entry has a link with a number that counts from 1, and
        commitment = SHA-256(salt | kind | 0 | payload)       payload, head: JSON with sorted keys, no blanks, ASCII
        hash       = SHA-256(head), head = at, chain, commitment, instance, kind, prev (the hash before), seq, v
    A checkpoint names the newest link of every chain that grew, names the checkpoint before it, and is signed
    (Ed25519, RFC 8032). Kept where the gateway's own machine cannot reach, it shows what came later: entries edited,
    removed, swapped or put in; a chain cut off or made again; an older database put back; another gateway's entries.
    A link that says it is older than a checkpoint must be in it, so nothing can be written into the past.

    A person's entries can be erased: payload and salt go, the link stays. The erasure is an entry of its own that names
    the links; a payload that is missing without one is a finding. Every erasure is shown: ask whether it was right.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from mailbox import mbox
from typing import Any

VERSION = 1
NOTHING = "0" * 64
"""What stands before the first link of a chain, and before the first checkpoint."""
ERASURE = "erasure/1"
BACKWARDS = 5.0
"""Seconds that a clock may go back between two entries: a correction, no finding."""
SLACK = 120.0
"""Seconds between the time that a link says and its commit, and between the clocks of two nodes, at most."""
LATE = 3600.0
"""Seconds after which what an entry tells of counts as written down late."""
LAST_WORD = ("gateway", "stopped")
"""Subject and name of the event that ends a chain."""

Finding = tuple[str, str]
"""(kind, words): "edited", "removed", "remade", "truncated", "foreign", "unsigned", "missing", "backdated", "reopened",
"erasure", "clock", "stray"."""


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
    """Takes checkpoints, then links chain by chain in their order; `findings` says what is wrong, each thing once."""

    def __init__(self, instance: str = "") -> None:
        self.instance = instance
        self.findings: list[Finding] = []
        self.entries = self.erased = self.left_out = self.late = 0
        self.erasures: list[str] = []
        self.covered: dict[str, int] = {}
        """chain -> the newest number that a checkpoint has."""
        self._times: list[float] = []
        self._heads: dict[str, tuple[list[int], list[int], list[str]]] = {}
        """chain -> (which checkpoint, number, hash) of each time that a checkpoint names it, in their order."""
        self._last: dict[str, tuple[int, str, str]] = {}
        self._closed: dict[str, int] = {}
        self._bare: dict[tuple[str, int], tuple[str, float]] = {}
        self._named: dict[str, list[tuple[int, int, float]]] = {}
        """chain -> (first, last, when) of what erasures name."""

    def checkpoints(self, lines: Iterable[Mapping[str, Any]], keys: Sequence[bytes]) -> None:
        """Take the checkpoints in their order, before the links. A checkpoint that names the next key hands over to it:
        what the old key signs after that is not believed."""
        prev, number, known = NOTHING, 0, list(keys)
        for point in lines:
            number += 1
            name = f"checkpoint {point.get('n')}"
            octets = checkpoint_octets(point)
            signature = bytes.fromhex(str(point.get("signature", "")))
            signer = next((key for key in known if verify(key, octets, signature)), None)
            if signer is None or point.get("key") != signer.hex():
                self._find("unsigned", f"{name} is not signed by a key that is known here")
                return
            if point["n"] != number or point["prev"] != prev:
                self._find("removed", f"before {name} a checkpoint is missing, or there are two histories from here on")
            self.instance_is(str(point["instance"]), name)
            if point.get("next_key"):
                known = [key for key in known if key != signer] + [bytes.fromhex(point["next_key"])]
            at = _seconds(point["at"])
            if self._times and at < self._times[-1] - BACKWARDS:
                self._find("clock", f"{name}: the clock went back, to {point['at']}")
            self._times.append(max(at, self._times[-1]) if self._times else at)
            for chain, seq, found in point["heads"]:
                which, numbers, hashes = self._heads.setdefault(chain, ([], [], []))
                if numbers and seq <= numbers[-1]:
                    self._find("removed", f"{name}: {chain} is shorter than before, or the same")
                which.append(len(self._times) - 1)
                numbers.append(seq)
                hashes.append(found)
                self.covered[chain] = max(self.covered.get(chain, 0), seq)
            prev, number = hashlib.sha256(octets).hexdigest(), point["n"]

    def instance_is(self, name: str, where: str) -> None:
        """Everything must be of one gateway."""
        if self.instance and name != self.instance:
            self._find("foreign", f"{where} is of another gateway ({name})")
        self.instance = self.instance or name

    def line(self, line: Mapping[str, Any]) -> None:
        """One line of an export."""
        if line.get("kind") == "instance":
            self.instance_is(str(line["instance"]), "the export")
        elif line.get("kind") == "stray":
            self._find("stray", str(line["words"]))
        else:
            self.link(line)

    def link(self, link: Mapping[str, Any]) -> None:
        """One link with its payload; a null payload was erased, if an erasure says so, or `left_out` of this export."""
        chain, seq, at = str(link["chain"]), int(link["seq"]), _seconds(link["at"])
        where = f"{chain}:{seq}"
        last, prev, before = self._last.get(chain, (0, NOTHING, ""))
        self.entries += 1
        if seq != last + 1:
            many = f"{last + 1} to {seq - 1}" if seq > last + 2 else str(last + 1)
            what = f"{chain}: entry {many} is not there" if seq > last else f"{where} is there twice or out of order"
            self._find("removed", what)
        elif link["hash"] != link_hash(self.instance, chain, seq, link["at"], link["kind"], link["commitment"], prev):
            self._find("edited", f"{where}: the link does not fit the one before it")
        if before and at < _seconds(before) - BACKWARDS:
            self._find("clock", f"{where}: the clock went back from {before} to {link['at']}")
        if chain in self._closed:
            self._find("reopened", f"{where}: written after the process had stopped")
        self._witnessed(chain, seq, str(link["hash"]), at)
        self._payload(link, chain, seq, at)
        self._last[chain] = (max(seq, last), str(link["hash"]), str(link["at"]))

    def _witnessed(self, chain: str, seq: int, found: str, at: float) -> None:
        """What the checkpoints say to this link."""
        which, numbers, hashes = self._heads.get(chain, ([], [], []))
        place = bisect_left(numbers, seq)
        if place < len(numbers) and numbers[place] == seq and hashes[place] != found:
            self._find("remade", f"{chain}:{seq} is not what the checkpoint saw: the chain was made again")
        older = bisect_right(self._times, at + SLACK)  # the first checkpoint that must have it
        if older < len(self._times):
            have = bisect_right(which, older)
            if not have or numbers[have - 1] < seq:
                what = "is not in the checkpoint after its time: written later than it says, or the clock went back"
                self._find("backdated", f"{chain}:{seq} {what}")

    def _payload(self, link: Mapping[str, Any], chain: str, seq: int, at: float) -> None:
        salt, payload, kind = link.get("salt"), link.get("payload"), str(link["kind"])
        if payload is None:
            if link.get("left_out"):
                self.left_out += 1
            elif salt is not None:
                self._find("missing", f"{chain}:{seq}: what the entry says is gone, and its salt is still there")
            else:
                self._bare[chain, seq] = (kind, at)
            return
        if salt is None or commitment(bytes.fromhex(salt), kind, payload) != link["commitment"]:
            self._find("edited", f"{chain}:{seq}: what the entry says was changed")
            return
        if kind == ERASURE:
            self._take_erasure(payload["said"], chain, seq, at)
        elif (payload.get("mail_id"), payload.get("outcome")) == LAST_WORD:
            self._closed[chain] = seq
        if payload.get("at") and at - _seconds(payload["at"]) > LATE:
            self.late += 1

    def _take_erasure(self, said: Mapping[str, Any], chain: str, seq: int, at: float) -> None:
        links = [(str(of), int(first), int(last)) for of, first, last in said["links"]]
        for of, first, last in links:
            if of == chain and last >= seq:
                self._find("erasure", f"{chain}:{seq} names entries that came after it")
            self._named.setdefault(of, []).append((first, last, at))
        number = sum(last - first + 1 for _, first, last in links)
        when = datetime.fromtimestamp(at).astimezone().isoformat(timespec="minutes")
        self.erasures.append(f"{when}  {number} entries, by {said.get('by') or 'the gateway'}: {said.get('why', '')}")

    def end(self) -> None:
        """After the last link."""
        for chain, (_, numbers, _hashes) in self._heads.items():
            last = self._last.get(chain, (0, "", ""))[0]
            if numbers[-1] > last:
                what = f"{chain} ends at {last}, and a checkpoint saw {numbers[-1]}: cut off, or an older database"
                self._find("truncated", what)
        # Only what was there when it was erased: else an erasure could be a licence for later.
        erased: dict[tuple[str, int], float] = {}
        for chain, ranges in self._named.items():
            for first, last, when in ranges:
                for seq in range(first, min(last, self._last.get(chain, (0, "", ""))[0]) + 1):
                    erased[chain, seq] = max(when, erased.get((chain, seq), 0))
        for (chain, seq), (kind, at) in self._bare.items():
            if kind == ERASURE:
                self._find("missing", f"{chain}:{seq}: an erasure itself cannot be erased")
            elif at <= erased.get((chain, seq), 0) + SLACK:
                self.erased += 1
            else:
                self._find("missing", f"{chain}:{seq}: what the entry says is gone, and no erasure names it")

    @property
    def uncovered(self) -> int:
        """Entries newer than every checkpoint: these can still be cut off without a trace."""
        return sum(seq - min(seq, self.covered.get(chain, 0)) for chain, (seq, _, _) in self._last.items())

    @property
    def told(self) -> str:
        """All of it in one line."""
        seen = f"{self.entries:,} entries, {self.erased:,} erased, {self.left_out:,} left out"
        late = f", {self.late:,} written down over an hour late" if self.late else ""
        found = f"{len(self.findings)} findings" if self.findings else "nothing wrong"
        return f"{seen}, {self.uncovered:,} newer than the last checkpoint{late}: {found}"

    def _find(self, kind: str, words: str) -> None:
        self.findings.append((kind, words))


def _seconds(at: str) -> float:
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


def read_checkpoints(path: str) -> list[dict[str, Any]]:
    """Checkpoints from a file of lines, a syslog's file (what stands before the JSON is skipped), or a mailbox (mbox)
    with one in each mail; in their order, each once. Raises Unreadable."""
    with open(path, encoding="utf-8", errors="replace") as file:
        texts = list(enumerate(file, 1))
    lines = [(number, line) for number, line in texts if '"checkpoint"' in line] or texts[:1]
    if texts and texts[0][1].startswith("From "):
        parts = ((number, part) for number, mail in enumerate(mbox(path), 1) for part in mail.walk())
        lines = [(number, bytes(part.get_payload(decode=True)).decode("utf-8", "replace"))
                 for number, part in parts if part.get_content_type() == "application/json"]  # fmt: skip
    found: dict[str, dict[str, Any]] = {}
    for number, line in lines:
        text = line[max(line.find("{"), 0) :].strip()
        try:
            point = json.loads(text)
            found[text] = {"n": int(point["n"])} | point
        except (ValueError, TypeError, KeyError):
            raise Unreadable(f"{path}:{number}: not JSON, or no checkpoint") from None
    return sorted(found.values(), key=lambda point: int(point["n"]))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. 0 fine, 1 something is wrong, 2 the files cannot be read."""
    words = argparse.ArgumentParser(description="Checks an exported log of the referral gateway.")
    words.add_argument("export", help="what `audit export --proof` wrote")
    words.add_argument("--key", action="append", default=[], help="public key, 64 hex digits; may be given again")
    words.add_argument("--checkpoints", help="checkpoints kept elsewhere: lines, a syslog's file, or an mbox")
    given = words.parse_args(arguments)
    check = Check()
    try:
        keys = [bytes.fromhex(key) for key in given.key]
        if given.checkpoints:
            check.checkpoints(read_checkpoints(given.checkpoints), keys)
        for line in read_lines(given.export):
            check.line(line)
        check.end()
    except (Unreadable, OSError) as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return 2
    except (KeyError, ValueError, TypeError) as error:
        print(f"not a log of the referral gateway: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    for kind, what in check.findings:
        print(f"{kind:<10} {what}")
    for what in check.erasures:
        print(f"erased     {what}")
    if not given.checkpoints:
        print("without checkpoints nobody can see whether the end was cut off or the whole log made again")
    print(check.told)
    return 1 if check.findings else 0


if __name__ == "__main__":
    sys.exit(main())
