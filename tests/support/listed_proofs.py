"""Answers that list people as refused, and prove it of none of them."""

from __future__ import annotations

from typing import Any

from iprog_async.testing import Reply
from support.contract.data import UGANDAN
from support.proof import Proof


def ugsms(version: int, name: str, reply: Reply, **more: Any) -> Proof:
    """Return a proof of one of UGSMS's APIs."""
    return Proof(name=f"ugsms {version}: {name}", adapter=f"ugsms-v{version}", reply=reply, **more)


def item(place: int, **more: object) -> dict[str, object]:
    """Return an entry of UGSMS's lists."""
    return {"index": place, "number": f"0{UGANDAN[place].removeprefix('+256')}", **more}


TOLD_AS_REASONS = (
    *("We will retry in 5 minutes", "Part 2 of 3 failed", "Message enqueued, flagged"),
    *("Message held for review", "Number busy, we will retry", "Invalid number, sent to the next"),
)
"""Why somebody is listed as refused, where the text is with the gateway."""

_NO_MONEY = "Insufficient balance"
_ALL_FAILED: dict[str, Any] = {
    "failed_messages": [item(place, error=_NO_MONEY) for place in range(4)]
}


def _failed(name: str, *, beside: Any = None, more: Any = None, **of_each: object) -> list[Proof]:
    """Return lists that give everybody as failed, with something in them or beside them."""
    listed = [item(place, error=_NO_MONEY, **of_each) for place in range(4)]
    return _listed(name, listed, beside, more)


def _listed(
    name: str, listed: list[dict[str, object]], beside: Any = None, more: Any = None
) -> list[Proof]:
    data: dict[str, Any] = {"failed_messages": listed, **(beside or {})}
    body: dict[str, Any] = {"success": False, "data": data, **(more or {})}
    reply = Reply.of_json(body)
    return [
        ugsms(1, name, reply, ways=["many"]),
        ugsms(2, name, reply, ways=["many"], mixed=True),
    ]


def _twice(name: str, body: bytes) -> list[Proof]:
    return [ugsms(version, name, Reply(200, body), ways=["many"]) for version in (1, 2)]


LISTED_AS_FAILED = (
    *_failed("failed, with an id", id="8d1f"),
    *_failed("failed, with a status", status="sent"),
    *_failed("failed, with a price", cost=20),
    *_failed("failed, with a number nobody knows", carrier=7),
    *_failed("failed, and one was sent", beside={"summary": {"sent": 1}}),
    *_failed("failed, and two successful", beside={"summary": {"successful": "2"}}),
    *_failed("failed, and a decimal one", beside={"summary": {"successful": 1.0}}),
    *_failed("failed, beside an id", beside={"message_id": "8d1f", "recipients": 2}),
    *(
        proof
        for words in TOLD_AS_REASONS
        for proof in _listed(f"failed: {words}", [item(place, error=words) for place in range(4)])
    ),
    *_failed("failed, and all on their way", more={"message": "4 texts are on their way"}),
    *_failed("failed, and tried again", more={"message": "Failed messages come next"}),
    *_failed("failed, in a success", more={"success": True}),
    *(
        ugsms(
            version,
            "failed, and one sent by the header",
            Reply.of_json({"data": _ALL_FAILED}).with_headers(X_SMS_Sent="1"),
            ways=["many"],
        )
        for version in (1, 2)
    ),
    *_failed("failed, beside a list", beside={"summary": [{"status": "done"}]}),
    *_failed("failed, beside words", beside={"summary": "message_id: 8d1f"}),
    *_failed("failed, beside a number", beside={"summary": 4}),
    *_failed("failed, and some stored", beside={"summary": {"stored": 1}}),
    *_failed("failed, and more than were asked for", beside={"summary": {"total": 5}}),
    *_failed("failed, and a report", beside={"report": "8812"}),
    *_failed("failed, and stored", more={"stored": 1}),
    *_failed("failed, and an exception", more={"exception": "cURL error 28: timed out"}),
    *_failed("failed, and a time-out", more={"error": "Operation timed out after 30001 ms"}),
    *_failed("failed, and one upstream", more={"message": "Upstream timed out"}),
    *_failed("failed, with an id in words", more={"message": "message_id: 8d1f"}),
    *_failed("failed, with a batch in words", more={"message": "Batch ID: 8d1f"}),
    *_failed("failed, with a reference in words", more={"message": "Reference 88127719"}),
    *_failed("failed, with words masked", more={"message": "***"}),
    *_failed("failed, and words in a list", more={"message": ["Failed"]}),
    *_failed("failed, and all queued", more={"message": "All texts were queued"}),
    *_twice(
        "failed, and a list twice",
        b'{"data":{"successful_messages":[{"index":0}],"successful_messages":[],"failed_messages":'
        b'[{"index":0,"error":"Insufficient balance"}]}}',
    ),
    *_twice(
        "one index twice",
        b'{"data":{"failed_messages":[{"index":0,"error":"Operation timed out"},'
        b'{"index":0,"error":"Insufficient balance"}]}}',
    ),
    *(
        ugsms(
            version,
            "failed, with an id in the header",
            Reply.of_json({"data": _ALL_FAILED}).with_headers(X_Message_Id="8d1f"),
            ways=["many"],
        )
        for version in (1, 2)
    ),
)


def _at(name: str, *, message: str = "Sent to 0/1 Total Cost: 0", **more: object) -> Proof:
    """Return Africa's Talking's refusal of one, with something else in it."""
    told = {"number": UGANDAN[0], "statusCode": 405, "status": "InsufficientBalance"}
    recipient = {**told, "messageId": "None", "cost": "0", **more}
    body = {"SMSMessageData": {"Message": message, "Recipients": [recipient]}}
    return Proof(
        name=f"africastalking: {name}",
        adapter="africastalking",
        reply=Reply.of_json(body, 201),
        ways=["alone"],
    )


AFRICAS_TALKING = (
    _at("refused, and sent", message="Sent to 1/1 Total Cost: KES 0.8000"),
    _at("refused, and all queued", message="All texts were queued"),
    _at("refused, in other words", message="Message sent to 1/1 recipients"),
    _at("refused, and paid for", message="Sent to 0/1 Total Cost: KES 0.8000"),
    _at("refused, and a price nobody can read", message="Sent to 0/1 Total Cost: much"),
    _at("refused, with an id", messageId="ATXid_1"),
    _at("refused, with a number as id", messageId=8812),
    _at("refused, with a price", cost="KES 0.8"),
    _at("refused, with a field nobody knows", networkCode="63902"),
    _at("a code that is no number", statusCode="4_05"),
    _at("a word of another code", status="InvalidPhoneNumber"),
    Proof(
        name="africastalking: refused, with an id in the header",
        adapter="africastalking",
        reply=_at("").reply.with_headers(X_Message_Id="ATXid_1"),
        ways=["alone"],
    ),
    *(
        Proof(
            name=f"africastalking: a wrong key, and more behind {blanks} blanks",
            adapter="africastalking",
            reply=Reply(
                401,
                f"The supplied authentication is invalid{' ' * blanks}\nfor its report; the text "
                "is with the carrier",
                {"Content-Type": "text/plain"},
            ),
        )
        for blanks in (10, 170, 2_500)
    ),
    Proof(
        name="africastalking: two codes",
        adapter="africastalking",
        reply=Reply(
            201, _at("").reply.body.replace(b'"statusCode"', b'"statusCode": 101, "statusCode"')
        ),
        ways=["alone"],
    ),
)
