"""What a follow-up found."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from iprog_async._core.errors import SmsError


@frozen(kw_only=True)
class FollowUp:
    """How far the accepted texts of a journal have come.

    Args:
        delivered: How many are delivered, by the gateway's word, as it is on record now.
        sent: How many were handed to the network, and have no final status.
        failed: How many failed after they were accepted.
        pending: How many are still with the gateway.
        unclear: How many have a status that no table of this library knows.
        changed: How many statuses this follow-up has changed.
        not_found: How many of the gateway's ids it was asked for again and again, and does not
            know.
        without_id: How many got no id, so that nothing can be asked.
        no_status: How many can't be followed, by the name of their gateway: it tells no status,
            or the client does not know it.
        last_error: What the last request that failed met; it says nothing about any text.
    """

    delivered: int = 0
    sent: int = 0
    failed: int = 0
    pending: int = 0
    unclear: int = 0
    changed: int = 0
    not_found: int = 0
    without_id: int = 0
    no_status: Mapping[str, int] = field(factory=dict[str, int])
    last_error: SmsError | None = None

    @property
    def finished(self) -> bool:
        """Whether the status of every accepted text is final."""
        return not (self.sent or self.pending or self.unclear)
