"""The client for synchronous code, and what belongs to it: waited for instead of awaited."""

from iprog_async._core.public import publish
from iprog_async.sync._bulk_run import BulkRun
from iprog_async.sync._client import SmsClient
from iprog_async.sync._codes import Codes
from iprog_async.sync._journal import Journal
from iprog_async.sync._suppressions import Suppressions


__all__ = ["BulkRun", "Codes", "Journal", "SmsClient", "Suppressions"]

publish(globals())
