"""Passwords: hashed with argon2 off the event loop, a few at a time, and what one must be like."""

import asyncio
import secrets

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from cloud.accounts.errors import Refused

SHORTEST = 12
LONGEST = 200
DISTINCT = 5
# Each takes 64 MB for some 50 ms: more at once would let strangers take the machine's memory.
AT_ONCE = 2


class Passwords:
    """Hashes and verifies; `hasher` may be a cheaper one in tests."""

    def __init__(self, hasher: Argon2Hasher | None = None) -> None:
        self._hash = PasswordHash((hasher or Argon2Hasher(),))
        self._room = asyncio.Semaphore(AT_ONCE)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """Its hash, with salt and parameters."""
        async with self._room:
            return await asyncio.to_thread(self._hash.hash, password)

    async def verify(self, password: str, held: str | None) -> tuple[bool, str | None]:
        """(it is the one of `held`, a fresh hash where parameters have changed). None takes as long as a wrong one."""
        if len(password) > LONGEST:
            return False, None
        if held is None:
            if self._nobodys is None:
                self._nobodys = await self.hash(secrets.token_hex(16))
            async with self._room:
                await asyncio.to_thread(self._hash.verify, password, self._nobodys)
            return False, None
        async with self._room:
            return await asyncio.to_thread(self._hash.verify_and_update, password, held)


def check(password: str, sign_in_name: str) -> None:
    """Refused where it is too short, too long, too plain, or holds the name."""
    if len(password) < SHORTEST:
        raise Refused("password_short", f"a password has at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise Refused("password_long", f"a password has at most {LONGEST} characters")
    if len(set(password)) < DISTINCT:
        raise Refused("password_plain", f"a password has at least {DISTINCT} different characters")
    if sign_in_name.lower() in password.lower() or "liftwatch" in password.lower():
        raise Refused("password_name", "a password must hold neither the sign-in name nor the product's")
