"""The body of an answer: bounded in size, unpacked where it comes compressed."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from iprog_async._engines.base import MAX_BODY


class BadBodyError(ValueError):
    """The body is too long, or its compression is unknown or damaged."""


def check_length(body: bytes | bytearray) -> None:
    """Raise `BadBodyError` if a body is too long."""
    if len(body) > MAX_BODY:
        raise BadBodyError(f"the answer is longer than {MAX_BODY} bytes")


def _unpacker(coding: str) -> Any:
    """Return what unpacks a body, if it is packed at all."""
    # Some servers compress unasked; these two every client understands.
    if coding.lower() in ("gzip", "deflate"):
        return zlib.decompressobj(wbits=47)
    if coding.lower() == "identity":
        return None
    # Quoted as it came: in small letters no secret in it would be known.
    raise BadBodyError(f"the answer is encoded as {coding!r}, which was not asked for")


class Body:
    """Collects the body of one answer, whichever engine reads it.

    Args:
        headers: Header fields of the answer, names in lower case.

    Raises:
        BadBodyError: It says that it is too long, or that it is packed in an unknown way.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > MAX_BODY:
            raise BadBodyError(f"the answer is {length} bytes long, more than {MAX_BODY}")
        if not length and headers.get("transfer-encoding", "chunked").lower() != "chunked":
            raise BadBodyError("the answer is packed for its transfer, which was not asked for")
        coding = headers.get("content-encoding")
        self._inflate = _unpacker(coding) if coding else None
        self._collected = bytearray()
        self._begun = False

    def feed(self, chunk: bytes) -> None:
        """Take what came; raises `BadBodyError` as soon as it is too long or damaged."""
        if self._inflate is None:
            self._collected += chunk
        else:
            self._begun = self._begun or bool(chunk)
            try:
                self._collected += self._inflate.decompress(chunk, MAX_BODY + 1)
            except zlib.error as exc:
                raise BadBodyError(f"the answer's compression is damaged: {exc}") from None
        check_length(self._collected)

    def end(self) -> bytes:
        """Return all of it; raises `BadBodyError` if that is not what was packed."""
        # A 204 has no body to be compressed, whatever its header fields say.
        if self._inflate is not None and self._begun:
            if not self._inflate.eof:
                raise BadBodyError("the answer's compression is cut short")
            if self._inflate.unused_data:
                raise BadBodyError("the answer goes on where its compression ends")
        return bytes(self._collected)
