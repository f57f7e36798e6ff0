"""A text is accepted by a proof, too: what proves nothing, or two things, is unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import field, frozen
from support.answering import outcomes_of
from support.contract.data import PHILIPPINE, TOKEN, UGANDAN

from iprog_async.testing import Reply
from iprog_async_providers import (
    AfricasTalkingProvider,
    EgoSmsProvider,
    IprogProvider,
    SemaphoreProvider,
    SmsGateProvider,
    UgsmsV1Provider,
    UgsmsV2Provider,
)


HOST = "http://127.0.0.1:9"
PROVIDERS: dict[str, Any] = {
    "africastalking": AfricasTalkingProvider("shop", TOKEN, base_url=HOST),
    "egosms": EgoSmsProvider("shop", TOKEN, base_url=HOST),
    "iprog": IprogProvider(TOKEN, base_url=HOST),
    "semaphore": SemaphoreProvider(TOKEN, base_url=HOST),
    "smsgate": SmsGateProvider("shop", TOKEN, base_url=HOST),
    "ugsms-v1": UgsmsV1Provider("shop", TOKEN, base_url=HOST),
    "ugsms-v2": UgsmsV2Provider(TOKEN, base_url=HOST, number_format="international"),
}
UNKNOWN, ACCEPTED = "unknown", "accepted"


@frozen
class Row:
    """One answer to a send, and what it proves of each recipient."""

    name: str
    provider: str
    body: Any
    states: Sequence[str]
    status: int = 200
    numbers: Sequence[str] = ()
    texts: Sequence[str] = field(default=())

    @property
    def recipients(self) -> Sequence[str]:
        """Whom it was for."""
        usual = UGANDAN if self.provider in _UGANDAN else PHILIPPINE
        return self.numbers or usual[: len(self.states)]


_UGANDAN = ("africastalking", "egosms", "ugsms-v1", "ugsms-v2")
_TWO_LANDS = ("+256701234567", "+254701234567")


def _ugsms(name: str, data: object, states: Sequence[str], **more: Any) -> Row:
    body = {"success": True, "message": "Message sent successfully", "data": data, **more}
    return Row(f"ugsms: {name}", "ugsms-v1", body, states)


def _lands(name: str, numbers: Sequence[object], states: Sequence[str]) -> Row:
    listed = [{"index": place, "number": number} for place, number in enumerate(numbers)]
    body = {"success": True, "data": {"successful_messages": listed}}
    return Row(f"ugsms: {name}", "ugsms-v2", body, states, 200, _TWO_LANDS, ("a", "b"))


def _iprog(name: str, states: Sequence[str], **body: Any) -> Row:
    return Row(f"iprog: {name}", "iprog", {"status": 200, "message": "Queued.", **body}, states)


def _at(name: str, states: Sequence[str], **more: Any) -> Row:
    told = {"number": UGANDAN[0], "statusCode": 101, "status": "Success", "cost": "KES 0.8"}
    recipient = {**told, "messageId": "ATXid_1", **more}
    body = {"SMSMessageData": {"Message": "Sent to 1/1", "Recipients": [recipient]}}
    return Row(f"africastalking: {name}", "africastalking", body, states, 201)


def _egosms(name: str, states: Sequence[str], **more: Any) -> Row:
    body = {"Status": "OK", "Cost": "35", "MsgFollowUpUniqueCode": "Ego-1", **more}
    return Row(f"egosms: {name}", "egosms", body, states)


def _semaphore(name: str, recipient: str, states: Sequence[str], **more: Any) -> Row:
    body = [{"message_id": 5, "recipient": recipient, "status": "Queued", **more}]
    return Row(f"semaphore: {name}", "semaphore", body, states)


def _gate(
    name: str, number: str, states: Sequence[str], *, state: str = "Pending", **more: Any
) -> Row:
    recipients = [{"phoneNumber": number, "state": state, **more}]
    body = {"id": "a", "state": state, "recipients": recipients}
    return Row(f"smsgate: {name}", "smsgate", body, states, 202)


_SUBSCRIBER = PHILIPPINE[0].removeprefix("+63")
ROWS = [
    _ugsms("as many as were asked for", {"message_id": "x", "recipients": "3"}, [ACCEPTED] * 3),
    _ugsms("a count that can't be read", {"message_id": "x", "recipients": "all"}, [ACCEPTED] * 2),
    _ugsms("fewer, as text", {"message_id": "x", "recipients": "1"}, [UNKNOWN] * 3),
    _ugsms("fewer, as a decimal", {"message_id": "x", "recipients": 1.0}, [UNKNOWN] * 3),
    _ugsms("an error for an id", {"message_id": "Error 22"}, [UNKNOWN] * 2),
    _ugsms("an error beside it", {"message_id": "x"}, [UNKNOWN], error="Insufficient balance"),
    _ugsms("an error in it", {"message_id": "x", "error": "Insufficient balance"}, [UNKNOWN]),
    _ugsms("errors that are none", {"message_id": "x", "errors": []}, [ACCEPTED], error=None),
    _lands("each its own", [number[1:] for number in _TWO_LANDS], [ACCEPTED] * 2),
    _lands("national in the region", ["0701234567", _TWO_LANDS[1]], [ACCEPTED] * 2),
    _lands("swapped", [number[1:] for number in reversed(_TWO_LANDS)], [UNKNOWN] * 2),
    _lands("another country's", [_TWO_LANDS[0], "0701234567"], [UNKNOWN] * 2),
    _iprog("ids of both", [ACCEPTED] * 2, message_ids="iSms-1,iSms-2"),
    _iprog("one id twice", [UNKNOWN] * 2, message_ids="iSms-1,iSms-1"),
    _iprog("no id among them", [UNKNOWN] * 3, message_ids="iSms-1,null,iSms-3"),
    _iprog("a failed one among them", [UNKNOWN] * 3, message_ids="iSms-1,failed,iSms-3"),
    _iprog("an error among them", [UNKNOWN] * 3, message_ids="iSms-1,Error 22,iSms-3"),
    _iprog("a sentence among them", [UNKNOWN] * 2, message_ids="iSms-1,no route to 639171234567"),
    _iprog("an error for an id", [UNKNOWN], message_id="Error 22: route down"),
    _iprog("errors in it", [UNKNOWN], message_id="iSms-1", data={"errors": ["x"]}),
    _iprog("an error beside it", [UNKNOWN], message_id="iSms-1", error="Not Found"),
    _iprog("no errors in it", [ACCEPTED], message_id="iSms-1", data={"errors": []}),
    _at("sent", [ACCEPTED]),
    _at("sent, by the word of a refusal", [UNKNOWN], status="InvalidPhoneNumber"),
    _at("a code with a line in it", [UNKNOWN], statusCode="1_01"),
    _at("sent, with an error", [UNKNOWN], error="Busy"),
    _at("sent, without any error", [ACCEPTED], error=None, errors=[]),
    Row(
        "africastalking: an error beside it",
        "africastalking",
        {**_at("", []).body, "errors": ["Busy"]},
        [UNKNOWN],
        201,
    ),
    _egosms("taken", [ACCEPTED] * 2),
    _egosms("an error in it", [UNKNOWN] * 2, error="Busy"),
    _semaphore("an error in it", PHILIPPINE[0][1:], [UNKNOWN], error="Busy"),
    _semaphore("no error in it", PHILIPPINE[0][1:], [ACCEPTED], errors=[]),
    _semaphore("as it was sent", PHILIPPINE[0][1:], [ACCEPTED]),
    _semaphore("national", f"0{_SUBSCRIBER}", [ACCEPTED]),
    _semaphore("another country's", f"+1 {_SUBSCRIBER}", [UNKNOWN]),
    _semaphore("another country's without a plus", f"1{_SUBSCRIBER}", [UNKNOWN]),
    _gate("an error of its recipient", PHILIPPINE[0], [UNKNOWN], error="Busy"),
    _gate("a failure, and why", PHILIPPINE[0], [ACCEPTED], state="Failed", error="Busy"),
    _gate("no error of its recipient", PHILIPPINE[0], [ACCEPTED], error=None),
    Row(
        "smsgate: an error beside it",
        "smsgate",
        {**_gate("", PHILIPPINE[0], []).body, "error": "Busy"},
        [UNKNOWN],
        202,
    ),
    _gate("the same", PHILIPPINE[0], [ACCEPTED]),
    _gate("a hash", "8f14e45fceea167a", [ACCEPTED]),
    _gate("somebody else", PHILIPPINE[1], [UNKNOWN]),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_what_an_answer_proves_is_accepted_and_nothing_else(row: Row) -> None:
    """Each recipient has the outcome that the answer proves of them."""
    reply = Reply.of_json(row.body, row.status)
    found = await outcomes_of(PROVIDERS[row.provider], reply, row.recipients, row.texts)

    assert [*row.states] == [outcome.state for outcome in found]
