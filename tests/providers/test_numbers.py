"""Numbers that stand alone are read as the provider reads those of messages."""

from __future__ import annotations

from typing import Any

import pytest
from support.core.fakes import NUMBER, FakeProvider

from iprog_async import InvalidMessageError, Message
from iprog_async._providers.numbers import read_listed_number, read_number
from iprog_async.adapter import PreparedMessage
from iprog_async_providers import InfopromoProvider, IprogProvider


class Plain:
    """An adapter of somebody's own that has what the protocol asks for and no more."""

    def prepare(self, message: Message, /, index: int = 0) -> PreparedMessage:
        """Prepare a message as an adapter with the base class does."""
        return FakeProvider().prepare(message, index)


@pytest.mark.parametrize(
    "provider",
    [Plain(), FakeProvider(), IprogProvider("token"), InfopromoProvider("1|token", region="PH")],
    ids=["plain", "fake", "iprog", "infopromo"],
)
def test_national_number_is_of_the_providers_region(provider: Any) -> None:
    """Whether or not its adapter has our base class, or its account a sender ID."""
    assert NUMBER == read_number(provider, "0917 123 4567")
    with pytest.raises(InvalidMessageError, match="'0917 123'"):
        read_number(provider, "0917 123")


def test_listed_number_may_be_of_another_gateway() -> None:
    """A list holds people whom this gateway can't text; what is no number at all is refused."""
    provider = IprogProvider("token")

    assert NUMBER == read_listed_number(provider, "0917 123 4567")
    assert "+256701234567" == read_listed_number(provider, "+256 701 234567")
    with pytest.raises(InvalidMessageError, match="'Juan'"):
        read_listed_number(provider, "Juan")
