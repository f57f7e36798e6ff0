"""SMSGate, as the contract sees it."""

from __future__ import annotations

from collections.abc import Sequence

from iprog_async import AuthenticationError
from iprog_async.testing import ContractCase, Operation, Reply
from iprog_async_providers import SmsGateProvider
from support.contract.data import PHILIPPINE, TOKEN


def _told(number: str, state: str, status: int) -> Reply:
    recipients = [{"phoneNumber": number, "state": state}]
    return Reply.of_json(
        {"id": "PyDmBQZZXYmyxMwED8Fzy", "state": state, "recipients": recipients}, status
    )


def _success(numbers: Sequence[str]) -> Reply:
    return _told(numbers[0], "Pending", 202)


SMSGATE = ContractCase(
    name="smsgate",
    make=lambda url: SmsGateProvider("shop", TOKEN, base_url=url),
    numbers=PHILIPPINE[:6],
    bad_numbers=["+63 2 8123 4567"],
    success=_success,
    unknown_error=Reply.of_json({"message": "failed to handle request"}, 400),
    refusal=Reply.of_json({"message": "Unauthorized"}, 401),
    refusal_error=AuthenticationError,
    secrets=[TOKEN],
    address="{scheme}://shop:{secret}@?base_url={base_url}",
    reads={
        "status": Operation(
            call=lambda provider: provider.status("PyDmBQZZXYmyxMwED8Fzy"),
            reply=_told("+639171234567", "Delivered", 200),
        )
    },
)
