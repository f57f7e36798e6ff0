from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar, copy_context
from types import SimpleNamespace
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError
from support.engines.wire import NUMBER, TOKEN

from iprog_async import Failover, Observer, SmsClient
from iprog_async._core import hot_path
from iprog_async._core.hot_path import put_back, value
from iprog_async.testing import RawGateway, silence
from iprog_async_providers.iprog import IprogProvider


async def ask(coroutine: Coroutine[Any, Any, Any], gateway: RawGateway) -> None:
    """Let a coroutine go on, in a context of its own, until its request has come to a gateway."""
    context = copy_context()
    begun = asyncio.ensure_future(gateway.until(lambda seen: seen.begun == 1))
    while not begun.done():
        waits_for = context.run(coroutine.send, None)
        if waits_for is None:
            await asyncio.sleep(0)
        else:
            # What a task does before it waits for a future.
            waits_for._asyncio_future_blocking = False
            await asyncio.wait([waits_for, begun], return_when=asyncio.FIRST_COMPLETED)


@pytest.mark.parametrize("routed", [False, True])
async def test_a_send_that_the_garbage_collector_closes_ends_without_complaint(
    routed: bool,
) -> None:
    """It runs in whatever context there is, where nothing was set and nothing is to be undone."""
    async with RawGateway(silence()) as gateway:
        gateways: Any = IprogProvider(TOKEN, base_url=gateway.base_url)
        if routed:
            gateways = Failover(gateways)
        async with SmsClient[Any](gateways, observers=[Observer()]) as client:
            sent = client.send(NUMBER, "Hi")
            await ask(sent, gateway)
            # As the collector does with what nobody awaits any more.
            sent.close()


def test_a_variable_gets_its_value_back() -> None:
    """Where it was set, it is as before; elsewhere nothing happens."""
    variable = ContextVar("variable", default=0)
    token = variable.set(1)
    copy_context().run(put_back, variable, token)
    assert 1 == variable.get()
    put_back(variable, token)
    assert 0 == variable.get()


def _point(monkeypatch: pytest.MonkeyPatch, *, dev_mode: bool) -> Any:
    flags = SimpleNamespace(dev_mode=dev_mode)
    monkeypatch.setattr(hot_path, "sys", SimpleNamespace(flags=flags))

    @value(unsafe_hash=True)
    class Point:
        x: int = 1

    return Point()


def test_values_are_frozen_in_the_development_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere only type checkers say that nobody changes one."""
    point, frozen_point = _point(monkeypatch, dev_mode=False), _point(monkeypatch, dev_mode=True)
    assert hash(point) == hash(frozen_point)

    point.x = 2
    with pytest.raises(FrozenInstanceError):
        frozen_point.x = 2

    assert (2, 1) == (point.x, frozen_point.x)
