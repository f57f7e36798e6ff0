"""What Ultimate SMS answered to a send, and what became of its texts."""

from __future__ import annotations

from collections.abc import Sequence

import respx

from iprog_async import Outcome
from support.infopromo.wire import EAGER, FIRST_WIRE, FLAVOURS, HOST, connect, messages, submit


SENDER_REFUSED = 'Sender ID "X" is not authorized to send this message.'
BAD_NUMBER = f"{FIRST_WIRE} is a invalid phone number"
COUNTRY = (
    "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: "
    f"{FIRST_WIRE}"
)


async def outcomes(
    router: respx.MockRouter, status: int, body: object, count: int = 1
) -> Sequence[Outcome]:
    """Send texts in one request to a host that gives this answer; none is made twice."""
    route = router.route(url__startswith=HOST).respond(status, json=body)
    async with connect(FLAVOURS["v3"](), EAGER) as sms:
        found = await submit(sms, messages(count))
    assert route.call_count == 1
    return found
