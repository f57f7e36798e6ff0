"""EgoSMS, as the contract sees it."""

from __future__ import annotations

from collections.abc import Sequence

from iprog_async import AuthenticationError
from iprog_async.testing import ContractCase, Operation, Reply
from iprog_async_providers import EgoSmsProvider
from support.contract.data import TOKEN, UGANDAN


def _success(numbers: Sequence[str]) -> Reply:
    # One code for all texts of a request.
    code = f"ApiJsonSubmit53b5155c1a3f90.6598{numbers[0][-4:] if numbers else ''}"
    return Reply.of_json({"Status": "OK", "Cost": 35 * len(numbers), "MsgFollowUpUniqueCode": code})


EGOSMS = ContractCase(
    name="egosms",
    make=lambda url: EgoSmsProvider("shop", TOKEN, base_url=url),
    numbers=UGANDAN,
    bad_numbers=["0414 123 456"],
    success=_success,
    unknown_error=Reply.of_json({"Status": "Failed", "Message": "Something else went wrong."}),
    refusal=Reply.of_json({"Status": "Failed", "Message": "Wrong Username or Password"}),
    refusal_error=AuthenticationError,
    secrets=[TOKEN],
    address="{scheme}://shop:{secret}@?base_url={base_url}",
    reads={
        "balance": Operation(
            call=lambda provider: provider.balance(),
            reply=Reply.of_json({"Status": "OK", "Message": "Success", "Balance": 100.0}),
        )
    },
)
