"""Enqueuing a text with a connection, asynchronous or not."""

from __future__ import annotations

import re
from datetime import timedelta

from attrs import frozen

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.messages import Message
from iprog_async._core.redaction import one_line, shown
from iprog_async._journal.enqueuing.connections import Rows, ask, ask_async
from iprog_async._journal.enqueuing.refusals import explained
from iprog_async._journal.enqueuing.texts import to_request


_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@frozen
class Enqueued:
    """A text that is in the outbox, if the transaction is committed.

    Args:
        id: Its number there.
        is_new: `False` if a text with this key was enqueued for this number before: that one is
            sent, and this is its number.
    """

    id: int
    is_new: bool


@frozen
class Target:
    """The outbox that a text is for.

    Args:
        schema: The schema of the journal's tables.
        campaign: What the text belongs to.
        journal: The journal's fingerprint; any will do if `None`.
    """

    schema: str
    campaign: str
    journal: str | None = None

    @property
    def function(self) -> str:
        """What is called in the database, as SQL.

        Raises:
            ConfigurationError: The schema's name can't be one.
        """
        if not _SCHEMA.fullmatch(self.schema):
            raise ConfigurationError(
                f"the schema {one_line(shown(self.schema), 80)} has to be a name of small letters, "
                "digits and _"
            )
        return f'"{self.schema}".enqueue'

    async def enqueue(
        self, message: Message, connection: object, region: str | None, max_age: timedelta | None
    ) -> Enqueued:
        """Enqueue a text over an asynchronous connection; see `iprog_async.outbox.enqueue`."""
        request = self._request(message, region, max_age)
        try:
            rows = await ask_async(connection, self.function, request)
        except Exception as exc:
            problem = explained(exc, self.schema)
            if problem is None:
                raise
        else:
            return _enqueued(rows)
        # The driver's error may quote the statement, with the text and the number.
        raise problem

    def enqueue_sync(
        self, message: Message, connection: object, region: str | None, max_age: timedelta | None
    ) -> Enqueued:
        """Enqueue a text over a synchronous connection; see `iprog_async.outbox.enqueue_sync`."""
        request = self._request(message, region, max_age)
        try:
            rows = ask(connection, self.function, request)
        except Exception as exc:
            problem = explained(exc, self.schema)
            if problem is None:
                raise
        else:
            return _enqueued(rows)
        raise problem

    def _request(self, message: Message, region: str | None, max_age: timedelta | None) -> str:
        return to_request(
            message, region=region, max_age=max_age, campaign=self.campaign, journal=self.journal
        )


def _enqueued(rows: Rows) -> Enqueued:
    ((number, is_new),) = rows
    return Enqueued(int(number), bool(is_new))
