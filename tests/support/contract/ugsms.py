"""UGSMS, as the contract sees it."""

from __future__ import annotations

from collections.abc import Sequence

from iprog_async import AuthenticationError, RejectedError
from iprog_async.testing import ContractCase, Operation, Reply
from iprog_async_providers import UgsmsV1Provider, UgsmsV2Provider
from support.contract.data import TOKEN, UGANDAN


def _success(numbers: Sequence[str]) -> Reply:
    # One id for all recipients of a request.
    data = {
        "message_id": f"8f4c2b0e-{numbers[0][-4:]}" if numbers else None,
        "recipients": len(numbers),
        "estimated_cost": 20.0 * len(numbers),
        "remaining_balance": 980.0,
    }
    return Reply.of_json({"success": True, "message": "Message sent successfully", "data": data})


def _partly(numbers: Sequence[str]) -> Reply:
    taken = [{"index": place, "number": number} for place, number in enumerate(numbers)][1:]
    refused = {"index": 0, "number": numbers[0], "error": "Invalid phone number format."}
    data = {
        "summary": {"total": 3, "successful": len(taken), "failed": 1},
        "successful_messages": taken,
        "failed_messages": [refused],
    }
    return Reply.of_json({"success": False, "message": "Some messages failed", "data": data})


_KEY = Reply.of_json({"success": True, "data": {"api_key": "ugsk-9d1f2a77"}})
_REVOKE = Operation(
    call=lambda provider: provider.keys.revoke(),
    reply=Reply.of_json({"success": True, "message": "API key revoked"}),
)
_BILLED = {
    "key": Operation(call=lambda provider: provider.keys.generate(), reply=_KEY),
    "new-key": Operation(call=lambda provider: provider.keys.regenerate(), reply=_KEY),
}

UGSMS_V1 = ContractCase(
    name="ugsms-v1",
    make=lambda url: UgsmsV1Provider("shop", TOKEN, base_url=url),
    variants={
        "json": lambda url: UgsmsV1Provider("shop", TOKEN, base_url=url, credentials_in="json"),
        # A GET that sends.
        "query": lambda url: UgsmsV1Provider("shop", TOKEN, base_url=url, credentials_in="query"),
    },
    numbers=UGANDAN,
    bad_numbers=["+639171234567", "0414 123 456"],
    success=_success,
    partly=_partly,
    unknown_error=Reply.of_json({"success": False, "error": "Something else went wrong."}),
    refusal=Reply.of_json({"error": "Invalid phone number format."}, 400),
    refusal_error=RejectedError,
    secrets=[TOKEN],
    address="{scheme}://shop:{secret}@?base_url={base_url}",
    deletes={"key": _REVOKE},
    billed=_BILLED,
)
UGSMS_V2 = ContractCase(
    name="ugsms-v2",
    make=lambda url: UgsmsV2Provider(TOKEN, base_url=url),
    variants={
        "json": lambda url: UgsmsV2Provider(TOKEN, base_url=url, key_in="json"),
        # A GET that sends.
        "query": lambda url: UgsmsV2Provider(TOKEN, base_url=url, key_in="query"),
    },
    numbers=UGANDAN,
    bad_numbers=["+639171234567", "0414 123 456"],
    success=_success,
    partly=_partly,
    unknown_error=Reply.of_json({"error": "Something else went wrong."}, 400),
    refusal=Reply.of_json({"error": "Unauthorized."}, 401),
    refusal_error=AuthenticationError,
    secrets=[TOKEN],
    reads={
        "balance": Operation(
            call=lambda provider: provider.balance(),
            reply=Reply.of_json({"success": True, "data": {"balance": 980.5, "currency": "UGX"}}),
        )
    },
    deletes={"key": _REVOKE},
    billed=_BILLED,
)
