"""The client for synchronous code: the same calls, waited for instead of awaited."""

from iprog_async._core.public import publish
from iprog_async.sync._bulk_run import BulkRun
from iprog_async.sync._client import SmsClient
from iprog_async.sync._codes import Codes


__all__ = ["BulkRun", "Codes", "SmsClient"]

publish(globals())
