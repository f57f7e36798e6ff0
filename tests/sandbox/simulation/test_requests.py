import pytest
from starlette.requests import Request

from iprog_async.sandbox import bearer_token, read_fields, read_json


def request(body: bytes = b"", *, query: str = "", **headers: str) -> Request:
    """Build a request as a server would."""
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": query.encode(),
        "headers": fields,
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(scope, receive)


FORM = "application/x-www-form-urlencoded; charset=utf-8"


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        (request(query="to=1&text=a+b%21&text=c"), {"to": "1", "text": "c"}),
        (request(b'{"to": "2"}', query="to=1&text=x"), {"to": "2", "text": "x"}),
        (request(b"to=2&empty=", query="to=1", content_type=FORM), {"to": "2", "empty": ""}),
        (request(b'{"a": 1, "b": 1.5, "c": true}'), {"a": "1", "b": "1.5", "c": "true"}),
        (request(b'{"a": null, "b": "null"}'), {"b": "null"}),
        (request(b'{"to": ["1", 2], "no": []}'), {"to": "1,2", "no": ""}),
        (request(b'{"a": {"b": "\xc3\xb1"}}'), {"a": '{"b": "ñ"}'}),
        (request(b'[{"to": "1"}]'), {}),
        (request(b'{"a": [{"b": 1}]}'), {"a": '[{"b": 1}]'}),
        (request(b"\xff\xfe\x00\xd8"), {}),
        (request(b"[" * 100_000), {}),
        (request(b'{"a": "\\ud83d"}'), {"a": "?"}),
        (request(b"a=%ff\xff", content_type=FORM), {"a": "\ufffd\ufffd"}),
        (request(query="a=1", host="["), {"a": "1"}),
    ],
)
async def test_fields_come_from_everywhere(given: Request, fields: dict[str, str]) -> None:
    """Fields of query, form and JSON become text, and what can't be read has none."""
    assert fields == await read_fields(given)


@pytest.mark.parametrize(
    ("body", "data"), [(b'{"a": [1]}', {"a": [1]}), (b"[1]", {}), (b"{", {}), (b"", {})]
)
async def test_json_is_an_object_or_empty(body: bytes, data: object) -> None:
    """The JSON of a body is an object, if need be an empty one."""
    assert data == await read_json(request(body))


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer 7|abc", "7|abc"),
        ("bearer  7|abc ", "7|abc"),
        ("Basic dTpw", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("", None),
    ],
)
def test_bearer_token_is_found(header: str, token: str | None) -> None:
    """A bearer token is what stands behind the scheme, in any case; else there is none."""
    assert token == bearer_token(request(authorization=header))


def test_no_header_is_no_token() -> None:
    """Without the header there is no token."""
    assert bearer_token(request()) is None
