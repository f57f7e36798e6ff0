"""A text that may be out is sent again only if the caller says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.core.fakes import NUMBER, FakeProvider, accept, lose, refusing

from iprog_async import HttpPool, OutcomeUnknownError, RejectedError, RetryPolicy, SmsClient
from iprog_async.testing import InstantClock


@pytest.mark.parametrize("on_unknown", ["raise", "Resend", "retry", None])
async def test_unknown_outcome_is_not_repeated(on_unknown: Any) -> None:
    """Only the exact word repeats a text: a misspelt one must not text anyone twice."""
    provider = FakeProvider(send=lose)
    async with SmsClient(provider) as client:
        with pytest.raises(OutcomeUnknownError):
            await client.send(NUMBER, "Hi", on_unknown=on_unknown)

    assert 1 == len(provider.sent)


@pytest.mark.parametrize(("draw", "waits"), [(max, [0.5, 1.0]), (min, [0, 0])])
async def test_resend_goes_on_until_the_attempts_are_used_up(
    draw: Callable[[float, float], float], waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For an alarm twice is better than never; there is an end, and waits are drawn at random."""
    monkeypatch.setattr("random.uniform", draw)
    provider, clock = FakeProvider(send=lose), InstantClock()
    retry = RetryPolicy(attempts=3, base=0.5)
    async with SmsClient(provider, pool=HttpPool(clock=clock), retry=retry) as client:
        with pytest.raises(OutcomeUnknownError):
            await client.send(NUMBER, "Alarm", on_unknown="resend")

    assert 3 == len(provider.sent)
    assert waits == clock.sleeps


async def test_resend_ends_with_an_answer() -> None:
    """The first trustworthy answer is the result."""
    script = iter([lose, accept])

    async def send(batch: Any) -> Any:
        return await next(script)(batch)

    provider = FakeProvider(send=send)
    async with SmsClient(provider, pool=HttpPool(clock=InstantClock())) as client:
        receipt = await client.send(NUMBER, "Alarm", on_unknown="resend")

    assert ("fake:id-0", 2) == (receipt.ref, len(provider.sent))


async def _reset(batch: Any) -> Any:
    try:
        raise RejectedError("the connection was reset", provider="fake")
    except RejectedError as exc:
        raise OutcomeUnknownError("lost", provider="fake", reason="reset") from exc


async def test_resend_does_not_look_at_what_an_unknown_outcome_came_from() -> None:
    """An adapter may raise it from whatever error it likes: it is unknown all the same."""
    script = iter([_reset, _reset, accept])

    async def send(batch: Any) -> Any:
        return await next(script)(batch)

    provider = FakeProvider(send=send)
    async with SmsClient(provider, pool=HttpPool(clock=InstantClock())) as client:
        receipt = await client.send(NUMBER, "Alarm", on_unknown="resend")

    assert ("fake:id-0", 3) == (receipt.ref, len(provider.sent))


async def test_a_refused_resend_says_nothing_of_the_first_attempt() -> None:
    """A text that may be out is not called unsent because its second attempt was refused."""
    script = iter([lose, refusing()])

    async def send(batch: Any) -> Any:
        return await next(script)(batch)

    provider = FakeProvider(send=send)
    async with SmsClient(provider, pool=HttpPool(clock=InstantClock())) as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.send(NUMBER, "Alarm", on_unknown="resend")
    assert ["it was to be sent again, and that attempt was not sent: refused"] == getattr(
        caught.value, "__notes__", []
    )
