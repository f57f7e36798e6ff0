from __future__ import annotations

import re
from typing import Any

import pytest

from iprog_async._http.acceptance import (
    PLAIN_REASON,
    Signs,
    says_unsure,
    signs_of_acceptance,
)


NOTHING: list[object] = [
    None,
    {},
    [],
    {"status": 500, "message": ["Your input contains inappropriate language."]},
    {"status": "error", "message": "No", "data": {"passed": False, "errors": ["Suspicious."]}},
    {"error": "API key is required", "help": "Provide X-API-Key header or api_key parameter"},
    {"message": "Invalid.", "errors": {"message_id": ["The message id is required."]}},
    {"message": "Invalid.", "errors": {"recipients": ["The recipients field is required."]}},
    {"status": 404, "error": "Not Found"},
    {"error": "No", "data": None, "ids": [], "message_id": "", "count": 0, "success": False},
    {"error": "No", "failed_count": 3, "remaining_sms_count": 4, "sender_id": "Shop"},
    {"error": "The number is not OK", "help": "It could not be processed, and was not created"},
    {"error": "No", "limit": 60, "used": 60},
    {"error": "No", "trace_id": "4bf92f35", "user_id": 7, "code": "E17"},
]


@pytest.mark.parametrize("body", NOTHING, ids=str)
def test_an_error_alone_has_no_sign(body: object) -> None:
    """Words, a code, empty values and the names of fields say nothing of a text that was taken."""
    assert Signs() == signs_of_acceptance(body)


TAKEN: list[tuple[object, tuple[str, ...]]] = [
    ({"message_ids": "a-1, a-2"}, ("a-1", "a-2")),
    ({"messageIds": ["a-1", 7]}, ("a-1", "7")),
    ({"MessageIDs": ["a-1"]}, ("a-1",)),
    ({"a": [{"b": {"uid": "69fa"}}]}, ("69fa",)),
    ({"error": {"message_id": "a-1"}}, ("a-1",)),
    ({"errors": {"message_id": ["a-1"]}}, ("a-1",)),
    ({"smsref": "a-1"}, ("a-1",)),
    ({"status": "queued"}, ()),
    ({"status": 202}, ()),
    ({"status": "202"}, ()),
    ({"success": True}, ()),
    ({"data": {"customer_status": "Delivered|8f21"}}, ()),
    ({"message": "Accepted for Smart/TNT"}, ()),
    ({"message": "sent|SM0123"}, ()),
    ({"data": "8d1f"}, ()),
    ({"x": "550e8400-e29b-41d4-a716-446655440000"}, ()),
    ({"recipients": 3}, ()),
    ({"data": {"passed": True, "errors": ["No."]}}, ()),
    ({"recipients": ["639171234567"]}, ()),
    ({"sms_rates": "1,1"}, ()),
    ({"cost": 0.7}, ()),
    ({"successful_messages": [{"index": 0}]}, ()),
    ([1], ()),
    (["a-1"], ()),
    ([{"to": "639171234567"}], ()),
    ("sent", ()),
    ({"note": "SMS created successfully"}, ()),
    ({"note": "You were charged 1 credit"}, ()),
    ({"note": "Your message is out for delivery"}, ()),
    ({"note": "Completed"}, ()),
    ({"note": "Done."}, ()),
    ({"note": '{"sid": "SM0123"}'}, ()),
    ({"mid": "8290"}, ("8290",)),
    ({"handle": 8290}, ("8290",)),
    ({"confirmation": "8290"}, ("8290",)),
    ({"receiptNo": "8290"}, ("8290",)),
    ({"credits_used": 1}, ()),
    ({"debit": "2"}, ()),
    (True, ()),
    ({"data": True}, ()),
]


@pytest.mark.parametrize(("body", "ids"), TAKEN, ids=str)
def test_what_was_taken_shows(body: object, ids: tuple[str, ...]) -> None:
    """Ids in any spelling and depth, counts, costs, lists and words of state; ids are kept."""
    assert Signs(found=True, ids=ids) == signs_of_acceptance(body)


def test_a_text_that_is_understood_is_no_sign() -> None:
    """What a row of a table matches as a whole may hold any words, and nothing else may."""
    text = "Your sending limit is exceeded."
    assert not signs_of_acceptance({"message": f" {text}\n"}, explained=[text])
    assert signs_of_acceptance({"message": text, "more": f"{text} One was sent."}, explained=[text])


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-message-id": "a-1"}, ("x-message-id: a-1",)),
        ({"sms-uid": "a-1"}, ("sms-uid: a-1",)),
        ({"x-request-id": "a-1", "etag": "b", "x-message-id": " "}, ()),
    ],
)
def test_a_header_field_can_be_an_id(headers: dict[str, str], expected: tuple[str, ...]) -> None:
    """The id of a text is one; that of the answer itself is not."""
    assert expected == signs_of_acceptance(None, headers=headers).ids


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("x-message-status", "queued", True),
        ("x-sms-sent", "1", True),
        ("x-sms-cost", "0.8", True),
        ("x-sms-sent", "0", False),
        ("x-sms-limit-remaining", "59", False),
        ("x-message-error", "Not sent", False),
        ("x-status", "queued", False),
    ],
)
def test_a_header_field_can_tell_of_a_text(name: str, value: str, expected: bool) -> None:
    """A state, a count or a price of texts is a sign; what is about anything else is none."""
    assert expected is bool(signs_of_acceptance(None, headers={name: value}))


def test_hostile_answers_end_as_a_sign() -> None:
    """What is too deep or too large to look through counts as one, and is given up soon."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    wide = {f"key{number}": [None] for number in range(30_000)}
    for body in (deep, {"message": deep}, wide):
        assert signs_of_acceptance(body)
    assert len(signs_of_acceptance({"ids": list(range(1, 5_000))}).ids) == 1_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Phone number is invalid.", True),
        ("The message must not be longer than 160 characters. (and 1 more error)", True),
        ("Operation timed out", False),
        ("SMS created successfully", False),
        ("Your SMS was processed successfully, reference in your inbox", False),
        ("You were charged 1 credit", False),
        ("Message is out for delivery", False),
        ("Completed", False),
        ("Done", False),
        ("OK", False),
        ("Message was sent, but the callback is invalid", False),
        ("PG::ConnectionBad", False),
        ("Only 2 numbers were allowed, 3 are over the limit", False),
        ("The first number has been reached", False),
        ("The given data was invalid. The number was not found", True),
        ("Said 'no'", False),
        ("Invalid.\nUpstream: queued", False),
        ("", False),
    ],
)
def test_a_plain_reason_speaks_of_what_was_asked(text: str, expected: bool) -> None:
    """A sentence about the request is one; what went wrong later, or is quoted, is not."""
    found = re.fullmatch(PLAIN_REASON, text, re.IGNORECASE) is not None
    assert expected == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cURL error 28", True),
        ("Queued", True),
        ("Invalid number", False),
        (" '***'.", True),
        ("Bad key ***", False),
    ],
)
def test_what_may_come_after_dispatch_is_unsure(text: str, expected: bool) -> None:
    """A time-out or a word of state leaves open what became of the text."""
    assert expected == says_unsure(text)
