"""IPROG, as the contract sees it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from iprog_async import RejectedError
from iprog_async.testing import ContractCase, Operation, Reply
from iprog_async_providers import IprogProvider
from support.contract.data import OTHER_TOKEN, PHILIPPINE, TOKEN


def _success(numbers: Sequence[str]) -> Reply:
    body: dict[str, object] = {
        "status": 200,
        "message": "SMS successfully queued for delivery.",
        # The gateway puts a token into its answer.
        "message_status_link": f"https://www.iprogsms.com/api/v1/status?api_token={OTHER_TOKEN}",
    }
    ids = [f"iSms-{number[-4:]}" for number in numbers]
    if len(ids) == 1:
        return Reply.of_json({**body, "message_id": ids[0], "sms_rate": 1.0})
    rates = ",".join("1" for _ in ids)
    return Reply.of_json({**body, "message_ids": ",".join(ids), "sms_rates": rates})


def _data(**data: object) -> Reply:
    return Reply.of_json({"status": "success", "message": "Done.", "data": data})


_REMINDER = _data(
    id=41,
    phone_number="639171234567",
    message="Tomorrow at nine.",
    scheduled_at="2031-05-17T09:30:00.000+08:00",
    status="scheduled",
)
_TICKET = _data(
    otp_code="402913",
    otp_code_expires_at="2031-05-17T09:35:00.000+08:00",
    otp_code_confirmed=False,
    phone_number="639171234567",
    message="Your code is 402913.",
)

IPROG = ContractCase(
    name="iprog",
    make=lambda url: IprogProvider(TOKEN, base_url=url),
    variants={"query": lambda url: IprogProvider(TOKEN, base_url=url, token_in="query")},
    numbers=PHILIPPINE,
    bad_numbers=["+31612345678", "+63 2 8123 4567"],
    success=_success,
    unknown_error=Reply.of_json({"status": 500, "message": "Something else went wrong."}),
    refusal=Reply.of_json({"status": 500, "message": ["Your input has inappropriate language."]}),
    refusal_error=RejectedError,
    secrets=[TOKEN, OTHER_TOKEN],
    reads={
        "status": Operation(
            call=lambda provider: provider.status("iSms-2GfhbG"),
            reply=Reply.of_json({"status": 200, "message_status": "completed"}),
        ),
        "balance": Operation(
            call=lambda provider: provider.balance(), reply=_data(load_balance=10.5)
        ),
        "reminder": Operation(call=lambda provider: provider.reminders.get("41"), reply=_REMINDER),
        "network": Operation(
            call=lambda provider: provider.detect("0917 123 4567"),
            reply=_data(network="Globe/TM", is_smart_tnt=False),
        ),
    },
    deletes={
        "reminder": Operation(
            call=lambda provider: provider.reminders.delete("41"),
            reply=_REMINDER,
            gone=Reply.of_json({"status": 404, "error": "Not Found"}, 404),
        )
    },
    billed={
        "otp": Operation(call=lambda provider: provider.otp.send("0917 123 4567"), reply=_TICKET),
        "otp-check": Operation(
            call=lambda provider: provider.otp.verify("0917 123 4567", "402913"),
            reply=Reply.of_json({"status": "success", "message": "OTP verified successfully"}),
        ),
        "reminder": Operation(
            call=lambda provider: provider.reminders.create(
                "0917 123 4567", "Tomorrow at nine.", datetime(2031, 5, 17, 1, 30, tzinfo=UTC)
            ),
            reply=_REMINDER,
        ),
    },
)
