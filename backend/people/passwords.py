"""Passwords: hashed with argon2id in threads of their own, so that the event loop goes on.

At most two are worked on at once: each takes 32 MB for as long, and a burst of sign-ins must not take the machine.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")


async def hash_password(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def password_fits(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one. Takes as long when there is none (None or empty): the time that an
    answer takes tells nobody which addresses have an account."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, stored, password)


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def _verify(stored: str | None, password: str) -> bool:
    try:
        return _hasher.verify(stored or _nobodys_hash(), password) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("a password that opens nothing")
