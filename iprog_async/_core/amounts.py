"""Amounts of money and credit, as gateways write them."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache


# Nobody's price is longer; what a gateway makes up must not stay in memory.
_LONGEST_KEPT = 40
# "0,70" may be less than one, or seventy: nobody knows without the country of whoever wrote it.
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?", re.ASCII)


def parse_amount(value: object) -> Decimal:
    """Read an amount that is a number or a string such as `"1,234.50"`.

    Raises:
        ValueError: It is no finite number, or may be two of them.
    """
    if type(value) is int:
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"{value!r} is no amount")
    text = str(value)
    return _parse_again(text) if len(text) < _LONGEST_KEPT else _parse(text)


def amount_or_none(value: object) -> Decimal | None:
    """Read an amount that is not needed, such as the price of a text; `None` if it is none.

    What a text cost is worth less than knowing what became of it.
    """
    try:
        return parse_amount(value)
    except ValueError:
        return None


def _parse(text: str) -> Decimal:
    written = text.strip()
    if "," in written and _GROUPED.fullmatch(written) is not None:
        written = written.replace(",", "")
    try:
        amount = Decimal(written)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no amount") from None
    if not amount.is_finite():
        raise ValueError(f"{text!r} is no amount")
    return amount


# The hundred prices of one batch are mostly the same one.
_parse_again = lru_cache(maxsize=128)(_parse)
