"""One connection that speaks HTTP/1.1: a request, its answer, and then the next request."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import cast

from iprog_async._engines.base import Failure, RequestProgress, WireReply
from iprog_async._engines.body import BadBodyError
from iprog_async._engines.http1_careful_reader import CarefulReader
from iprog_async._engines.http1_quick_reader import QuickReader
from iprog_async._engines.readiness import poller
from iprog_async._engines.tls import TlsTransport


# Answers are far shorter; longer ones come in several pieces.
_PIECE = 8 * 1024
# How many requests are written together: the first of them waits for a millisecond.
_TOGETHER = 16


class WriteCoalescer:
    """Writes requests of one round of the event loop together, some at a time.

    One after another they cost the system half as much as with other work in between. All of a
    long round together would be answered together, too, and the next round would be as long.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[Connection, bytes]] = []

    def put(self, connection: Connection, request: bytes) -> None:
        """Have a request written before the loop waits for anything."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append((connection, request))
        if len(self._waiting) == _TOGETHER:
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for connection, request in waiting:
            connection.write(request)


NOT_QUIET = Failure("the other side closed the connection, or spoke, unasked", may_have_left=False)
"""What `Connection.exchange` returns where nothing was written; another connection may be used."""


class Connection(asyncio.BufferedProtocol):
    """Sends one request at a time and reads its answer.

    An answer counts only if it came whole, and after its own request: whatever a server says
    unasked closes the connection, so that it can't become the answer to a later request.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, outbox: WriteCoalescer) -> None:
        self._loop = loop
        self._outbox = outbox
        self._transport: asyncio.Transport | None = None
        self._tls: TlsTransport | None = None
        self._reader = QuickReader()
        # Reads an answer that the other one gave up.
        self._careful: CarefulReader | None = None
        self._answer: asyncio.Future[WireReply | Failure] | None = None
        self._progress = RequestProgress()
        self._poll: Callable[[], object] = list[object]
        # Of its own: where reads are completed by the system, it writes here at any moment.
        self._piece = memoryview(bytearray(_PIECE))
        self._complete = False
        # The waiter of an answer that is complete, while it is not known what came with it.
        self._held: asyncio.Future[WireReply | Failure] | None = None
        self._left = False
        # Whether whatever comes in before the next request can only be unasked. Nobody can tell on
        # a new connection: the tickets of TLS come in by themselves.
        self._kept = False
        self.idle_since = 0.0
        self.usable = True

    async def exchange(self, request: bytes, progress: RequestProgress) -> WireReply | Failure:
        """Write a request and wait for its answer; without a whole answer it closes.

        Args:
            request: All its bytes.
            progress: Until when they may be written; it is told as they are.

        Returns:
            The answer; or `NOT_QUIET` if the other side was found to have closed the connection,
            or to have spoken, at the moment of writing.
        """
        assert self._transport is not None  # noqa: S101 - made by create_connection
        self._complete = False
        self._left = False
        answer: asyncio.Future[WireReply | Failure] = self._loop.create_future()
        self._answer = answer
        self._progress = progress
        self._outbox.put(self, request)
        try:
            return await answer
        finally:
            self._answer = self._held = None
            self._reader.came = b""
            if self._careful is not None:
                self._careful.close()
                self._careful = None
            # With a part of the request still to be written the connection is out of step.
            if not self._complete or self._transport.get_write_buffer_size():
                self.close()

    def write(self, request: bytes) -> None:
        """Write a request, unless the connection was closed meanwhile, or is not quiet.

        The loop may have been held up since, so the time is asked once more. Nor may it have looked
        at the socket, so the kernel is asked: last of all, for what came in before the request left
        is no answer to it.
        """
        if self._transport is None or self._answer is None:
            return
        progress = self._progress
        if progress.leaves_by != math.inf and (late := progress.too_late()) is not None:
            self._settle(late)
            return
        if not self.usable or (self._kept and self._poll()):
            self.usable = False
            self._settle(NOT_QUIET)
            return
        self._left = progress.writing = True
        if self._tls is not None:
            self._tls.leaves_by = progress.leaves_by
        # As a view: asyncio cuts off what the system took, and that would be another copy.
        self._transport.write(memoryview(request))

    def close(self, reason: str = "the connection was closed here") -> None:
        """Close at once; a request that was written may have left."""
        self.usable = False
        self._release(self._held)
        self._settle(Failure(reason, self._left))
        if self._transport is not None:
            self._transport.abort()

    def _settle(self, result: WireReply | Failure) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(result)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._tls = transport if isinstance(transport, TlsTransport) else None
        self._poll = poller(transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._piece

    def buffer_updated(self, nbytes: int) -> None:
        if self._answer is None or self._complete or not self._left:
            # Nobody asked: whatever it is, it is no answer to the next request.
            if not self._left:
                self._settle(NOT_QUIET)
            if self._careful is not None:
                self._careful.note_more()
            self.close()
            return
        piece = self._piece[:nbytes].tobytes()
        has_more = nbytes == _PIECE or (self._tls is not None and self._tls.has_more)
        if self._careful is not None:
            self._read(self._careful, piece, has_more=has_more)
            return
        reply = self._reader.feed(piece)
        if reply is not None and not has_more:
            self._complete = self._kept = True
            self._settle(reply)
        elif reply is not None or self._reader.gave_up:
            self._read_again(has_more=has_more)

    def _read_again(self, *, has_more: bool) -> None:
        """Read with more care what came in."""
        came = self._reader.came
        self._reader.close()
        self._reader = QuickReader()
        self._careful = CarefulReader()
        self._read(self._careful, came, has_more=has_more)

    def _read(self, reader: CarefulReader, piece: bytes, *, has_more: bool) -> None:
        reader.feed(piece)
        self.usable = self.usable and reader.keeps
        if reader.fault:
            self.close(reader.fault)
        elif reader.is_complete:
            self._complete = True
            if has_more:
                self._hold()
            else:
                self._finish(whole=True)

    def eof_received(self) -> bool:
        self.usable = False
        if self._reader.came and not self._complete:
            self._read_again(has_more=False)
        if (
            self._careful is not None
            and not self._complete
            and self._careful.ends_with_connection()
        ):
            self._complete = True
            self._finish(whole=False)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        why = f": {type(exc).__name__}: {exc}" if exc else " without a complete answer"
        self.close(f"the connection was closed{why}")
        # They refer to each other, and no garbage collection should be needed.
        self._reader.close()

    def _hold(self) -> None:
        """Hand over an answer once what came in with it has been looked at, too.

        A piece was full, or another record of TLS is there: maybe only the goodbye. By the end of
        the loop's next round whatever the system has is read.
        """
        self._kept = True
        self._held = self._answer
        self._loop.call_soon(self._loop.call_soon, self._release, self._answer)

    def _release(self, held: asyncio.Future[WireReply | Failure] | None) -> None:
        if held is None or held is not self._held:
            return
        self._held = None
        within_record = self._tls is not None and self._tls.within_record
        self._finish(whole=not within_record)

    def _finish(self, *, whole: bool) -> None:
        """Hand over the answer, once all is read that came in with it."""
        assert self._careful is not None  # noqa: S101 - it has read head and end
        try:
            reply = self._careful.reply(whole=whole)
        except BadBodyError as exc:
            self._complete = False
            self.close(str(exc))
            return
        self._kept = True
        self._settle(reply)
