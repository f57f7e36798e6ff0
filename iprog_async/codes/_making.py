"""Codes themselves: made, hashed, compared, and read as people type them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import unicodedata
from typing import Final

from iprog_async._core.sealed import Secret


_SALT_BYTES = 16
# A code has a million forms, so that each guess at its hash has to cost: some 20 ms and 8 MB.
COST: Final = {"n": 2**13, "r": 8, "p": 1, "dklen": 32}


def make_code(length: int) -> Secret:
    """Return digits that nobody can foresee."""
    return Secret("".join(secrets.choice("0123456789") for _ in range(length)))


async def hash_code(code: Secret) -> tuple[bytes, bytes]:
    """Return a new salt, and the hash of a code with it."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return salt, await _hash(code, salt)


async def is_code(typed: Secret, salt: bytes, digest: bytes) -> bool:
    """Return whether this is the code of a hash; it takes the same time for every answer."""
    return hmac.compare_digest(await _hash(typed, salt), digest)


async def _hash(code: Secret, salt: bytes) -> bytes:
    # It must not keep everybody else from the loop.
    return await asyncio.to_thread(hashlib.scrypt, code.encode(), salt=salt, **COST)


def read_typed(typed: str) -> Secret:
    """Return the digits of what somebody typed: blanks and hyphens in it mean nothing.

    Whatever is no digit stays, and is no code then.
    """
    signs = (sign for sign in typed if not sign.isspace() and sign not in "-\u2010\u2011\u2013")
    return Secret("".join(_digit(sign) for sign in signs))


def _digit(sign: str) -> str:
    # Keyboards of some languages have digits of their own.
    value = unicodedata.decimal(sign, None)
    return sign if value is None else str(value)
