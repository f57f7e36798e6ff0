"""What a bulk run, or the plan of one, is asked for."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from iprog_async._bulk.credit_limit import check_limit
from iprog_async._bulk.suppression import Suppress
from iprog_async._core.checks import check_moment
from iprog_async._core.errors import ConfigurationError
from iprog_async._core.gsm7.replacement import Gsm7
from iprog_async._policies.send_between import SendBetween
from iprog_async._sending.sender_ids import SenderIds


@frozen(kw_only=True)
class BulkOptions:
    """The arguments that `send_many` and `plan_many` take alike, and the run's own, checked.

    `SmsClient.send_many` says what each of them means.

    Args:
        not_after: Until when a message may leave that does not say it itself.
        hours: When texts leave; they hold beside those of the client that sends.
        sender_ids: Which sender ID a message gets that has none of its own.
        deduplicated: Whether it is known that no message is a duplicate of another.

    Raises:
        ConfigurationError: A number is out of range.
    """

    concurrency: int = 100
    window: int | None = None
    linger: float = 0.05
    suppress: Suppress | None = None
    one_per_number: bool = False
    encoding: Gsm7 | None = None
    max_credits: int | None = None
    halt_after_unknown: int = 20
    halt_after_failed: int | None = None
    sender_ids: SenderIds | None = None
    deduplicated: bool = False
    not_after: datetime | None = None
    hours: SendBetween | None = None

    def __attrs_post_init__(self) -> None:
        if self.concurrency < 1 or (self.window is not None and self.window < 1):
            raise ConfigurationError("concurrency and window start at 1")
        if self.not_after is not None:
            check_moment("not_after", self.not_after)
        if not self.linger >= 0:
            raise ConfigurationError("linger is a number of seconds, not less than zero")
        if self.max_credits is not None:
            check_limit(self.max_credits)
        if self.halt_after_unknown < 1:
            raise ConfigurationError("halt_after_unknown starts at 1")
        if self.halt_after_failed is not None and self.halt_after_failed < 1:
            raise ConfigurationError("halt_after_failed starts at 1")
