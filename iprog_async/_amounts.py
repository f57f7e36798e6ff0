"""Amounts of money and credit, as gateways write them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation


def parse_amount(value: object) -> Decimal:
    """Read an amount that is a number or a string such as `"1,234.50"`.

    Raises:
        ValueError: It is no finite number.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"{value!r} is no amount")
    try:
        amount = Decimal(str(value).strip().replace(",", ""))
    except InvalidOperation:
        raise ValueError(f"{value!r} is no amount") from None
    if not amount.is_finite():
        raise ValueError(f"{value!r} is no amount")
    return amount
