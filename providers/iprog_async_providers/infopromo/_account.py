"""The account: what is left on it, and whose it is."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from attrs import frozen

from iprog_async import Balance
from iprog_async.adapter import MASK, UnclearAnswer, is_array, is_object, structure
from iprog_async_providers.infopromo._answers import Envelope


_AMOUNT = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?", re.ASCII)
_UNIT = re.compile(r"[A-Z]{3}|credits")
# `me` returns the account's record with whatever columns the installation has.
_SECRET_KEY = re.compile(r"token|secret|password|api_?key|two_?factor|otp", re.IGNORECASE)


@frozen
class _Balance:
    remaining_balance: Any


def read_balance(envelope: Envelope) -> Balance:
    """Read "Unlimited", or an amount with or without a currency; the words are kept."""
    value: object = structure(envelope.data, _Balance).remaining_balance
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise UnclearAnswer(f"remaining_balance is {type(value).__name__}, no text or number")
    text = str(value).strip()
    amounts = _AMOUNT.findall(text)
    rest = _AMOUNT.sub("", text).strip()
    # What is neither one number nor words around it, such as "1.234,50", stays words.
    if len(amounts) != 1 or re.search(r"[\d,]", rest):
        return Balance(None, "", text, envelope.raw)
    unit = rest if _UNIT.fullmatch(rest) else ""
    return Balance(Decimal(amounts[0].replace(",", "")), unit, text, envelope.raw)


def read_me(envelope: Envelope) -> dict[str, object]:
    """Read the account's record without its secrets."""
    if not is_object(envelope.data):
        raise UnclearAnswer("the account's record is no object")
    return {key: _redact(key, value) for key, value in envelope.data.items()}


def _redact(key: str, value: object) -> object:
    if _SECRET_KEY.search(key):
        return None if value is None else MASK
    if is_object(value):
        return {inner: _redact(inner, entry) for inner, entry in value.items()}
    if is_array(value):
        return [_redact("", entry) for entry in value]
    return value
