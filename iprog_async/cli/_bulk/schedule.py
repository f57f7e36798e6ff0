"""`bulk --at` without workers: the gateway keeps the texts until their time."""

from __future__ import annotations

from attrs import evolve

from iprog_async._core.errors import UnsupportedError
from iprog_async._providers.base import BaseProvider
from iprog_async._providers.protocols import SmsProvider
from iprog_async._routing.base import gateways_of
from iprog_async.cli._bulk.messages import CsvMessages
from iprog_async.cli._bulk.options import CommandOptions
from iprog_async.cli._options.when import clock_of, later


def scheduled(
    options: CommandOptions, provider: SmsProvider, messages: CsvMessages
) -> CommandOptions:
    """Schedule the messages, if that was asked for.

    Args:
        options: What the command was told.
        provider: What sends them.
        messages: The messages.

    Returns:
        The options with the very time, so that the command that goes on says the same one: with
        another, whoever has a text scheduled already would be a conflict.

    Raises:
        InvalidMessageError: It is no time, or is over.
        UnsupportedError: The gateway can't keep a text; nothing was sent.
    """
    if options.at is None or options.enqueue:
        return options
    never = [gateway.name for gateway in gateways_of(provider) if not _schedules(gateway)]
    if never:
        raise UnsupportedError(
            f"--at needs a gateway that keeps texts until their time, and {' and '.join(never)} "
            "has no scheduling. Nothing was sent; run the command when the time has come, or let "
            "workers send it with --enqueue"
        )
    when = later(options.at, clock_of(provider, None)).replace(microsecond=0)
    messages.schedule(when)
    return evolve(options, at=when.isoformat(" "))


def _schedules(gateway: SmsProvider) -> bool:
    # Of somebody else's that says nothing, each message is told its own outcome.
    return not isinstance(gateway, BaseProvider) or gateway.capabilities.scheduling != "none"
