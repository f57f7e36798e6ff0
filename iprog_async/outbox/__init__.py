"""The transactional outbox: texts that are sent if, and only if, your transaction is committed.

`enqueue`, or `Journal.enqueue`, puts a text into your own transaction; an `OutboxSender`, in
whatever process, sends it a moment after the commit.
"""

from iprog_async._core.public import publish
from iprog_async._journal.enqueuing.enqueue import Enqueued
from iprog_async.outbox._enqueue import enqueue, enqueue_sync
from iprog_async.outbox._sender import OutboxSender


__all__ = [
    "Enqueued",
    "OutboxSender",
    "enqueue",
    "enqueue_sync",
]

publish(globals())
