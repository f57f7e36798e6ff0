"""Amounts of money and credit, as gateways write them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import lru_cache


def parse_amount(value: object) -> Decimal:
    """Read an amount that is a number or a string such as `"1,234.50"`.

    Raises:
        ValueError: It is no finite number.
    """
    if type(value) is int:
        return Decimal(value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"{value!r} is no amount")
    return _parse(str(value))


@lru_cache(maxsize=128)
def _parse(text: str) -> Decimal:
    """Read an amount in words; the hundred prices of one batch are mostly the same one."""
    try:
        amount = Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        raise ValueError(f"{text!r} is no amount") from None
    if not amount.is_finite():
        raise ValueError(f"{text!r} is no amount")
    return amount
