"""Preparing a message in the encoding, and with the sender ID, that was asked for."""

from __future__ import annotations

import logging

from attrs import evolve

from iprog_async._core.errors import ConfigurationError, InvalidMessageError
from iprog_async._core.gsm7.replacement import Gsm7, read_setting, rewrite
from iprog_async._core.messages import Message, PreparedMessage
from iprog_async._core.phones import mask_number
from iprog_async._providers.numbers import read_number
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.sender_ids import SenderIds


logger = logging.getLogger("iprog_async")


def prepare(
    provider: SmsProvider,
    message: Message,
    index: int,
    default: Gsm7 | None,
    sender_ids: SenderIds | None = None,
) -> PreparedMessage:
    """Check a message, and write its text in GSM-7 where that was asked for and saves a segment.

    Whatever comes after it, such as the journal, sees the text that travels.

    Args:
        provider: What prepares it.
        message: The message.
        index: Its position in the run.
        default: What may be replaced where the message does not say; nothing if `None`.
        sender_ids: Which sender ID it gets where it has none of its own.

    Raises:
        InvalidMessageError: It can't be sent as it is.
        UnsupportedError: It asks for something this gateway does not have.
    """
    if sender_ids is not None and message.sender_id is None:
        sender_id = sender_ids.others
        if sender_ids.by_region:
            any_of_them = next(iter(sender_ids.by_region.values()))
            sender_id = sender_ids.of(read_number(provider, message.to, any_of_them))
        message = message if sender_id is None else evolve(message, sender_id=sender_id)
    allowed = default if message.encoding is None else _of_message(message)
    # A bad row can hold anything as its text.
    if allowed is None or not isinstance(message.text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        return provider.prepare(message, index)
    found = rewrite(message.text, allowed)
    if found is None:
        return provider.prepare(message, index)
    prepared = provider.prepare(evolve(message, text=found.text), index)
    logger.debug(
        "%s: the text for %s is changed to travel in GSM-7: %d segments become %d",
        provider.name,
        mask_number(prepared.e164),
        found.before.count,
        found.after.count,
    )
    return evolve(prepared, gsm7=found)


def _of_message(message: Message) -> Gsm7 | None:
    try:
        return read_setting(message.encoding)
    except ConfigurationError as exc:
        raise InvalidMessageError(str(exc)) from None
