"""What of an exchange is shown: no secret, and not more than a page can bear."""

import json
from typing import Any

import pytest

from iprog_async.sandbox._inbox.masking import shown
from iprog_async.sandbox._inbox.secret_names import mask_loosely
from iprog_async.sandbox._simulation.exchange import Exchange


FORM = (b"content-type", b"application/x-www-form-urlencoded")


def seen(body: bytes, *headers: tuple[bytes, bytes], secrets: tuple[str, ...] = ()) -> str:
    """Return what is shown of a request's body."""
    exchange = Exchange("POST", "/toy/send", b"", list(headers), body)
    return str(shown(exchange, secrets)["body"])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('"otp_code":"12 34"', '"otp_code":***'),
        ('{"otp_code":"12 34", "to": "63"', '{"otp_code":***, "to": "63"'),
        ('{"password":"half a pass', '{"password":***'),
        ('{"password":"it\'s a \\"pass\\", ok", "n": 1', '{"password":***, "n": 1'),
        ("{'token': 'a b', 'to': '63'", "{'token': ***, 'to': '63'"),
        ('{"token": ["abc", "tok"]}, ', '{"token": ***'),
        ('{"to": 1, "secret": {"a": "b"}, ', '{"to": 1, "secret": ***'),
        ('{"otp_code": 123456, "message": "hi', '{"otp_code": ***, "message": "hi'),
        ('{"data": "{\\"otp_code\\":\\"1234\\"', '{"data": "{\\"otp_code\\":***'),
        ("Authorization: Bearer abc def\nto: 63", "Authorization: ***\nto: 63"),
        ("token=abc&to=63&password=a,b", "token=***&to=63&password=***"),
        ('{"message": "the password=abc', '{"message": "the password=***'),
        ('{"token":', '{"token":***'),
        (f"{'a' * 100}_token=abc", f"{'a' * 100}_token=***"),
        ("nothing: here, to=see", "nothing: here, to=see"),
    ],
)
def test_no_tail_of_a_secret_is_left(body: str, expected: str) -> None:
    """In what is no whole JSON a secret's value is masked to its end, wherever that is."""
    assert expected == seen(body.encode()) == mask_loosely(body)


@pytest.mark.timeout(120)  # the square of the length would take a quarter of an hour
@pytest.mark.parametrize(
    "body",
    ["a" * 200_000, "a-" * 100_000, "a " * 100_000, "token=" + " " * 200_000, "a" + "\\" * 200_000],
)
def test_no_body_takes_long(body: str) -> None:
    """The time that a long body takes grows with its length alone."""
    assert "bytes in all" in seen(body.encode())
    assert mask_loosely(body)[:1] == body[:1]


def test_large_body_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a body above the limit its masked beginning and its length are shown."""

    def parse(text: str) -> None:
        # The answer, which is empty, may be.
        assert "" == text

    body = json.dumps({"api_token": "sesame-1", "to": [f"63{n}" for n in range(60_000)]}).encode()
    monkeypatch.setattr(json, "loads", parse)
    text = seen(body)
    assert text.startswith('{"api_token": ***, "to": ["630", "631", ')
    assert text.endswith(f"\n… {len(body):,} bytes in all")
    assert len(text) < 21_000


def test_large_form_is_masked() -> None:
    """A form above the limit is shown as one, without its secrets."""
    body = b"token=sesame-1&text=" + b"x" * 300_000
    text = seen(body, FORM)
    assert text.startswith("token=***&\ntext=xxx")
    assert text.endswith("\n… 300,020 bytes in all")


def test_nested_body_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data that would be a thousand times as long when indented is not written out."""
    depth = 200
    body = "[" * depth + ",".join("1" * 100_000) + "]" * depth
    written = 0
    join = json.JSONEncoder.iterencode

    def counted(self: json.JSONEncoder, data: object) -> Any:
        nonlocal written
        for part in join(self, data):
            written += len(part)
            yield part

    monkeypatch.setattr(json.JSONEncoder, "iterencode", counted)
    assert "bytes in all" in seen(body.encode())
    assert 20_000 < written < 200_000


def test_secret_at_the_cut_is_not_halved() -> None:
    """No part of a secret is shown where what is shown ends, however it falls."""
    secret = "sesame-open-now"
    for start in range(19_970, 20_030):
        text = "x" * start + secret + "x" * 100_000
        assert "ses" not in seen(text.encode(), secrets=(secret,))


def test_no_more_than_a_hundred_found_secrets_are_looked_for() -> None:
    """However many secrets a body names, all are masked there and a hundred elsewhere too."""
    data = {"list": [{"token": f"secret-{n:04}"} for n in range(2000)]}
    exchange = Exchange("POST", "/toy/send", b"", [], json.dumps(data).encode())
    exchange.answer += b"first secret-0000, last secret-1999"
    told = shown(exchange, ())
    assert "secret-" not in told["body"]
    assert "first ***, last secret-1999" == told["answer"]["body"]


def test_flag_hides_no_words() -> None:
    """A secret's name with true or false behind it does not mask that word elsewhere."""
    body = b'{"has_password": true, "text": "True or False", "token": "sesame-1"}'
    told = json.loads(seen(body))
    assert {"has_password": "***", "text": "True or False", "token": "***"} == told
