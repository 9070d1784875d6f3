"""Argon2id (RFC 9106) in threads of its own: a hash takes tens of milliseconds that the event loop does not have."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from identity_service.accounts.domain import normal_password

# The parameters are argon2-cffi's default, the second recommended option of RFC 9106 §4: 64 MiB, three passes, four lanes.
_hasher = PasswordHasher()
# As many at once as there are processors: more would only take memory, 64 MiB each.
_threads = ThreadPoolExecutor(max_workers=os.cpu_count(), thread_name_prefix="argon2")
# Verified when there is no such account, so that the answer takes as long as for one that is there.
_NOBODY = _hasher.hash(os.urandom(16).hex())


async def hash_password(password: str) -> str:
    """The encoded hash with its salt and parameters."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, normal_password(password))


async def password_fits(password: str, password_hash: str | None) -> bool:
    """Whether it is the password; without a hash it takes the same time and says no."""
    fits = await asyncio.get_running_loop().run_in_executor(
        _threads, _verify, password_hash or _NOBODY, normal_password(password)
    )
    return fits and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether it was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
