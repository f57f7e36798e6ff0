from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iprog_async import (
    ConfigurationError,
    InvalidMessageError,
    Message,
    NotSent,
    Outcome,
    Rate,
    RejectedError,
    Unknown,
)
from iprog_async._core.redaction import Redactor
from iprog_async._engines.base import WireReply
from iprog_async._http.codec import decode, encode
from iprog_async._http.responses import encode_call, read_result
from iprog_async.adapter import NOT_JSON, Answer, Effect, Gateway, HttpCall, UnclearAnswer


def gateway(base_url: str = "https://sms.example", **details: Any) -> Gateway:
    """Return a gateway."""
    return Gateway("x", base_url, ("S3CRET",), **details)


def call(**details: Any) -> HttpCall[Answer]:
    """Return a call that returns its answer."""
    return HttpCall(gateway(headers=(("A", "1"),)), "POST", "/send", _same, "send", **details)


def _same(answer: Answer) -> Answer:
    return answer


@pytest.mark.parametrize(
    ("given_as", "expected"),
    [
        ("https://sms.example/", "https://sms.example"),
        (" http://127.0.0.1:8000/iprog/\n", "http://127.0.0.1:8000/iprog"),
        ("http://[::1]:1", "http://[::1]:1"),
        ("http://[fe80::1%eth0]:8080", "http://[fe80::1%eth0]:8080"),
        ("https://sms.example.", "https://sms.example"),
        ("https://sms.example/a.", "https://sms.example/a"),
        ("https://sms_1.example:0443/ü", "https://sms_1.example:0443/ü"),
        ("https://höst.example", "https://höst.example"),
    ],
)
def test_base_urls(given_as: str, expected: str) -> None:
    """Spaces around go, and slashes or a sentence's dot at the end."""
    assert expected == gateway(given_as).base_url


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "sms.example",
        "ftp://sms.example",
        "https://",
        "https://sms.example:port",
        "https://sms.example:99999",
        "https://sms.example:0",
        "https://[::1",
        "https://a b",
        "https://sms.exa\tmple",
        "https:///path",
        "https://256.1.1.1",
        "https://10.1",
        "https://10.0.0.1.2",
        "https://[::g]",
        "https://[::1]x:80",
        "https://sms..example",
        "https://*.sms.example",
        "https://sms.example\\api",
        "https://sms.example/a\\b",
        "https://sms\u00a0.example",
        "https://\u200d.example",
        "https://sms\uff0eexample",
        "https://sms.example\uff0e",
        "https://" + "a" * 64 + ".example",
        "https://" + "a.a" * 100,
        "https://sms.example/" + "a" * 2000,
        "https://%73ms.example",
        "https://sms.example/..",
        "https://sms.example/./a",
        "https://sms.example/a/../b",
    ],
)
def test_what_is_no_base_url_is_refused(wrong: str) -> None:
    """A wrong address shows when the provider is made, not at the first text."""
    with pytest.raises(ConfigurationError, match="is no http"):
        gateway(wrong)


@given(st.text("aA1.-_:/[]%\\*ü٣@ \u200d\uff0e", max_size=20))
def test_base_url_that_is_taken_can_be_opened(rest: str) -> None:
    """What is taken leads httpx, whose reading is that of both engines, to the same host."""
    try:
        taken = gateway(f"https://{rest}").base_url
    except ConfigurationError:
        return
    seen = httpx.URL(f"{taken}/send")
    parts = urlsplit(taken)

    assert (parts.hostname, parts.port or 443) == (seen.host, seen.port or 443)
    assert unquote(f"{parts.path}/send") == seen.path


@pytest.mark.parametrize(
    "wrong",
    [
        "https://user:S3CRET@sms.example",
        "S3CRET@sms.example",
        "iprog://S3CRET@",
        "https://sms.example/?token=S3CRET",
        "https://sms.example/#S3CRET",
    ],
)
def test_base_url_with_a_credential_is_not_shown(wrong: str) -> None:
    """What may be a credential is refused without repeating it."""
    with pytest.raises(ConfigurationError, match="must hold no credentials") as caught:
        gateway(wrong)

    assert "S3CRET" not in str(caught.value)


def test_request_too_long_for_an_address_is_refused() -> None:
    """No gateway takes so much in a query: the text is at fault, and not the network."""
    with pytest.raises(InvalidMessageError, match="too long to travel in an address"):
        encode_call(call(query={"text": "x" * 66_000}), "me")


def test_reprs_show_no_secret() -> None:
    """Gateways, calls, requests and answers can be logged."""
    shown = call(
        query={"t": "S3CRET"}, json={"t": "S3CRET"}, secrets=("S3CRET",), headers=(("K", "S3CRET"),)
    )
    answer = Answer(200, {"set-cookie": "S3CRET"}, "S3CRET")

    assert "S3CRET" not in repr([gateway(), shown, encode(shown, "agent"), answer])


def test_accounts_are_equal_by_host_and_credentials() -> None:
    """Two providers of one account share its rate, whatever they are called."""
    other = Gateway("y", "http://sms.example/path", ("S3CRET",), Rate(1))

    assert gateway().account == other.account
    assert gateway().account != Gateway("x", "https://sms.example", ("other",)).account


def test_json_goes_out_as_utf_8() -> None:
    """The body is compact JSON with its type, after the gateway's and the call's headers."""
    request = encode(call(json={"message": "ça"}, headers=(("B", "2"),)), "agent")

    assert '{"message":"ça"}'.encode() == request.content
    assert (
        ("A", "1"),
        ("B", "2"),
        ("User-Agent", "agent"),
        ("Content-Type", "application/json"),
    ) == request.headers
    assert ("POST", "https://sms.example/send", False) == (
        request.method,
        request.url,
        request.has_query,
    )


def test_form_and_query_are_percent_encoded() -> None:
    """Every value can travel, in the order given."""
    request = encode(call(query={"b": "1|2", "a": "ç &"}, form={"m": "a+b\n"}), "agent")

    assert "https://sms.example/send?b=1%7C2&a=%C3%A7+%26" == request.url
    assert b"m=a%2Bb%0A" == request.content
    assert ("Content-Type", "application/x-www-form-urlencoded") in request.headers
    assert request.has_query


def test_nothing_to_send_is_no_body() -> None:
    """Without JSON and form there is neither body nor type."""
    request = encode(call(), "agent")

    assert (b"", (("A", "1"), ("User-Agent", "agent"))) == (request.content, request.headers)


@pytest.mark.parametrize("name", ["User-Agent", "user-agent"])
def test_own_agent_of_a_call_goes_before_the_usual_one(name: str) -> None:
    """A header field that the adapter sets itself is the only one of its name."""
    of_call = encode(call(headers=((name, "theirs"),)), "agent")
    of_gateway = Gateway("x", "https://sms.example", ("S3CRET",), None, ((name, "theirs"),))

    assert [(name, "theirs")] == [
        each for each in of_call.headers if each[0].lower() == name.lower()
    ]
    assert of_gateway.names_agent


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "HTTP 200 with a body that is no JSON"),
        (b"<html>", "an HTML page"),
        (b'{"a": NaN}', "no JSON: "),
        (b'{"a": 1', "no JSON: "),
        (b"\xff\xfe\xff", "no JSON: "),
        (b"[1]", r"JSON that is no object: '\[1\]'"),
        (b"null", "JSON that is no object: 'null'"),
        (b"9" * 5000, "no JSON: '999"),
    ],
)
def test_answer_that_is_no_object_is_unclear(body: bytes, why: str) -> None:
    """The reason quotes the start of what came instead."""
    with pytest.raises(UnclearAnswer, match=why):
        decode(WireReply(200, {}, body), Redactor(())).object()


def test_answer_with_a_byte_order_mark_is_read() -> None:
    """Some servers begin JSON with a mark that is none of JSON's."""
    assert {"a": 1} == decode(WireReply(200, {}, b'\xef\xbb\xbf{"a":1}'), Redactor(())).object()


def test_not_json_is_no_value_of_json() -> None:
    """The mark can't be mistaken for an answer."""
    assert "NOT_JSON" == repr(NOT_JSON)
    assert NOT_JSON is decode(WireReply(200, {}, b"{"), Redactor(())).data


@given(st.binary(), st.integers(0, 999))
def test_decoding_never_raises(body: bytes, status: int) -> None:
    """Any bytes become an answer."""
    assert status == decode(WireReply(status, {}, body), Redactor(("S3CRET",))).status


def test_effects_are_once_unless_said_otherwise() -> None:
    """Whoever forgets to think about repetition gets the safe choice."""
    assert Effect.ONCE is call().effect


def test_secrets_of_a_call_add_to_those_of_the_account() -> None:
    """A one-time password is masked along with the token."""
    assert "*** ***" == call(secrets=("123456",)).redactor().text("S3CRET 123456")


@pytest.mark.parametrize("header", ["x-message-id", "x-sms-sent", "x-message-status"])
def test_a_header_field_that_tells_of_a_text_leaves_a_refusal_unproven(header: str) -> None:
    """It may be an id, a count or a state, and the error says no more than is known."""

    def refused(answer: Answer) -> list[Outcome]:
        error = RejectedError(f"HTTP {answer.status}", provider="x")
        return [NotSent(0, Message("0701234500", "Hi"), error)]

    send = HttpCall(gateway(), "POST", "/send", refused, "send")
    (found,) = read_result(send, WireReply(200, {header: "sent"}, b"{}"), send.redactor())
    assert isinstance(found, Unknown)
    assert "an answer whose header tells of a text" == getattr(found.error, "reason", None)
