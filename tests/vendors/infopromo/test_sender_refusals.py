"""A sender ID that Ultimate SMS refuses halts a run, and may do at the next gateway."""

from __future__ import annotations

import pytest
import respx
from support.infopromo.outcomes import SENDER_REFUSED
from support.infopromo.wire import (
    FIRST,
    FLAVOURS,
    HOST,
    TEXT,
    Provider,
    connect,
    error,
    messages,
    success,
)

from iprog_async import Failover, Outcome, RejectedError, RunHaltedError, SmsClient
from iprog_async.adapter import Refusal


async def halted_run(provider: Provider) -> tuple[list[Outcome], RunHaltedError]:
    """Send 40 texts in a run that halts; return their outcomes, and why it did."""
    found: list[Outcome] = []
    async with connect(provider) as sms, sms.send_many(messages(40), concurrency=1) as run:

        async def read() -> None:
            async for outcome in run:
                found.append(outcome)

        with pytest.raises(RunHaltedError) as caught:
            await read()
    return found, caught.value


@pytest.mark.parametrize(
    "text", [SENDER_REFUSED, "Originator X is not authorized to send this message"]
)
async def test_sender_refusal_halts_a_run(respx_mock: respx.MockRouter, text: str) -> None:
    """What every text of the sender would meet is met once, and the others are not tried."""
    route = respx_mock.route(url__startswith=HOST).respond(404, json=error(text))
    found, halted = await halted_run(FLAVOURS["v3"](max_batch=1))

    assert route.call_count == 1
    assert ["not_sent"] * 40 == [outcome.state for outcome in found]
    assert text.rstrip(".") in str(halted)


async def test_sender_refusal_moves_to_the_next_gateway(respx_mock: respx.MockRouter) -> None:
    """Another account may be allowed to use the sender ID."""
    respx_mock.route(url__startswith=HOST).respond(
        404, json=error("Originator X is not authorized to send this message")
    )
    other = "https://other.example"
    respx_mock.route(url__startswith=other).respond(json=success({"uid": "b1"}))
    both = Failover(
        FLAVOURS["v3"](name="first"),
        FLAVOURS["http"](name="second", base_url=other),
    )
    async with SmsClient(both) as sms:
        receipt = await sms.send(FIRST, TEXT)

    assert receipt.ref == "second:b1"


async def test_user_row_for_the_sender_refusal_in_another_language(
    respx_mock: respx.MockRouter,
) -> None:
    """A row of the user's makes a translated refusal certain, and halts a run as well."""
    route = respx_mock.route(url__startswith=HOST).respond(
        404, json=error("L'expéditeur X n'est pas autorisé.")
    )
    row = Refusal(
        RejectedError,
        r"l'expéditeur [\w ]{1,11} n'est pas autorisé\.",
        (404,),
        healable=True,
        blame="account",
        whole_request=True,
    )
    found, _ = await halted_run(FLAVOURS["v3"](refusals=[row], max_batch=20))

    assert route.call_count == 1
    assert ["not_sent"] * 40 == [outcome.state for outcome in found]
