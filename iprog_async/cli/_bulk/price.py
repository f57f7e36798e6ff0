"""What a run costs, told by the price of one segment."""

from __future__ import annotations

import re
from decimal import Decimal

from attrs import frozen

from iprog_async._core.errors import InvalidMessageError


_PRICE = re.compile(r"\d{1,12}(\.\d{1,9})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)


@frozen
class Price:
    """The price of one segment.

    Args:
        amount: How much.
        currency: Code of its currency; empty if it was not told.
    """

    amount: Decimal
    currency: str = ""

    @classmethod
    def parse(cls, price: str | None, currency: str | None) -> Price | None:
        """Read `--price` and `--currency`; `None` where there is no price.

        Raises:
            InvalidMessageError: One of them makes no sense.
        """
        if price is None:
            if currency is not None:
                raise InvalidMessageError("--currency says what a --price is in; give one")
            return None
        # A comma is decimal to some and groups thousands for others.
        if not _PRICE.fullmatch(price):
            raise InvalidMessageError(f"--price {price!r} is no price; write it like 0.35")
        if currency is not None and not _CURRENCY.fullmatch(currency):
            raise InvalidMessageError(
                f"--currency {currency!r} is no code of a currency; write it like PHP"
            )
        return cls(Decimal(price), (currency or "").upper())

    def of(self, segments: int) -> Decimal:
        """Return what so many segments cost, exactly."""
        return self.amount * segments

    def words(self, segments: int) -> str:
        """Return what so many segments cost, with the currency."""
        return f"{self.of(segments):f} {self.currency}".rstrip()
