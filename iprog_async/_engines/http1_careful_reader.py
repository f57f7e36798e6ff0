"""Reads any answer, field by field, and notes what comes before it and behind it."""

from __future__ import annotations

import re
from functools import lru_cache

import httptools

from iprog_async._engines.base import MAX_BODY, WireReply, add_field
from iprog_async._engines.body import BadBodyError, Body


# Status line and header fields, which the parser itself does not bound.
_LONGEST_HEAD = 64 * 1024
# How an answer ends that has no body, or one in chunks with no fields behind them.
_END = re.compile(rb"[^\r\n]\r\n\r\n")
# Of all bytes together; the size of chunks and fields after the body are in no other count.
_LONGEST = MAX_BODY + 2 * _LONGEST_HEAD
# Of HTTP; llhttp reads smaller ones, too.
_FIRST_STATUS = 100


@lru_cache(maxsize=128)
def _name(name: bytes) -> str:
    """Return the name of a header field, of which gateways have few."""
    return name.decode("latin-1").lower()


class CarefulReader:
    """Reads one answer.

    Whatever a server says behind it, or in header fields before and after it, makes it one that
    may not be all.
    """

    def __init__(self) -> None:
        self.fault = ""
        """Why it can't be read; once there is one, the rest means nothing."""
        self.is_complete = False
        self.said_more = False
        self.keeps = True
        """Whether the connection can be kept, as far as it is known."""
        self._received = 0
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body: Body | None = None
        self._last_body = b""
        self._tail = b""
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    def feed(self, piece: bytes) -> None:
        """Take what came in."""
        assert self._parser is not None  # noqa: S101 - until it is closed
        if not self._received and piece[0] in b"\r\n":
            self.note_more()
        self._received += len(piece)
        self._last_body, was_complete = b"", self.is_complete
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            self._fail("an answer that changes the protocol")
        except httptools.HttpParserError as exc:
            if self.is_complete:
                self.note_more()
            else:
                self._fail(f"an answer that is no HTTP ({exc})")
        self._tail = (self._tail + piece)[-5:]
        if self.is_complete and not was_complete and self._goes_on(piece):
            self.note_more()
        longest = _LONGEST_HEAD if self._body is None else _LONGEST
        if self._received > longest and not self.is_complete:
            self._fail("the answer has more header fields, or more chunks, than any gateway needs")

    def _goes_on(self, piece: bytes) -> bool:
        """Return whether there is something behind the end of the answer.

        Of a second one llhttp tells; empty lines it skips.
        """
        if self._last_body and "transfer-encoding" not in self._headers:
            return not piece.endswith(self._last_body)
        return _END.fullmatch(self._tail) is None

    def note_more(self) -> None:
        """Note that more came than one answer to one request."""
        self.said_more = True
        self.keeps = False

    def ends_with_connection(self) -> bool:
        """Take it that the connection has ended; return whether that ends the answer, too.

        So it does if it named no length, as HTTP/1.0 servers may (RFC 9112, 6.3). What came is
        read for what it says; that it is all which was to come, nobody knows.
        """
        if self._body is None or self._headers.keys() & {"content-length", "transfer-encoding"}:
            return False
        self.said_more = True
        self._end()
        return True

    def reply(self, *, whole: bool) -> WireReply:
        """Return the answer, once it is complete.

        Args:
            whole: Whether it is certain of the connection that nothing comes behind it.

        Raises:
            BadBodyError: Its body can't be unpacked.
        """
        assert self._body is not None  # noqa: S101 - head and end have been read
        return WireReply(
            self._status, self._headers, self._body.end(), whole and not self.said_more
        )

    def close(self) -> None:
        """Forget the parser: the two refer to each other, and no garbage should be made."""
        self._parser = None

    def _fail(self, reason: str) -> None:
        self.fault = self.fault or reason

    def _end(self) -> None:
        """Note that the answer is complete, and the status before that of another one."""
        assert self._parser is not None  # noqa: S101 - it has just read the end
        self.is_complete = True
        self._status = self._parser.get_status_code()

    def _is_interim(self) -> bool:
        if self._parser is None:
            return False
        return _FIRST_STATUS <= self._parser.get_status_code() < 200

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self.is_complete:
            self.note_more()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._body is not None:
            # Fields after the body could contradict those before it.
            self.said_more = True
            return
        key = _name(name)
        if key == "trailer" or (key == "transfer-encoding" and key in self._headers):
            # It tells of fields behind the body, or nobody knows where that ends.
            self.said_more = True
        add_field(self._headers, key, value.decode("latin-1").strip(" \t"))

    def on_headers_complete(self) -> None:
        if self.is_complete or self._is_interim():
            return
        if self._parser is not None and self._parser.get_status_code() < _FIRST_STATUS:
            self._fail("an answer whose status is none of HTTP")
            return
        try:
            self._body = Body(self._headers)
        except BadBodyError as exc:
            self._fail(str(exc))

    def on_body(self, body: bytes) -> None:
        if self.is_complete or self._body is None:
            return
        self._last_body = body
        try:
            self._body.feed(body)
        except BadBodyError as exc:
            self._fail(str(exc))

    def on_message_complete(self) -> None:
        if self.is_complete:
            return
        if self._body is None:
            # An interim answer such as "100 Continue"; the real one follows. What its fields say,
            # an id maybe, is read by nobody, and may be a sign that the text was taken.
            self.said_more = self.said_more or bool(self._headers)
            self._headers = {}
            return
        if self._parser is None or not self._parser.should_keep_alive():
            self.keeps = False
        self._end()
