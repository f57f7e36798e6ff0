"""What may meet a send, as data: each entry finds the step of a raw gateway for an adapter."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from iprog_async._core.json_types import is_object
from iprog_async.testing._contract.case import Subject
from iprog_async.testing._raw_gateway.behaviours import (
    Step,
    drop,
    drop_on_arrival,
    hang_up,
    silence,
    truncate,
)
from iprog_async.testing._raw_gateway.messages import RawRequest, Reply


Loss = Callable[[Subject], Step]

HTML = "<!doctype html><title>Oops</title><h1>Something went wrong</h1>"

LOSSES: Mapping[str, Loss] = {
    "503-after-accepting": lambda _: Reply.of_html(HTML, 503),
    "500-empty": lambda _: Reply(500),
    "502-of-a-proxy": lambda _: Reply.of_html(HTML, 502),
    "500-of-the-framework": lambda _: Reply.of_json({"message": "Server Error"}, 500),
    "503-around-a-success": lambda subject: Reply(503, subject.success().body),
    "dropped": lambda _: drop(),
    "reset": lambda _: drop(reset=True),
    "dropped-on-arrival": lambda _: drop_on_arrival(),
    "truncated-success": lambda subject: truncate(subject.success()),
    "html-in-a-200": lambda _: Reply.of_html(HTML),
    "200-empty": lambda _: Reply(200),
    "200-null": lambda _: Reply.of_json(None),
    "200-list": lambda _: Reply.of_json([]),
    "200-object": lambda _: Reply.of_json({}),
    "200-surprise": lambda _: Reply.of_json({"status": {"success": [True]}, "data": 3}),
    "unknown-error-text": lambda subject: subject.case.unknown_error,
}
"""Answers, or the lack of one, after which a text may be on its way."""


def _echo(request: RawRequest) -> str:
    headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
    return f"{request.method} {request.target}\n{headers}\n\n{request.body.decode()}"


def _echo_in_html(request: RawRequest) -> Reply:
    return Reply.of_html(f"<h1>Whoops</h1><pre>{_echo(request)}</pre>", 500)


def _echo_in_json(request: RawRequest) -> Reply:
    return Reply.of_json({"status": "error", "message": _echo(request)})


def _echo_in_limit(request: RawRequest) -> Reply:
    # For longer than anybody waits, so that the error is shown.
    return Reply.of_json({"message": _echo(request)}, 429, {"Retry-After": "86400"})


def _echo_in_success(subject: Subject) -> Step:
    def play(request: RawRequest) -> Reply:
        body = json.loads(subject.accept(request).body)
        return Reply.of_json({**body, "request": _echo(request)} if is_object(body) else body)

    return play


def _echo_in_body(request: RawRequest) -> Reply:
    return Reply.of_html(request.body.decode(), 401)


ENCOUNTERS: Mapping[str, Loss] = {
    **{name: LOSSES[name] for name in ("503-after-accepting", "dropped", "unknown-error-text")},
    "success": lambda subject: subject.success(),
    "refusal": lambda subject: subject.case.refusal,
    "html-in-a-200": LOSSES["html-in-a-200"],
    "truncated-success": LOSSES["truncated-success"],
    "silence": lambda _: silence(),
    "hang-up": lambda _: hang_up(),
    "secret-in-a-header": lambda subject: subject.case.refusal.with_headers(
        X_Message_Id=subject.case.secrets[0]
    ),
    "redirect": lambda _: Reply(302, "", {"Location": "/elsewhere"}),
    "request-quoted-in-html": lambda _: _echo_in_html,
    "request-quoted-in-json": lambda _: _echo_in_json,
    "request-quoted-with-429": lambda _: _echo_in_limit,
    "request-quoted-in-success": _echo_in_success,
    "body-quoted-with-401": lambda _: _echo_in_body,
}
"""One of each kind of what may meet a send, as far as it differs in what there is to show."""
