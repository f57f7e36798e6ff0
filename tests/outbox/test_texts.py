"""A text is checked when it is enqueued, as far as that is possible without a gateway."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from iprog_async import (
    ConfigurationError,
    ExpiredError,
    InvalidMessageError,
    Message,
    SmsError,
    UnsupportedError,
)
from iprog_async._journal.enqueuing.enqueue import Target
from iprog_async._journal.enqueuing.texts import to_request


NUMBER = "+639171234567"


def request_of(message: Message, **arguments: Any) -> dict[str, Any]:
    """Return what the database is asked."""
    settings: dict[str, Any] = {"region": None, "max_age": None, "journal": None} | arguments
    asked: dict[str, Any] = json.loads(to_request(message, campaign="june", **settings))
    return asked


def test_request_holds_what_is_sent_and_nothing_that_is_not_given() -> None:
    """A plain text has number, key and text."""
    assert {
        "campaign": "june",
        "journal": None,
        "texts": [{"number": NUMBER, "key": "k", "text": "Hi"}],
    } == request_of(Message(NUMBER, "Hi", key="k"))


@pytest.mark.parametrize(
    ("written", "region"),
    [
        ("0917 123 4567", "PH"),
        ("0917 123 4567", "ph"),
        ("+63 917 123 4567", None),
        ("+63 917 123 4567", "UG"),
        ("639171234567", None),
    ],
)
def test_number_is_read_once_and_for_all(written: str, region: str | None) -> None:
    """However it is written, it is kept as E.164: with the key it is the text's identity."""
    (text,) = request_of(Message(written, "Hi", key="k"), region=region)["texts"]
    assert NUMBER == text["number"]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Message("0917 123 4567", "Hi", key="k"), "country code"),
        (Message("", "Hi", key="k"), "phone number is empty"),
        (Message(917, "Hi", key="k"), "is of type int"),  # type: ignore[arg-type]
        (Message(NUMBER, " ", key="k"), "is empty"),
        (Message(NUMBER, None, key="k"), "is empty"),  # type: ignore[arg-type]
        (Message(NUMBER, "H\0i", key="k"), "the character 0"),
        (Message(NUMBER, "H\ud83di", key="k"), "half a character"),
        (Message(NUMBER, "Hi"), "needs a key"),
        (Message(NUMBER, "Hi", key=""), "needs a key"),
        (Message(NUMBER, "Hi", key=42), "needs a key"),  # type: ignore[arg-type]
        (Message(NUMBER, "Hi", key="a\0b"), "can't be stored"),
        (Message(NUMBER, "Hi", key="a\ud83db"), "can't be stored"),
        (Message(NUMBER, "Hi", key="k", sender_id="much too long a name"), "sender ID"),
        (Message(NUMBER, "Hi", key="k", schedule_at=datetime(2999, 1, 1)), "time zone"),
    ],
)
def test_message_that_no_gateway_could_send_is_refused(message: Message, words: str) -> None:
    """It never gets into the transaction, and the error names what is wrong."""
    with pytest.raises(InvalidMessageError, match=words):
        request_of(message)


def test_options_of_an_adapter_are_refused() -> None:
    """They are a Python object, which can't be kept; the error says where to set them."""
    with pytest.raises(UnsupportedError, match="on the provider that sends"):
        request_of(Message(NUMBER, "Hi", key="k", options=object()))


def test_encoding_of_a_message_is_refused() -> None:
    """It would be forgotten, and the text sent otherwise than it was asked for."""
    with pytest.raises(UnsupportedError, match="encoding"):
        request_of(Message(NUMBER, "Hi", key="k", encoding="gsm-7"))


@pytest.mark.parametrize("max_age", [timedelta(0), timedelta(-1), 60, "60"])
def test_age_that_is_none_is_refused(max_age: object) -> None:
    """It is a timedelta of more than zero."""
    with pytest.raises(ConfigurationError, match="max_age= is a timedelta"):
        request_of(Message(NUMBER, "Hi", key="k"), max_age=max_age)


@pytest.mark.parametrize(
    ("max_age", "not_after", "least", "most"),
    [
        (60, None, 60, 60),
        (None, 3600, 3500, 3600),
        (60, 3600, 60, 60),
        (7200, 3600, 3500, 3600),
    ],
)
def test_the_sooner_end_of_a_text_is_kept(
    max_age: int | None, not_after: int | None, least: int, most: int
) -> None:
    """As seconds from now: the database's clock may be another than this machine's."""
    age = None if max_age is None else timedelta(seconds=max_age)
    end = None if not_after is None else datetime.now(UTC) + timedelta(seconds=not_after)
    (text,) = request_of(Message(NUMBER, "Hi", key="k", not_after=end), max_age=age)["texts"]

    assert least <= text["max_age"] <= most


@pytest.mark.parametrize(
    ("message", "kind", "words"),
    [
        (Message(NUMBER, "Hi", not_after=datetime(2001, 1, 1, tzinfo=UTC)), ExpiredError, "not en"),
        (
            Message(NUMBER, "Hi", not_after=datetime(2999, 1, 1)),
            InvalidMessageError,
            "no time zone",
        ),
        (
            Message(
                NUMBER,
                "Hi",
                schedule_at=datetime(2999, 1, 2, tzinfo=UTC),
                not_after=datetime(2999, 1, 1, tzinfo=UTC),
            ),
            InvalidMessageError,
            "is later than not_after",
        ),
    ],
)
def test_an_end_that_makes_no_sense_is_refused(
    message: Message, kind: type[SmsError], words: str
) -> None:
    """What could never be sent in time does not get into the transaction."""
    with pytest.raises(kind, match=words):
        request_of(evolve(message, key="k"), max_age=timedelta(minutes=5))


def test_what_is_no_message_is_refused() -> None:
    """The error shows how a message is written."""
    with pytest.raises(ConfigurationError, match=r"Message\(to, text, key=…\), not str"):
        request_of("Hi")  # type: ignore[arg-type]


@pytest.mark.parametrize("schema", ["", "Sms", 'a"b', "a b", "a" * 64])
def test_schema_that_can_be_none_is_refused(schema: str) -> None:
    """Its name goes into the statement, so it is letters, digits and _."""
    with pytest.raises(ConfigurationError, match="has to be a name of small letters"):
        _ = Target(schema, "").function
