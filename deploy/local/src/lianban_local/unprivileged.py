"""How PostgreSQL, which refuses to run as root, is run when the platform is started as root."""

import functools
import os
import pwd
import subprocess
from hashlib import sha256
from pathlib import Path
from signal import SIGKILL
from typing import Literal

from lianban_local.process import born

Way = Literal["as it is", "user namespace", "another user"]


@functools.cache
def best_way() -> Way:
    """An ordinary user needs nothing; root prefers a user namespace, which changes no file's owner or mode.

    Some container runtimes forbid new user namespaces: then a really unprivileged user is the way.
    """
    if os.getuid() != 0:
        return "as it is"
    trial = born(["/bin/true"], SIGKILL, identity("user namespace"))
    works = subprocess.run(trial, capture_output=True, check=False).returncode == 0
    return "user namespace" if works else "another user"


def identity(way: Way) -> str | None:
    """In the words of ``child.py``."""
    user = _ordinary_user()
    match way:
        case "as it is":
            return None
        case "user namespace":
            return f"namespace:{user.pw_uid}"
        case "another user":
            return f"{user.pw_uid}:{user.pw_gid}"


def data_folder(way: Way, wanted: Path) -> Path:
    """Where data may lie. Another user cannot enter root's private folders, so its data lies in /var/tmp.

    The name is made from the wanted path, so that the next start finds it again.
    """
    if way != "another user":
        return wanted
    return Path("/var/tmp") / f"lianban-{sha256(bytes(wanted)).hexdigest()[:16]}"  # noqa: S108 - made 0700 and owned


def make_folder(way: Way, folder: Path) -> None:
    """The private folder in which the server will work.

    Raises: PermissionError when the name in /var/tmp is taken by somebody else.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if way == "another user":
        if folder.is_symlink() or folder.stat().st_uid not in {0, _ordinary_user().pw_uid}:
            raise PermissionError(f"{folder} belongs to somebody else")
        hand_over(way, folder)


def hand_over(way: Way, path: Path) -> None:
    """Give a file or folder to whom the server will run as."""
    if way == "another user":
        user = _ordinary_user()
        os.chown(path, user.pw_uid, user.pw_gid)


def _ordinary_user() -> pwd.struct_passwd:
    """A user that the system knows: initdb wants a name for its uid."""
    users = {user.pw_name: user for user in pwd.getpwall() if user.pw_uid != 0}
    for name in ("postgres", "nobody"):
        if name in users:
            return users[name]
    return min(users.values(), key=lambda user: user.pw_uid)
