"""Bulk runs of a client, as its own methods and a fleet's worker begin them."""

from __future__ import annotations

import os
from collections.abc import Callable

from attrs import frozen

from iprog_async._bulk.options import BulkOptions
from iprog_async._bulk.preparation import Preparation
from iprog_async._bulk.run import BulkRun, SharedRun
from iprog_async._bulk.source import Messages
from iprog_async._core.checks import check_asynchronous, check_messages
from iprog_async._core.clock import Clock
from iprog_async._core.errors import ConfigurationError
from iprog_async._core.gsm7.replacement import EncodingSetting, Gsm7, read_setting
from iprog_async._core.observers import Observers
from iprog_async._journal.journal import Journal
from iprog_async._policies.asking import read_policies
from iprog_async._policies.gate import Admissions, Gate
from iprog_async._policies.send_between import SendBetween
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.sender_ids import SenderIds, SenderIdSetting, read_sender_ids
from iprog_async._suppressions.policy import SuppressionPolicy


@frozen
class ClientBulk:
    """Begins bulk runs through a client's provider.

    Args:
        provider: A bound provider.
        clock: What tells the time and waits.
        share: Told of each journal that a run opens.
        observers: Who is told of what is sent.
        encoding: What the client lets be replaced in texts.
        check_open: Raises `ClientClosedError` once the client is closed.
        gate: The client's policies, if it has any.
        sender_ids: The client's sender IDs, if it has any.
        hours: The client's hours, which are among its policies, if it has any.
    """

    _provider: SmsProvider
    clock: Clock
    _share: Callable[[Journal], None]
    _observers: Observers
    _encoding: Gsm7 | None
    _check_open: Callable[[], None]
    _gate: Gate | None = None
    _sender_ids: SenderIds | None = None
    _hours: SendBetween | None = None

    def run(
        self,
        messages: Messages,
        options: BulkOptions,
        *,
        journal: Journal | str | os.PathLike[str] | None,
        shared: SharedRun | None = None,
    ) -> BulkRun:
        """Send many texts, as `send_many` does.

        Args:
            messages: What to send.
            options: How.
            journal: Keeps what is sent, if it is kept.
            shared: What it shares with other processes that are at the same run.

        Raises:
            ClientClosedError: The client was closed.
            ConfigurationError: The messages are a generator that has been read already, or the
                journal is one of `iprog_async.sync`.
        """
        self._check_open()
        check_messages(messages)
        check_asynchronous("journal", journal)
        return BulkRun(
            self._provider,
            messages,
            self.clock,
            options,
            journal=journal,
            opened=self._share,
            observers=self._observers,
            shared=shared,
            admissions=self._admissions(options),
        )

    def _admissions(self, options: BulkOptions) -> Admissions | None:
        gate = self._gate
        if options.hours is not None:
            gate = gate or Gate((), self._provider, self.clock, self._encoding)
            gate = gate.also(read_policies([options.hours]))
        return None if gate is None else gate.of_run(options.encoding)

    @property
    def has_others_wait(self) -> bool:
        """Whether a policy of this client may have rows wait that another client would send."""
        policies = () if self._gate is None else self._gate.policies
        return not all(
            isinstance(getattr(policy.decide, "__self__", None), SuppressionPolicy)
            for policy in policies
        )

    def gate_of(self, hours: SendBetween | None) -> Gate | None:
        """Return what asks for hours only, of messages that others send; `None` without any."""
        if hours is None:
            return None
        return Gate(read_policies([hours]), self._provider, self.clock, self._encoding)

    def prepare(self, messages: Messages, options: BulkOptions) -> Preparation:
        """Return what reads and checks messages as a run does."""
        check_messages(messages)
        return Preparation(self._provider, messages, options, self.clock)

    def sender_ids_for(self, setting: SenderIdSetting | None) -> SenderIds | None:
        """Return which sender IDs texts get; the client's own setting holds for `None`."""
        return self._sender_ids if setting is None else read_sender_ids(setting)

    def hours_for(self, words: str | None, zone: str | None) -> SendBetween | None:
        """Return when texts leave; the client's own hours hold where none are given.

        Raises:
            ConfigurationError: They make no sense.
        """
        if words is not None:
            when_quiet = "wait" if self._hours is None else self._hours.when_quiet
            return SendBetween.of_words(words, zone, when_quiet)
        if zone is not None:
            raise ConfigurationError("zone= is the clock of send_between=; give both")
        return self._hours

    def encoding_for(self, encoding: EncodingSetting | None) -> Gsm7 | None:
        """Return what may be replaced in texts; the client's own setting holds for `None`."""
        return self._encoding if encoding is None else read_setting(encoding)
