"""Africa's Talking, as the contract sees it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from iprog_async import RejectedError
from iprog_async.testing import ContractCase, Operation, Reply
from iprog_async_providers import AfricasTalkingProvider
from support.contract.data import TOKEN


def _success(numbers: Sequence[str]) -> Reply:
    recipients = [
        {
            "statusCode": 101,
            "number": number,
            "status": "Success",
            "cost": "KES 0.8000",
            "messageId": f"ATXid_{number[-4:]}",
            "messageParts": 1,
        }
        for number in numbers
    ]
    said = f"Sent to {len(numbers)}/{len(numbers)} Total Cost: KES 0.8000"
    return Reply.of_json({"SMSMessageData": {"Message": said, "Recipients": recipients}}, 201)


def _partly(numbers: Sequence[str]) -> Reply:
    told = {"statusCode": 403, "status": "InvalidPhoneNumber", "cost": "0", "messageId": "None"}
    taken = json.loads(_success(numbers[1:]).body)["SMSMessageData"]["Recipients"]
    said = f"Sent to {len(taken)}/{len(numbers)} Total Cost: KES 1.6000"
    recipients = [{"number": numbers[0], **told}, *taken]
    return Reply.of_json({"SMSMessageData": {"Message": said, "Recipients": recipients}}, 201)


def _nobody(words: str) -> Reply:
    return Reply.of_json({"SMSMessageData": {"Message": words, "Recipients": []}}, 201)


AFRICASTALKING = ContractCase(
    name="africastalking",
    make=lambda url: AfricasTalkingProvider("shop", TOKEN, base_url=url, region="KE"),
    # One more than the most recipients of a request.
    numbers=[f"+25471{n}" for n in range(1234567, 1234567 + 101)],
    bad_numbers=["020 222 2222"],
    success=_success,
    partly=_partly,
    unknown_error=_nobody("Something else went wrong."),
    refusal=_nobody("InvalidSenderId"),
    refusal_error=RejectedError,
    secrets=[TOKEN],
    address="{scheme}://shop:{secret}@?base_url={base_url}",
    reads={
        "balance": Operation(
            call=lambda provider: provider.balance(),
            reply=Reply.of_json({"UserData": {"balance": "KES 1785.50"}}),
        )
    },
)
