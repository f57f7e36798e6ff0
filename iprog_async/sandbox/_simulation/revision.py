"""Knowing that something changed, without being told of each change."""

from __future__ import annotations

import itertools
import secrets

from attrs import define, field


@define
class Revision:
    """A number that is another one after every change; safe to use from any thread.

    Who shows the state looks at it now and then, so that a thousand changes cost one look.
    """

    _count: itertools.count[int] = field(factory=lambda: itertools.count(1), init=False)
    _value: int = field(default=0, init=False)
    # After a restart on the same port the numbers begin anew, and must not look like old ones.
    _epoch: str = field(factory=lambda: secrets.token_hex(4), init=False)

    withdrawals: int = field(default=0, init=False)
    """How often something that was shown is not shown any more."""

    def bump(self) -> None:
        """Note a change."""
        self._value = next(self._count)

    @property
    def tag(self) -> str:
        """What stands for the present state; only to be compared for equality."""
        return f"{self._epoch}-{self._value}"
