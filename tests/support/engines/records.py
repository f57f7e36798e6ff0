"""The serving end of an encrypted connection whose records are made by hand.

Python's `ssl` has no word for new keys, nor for asking to shake hands again. So hands are shaken by
it, and from there on what it would say is encrypted here, with the keys that it logs for debuggers.
"""

from __future__ import annotations

import hmac
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from attrs import define, field, frozen
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from support.engines.tls import serving


T = TypeVar("T")

Version = Literal["TLS 1.2", "TLS 1.3"]
Seal: TypeAlias = Callable[[int, bytes], bytes]
"""Encrypts the next record: its kind, and its content."""

ALERT, HANDSHAKE, DATA = 21, 22, 23
HELLO_REQUEST = bytes([0, 0, 0, 0])
"""A server's wish to shake hands again (RFC 5246, 7.4.1.1)."""
NO_RENEGOTIATION = bytes([1, 100])
"""A warning: the other side's wish to do so is refused (RFC 5246, 7.2.2)."""
KEY_UPDATE = bytes([24, 0, 0, 1, 1])
"""New keys from here on, and the other side is to take new ones, too (RFC 8446, 4.6.3)."""

_GCM_SUITES = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"


@frozen
class Suite:
    """A cipher suite of TLS 1.3.

    Args:
        name: Such as `TLS_AES_256_GCM_SHA384`.
    """

    name: str

    def expand(self, secret: bytes, label: bytes, length: int) -> bytes:
        """Return what follows from a secret, no longer than one hash (RFC 8446, 7.1)."""
        label = b"tls13 " + label
        info = length.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0"
        digest = self.name.rpartition("_")[2].lower()
        return hmac.digest(secret, info + b"\1", digest)[:length]

    def sealing(self, secret: bytes) -> Seal:
        """Return what encrypts under a secret (RFC 8446, 5.2 and 5.3)."""
        key = self.expand(secret, b"key", 16 if "AES_128" in self.name else 32)
        aead = ChaCha20Poly1305(key) if "CHACHA20" in self.name else AESGCM(key)
        iv = int.from_bytes(self.expand(secret, b"iv", 12), "big")
        numbers = count()

        def seal(kind: int, content: bytes) -> bytes:
            head = b"\x17\x03\x03" + (len(content) + 17).to_bytes(2, "big")
            nonce = (iv ^ next(numbers)).to_bytes(12, "big")
            return head + aead.encrypt(nonce, content + bytes([kind]), head)

        return seal


def sealing_of_1_2(master: bytes, client_random: bytes, server_random: bytes) -> Seal:
    """Return what encrypts in TLS 1.2, after its first record (RFC 5246, 6.3; RFC 5288)."""
    seed, block, chained = b"key expansion" + server_random + client_random, b"", b""
    while len(block) < 2 * 16 + 2 * 4:
        chained = hmac.digest(master, chained or seed, "sha256")
        block += hmac.digest(master, chained + seed, "sha256")
    aead, salt = AESGCM(block[16:32]), block[36:40]
    numbers = count(1)

    def seal(kind: int, content: bytes) -> bytes:
        number = next(numbers).to_bytes(8, "big")
        head = bytes([kind, 3, 3])
        covered = number + head + len(content).to_bytes(2, "big")
        encrypted = number + aead.encrypt(salt + number, content, covered)
        return head + len(encrypted).to_bytes(2, "big") + encrypted

    return seal


@define(eq=False)
class Records:
    """One connection.

    Args:
        reader: Of the connection below.
        writer: The same.
        version: Which TLS is spoken.
        log: A file of its own for the keys.
    """

    reader: StreamReader
    writer: StreamWriter
    version: Version
    log: Path
    _incoming: ssl.MemoryBIO = field(factory=ssl.MemoryBIO)
    _outgoing: ssl.MemoryBIO = field(factory=ssl.MemoryBIO)
    _first_flight: bytes = b""
    _secret: bytes = b""
    _tls: ssl.SSLObject = field(init=False)
    record: Seal = field(init=False)
    """Returns a record, encrypted, which is not written yet."""

    async def shake_hands(self) -> None:
        """Shake hands, after which records can be made."""
        context = serving()
        context.num_tickets = 0  # They would be records that nobody has counted.
        context.keylog_filename = str(self.log)
        if self.version == "TLS 1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.options |= ssl.OP_NO_TICKET
            context.set_ciphers(_GCM_SUITES)
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        await self._until_done(self._tls.do_handshake)
        logged = [line.split() for line in self.log.read_text().splitlines() if line[:1] != "#"]
        secrets = {name: (bytes.fromhex(of), bytes.fromhex(it)) for name, of, it in logged}
        if self.version == "TLS 1.2":
            client_random, master = secrets["CLIENT_RANDOM"]
            # Behind the heads of a record and a message, and the version.
            self.record = sealing_of_1_2(master, client_random, self._first_flight[11:43])
        else:
            self._secret = secrets["SERVER_TRAFFIC_SECRET_0"][1]
            self.record = self._suite.sealing(self._secret)

    async def read(self) -> bytes:
        """Return what the other side says next; nothing once it is gone."""
        try:
            return await self._until_done(lambda: self._tls.read(65536))
        except (ssl.SSLError, ConnectionError):
            return b""

    def take_new_keys(self) -> None:
        """Encrypt with the next keys of TLS 1.3 from here on (RFC 8446, 7.2)."""
        self._secret = self._suite.expand(self._secret, b"traffic upd", len(self._secret))
        self.record = self._suite.sealing(self._secret)

    @property
    def _suite(self) -> Suite:
        name, _, _ = self._tls.cipher() or ("", "", 0)
        return Suite(name)

    async def _until_done(self, step: Callable[[], T]) -> T:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                pass
            finally:
                self._flush()
            received = await self.reader.read(65536)
            if received:
                self._incoming.write(received)
            else:
                self._incoming.write_eof()

    def _flush(self) -> None:
        said = self._outgoing.read()
        self._first_flight = self._first_flight or said
        self.writer.write(said)
