"""Reading the balance at UGSMS."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest
import respx
from support.ugsms.wire import HOST, client, v2

from iprog_async import Balance, RetryPolicy, SmsClient


BALANCE = f"{HOST}/api/v2/account/balance"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"success": True, "data": {"balance": 980.5, "currency": "UGX"}},
            Balance(Decimal("980.5"), "UGX", "980.5 UGX"),
        ),
        ({"balance": "1,980", "currency": "KES"}, Balance(Decimal(1980), "KES", "1980 KES")),
        ({"success": True, "data": None, "balance": 0}, Balance(Decimal(0), "UGX", "0 UGX")),
    ],
)
async def test_the_balance_is_read_wherever_it_stands(
    respx_mock: respx.MockRouter, body: object, expected: Balance
) -> None:
    """Clients read the balance from `data` and from the top level."""
    respx_mock.get(BALANCE).respond(json=body)
    async with client(v2()) as sms:
        assert expected == await sms.balance()


@pytest.mark.parametrize(
    "body", [{}, {"success": False}, {"error": "x", "balance": 1}, {"data": {"balance": "many"}}]
)
async def test_a_balance_that_can_t_be_read_is_asked_for_again(
    respx_mock: respx.MockRouter, body: object
) -> None:
    """Reading sends nothing, so an unclear answer is worth another try."""
    good = httpx.Response(200, json={"data": {"balance": 1}})
    route = respx_mock.get(BALANCE).mock(side_effect=[httpx.Response(200, json=body), good])
    async with SmsClient(v2(), retry=RetryPolicy(base=0)) as sms:
        assert Decimal(1) == (await sms.balance()).amount
    assert route.call_count == 2
