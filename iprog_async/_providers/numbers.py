"""Reading a phone number as a provider does, where there is no message."""

from __future__ import annotations

from collections.abc import Callable

from iprog_async._core.errors import InvalidMessageError, SmsError
from iprog_async._core.messages import Message, PreparedMessage
from iprog_async._core.phones import facts_of, to_e164
from iprog_async._providers.protocols import SmsProvider


def read_number(provider: SmsProvider, number: str, sender_id: str = "Sender") -> str:
    """Return a number as E.164, as a provider reads it.

    Args:
        provider: Knows the region of national numbers.
        number: The number, as people write it.
        sender_id: One that the account may have.

    Raises:
        InvalidMessageError: It is no number that the provider can text.
    """
    read: Callable[[str], str] | None = getattr(provider, "e164", None)
    if read is not None:
        return read(number)
    # An adapter without our base class may read a number only as a part of some message.
    try:
        return provider.prepare(Message(number, "?")).e164
    except SmsError:
        pass
    # Some gateways send nothing without a sender ID. Whatever else is wrong is so with one.
    return provider.prepare(Message(number, "?", sender_id)).e164


def read_listed_number(provider: SmsProvider, number: str) -> str:
    """Return a number of a list as E.164.

    A list may hold numbers that this gateway can't reach; they are numbers all the same.

    Args:
        provider: Knows the region of national numbers.
        number: The number, as people write it.

    Raises:
        InvalidMessageError: It is no phone number.
    """
    try:
        return read_number(provider, number)
    except SmsError:
        return to_e164(number)


def is_number_of(given: object, prepared: PreparedMessage, region: str | None = None) -> bool:
    """Return whether a number in an answer is that of a message, in whatever notation.

    Whole numbers are compared: the last nine digits of two countries' may be the same.

    Args:
        given: What the answer says.
        prepared: The message.
        region: Where national numbers belong; the country of the message's if `None`.
    """
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        return False
    text, e164 = str(given).strip(), prepared.e164
    if text in (prepared.to, e164, e164[1:]):
        return True
    return e164 in (_read(text, region or facts_of(e164).region), _read(text, None))


def _read(number: str, region: str | None) -> str | None:
    try:
        return to_e164(number, region)
    except InvalidMessageError:
        return None
