"""Becomes another program, after arranging how that program will live. Run as a script, never imported.

``python -I -S child.py --parent PID --death-signal N [--as namespace:UID | --as UID:GID] -- program arguments…``

A script of its own, and not ``preexec_fn``, because code between fork and exec may deadlock in a process that has
threads. It costs about 15 ms of one core at each start.
"""

import ctypes
import os
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
CLONE_NEWUSER = 0x10000000  # linux/sched.h; os.unshare came with Python 3.12

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        sys.exit(f"{what}: {os.strerror(code)}")


def enter_user_namespace(inner: str) -> None:
    """Look like user ``inner`` from inside, keep the rights of the present user on files outside."""
    uid, gid = os.getuid(), os.getgid()
    check(libc.unshare(CLONE_NEWUSER), "unshare(CLONE_NEWUSER)")
    Path("/proc/self/setgroups").write_text(
        "deny"
    )  # the kernel wants this before gid_map, user_namespaces(7)
    Path("/proc/self/uid_map").write_text(f"{inner} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{inner} {gid} 1")


def give_up_root(ids: str) -> None:
    uid, gid = (int(part) for part in ids.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def main(arguments: list[str]) -> None:
    separator = arguments.index("--")
    options = dict(zip(arguments[0:separator:2], arguments[1:separator:2], strict=True))
    program = arguments[separator + 1 :]

    identity = options.get("--as", "")
    if identity.startswith("namespace:"):
        enter_user_namespace(identity.removeprefix("namespace:"))
    elif identity:
        give_up_root(identity)

    # After the change of identity: the kernel clears the death signal when credentials change (prctl(2)).
    check(libc.prctl(PR_SET_PDEATHSIG, int(options["--death-signal"]), 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != int(options["--parent"]):
        sys.exit("the parent died before the child could ask to die with it")
    os.execv(program[0], program)  # noqa: S606 - to become the program is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
