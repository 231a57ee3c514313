"""A program, run under the filters that the shipped unit asks for, set up as systemd does it, without systemd as PID 1.

`python -m tests.service.caged PROGRAM ARGUMENT...`: no new privileges, no capabilities, the unit's system calls only,
no memory that is both writable and executable, its address families only, its number of descriptors.
"""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import sys

from tests.service.unit import allowed_calls, options

ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 1
"""SCMP_ACT_ALLOW, and SCMP_ACT_ERRNO(EPERM) (seccomp(3))."""

EQUAL, GREATER, MASKED_EQUAL = 4, 6, 7
"""SCMP_CMP_EQ, SCMP_CMP_GT and SCMP_CMP_MASKED_EQ."""

PROT_WRITE, PROT_EXEC, SHM_EXEC = 0x2, 0x4, 0o100000
SET_NO_NEW_PRIVS, CAPBSET_DROP = 38, 24


class Comparison(ctypes.Structure):
    """struct scmp_arg_cmp: which argument is compared how with what."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
seccomp.seccomp_init.restype = ctypes.c_void_p
seccomp.seccomp_init.argtypes = (ctypes.c_uint32,)
seccomp.seccomp_load.argtypes = (ctypes.c_void_p,)
seccomp.seccomp_rule_add_array.argtypes = (
    ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(Comparison),
)  # fmt: skip


def add(context: int, action: int, call: str, *comparisons: Comparison) -> None:
    number = seccomp.seccomp_syscall_resolve_name(call.encode())
    if number == -1:  # a call of other machines
        return
    conditions = (Comparison * len(comparisons))(*comparisons)
    failed = seccomp.seccomp_rule_add_array(context, action, number, len(comparisons), conditions)
    if failed and number >= 0:
        raise OSError(-failed, f"no rule for {call}")


def load(context: int) -> None:
    if failed := seccomp.seccomp_load(context):
        raise OSError(-failed, "the filter was not taken")


def refuse_writable_code() -> None:
    """MemoryDenyWriteExecute=, as the rules stand in systemd's seccomp-util.c: works on kernels of any age."""
    context = seccomp.seccomp_init(ALLOW)
    both = PROT_WRITE | PROT_EXEC
    add(context, REFUSE, "mmap", Comparison(2, MASKED_EQUAL, both, both))
    for call in ("mprotect", "pkey_mprotect"):
        add(context, REFUSE, call, Comparison(2, MASKED_EQUAL, PROT_EXEC, PROT_EXEC))
    add(context, REFUSE, "shmat", Comparison(2, MASKED_EQUAL, SHM_EXEC, SHM_EXEC))
    load(context)


def refuse_families(but: list[str]) -> None:
    """RestrictAddressFamilies=, an allow list: libseccomp takes one comparison of an argument a rule."""
    context = seccomp.seccomp_init(ALLOW)
    most = 64
    for family in set(range(most + 1)) - {int(getattr(socket, name)) for name in but}:
        add(context, REFUSE, "socket", Comparison(0, EQUAL, family, 0))
    add(context, REFUSE, "socket", Comparison(0, GREATER, most, 0))
    load(context)


def refuse_calls(but: frozenset[str]) -> None:
    """SystemCallFilter= with SystemCallErrorNumber=EPERM."""
    context = seccomp.seccomp_init(REFUSE)
    for call in sorted(but):
        add(context, ALLOW, call)
    load(context)


def enter() -> None:
    unit = options()
    assert unit["MemoryDenyWriteExecute"] == ["yes"] and unit["CapabilityBoundingSet"] == [""]
    limit = int(unit["LimitNOFILE"][0])
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    calls = allowed_calls()
    libc = ctypes.CDLL(None)
    if os.geteuid() == 0:  # with an empty bounding set even root has no capability after the next exec
        for capability in range(64):
            libc.prctl(CAPBSET_DROP, capability, 0, 0, 0)
    libc.prctl(SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    refuse_families(unit["RestrictAddressFamilies"][0].split())
    refuse_writable_code()
    refuse_calls(calls)


if __name__ == "__main__":
    enter()
    os.execvp(sys.argv[1], sys.argv[1:])
