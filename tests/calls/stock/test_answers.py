from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iprog_async._http.bare_status import data_says_no_more, text_says_no_more
from iprog_async._http.stock.limits import LIMITS
from iprog_async._http.stock.pages import PAGES, PAGES_OF_LIMITS


# Whose words they are, where they are more than plain English.
BELIEVED = {
    "Laravel": "Too Many Attempts.",
    "Express": "Too many requests, please try again later.",
    "Express, of an address": "Too many requests from this IP, please try again after 15 minutes",
    "Django": "Request was throttled. Expected available in 20 seconds.",
    "Django, by one": "Request was throttled. Expected available in 1 second.",
    "Fastify": "Rate limit exceeded, retry in 1 minute",
    "Koa": "Rate limit exceeded, retry in 5 minutes.",
    "NestJS": "ThrottlerException: Too Many Requests",
    "SlowAPI": "Rate limit exceeded: 5 per 1 minute",
    "Flask-Limiter": "5 per 1 minute",
    "Rack::Attack": "Retry later\n",
    "Symfony": "Too many requests, please try again in 3 minutes.",
    "Kong": "API rate limit exceeded",
    "Tyk": "API Rate Limit Exceeded",
    "Tyk, of a plan": "Quota exceeded",
    "Azure": "Rate limit is exceeded. Try again in 12 seconds.",
    "AWS": "Too Many Requests",
    "AWS, a plan": "Limit Exceeded",
    "AWS, a call": "ThrottlingException: Rate exceeded",
    "AWS, a store": "SlowDown: Please reduce your request rate.",
    "AWS, a code": "RequestLimitExceeded",
    "Envoy": "local_rate_limited",
    "Cloudflare": "You are being rate limited",
    "IPROG": "You've hit the limit of 3 requests per minute.",
    "an SDK": "HTTP 429: Too Many Requests",
    "a limit": "Rate limit of 60 requests per minute exceeded; retry in 12 seconds",
    "a limit by a slash": "Limit of 60 requests/min exceeded",
    "a rule": "Only 60 requests per minute are allowed",
    "a day's": "You have exceeded your daily limit.",
    "the most": "You have reached the maximum number of requests per minute",
    "a server": "The server is busy, please try again later",
    "too often": "Requests too frequent",
    "a wait": "Please wait a few minutes before you try again.",
    "a header": "Retry-After: 30 seconds",
}
# The forms that these words come in.
FORMS: dict[str, Any] = {
    "Spring": {"status": 429, "error": "Too Many Requests", "path": ""},
    "a problem": {"title": "Too Many Requests", "status": 429, "detail": "Rate limit exceeded"},
    "Fastify": {"statusCode": 429, "error": "Too Many Requests", "message": "Rate limit exceeded"},
    "Feathers": {"name": "TooManyRequests", "code": 429, "className": "too-many-requests"},
    "Strapi": {"data": None, "error": {"status": 429, "name": "TooManyRequestsError"}},
    "AWS": {"__type": "ThrottlingException", "message": "Rate exceeded"},
    "AWS, a query": {"Error": {"Code": "Throttling", "Message": "Rate exceeded"}},
    "Azure": {"error": {"code": "TooManyRequests", "message": "Rate limit is exceeded."}},
    "Google": {"error": {"code": 429, "message": "Quota exceeded", "errors": []}},
    "JSON:API": {"errors": [{"status": "429", "title": "Throttled", "code": "rate_limited"}]},
    "JSend": {"status": "fail", "data": {"message": "Too many requests"}},
    "OAuth": {"error": "too_many_requests", "error_description": "Rate limit exceeded"},
    "IBM": {"httpCode": "429", "httpMessage": "Too Many Requests", "moreInformation": "Throttled"},
    "IPROG": {"status": 429, "message": ["You've hit the limit of 3 requests per minute."]},
    "a code": {"success": False, "error": {"code": "RATE_LIMIT_EXCEEDED", "retry_after": 30}},
    "Kong, in a status": {"status": {"message": "API rate limit exceeded", "code": 429}},
    "Infobip": {"requestError": {"serviceException": {"text": "Too many requests"}}},
    "an error of an API": {"apiError": {"message": "Rate limit exceeded"}},
    "an error of HTTP": {"httpError": {"message": "Too many requests"}},
    "an error in one": {"http_error": "Too many requests", "cause": "Rate limit exceeded"},
    "data of an error": {"error_data": {"message": "Too many requests"}},
    "a code of the answer": {"response_code": 429, "response_message": "Rate limit exceeded"},
    "a response": {"responseMessage": "Too many requests", "responseCode": "429"},
    "a description": {"responseDescription": "Rate limit exceeded", "respMessage": "Slow down"},
    "a result": {"result_code": 429, "result_message": "Too many requests"},
    "a message of a status": {"statusMsg": "Too many requests", "status_msg": "Too Many Requests"},
    "a payload": {"success": False, "data": "Too many requests", "info": "Too many requests"},
    "a string": "Too many requests",
    "a list": ["Too many requests"],
}
OF_A_PART = [
    "Only 2 requests were allowed, 3 were over the limit",
    "Only 2 requests per batch are allowed",
    "Limit reached after 2 requests",
    "Limit reached after 2",
    "Too many requests. Limit reached at number 3",
    "Too many requests: 2",
    "2 requests were throttled",
    "Requests allowed: 2. Limit exceeded",
    "3 requests allowed, 2 over limit",
    "Request 1 of 3 only: limit reached",
    "Limit of 2 requests reached",
    "Limit exceeded for 3 of 5 requests",
    "Please retry the other requests",
    "retrying",
    "Retrying in 5 seconds",
    "Throttled. Retrying your request in 30 seconds",
    "Server is busy, retrying soon",
    "Rate limit exceeded, trying again in 5 seconds",
    "You are being throttled and retrying",
    "Retry after 2",
    "Limit exceeded for this user",
    "Your account has been limited after this request",
    "You've hit the limit of 2 requests per number.",
]
OF_A_DELIVERY = [
    "The request has reached the user. Limit reached",
    "Your request reached the client, retry limit exceeded",
    "You have reached the user. Please wait",
    "The number was reached. Please wait, try again later",
    "API: request was reached at 10 hours, limit 5 s",
    "You reached this user too many times",
    "Maximum number of attempts reached",
    "Retry limit exceeded",
    "reached",
    "\u221a Too many requests",
]


@pytest.mark.parametrize("words", BELIEVED.values(), ids=BELIEVED)
@pytest.mark.parametrize("recipients", [1, 5])
def test_a_stock_sentence_about_a_limit_is_believed(words: str, recipients: int) -> None:
    """With 429 alone, and for any number of recipients."""
    assert data_says_no_more({"message": words}, 429, recipients)
    assert not data_says_no_more({"message": words}, 404, recipients)


@pytest.mark.parametrize("form", FORMS)
def test_a_limit_is_believed_in_the_forms_of_frameworks(form: str) -> None:
    """Under the names that they have for words, for codes and for the status."""
    assert data_says_no_more(FORMS[form], 429)


@pytest.mark.parametrize("words", [*OF_A_PART, *OF_A_DELIVERY])
@pytest.mark.parametrize("recipients", [1, 5])
def test_words_of_a_limit_can_tell_that_something_was_sent(words: str, recipients: int) -> None:
    """Each of them is harmless by itself; what they tell together is not."""
    assert not data_says_no_more({"message": words}, 429, recipients)
    assert not text_says_no_more(f"429 {words}", 429)


PARTS = [
    *("after 2 requests", "at number 3", "2 were allowed", "only 2 of 5", "3 over"),
    *("reached the user", "to the client", "for the last 3", "no. 2", "request 1 of 3"),
]


@pytest.mark.parametrize("words", BELIEVED.values(), ids=BELIEVED)
def test_a_part_among_the_words_of_a_limit_leaves_it_open(words: str) -> None:
    """Wherever it stands in a sentence, or beside it."""
    tokens = words.split()
    told = [
        " ".join((*tokens[:place], part, *tokens[place:]))
        for place in range(len(tokens) + 1)
        for part in PARTS
    ]

    assert [] == [each for each in told if data_says_no_more({"message": each}, 429)]


@given(
    st.lists(
        st.sampled_from([*BELIEVED.values(), "429", "error", "-", "\n"]), min_size=1, max_size=3
    ),
    st.sampled_from([". ", "; ", "\n", " - "]),
)
def test_whole_phrases_beside_each_other_say_no_more(phrases: list[str], between: str) -> None:
    """Each is a proof by itself, so that nothing depends on what stands beside it."""
    assert data_says_no_more({"message": between.join(phrases)}, 429)


def test_a_sentence_that_is_too_long_is_none() -> None:
    """Nobody tells of a limit at such length."""
    assert not data_says_no_more({"message": "Too many requests. " * 50}, 429)


WAITS: list[dict[str, Any]] = [
    {"retry_after": 30},
    {"retryAfterSeconds": "30"},
    {"Retry-After": 0},
    {"rateLimit": {"resetIn": 12.5, "windowMs": 60000}},
    {"X-RateLimit-Reset": 1764412345},
    {"wait_seconds": 3, "seconds_remaining": 3},
    {"success": False, "sent": 0, "status": 429, "error": True, "statusCode": "429"},
]
OF_ONE: list[dict[str, Any]] = [
    {"limit": "60", "remaining": 0},
    {"rate_limit": 60},
    {"maxRequests": 3},
    {"remaining": 3},
]
TELLING: list[Any] = [
    *({"allowed": 2}, {"allowed": "2"}, {"limit_reached_after": 2}, {"after": 2}, {"n": 429}),
    *({"failed": 0}, {"failed": "0"}, {"error": False}, {"error": "false"}, {"not_sent": 0}),
    *({"sent_without_errors": True}, {"no_errors": True}, {"left": True}, {"code": 0}),
    *({"errors": {"3": "Too many requests"}}, {"message3": "Too many requests"}),
    *({"errors": ["", "", "Too many requests"]}, {"results": [{}, {"error": "Too many"}]}),
    *({"id": 429}, {"max_attempts": 3}, {"unsent_count": 0}),
]


@pytest.mark.parametrize("beside", WAITS, ids=str)
@pytest.mark.parametrize("recipients", [1, 5])
def test_how_long_to_wait_says_no_more(beside: dict[str, Any], recipients: int) -> None:
    """Under a name that is known as a whole."""
    assert data_says_no_more({"message": "Too many requests", **beside}, 429, recipients)


STATES: list[dict[str, Any]] = [
    *({"state": "RETRY"}, {"status": "retry"}, {"status": "wait"}, {"retry": True}, {"x": "try"}),
    *({"messageStatus": "Throttled"}, {"state": "limit"}, {"delivery_state": "WAIT"}),
]
_STATES_OF_TEXTS = [
    *("status", "state", "message_status", "smsStatus", "delivery", "deliverystate", "result"),
    *(
        "sms",
        "text",
        "info",
        "phase",
        "progress",
        "statusText",
        "status_message",
        "outcome",
        "data",
    ),
    *("639171234567", "\u72b6\u6001", "\u72b6\u6001message", "messages", "queue", "log", "job"),
]
_TOLD_AS_STATES = [
    *("THROTTLED", "RETRY_LATER", "RATE_LIMITED", "RetryLater", "Retry in 5 minutes", "limit"),
    *("Throttled: retry in 5 minutes", "Slow down", "Rate limit exceeded", "Please wait"),
]
_TOLD_OF_A_TEXT: list[Any] = [
    *({name: {"message": "Retry later"}} for name in ("delivery", "status", "message", "sms", "x")),
    *({"status": {"name": "THROTTLED"}}, {"status": {"retry_after": 30}}, {"sms": {"wait": 30}}),
    *({"delivery_status": "Too Many Requests"}, {"text": "429"}, {"sms_status": "failed"}),
    *({"delivery": "error"}, {"state": "failed"}, {"report": {"error": True}}, {"\u72b6": False}),
    *({"message": "Status: throttled"}, {"message": "Status code: retry later"}, "Throttled"),
    *({"data": {"status": "failed"}}, [{"status": "failed"}], {"results": [{"status": "error"}]}),
    *({"status": {"code": 88, "message": "Retry later"}}, {"info": "failed"}, {"data": "error"}),
    *({"results": [{"status": {"code": 429, "name": "THROTTLED"}}]}, {"statusMsg": "Retry later"}),
    *({"status": [{"code": 429, "name": "THROTTLED"}]}, {"serviceException": {"sms": "Too many"}}),
    *("RETRY_LATER", ["RETRY_LATER"], {"sms": {"success": False}}, {"messages": [{"code": 429}]}),
]


@pytest.mark.parametrize("beside", STATES, ids=str)
def test_a_word_that_may_be_a_state_of_the_text_leaves_it_open(beside: dict[str, Any]) -> None:
    """To be tried again, or held back by a limit, it has to be with the gateway."""
    assert not data_says_no_more({"message": "Too many requests", **beside}, 429)
    assert not data_says_no_more(beside, 429)


@pytest.mark.parametrize("name", _STATES_OF_TEXTS)
def test_words_of_a_limit_are_a_state_under_any_name_but_those_of_words(name: str) -> None:
    """Whether they are one word, or a sentence: "retry later" is what a text may wait for."""
    told = [{name: words} for words in _TOLD_AS_STATES]
    told += [{"message": "Too many requests", **each} for each in told]

    assert [] == [each for each in told if data_says_no_more(each, 429)]


@pytest.mark.parametrize("body", _TOLD_OF_A_TEXT, ids=str)
def test_what_may_be_told_of_the_text_leaves_it_open(body: object) -> None:
    """Whatever is in an object that may be a text, or a word by itself, is told of that text."""
    assert not data_says_no_more(body, 429)


@pytest.mark.parametrize("words", ["Throttled", "THROTTLED", "status: throttled", "Retry_later"])
def test_a_plain_word_may_be_a_state_of_the_text(words: str) -> None:
    """Gateways of old answer with a word alone."""
    assert not text_says_no_more(words, 429)


@pytest.mark.parametrize("words", ["TOO_MANY_REQUESTS", "TooManyRequests", "Too Many Requests"])
@pytest.mark.parametrize("name", ["status", "statusText", "httpStatus", "status_message", "result"])
def test_a_limit_may_be_told_as_a_status(words: str, name: str) -> None:
    """By its own name, or its number: no text is in such a state."""
    assert data_says_no_more({name: words}, 429)
    assert data_says_no_more({"status": {"message": words, "code": "429"}}, 429)


@pytest.mark.parametrize("beside", OF_ONE, ids=str)
def test_how_many_are_allowed_says_no_more_to_one(beside: dict[str, Any]) -> None:
    """Of several, the limit may be where they were broken off."""
    body = {"message": "Too many requests", **beside}

    assert (True, False) == (data_says_no_more(body, 429, 1), data_says_no_more(body, 429, 2))


@pytest.mark.parametrize("beside", TELLING, ids=str)
def test_any_other_number_may_tell_who_was_sent(beside: dict[str, Any]) -> None:
    """How many, which of them, or that nobody was left out."""
    assert not data_says_no_more({"message": "Too many requests", **beside}, 429)


@pytest.mark.parametrize(
    "body",
    [{"failed": 0}, {"errors": {"3": "Not Found"}}, [{}, {}, "Not Found"], {"no_errors": True}, 0],
    ids=str,
)
def test_so_it_is_with_any_status(body: object) -> None:
    """A 404 may be about one of several, too."""
    assert not data_says_no_more(body, 404)


BELOW_A_STATUS = [
    (404, "404: your request has been put to the address you typed"),
    (404, "404 Not Found. The client was found at this address"),
    (404, "404: the object was found and put on the path to its owner"),
    (404, "The page was found on the server. Its data was not found"),
    (404, "<h1>404 Not Found</h1><p>Your request was put to the client</p>"),
    (404, "<h1>404 Not Found</h1><p>The client has it</p>"),
    (404, "Address not found"),
    (404, "\u221a 404 not found"),
    (405, "<h1>Method Not Allowed</h1><p>Your request was put on the path to its client</p>"),
    (413, "Payload Too Large: could put on one of more"),
    (301, "301: your request has moved on to the client"),
    (308, "Redirecting. The client has your request"),
    (301, "Moved Permanently. Redirecting to https://sms.example/texts/8812"),
    (301, "Moved Permanently. Redirecting to https://sms.example/messages/ab-12"),
    (308, "Permanent Redirect. Redirecting to https://sms.example/sent"),
    (429, "429 Too Many Requests. The request has reached the user"),
    (429, "<h1>Too Many Requests</h1><p>3 requests allowed</p>"),
]


@pytest.mark.parametrize(("status", "text"), BELOW_A_STATUS)
def test_words_of_stock_pages_can_tell_of_a_delivery(status: int, text: str) -> None:
    """So that pages are known phrase by phrase, and not word by word."""
    assert not text_says_no_more(text, status)


def test_every_repeat_in_a_phrase_has_a_bound() -> None:
    """Each is looked for at each place of a page, which may be long, and takes its time once."""
    endless = re.compile(r"(?<!\\)[*+]|\{\d*,\}")

    assert endless.search(r"a{2,}")
    assert [] == [each for each in (*LIMITS, *PAGES, *PAGES_OF_LIMITS) if endless.search(each)]


@pytest.mark.parametrize("name", ["data", "errors", "results"])
def test_a_list_may_name_those_who_were_left_out(name: str) -> None:
    """With several recipients, one entry may be of the only one who was over the limit."""
    data = {name: [{"message": "Too many requests"}]}

    assert data_says_no_more(data, 429, 1)
    assert not data_says_no_more(data, 429, 3)
