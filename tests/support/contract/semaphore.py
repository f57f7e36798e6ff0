"""Semaphore, as the contract sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from iprog_async import AuthenticationError
from iprog_async.testing import ContractCase, Operation, Reply
from iprog_async_providers import SemaphoreProvider
from support.contract.data import PHILIPPINE, TOKEN


def _message(number: str) -> dict[str, Any]:
    return {"message_id": int(number[-7:]), "recipient": number, "status": "Pending"}


def _success(numbers: Sequence[str]) -> Reply:
    return Reply.of_json([_message(number) for number in numbers])


SEMAPHORE = ContractCase(
    name="semaphore",
    make=lambda url: SemaphoreProvider(TOKEN, base_url=url, rate=None),
    numbers=PHILIPPINE,
    bad_numbers=["+63 2 8123 4567", "+256701234567"],
    success=_success,
    unknown_error=Reply.of_json({"message": ["Something else went wrong."]}),
    refusal=Reply.of_json({"apikey": ["The selected apikey is invalid."]}),
    refusal_error=AuthenticationError,
    secrets=[TOKEN],
    reads={
        "balance": Operation(
            call=lambda provider: provider.balance(),
            reply=Reply.of_json({"account_id": 1, "status": "Active", "credit_balance": 999}),
        ),
    },
)
