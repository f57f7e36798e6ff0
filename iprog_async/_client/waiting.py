"""Asking until an answer is final."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from iprog_async._core.clock import Clock
from iprog_async._core.receipts import DeliveryStatus, Receipt, WaitTimeoutError
from iprog_async._http.back_off import BackOff


_FACTOR = 1.5
_LONGEST_INTERVAL = 15.0


async def wait_until_final(
    receipt: Receipt | str,
    ask: Callable[[], Awaitable[DeliveryStatus]],
    clock: Clock,
    *,
    timeout: float,
    interval: float,
) -> DeliveryStatus:
    """Ask for a status, less and less often, until it is final.

    Raises:
        WaitTimeoutError: It was not final in time.
    """
    if isinstance(receipt, Receipt) and receipt.status.final:
        return receipt.status
    ends_at = clock.monotonic() + timeout
    last: DeliveryStatus | None = None
    # Whoever asks for longer ones gets them, all alike.
    waits = BackOff(interval, max(interval, _LONGEST_INTERVAL), _FACTOR)
    asked = 0
    while (left := ends_at - clock.monotonic()) > 0:
        try:
            async with asyncio.timeout(left):
                last = await ask()
        except TimeoutError:
            break
        if last.final:
            return last
        left = ends_at - clock.monotonic()
        asked += 1
        await clock.sleep(max(0.0, min(waits.longest_wait(asked), left)))
    seen = f"the last status was {last.state} ({last.word!r})" if last else "no status was seen"
    raise WaitTimeoutError(
        f"not final after {timeout:g} s: {seen}. The text was accepted; ask again later, "
        "and do not send it again",
        receipt=receipt,
        last_status=last,
    )
