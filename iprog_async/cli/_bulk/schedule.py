"""The times of a `bulk`: `--at`, until which the gateway keeps the texts, and `--not-after`."""

from __future__ import annotations

from attrs import evolve

from iprog_async._core.errors import UnsupportedError
from iprog_async._providers.base import BaseProvider
from iprog_async._providers.protocols import SmsProvider
from iprog_async._routing.base import gateways_of
from iprog_async.cli._bulk.messages import CsvMessages
from iprog_async.cli._bulk.options import CommandOptions
from iprog_async.cli._options.when import clock_of_gateway, later, read_not_after


def apply_times(
    options: CommandOptions, provider: SmsProvider, messages: CsvMessages
) -> CommandOptions:
    """Give the messages their times, if that was asked for.

    Args:
        options: What the command was told.
        provider: What sends them.
        messages: The messages.

    Returns:
        The options with the very times, so that the command that goes on says the same one: with
        another, whoever has a text scheduled already would be a conflict.

    Raises:
        InvalidMessageError: One is no time, or is over.
        UnsupportedError: The gateway can't keep a text; nothing was sent.
    """
    if options.at is None and options.not_after is None:
        return options
    clock, at = clock_of_gateway(provider), None
    if options.at is not None:
        at = later(options.at, clock).replace(microsecond=0)
        if not options.enqueue:
            _check_schedules(provider)
            messages.schedule(at)
        options = evolve(options, at=at.isoformat(" "))
    until = read_not_after(options.not_after, clock, at)
    if until is not None:
        messages.expire_after(until)
        options = evolve(options, not_after=until.isoformat(" "))
    return options


def _check_schedules(provider: SmsProvider) -> None:
    never = [gateway.name for gateway in gateways_of(provider) if not _schedules(gateway)]
    if never:
        raise UnsupportedError(
            f"--at needs a gateway that keeps texts until their time, and {' and '.join(never)} "
            "has no scheduling. Nothing was sent; run the command when the time has come, or let "
            "workers send it with --enqueue"
        )


def _schedules(gateway: SmsProvider) -> bool:
    # Of somebody else's that says nothing, each message is told its own outcome.
    return not isinstance(gateway, BaseProvider) or gateway.capabilities.scheduling != "none"
