"""Reads the answers that gateways nearly always give, in few steps.

llhttp judges every byte of them, as of any other answer; but nothing of ours is called for each
field, which would take longer than all that llhttp does. Of an answer that accepts a text hardly
any field is looked at, so they are taken apart only for whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import httptools

from iprog_async._engines.base import WireReply, add_field


# What is longer takes so long by itself that a closer look costs little.
_LONGEST = 8 * 1024
_EMPTY_LINE = b"\r\n\r\n"
# What is smaller is an interim answer, or none of HTTP.
_FIRST_FINAL_STATUS = 200
# A body comes in another way than as it is.
_CODED = b"-encoding:"
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: chunked(?![^\r])")
# It tells of fields behind the body.
_TRAILER = b"\r\ntrailer:"
# Without them.
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_SHORT = re.compile(rb"\r\ncontent-length: [0-9]{1,4}(?![^\r])")


class HeaderFields(Mapping[str, str]):
    """The fields of a head in which llhttp has found no fault, read when they are asked for.

    Args:
        head: Status line and fields, without the empty line behind them.
        lowered: The same in small letters.
    """

    __slots__ = ("_fields", "_head", "_lowered")

    def __init__(self, head: bytes, lowered: bytes) -> None:
        self._head = head
        self._lowered = lowered
        self._fields: dict[str, str] | None = None

    def get(self, key: str, default: Any = None, /) -> Any:
        """Return the value of a field; mostly it is not there, and that is seen at once."""
        if self._fields is None and self._lowered.find(key.encode()) < 0:
            return default
        return self._read().get(key, default)

    def __getitem__(self, key: str) -> str:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> dict[str, str]:
        if self._fields is None:
            self._fields = _fields_of(self._head)
        return self._fields


def _fields_of(head: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    # llhttp takes neither a line that goes on in the next one, nor ends of lines of another kind.
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, text = line.partition(":")
        key, value = name.lower(), text.strip(" \t")
        if key in fields:
            add_field(fields, key, value)
        else:
            fields[key] = value
    return fields


class QuickReader:
    """Reads whole answers behind which the connection can be kept, until it comes upon another.

    Then it has given up: all that `came` has to be read with more care, from its first byte on.
    """

    def __init__(self) -> None:
        self.came = b""
        """What has come in since the request was written; to be emptied after an answer."""
        self.gave_up = False
        self._parser: httptools.HttpResponseParser | None = None
        self._begun: list[None] = []
        self._body: list[bytes] = []
        self._keeps: bool | None = None
        # What the parser calls.
        self.on_message_begin = partial(self._begun.append, None)
        self.on_body = self._body.append

    def feed(self, piece: bytes) -> WireReply | None:
        """Take what came in, and return the answer; `None` if it is not all there, or gave up."""
        self.came += piece
        parser = self._parser = self._parser or httptools.HttpResponseParser(self)
        reply = None
        try:
            parser.feed_data(piece)
            if self._keeps:
                reply = self._reply(parser.get_status_code())
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.gave_up = True
            return None
        if reply is None:
            self.gave_up = self._keeps is not None or not _ends_soon(
                self.came, parser.get_status_code()
            )
            return None
        self._begun.clear()
        self._body.clear()
        self._keeps = None
        return reply

    def _reply(self, status: int) -> WireReply | None:
        """Return the answer that has come, unless there is anything unusual about it."""
        came, body = self.came, b"".join(self._body)
        head = came.partition(_EMPTY_LINE)[0]
        lowered = head.lower()
        if (
            # An interim answer, or the beginning of a second one.
            status < _FIRST_FINAL_STATUS
            or len(self._begun) > 1
            or lowered.find(_TRAILER) >= 0
            # llhttp skips empty lines, before an answer and behind it.
            or came[0] in b"\r\n"
            or (
                len(came) != len(head) + len(_EMPTY_LINE) + len(body)
                # A body that may be packed, or have fields behind it.
                if lowered.find(_CODED) < 0
                else not (_is_chunked(lowered) and came.endswith(_LAST_CHUNK))
            )
        ):
            return None
        return WireReply(status, HeaderFields(head, lowered), body)

    def on_message_complete(self) -> None:
        """Note whether the connection can be kept: llhttp can't tell any more after this."""
        assert self._parser is not None  # noqa: S101 - it calls
        self._keeps = self._parser.should_keep_alive()

    def close(self) -> None:
        """Forget the parser: the two refer to each other, and no garbage should be made."""
        self._parser = None


def _is_chunked(lowered: bytes) -> bool:
    """Return whether a body comes in chunks, and in no other way besides."""
    return lowered.count(_CODED) == 1 and _CHUNKED.search(lowered) is not None


def _ends_soon(came: bytes, status: int) -> bool:
    """Return whether the rest of an answer can be waited for, without a closer look."""
    if len(came) > _LONGEST:
        return False
    head, end, _ = came.partition(_EMPTY_LINE)
    if not end:
        return True
    if status < _FIRST_FINAL_STATUS:
        return False
    lowered = head.lower()
    if _is_chunked(lowered):
        return True
    return _CODED not in lowered and _SHORT.search(lowered) is not None
