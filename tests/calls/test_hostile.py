from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.core.fakes import NUMBER, TOKEN, Wire

from iprog_async import AuthenticationError, Message, OutcomeUnknownError, RetryPolicy, SmsError


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner) | st.dictionaries(st.text(), inner)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    _containers,
    max_leaves=8,
)
VALUES: list[Any] = [200, "200", "success", "error", 500, None, True, [], {}, "a,b", TOKEN, -1]
# Keys and values that the reading looks for, in every wrong combination.
NEAR_MISS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(
        ["status", "message", "message_id", "message_ids", "data", "errors", "sms_rate"]
    ),
    st.sampled_from(VALUES) | JSON,
)
BODIES = st.one_of(
    st.binary(max_size=200),
    JSON.map(lambda data: json.dumps(data).encode()),
    NEAR_MISS.map(lambda data: json.dumps(data).encode()),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["retry-after", "date", "content-encoding", "content-length", "x-ratelimit-remaining"]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126))
    | st.sampled_from(["0", "-1", "1e999", "gzip", "br", "nan", "99999999999999999999"]),
)


class Raw(httpx.AsyncByteStream):
    """A body as it comes off the wire."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


@pytest.mark.slow
@given(
    st.integers(100, 999), HEADERS, BODIES, st.sampled_from(["send", "many", "status", "balance"])
)
async def test_only_errors_of_the_library_come_out(
    status: int, headers: dict[str, str], body: bytes, operation: str
) -> None:
    """Any bytes, any JSON, any status and headers: a value or an `SmsError`, with no secret."""
    wire = Wire(lambda _: httpx.Response(status, headers=headers, stream=Raw(body)))
    async with wire.client(retry=RetryPolicy(attempts=2)) as client:
        try:
            if operation == "send":
                shown = repr(await client.send(NUMBER, "Hi"))
            elif operation == "status":
                shown = repr(await client.status("iprog:1"))
            elif operation == "balance":
                shown = repr(await client.balance())
            else:
                two = [Message(NUMBER, "Hi"), Message("0918 123 4567", "Hi")]
                async with client.send_many(two) as run:
                    shown = repr([outcome async for outcome in run])
        except SmsError as exc:
            shown = f"{exc!r} {exc} {vars(exc)}"

    assert TOKEN not in shown
    assert 0 == wire.pool.in_flight


async def test_deep_json_is_no_answer() -> None:
    """Nesting beyond the stack is an unknown outcome, not a crash."""
    for depth in (500, 990, 100_000):
        body = b'{"message":' * depth + b"1" + b"}" * depth
        wire = Wire(httpx.Response(200, content=body))
        async with wire.client() as client:
            with pytest.raises(OutcomeUnknownError):
                await client.send(NUMBER, "Hi")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"status": 500, "message": "Invalid api token"}', AuthenticationError),
        (b'{"status": 200, "status": 500, "message": "Invalid api token"}', OutcomeUnknownError),
        (
            b'{"status": 500, "message": "Queued", "message": "Invalid api token"}',
            OutcomeUnknownError,
        ),
        (
            b'{"message_id": "iSms-1", "message_id": "", "status": 500, '
            b'"message": "Invalid api token"}',
            OutcomeUnknownError,
        ),
    ],
)
async def test_an_answer_with_two_values_of_one_name_proves_nothing(
    body: bytes, error: type[SmsError]
) -> None:
    """A reader of JSON sees the last of them only; the other one may say that it was sent."""
    async with Wire(lambda _: httpx.Response(200, content=body)).client() as client:
        with pytest.raises(error):
            await client.send(NUMBER, "Hi")
