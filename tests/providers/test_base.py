from __future__ import annotations

from typing import Any

import pytest
from support.core.fakes import FakeProvider, prepared

from iprog_async import (
    ConfigurationError,
    NotSent,
    OutcomeUnknownError,
    Rate,
    RejectedError,
    SmsProvider,
    SupportsBalance,
    SupportsStatus,
    Unknown,
)
from iprog_async.adapter import Batching, Refusal, failed, rejected, unclear
from iprog_async_providers.iprog import IprogProvider


@pytest.mark.parametrize("name", ["", "a:b", " shop", "shop\n"])
def test_name_must_fit_into_a_reference(name: str) -> None:
    """A colon would end the name too early."""
    with pytest.raises(ConfigurationError, match="is no name for a provider"):
        IprogProvider("token", name=name)


def test_rate_may_be_words() -> None:
    """`rate=` is read as people write it."""
    assert Rate(60, 60) == FakeProvider(rate="60/min").rate
    with pytest.raises(ConfigurationError):
        FakeProvider(rate="often")


def test_refusals_are_kept_as_a_tuple() -> None:
    """A list of the caller's may change later; the adapter's table does not."""
    rows = [Refusal(RejectedError, "non")]
    provider = FakeProvider(refusals=rows)

    rows.clear()

    assert 1 == len(provider.refusals)


async def test_bound_copy_leaves_the_original_unbound() -> None:
    """One object serves several clients; by itself it has no way to the network."""
    provider = IprogProvider("token")

    async def call(request: Any, /) -> Any:
        return request.what

    bound: Any = provider.bind(call)

    assert "read the balance" == await bound.balance()
    with pytest.raises(ConfigurationError, match="not bound to a client"):
        await provider.balance()


async def test_a_copy_of_a_provider_that_was_used_has_a_way_of_its_own() -> None:
    """What was asked of one client's provider before goes on through that client alone."""
    used: Any = IprogProvider("token").bind(_first)
    assert "first: read the balance" == await used.balance()

    bound: Any = used.bind(_second)

    assert "second: read the balance" == await bound.balance()
    assert "first: read the balance" == await used.balance()


async def _first(call: Any, /) -> Any:
    return f"first: {call.what}"


async def _second(call: Any, /) -> Any:
    return f"second: {call.what}"


def test_outcome_of_an_error_follows_its_class() -> None:
    """Only an unknown outcome becomes `Unknown`."""
    ready = prepared(2)
    lost = OutcomeUnknownError("lost", provider="x", reason="503")

    assert Unknown(2, ready.message, lost) == failed(ready, lost)
    assert isinstance(failed(ready, ConfigurationError("x")), NotSent)


def test_refused_recipient_and_unclear_one() -> None:
    """Both name the recipient, what was seen, and whose fault it was."""
    ready = prepared(2)

    refused = rejected(ready, "x", "barred", {"raw": 1})
    unknown = unclear(ready, "x", "not named", ("1",))

    assert isinstance(refused.error, RejectedError)
    assert ("recipient", "barred", {"raw": 1}) == (
        refused.error.blame,
        refused.error.reason,
        refused.error.raw,
    )
    assert (("1",), "not named") == (unknown.error.references, unknown.error.reason)
    assert "639171234567" in str(refused.error)
    assert "before you send it again" in str(unknown.error)


def test_capabilities_show_in_the_protocols() -> None:
    """What a provider can do is what it has."""
    provider: SmsProvider = FakeProvider()

    assert not isinstance(provider, SupportsStatus)
    assert not isinstance(provider, SupportsBalance)
    assert isinstance(IprogProvider("token"), SupportsStatus)
    assert isinstance(IprogProvider("token"), SupportsBalance)


@pytest.mark.parametrize("wrong", ["max_batch", "max_scheduled", "min_scheduled"])
def test_batches_hold_at_least_one(wrong: str) -> None:
    """A gateway that takes no recipient makes no sense."""
    limits: dict[str, Any] = {wrong: 0}
    with pytest.raises(ValueError, match=wrong):
        Batching(**limits)
