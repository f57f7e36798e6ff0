"""Where the records of a stream of TLS end."""

from __future__ import annotations


_HEADER = 5


class RecordBoundaries:
    """Follows a stream of records: five bytes that end in a length, then so many (RFC 8446, 5.1).

    OpenSSL keeps the beginning of a record to itself, and only the kernel can be asked what else
    came in; so this tells whether something is on its way that nobody has asked for.
    """

    def __init__(self) -> None:
        self._header = b""
        self._rest = 0

    @property
    def within_record(self) -> bool:
        """Whether a record has begun, and its end has not come in."""
        return bool(self._rest or self._header)

    def pass_over(self, received: memoryview) -> None:
        """Take note of what came in, however it is cut."""
        if self._header:
            received = memoryview(self._header + received)
            self._header = b""
        at, end = self._rest, len(received)
        while at + _HEADER <= end:
            at += _HEADER + (received[at + 3] << 8) + received[at + 4]
        if at < end:
            self._header = bytes(received[at:])
            at = end
        self._rest = at - end
