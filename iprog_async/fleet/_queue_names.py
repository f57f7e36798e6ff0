"""What the fleet's jobs are called in the job queue."""

TASK = "iprog_async.chunk"
"""The task of a job: one chunk."""

DEFAULT_QUEUE = "iprog-async"
"""The queue that jobs are put in, unless another one is named."""
