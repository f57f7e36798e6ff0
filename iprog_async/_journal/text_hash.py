"""Salted hashes of texts: a journal tells texts apart, and keeps none."""

from __future__ import annotations

import struct
from hashlib import sha256

from iprog_async._core.messages import Message
from iprog_async._journal.rows import HASH_BYTES


TIME = struct.Struct("d")
"""How the time of a scheduled text is written behind its hash: seconds since 1970."""


class TextHash:
    """Hashes texts.

    Args:
        salt: What they are hashed with.
    """

    def __init__(self, salt: bytes) -> None:
        # To copy a hash that has begun takes half the time of beginning one.
        self._salted = sha256(salt)
        self._last: tuple[str | None, bytes] = (None, b"")

    def of_text(self, text: str) -> bytes:
        """Return the hash of a text."""
        if text is self._last[0]:
            # One text to many, over and over.
            return self._last[1]
        try:
            data = text.encode()
        except UnicodeEncodeError:
            # An adapter of somebody else's may let half a character pass.
            data = text.encode(errors="surrogatepass")
        digest = self._salted.copy()
        digest.update(data)
        self._last = (text, digest.digest()[:HASH_BYTES])
        return self._last[1]

    def of_message(self, wire: Message) -> bytes:
        """Return the hash of a message as it travels: the same text at two times is two."""
        text_hash = self.of_text(wire.text)
        if wire.schedule_at is None:
            return text_hash
        return text_hash + TIME.pack(wire.schedule_at.timestamp())
