"""Free TCP ports on loopback."""

import errno
import random
import socket
from collections.abc import Collection
from pathlib import Path

_LOWEST = 10_000


def _first_ephemeral() -> int:
    """Where the kernel's own range for outgoing connections begins (ip(7)).

    A server's port must lie below: while the server is being restarted, an outgoing connection of anybody could
    otherwise be given just this port, and the server could not come back.
    """
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return 32_768


def is_free(port: int) -> bool:
    """Whether a server could listen here now. Connections of a former server that linger do not count."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True


def choose(avoid: Collection[int] = ()) -> int:
    """A free port, drawn at random so that two platforms starting at once rarely meet."""
    highest = max(_first_ephemeral() - 1, _LOWEST + 10_000)
    for _ in range(1000):
        port = random.randint(_LOWEST, highest)  # noqa: S311 - not a secret
        if port not in avoid and is_free(port):
            return port
    raise OSError(errno.EADDRINUSE, f"no free port between {_LOWEST} and {highest}")
