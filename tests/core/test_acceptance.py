from __future__ import annotations

from typing import Any

import pytest

from iprog_async._http.acceptance import (
    Signs,
    says_taken,
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


IDS_IN_HEADERS = [
    *("x-messageid", "messageid", "x-smsid", "x-msgid", "x-msguuid", "x-batchid", "x-queue-id"),
    *("x-queueid", "x-bulk-id", "x-job-id", "x-jobid", "x-uid", "x-reference", "x-tracking-id"),
    *("x-message-request-id", "x-id", "x-call-sid", "x-sms-unique-id", "x-message-sid"),
    *("x-transaction-id", "x-dispatch-id", "x-operation-id", "x-ref", "x-unique-reference"),
]
IDS_OF_ANSWERS = [
    *("cf-ray", "x-requestid", "x-amzn-requestid", "x-amz-cf-id", "x-trace-id", "x-b3-traceid"),
    *("x-b3-spanid", "x-correlation-id", "x-correlationid", "x-azure-ref", "x-sucuri-id"),
    *("x-session-id", "x-server-id", "fly-request-id", "x-client-id", "x-vercel-id"),
    # Of hosts: Render, Apache and HAProxy, Google and Firebase, section.io, ArvanCloud, Clever
    # Cloud, Netlify, Railway, Vercel before, Amazon, Alibaba.
    *("rndr-id", "x-unique-id", "function-execution-id", "x-function-execution-id", "x-sid"),
    *("section-io-id", "sozu-id", "x-nf-request-id", "x-railway-request-id", "x-now-id"),
    *(
        "phpdebugbar-id",
        "x-apigw-id",
        "x-amz-apigw-id",
        "x-fc-invocation-id",
        "x-execution-id",
        "x-logging-id",
    ),
    *("x-clockwork-id", "x-invocation-id", "x-served-by", "x-lambda-id", "x-heroku-id"),
]


STATES_IN_HEADERS = [
    *("x-status", "x-delivery-status", "x-deliverystatus", "delivery-state", "x-result", "status"),
    *("x-event", "x-phase", "x-toast", "x-job", "x-queue", "warning", "x-smsc", "x-description"),
    *("x-delivery", "x-outcome", "x-request-status", "x-api-status", "x-job-state", "x-sms-result"),
]
STATES_OF_ANSWERS = [
    *("x-cache-status", "cf-cache-status", "x-cachestatus", "x-proxy-status", "x-upload-status"),
    *("x-ratelimit-status", "x-server-status", "x-waf-status", "authentication-results"),
    *("x-amz-replication-status", "x-ms-copy-status", "x-backend-info", "x-error-message"),
    *("grpc-status", "x-health-status", "x-powered-by", "x-content-type-options", "server-timing"),
    *("x-db-status", "x-cms-status", "x-shield-status", "x-wp-status", "x-redis-state"),
    *("x-cache", "cdn-status", "x-kong-upstream-status", "content-language", "retry-after"),
]

TOLD_IN_HEADERS = [
    *(("x-gateway-response", "accepted"), ("x-dlr", "DELIVRD"), ("x-smpp-status", "ESME_ROK")),
    *(("x-recipients-ok", "2"), ("x-sms-state", "1"), ("x-deducted", "1"), ("x-enqueued-at", "17")),
    *(("set-cookie", "message_id=8812; path=/"), ("set-cookie", "a=b, sms_id=8812")),
    *(("set-cookie", "status=sent"), ("set-cookie", "notification=Message sent")),
    *(("set-cookie", "flash=Message%20sent; path=/"), ("set-cookie", "flash_success=a%2C%20sent")),
]
COOKIES = [
    "XSRF-TOKEN=eyJpdiI6Imx3; expires=Mon, 30-Nov-2026; path=/, laravel_session=eyJpdi; httponly",
    "PHPSESSID=8d1f2c30; path=/",
    "__cf_bm=abc.8D; path=/; domain=.sent.example; HttpOnly; Secure; SameSite=None",
]

FIELDS_OF_HTTP = [
    *("server", "via", "vary", "content-security-policy", "access-control-allow-origin", "nel"),
    *("www-authenticate", "server-timing", "report-to", "permissions-policy", "x-frame-options"),
    *("alt-svc", "link", "location", "x-redirect", "x-powered-by", "x-robots-tag", "p3p"),
]


def test_a_server_repeats_its_status_in_a_header_field() -> None:
    """That of the answer tells nothing; another one is of something else."""
    told = [
        status
        for status in (200, 202, 404, 429)
        if signs_of_acceptance(None, headers={"status": "200 OK"}, status=status)
    ]

    assert [202, 404, 429] == told
    assert signs_of_acceptance(None, headers={"x-status": "429 queued"}, status=429)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-message-id": "a-1"}, ("x-message-id: a-1",)),
        ({"sms-uid": "a-1"}, ("sms-uid: a-1",)),
        ({"x-request-id": "a-1", "etag": "b", "x-message-id": " "}, ()),
        *(({name: "8812"}, (f"{name}: 8812",)) for name in IDS_IN_HEADERS),
        *(({name: "8812"}, ()) for name in IDS_OF_ANSWERS),
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
        ("x-smssent", "2", True),
        ("x-messagestatus", "queued", True),
        ("x-credits-used", "1", True),
        ("x-creditsused", "1", True),
        ("x-credits-used", "0", False),
        ("x-cost", "0.8", True),
        ("x-sent", "2", True),
        ("x-accepted-count", "2", True),
        ("x-total-count", "2", False),
        ("x-ratelimit-cost", "1", False),
        ("x-turbo-charged-by", "LiteSpeed 2", False),
        ("x-message-error", "Not sent", False),
        *((name, "queued", True) for name in STATES_IN_HEADERS),
        *((name, "ok", False) for name in STATES_OF_ANSWERS),
        *(("x-status", "202", True), ("status", "200 OK", True), ("x-status", "error", False)),
        *(("x-result", "429", False), ("x-delivery-status", "failed", False)),
        *(("x-message", "Message sent", True), ("x-info", "2 texts are on their way", True)),
        ("set-cookie", "flash_message=Message+sent; path=/", True),
        ("set-cookie", "sid=a-sent-b; domain=.sent.example, b=queued", False),
        ("hx-trigger", '{"toast": "Message sent"}', True),
        *((name, "queued", False) for name in (*STATES_OF_ANSWERS, *FIELDS_OF_HTTP)),
        *(("access-control-allow-credentials", "true", False), ("x-pjax", "ok", False)),
        *((name, value, True) for name, value in TOLD_IN_HEADERS),
        *(("set-cookie", cookie, False) for cookie in COOKIES),
        *(("x-flash-notice", "Message+sent", True), ("x-info", "Slow down", False)),
    ],
)
def test_a_header_field_can_tell_of_a_text(name: str, value: str, expected: bool) -> None:
    """A state, a count or a price of texts is a sign; what is about anything else is none."""
    assert expected is bool(signs_of_acceptance(None, headers={name: value}))


def test_a_head_that_is_too_large_counts_as_a_sign() -> None:
    """No server has so many fields, or such long ones, and nobody waits until they are read."""
    heads: list[dict[str, str]] = [
        {"x-note": "a " * 3_000},
        {"set-cookie": "flash=hello; " * 1_000},
        {f"x-{number}": "a" for number in range(300)},
    ]

    assert [True] * 3 == [bool(signs_of_acceptance(None, headers=head)) for head in heads]
    assert not signs_of_acceptance(None, headers={"content-security-policy": "a " * 3_000})


def test_hostile_answers_end_as_a_sign() -> None:
    """What is too deep or too large to look through counts as one, and is given up soon."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    wide = {f"key{number}": [None] for number in range(30_000)}
    for body in (deep, {"message": deep}, wide):
        assert signs_of_acceptance(body)
    assert len(signs_of_acceptance({"ids": list(range(1, 5_000))}).ids) == 1_000


TOLD = [
    *("2 texts are on their way", "Messages enqueued", "Requeued", "Resent", "All texts arrived"),
    *("Texts received by the network", "Delivering", "Held for review", "under manual review"),
    *("Message received", "on hold", "retransmitted", "awaiting a report", "in transit", "spooled"),
]


@pytest.mark.parametrize("text", TOLD)
def test_what_is_with_the_gateway_is_told_in_many_words(text: str) -> None:
    """Each of them is a sign, wherever it stands."""
    assert says_taken(text)
    assert signs_of_acceptance({"note": text})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cURL error 28", True),
        ("Queued", True),
        ("We will do it soon", True),
        ("Part 2 failed", True),
        ("Please try again later", False),
        ("Invalid number", False),
        (" '***'.", True),
        ("Bad key ***", False),
    ],
)
def test_what_may_come_after_dispatch_is_unsure(text: str, expected: bool) -> None:
    """A time-out or a word of state leaves open what became of the text."""
    assert expected == says_unsure(text)
