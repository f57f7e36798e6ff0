"""Answers that look like a refusal and prove none, as data: found for an adapter by its case."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import evolve

from iprog_async._core.json_types import is_array, is_object
from iprog_async.testing._contract.case import Subject
from iprog_async.testing._raw_gateway.messages import Reply


Doubt = Callable[[Subject], list[Reply]]

_SIGNS: Mapping[str, Mapping[str, object]] = {
    "an-id": {"message_id": "m-8d1f"},
    "a-number-as-id": {"id": 17},
    "ids-in-one-text": {"message_ids": "m-8d1f,m-8d20"},
    "a-list-of-ids": {"ids": ["m-8d1f"]},
    "a-uid-inside": {"data": {"uid": "65f0c1"}},
    "ids-in-a-list-of-objects": {"data": [{"messageId": "m-8d1f"}]},
    "a-reference": {"reference": "m-8d1f"},
    "a-count": {"data": {"recipients": 3, "sms_count": 1}},
    "a-list-of-the-accepted": {"accepted": ["m-8d1f"]},
    "a-state": {"data": {"state": "queued"}},
    "a-number-as-a-tracking-code": {"data": {"trackingCode": 8812}},
}


def _beside(sign: Mapping[str, object]) -> Doubt:
    """Put a sign beside the words of the refusal, and of a limit."""

    def find(subject: Subject) -> list[Reply]:
        case = subject.case
        return [
            _with_body(reply, {**body, **sign})
            for reply in (case.refusal, evolve(case.refusal, status=401), case.limited)
            if is_object(body := _body(reply))
        ]

    return find


_AROUND = ("sent before: {}", "{} (1 of 2 was sent)", "Lost after:\n{}\nqueued")
_SUCCESSES = (
    "SMS created successfully",
    "Your SMS was processed successfully",
    "You were charged 1 credit",
    "Out for delivery",
    "Done",
)
# Nobody reads these, and whoever could would read that the text was taken.
_UNREADABLE: Mapping[str, bytes] = {
    "a-notice-in-front": b'<br />\n<b>Deprecated</b>: x in y.php on line 3<br />\n{"uid": "8d1f"}',
    "no-number": b'{"success": true, "uid": "8d1f", "n": NaN}',
    "a-comma-too-many": b'{"success": true, "uid": "8d1f",}',
    "cut": b'{"success": true, "uid": "8d1f',
    "in-latin-1": b'{"success": true, "uid": "8d1f", "note": "ma\xf1ana"}',
    "in-utf-16": '{"success": true, "uid": "8d1f"}'.encode("utf-16"),
    "too-deep": b'{"success": true, "uid": "8d1f", "x": ' + b"[" * 200 + b"]" * 200 + b"}",
    "two-of-them": b'{"a": 1}\n{"success": true, "uid": "8d1f"}',
    "a-call": b'cb({"success": true, "uid": "8d1f"});',
    "packed-in-a-text": b'"{\\"success\\": true, \\"uid\\": \\"8d1f\\"}"',
    "xml": b'<?xml version="1.0"?><r><code>0</code><id>8812</id></r>',
    "a-page-of-a-time-out": b"<html><h1>Error</h1><p>Operation timed out</p></html>",
    "at-the-end-of-a-page": b"<p>404 429 " + b" " * 200_000 + b"sent</p>",
}


def _in_longer_texts(subject: Subject) -> list[Reply]:
    """Quote each text of the refusal in a sentence that says the opposite."""
    reply = subject.case.refusal
    return [
        _with_body(reply, changed)
        for around in (*_AROUND, *_SUCCESSES)
        for changed in _changed(_body(reply), around.format)
    ]


def _beside_each_text(*more: object) -> Doubt:
    """Make a list of each text of the refusal, with something beside it that no row knows."""

    def find(subject: Subject) -> list[Reply]:
        reply = subject.case.refusal
        return [
            _with_body(reply, changed)
            for beside in more
            for changed in _changed(_body(reply), _with(beside))
        ]

    return find


def _with(beside: object) -> Callable[[str], object]:
    return lambda text: [text, beside]


def _with_status(*statuses: int) -> Doubt:
    return lambda subject: [evolve(subject.case.refusal, status=status) for status in statuses]


def _in_own_words(*statuses: int) -> Doubt:
    """Tell of what comes after a dispatch, under names and in forms that no adapter reads."""
    words = "Operation timed out after 30001 milliseconds"
    bodies: tuple[object, ...] = (
        {"detail": words},
        {"status": "Failed", "error": {"text": words}},
        {"message": [[words]]},
        [words],
        {"message": "Your SMS was processed successfully. 0 requests left"},
        {"success": "yes", "code": "00"},
        {"mid": "8290"},
        {"receiptNo": "8290", "credits_used": 1},
    )
    return lambda _: [Reply.of_json(body, status) for body in bodies for status in statuses]


def _unread(*statuses: int) -> Doubt:
    """Tell of it in a form that can't be read, or in other words than those of the status."""
    return lambda _: [Reply(status, body) for body in _UNREADABLE.values() for status in statuses]


def _part_of_a_limit(_: Subject) -> list[Reply]:
    """Tell of a part, or of a delivery, in words and numbers about a limit."""
    bodies: tuple[object, ...] = (
        {"message": "Only 2 requests were allowed, 3 were over the limit"},
        {"message": "Limit reached after 2 requests"},
        {"message": "Too many requests. Limit reached at number 3"},
        {"message": "The request has reached the user. Limit reached"},
        {"message": "Too many requests", "allowed": 2},
        {"message": "Too many requests", "failed": 0},
        {"status": "retrying"},
        {"message": "Throttled. Retrying your request in 30 seconds"},
        {"message": "Too many requests", "errors": {"2": ["Too many requests"]}},
    )
    return [Reply.of_json(body, 429) for body in bodies]


def _page(*statuses: int) -> Doubt:
    page = "<title>Blocked</title><h1>Request blocked</h1>"
    return lambda _: [Reply.of_html(page, status) for status in statuses]


DOUBTS: Mapping[str, Doubt] = {
    **{f"{name}-beside-a-refusal": _beside(sign) for name, sign in _SIGNS.items()},
    "quoted-in-a-longer-text": _in_longer_texts,
    "a-list-beside-its-text": _beside_each_text(["The first of them is out"]),
    "a-number-beside-its-text": _beside_each_text(8812, True),
    "with-a-server-error": _with_status(500, 502, 503, 504, 520),
    "with-another-redirection": _with_status(300, 302, 303, 304),
    # Alone, each of these proves that nothing was sent.
    "in-words-of-its-own": _in_own_words(301, 307, 308, 404, 405, 413, 429),
    "in-part-by-a-limit": _part_of_a_limit,
    "in-a-form-that-nobody-reads": _unread(404, 429),
    # It may have read the gateway's answer before it wrote its own.
    "a-wall-in-front": _page(401, 403),
    "sent-in-a-page": lambda _: [
        Reply.of_html("<h1>Your message was sent</h1>", status)
        for status in (200, 401, 403, 404, 405, 413, 429)
    ],
}
"""Answers after which nobody may be taken as not sent."""


PartlyDoubt = Callable[[Reply, str], Reply]
"""Changes an answer that refuses some; it gets the number of the first, who is refused."""


def _with_sign(sign: Mapping[str, object], *, in_root: bool) -> PartlyDoubt:
    """Put a sign into what names a recipient, or beside everything."""

    def put(data: object, number: str) -> object:
        if is_object(data):
            names = any(isinstance(value, str) and number in value for value in data.values())
            changed = {key: put(value, number) for key, value in data.items()}
            return {**changed, **sign} if names else changed
        return [put(value, number) for value in data] if is_array(data) else data

    def change(reply: Reply, number: str) -> Reply:
        body = _body(reply)
        if in_root and is_object(body):
            return _with_body(reply, {**body, **sign})
        return _with_body(reply, put(body, number))

    return change


def _with_a_name_twice(reply: Reply, _: str) -> Reply:
    return evolve(reply, body=reply.body.replace(b"{", b'{"twice": null, "twice": null, ', 1))


_UNDERSTOOD_BY_NOBODY: Mapping[str, Mapping[str, object]] = {
    "a-time-out": {"exception": "cURL error 28: Operation timed out"},
    "a-count-nobody-knows": {"stored": 1},
    "a-report": {"report": "8812"},
}

PARTLY_DOUBTS: Mapping[str, PartlyDoubt] = {
    **{
        f"{name}-beside": _with_sign(more, in_root=True)
        for name, more in _UNDERSTOOD_BY_NOBODY.items()
    },
    **{
        f"{name}-{place}": _with_sign(_SIGNS[name], in_root=place == "beside")
        for name in ("an-id", "a-reference", "a-state", "a-count")
        for place in ("in-it", "beside")
        # Beside a list, another `data` would take the list's place.
        if place == "in-it" or "data" not in _SIGNS[name]
    },
    "an-id-in-the-header": lambda reply, _: reply.with_headers(X_Message_Id="m-8d1f"),
    "a-name-twice": _with_a_name_twice,
    "with-a-server-error": lambda reply, _: evolve(reply, status=500),
}
"""Changes to an answer that refuses some, after which nobody may be taken as not sent."""


# What gateways write where there is no id, or none any more.
NO_IDS: Sequence[object] = (0, "0", -1, "", " ", "null", "None", "undefined", "false", "error")


def without_its_id(reply: Reply, message_id: str) -> list[Reply]:
    """Return a success once with each of what stands for no id, in place of its own."""

    def put(data: object, no_id: object) -> object:
        if is_object(data):
            return {key: put(value, no_id) for key, value in data.items()}
        if is_array(data):
            return [put(value, no_id) for value in data]
        plain = isinstance(data, (str, int)) and not isinstance(data, bool)
        return no_id if plain and str(data) == message_id else data

    body = _body(reply)
    return [_with_body(reply, put(body, no_id)) for no_id in NO_IDS]


def _body(reply: Reply) -> object:
    try:
        return json.loads(reply.body)
    except ValueError:
        return None


def _with_body(reply: Reply, body: object) -> Reply:
    return evolve(reply, body=json.dumps(body))


def _changed(data: object, change: Callable[[str], object]) -> Iterator[object]:
    """Return the data once for each text in it, with something else in its place."""
    if isinstance(data, str):
        yield change(data)
    elif is_object(data):
        for key, value in data.items():
            for changed in _changed(value, change):
                yield {**data, key: changed}
    elif is_array(data):
        for place, value in enumerate(data):
            for changed in _changed(value, change):
                yield [*data[:place], changed, *data[place + 1 :]]


def with_an_error(reply: Reply) -> list[Reply]:
    """Return a success with an error: beside it, or in each entry where it is a list."""
    body = _body(reply)
    errors: Sequence[Mapping[str, object]] = ({"error": "Busy"}, {"errors": ["Busy"]})
    if is_object(body):
        return [_with_body(reply, {**body, **error}) for error in errors]
    if is_array(body) and body and all(map(is_object, body)):
        return [_with_body(reply, [{**entry, **error} for entry in body]) for error in errors]
    return []
