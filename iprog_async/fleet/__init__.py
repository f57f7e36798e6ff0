"""A fleet: any number of workers on any machines, which send what was loaded for them.

It needs the extra `postgres`.
"""

from iprog_async._core.public import publish
from iprog_async.fleet._campaign import FleetCampaign
from iprog_async.fleet._enqueue import enqueue_many
from iprog_async.fleet._queue_names import DEFAULT_QUEUE
from iprog_async.fleet._report import EnqueueReport
from iprog_async.fleet._status import CampaignStatus, RunStatus, WorkerStatus
from iprog_async.fleet._worker import Worker


__all__ = [
    "DEFAULT_QUEUE",
    "CampaignStatus",
    "EnqueueReport",
    "FleetCampaign",
    "RunStatus",
    "Worker",
    "WorkerStatus",
    "enqueue_many",
]

publish(globals())
