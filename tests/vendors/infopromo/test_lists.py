"""What a list in Ultimate SMS's answer proves of those on it, and of those who are not."""

from __future__ import annotations

import pytest
import respx
from support.infopromo.outcomes import BAD_NUMBER, COUNTRY, outcomes
from support.infopromo.wire import FIRST_WIRE, SECOND_WIRE, error, messages, success

from iprog_async import Accepted, NotSent, Unknown


def report(to: str) -> dict[str, object]:
    """Return what a list says of one text."""
    return {"uid": f"u{to[-2:]}", "to": to, "customer_status": "Delivered", "cost": "1"}


@pytest.mark.parametrize("status", [200, 403, 404])
async def test_error_with_a_list_is_read_by_the_list(
    respx_mock: respx.MockRouter, status: int
) -> None:
    """Whom an error lists was texted, whom its words name was not, and others are unknown."""
    batch = messages(4)
    listed = [report(to) for to in (SECOND_WIRE, "31612340000")]
    found = await outcomes(respx_mock, status, {**error(BAD_NUMBER), "data": listed}, 4)

    assert len(batch) == len(found)
    assert [outcome.state for outcome in found] == ["not_sent", "accepted", "accepted", "unknown"]
    assert isinstance(found[1], Accepted)
    assert ("u68", "sent") == (found[1].receipt.message_id, found[1].receipt.status.state)


@pytest.mark.parametrize(
    "message", [f"{BAD_NUMBER}; upstream timed out", f"{FIRST_WIRE} was queued", "1 failed"]
)
async def test_words_that_speak_of_sending_refuse_nobody(
    respx_mock: respx.MockRouter, message: str
) -> None:
    """Who is not listed is refused only by words that speak of nothing as sent or lost."""
    body = {**error(message), "data": [report(SECOND_WIRE)]}
    found = await outcomes(respx_mock, 403, body, 2)

    assert [outcome.state for outcome in found] == ["unknown", "accepted"]


@pytest.mark.parametrize(
    ("reason", "healable"),
    [
        (BAD_NUMBER, False),
        (f"{COUNTRY} Message is scheduled successfully.", True),
    ],
)
async def test_one_of_many_is_refused_as_one_alone(
    respx_mock: respx.MockRouter, reason: str, healable: bool
) -> None:
    """A country that is not enabled may be at another gateway; a bad number is bad anywhere."""
    first, _ = await outcomes(respx_mock, 200, success([report(SECOND_WIRE)], reason), 2)

    assert isinstance(first, NotSent)
    assert (healable, "recipient") == (first.error.healable, first.error.blame)


@pytest.mark.parametrize("envelope", [success(None, BAD_NUMBER), error(BAD_NUMBER)])
async def test_more_than_the_envelope_refuses_nobody(
    respx_mock: respx.MockRouter, envelope: dict[str, object]
) -> None:
    """Beside fields that no server was seen to give, who is not listed is unknown."""
    body = {**envelope, "data": [report(SECOND_WIRE)], "sent": 2}
    found = await outcomes(respx_mock, 200, body, 2)

    assert [outcome.state for outcome in found] == ["unknown", "accepted"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"uid": "a1"}, "accepted"),
        ({"status": "Delivered"}, "accepted"),
        ({"customer_status": "Failed"}, "accepted"),
        ({"status": "Invalid number"}, "unknown"),
        ({"error": "Invalid number"}, "unknown"),
        ({}, "unknown"),
    ],
)
async def test_what_an_error_lists_has_to_be_a_report(
    respx_mock: respx.MockRouter, entry: dict[str, object], expected: str
) -> None:
    """An error may list what is wrong with whom: only an id or a status word is a text."""
    body = {**error("The request failed"), "data": [{"to": FIRST_WIRE, **entry}]}
    found = await outcomes(respx_mock, 403, body, 2)

    assert [expected, "unknown"] == [outcome.state for outcome in found]


async def test_list_of_a_server_error_is_not_trusted(respx_mock: respx.MockRouter) -> None:
    """A 500 may come at any moment, so that its list proves nothing."""
    body = {**error(BAD_NUMBER), "data": [report(SECOND_WIRE)]}
    found = await outcomes(respx_mock, 500, body, 2)

    assert [outcome.state for outcome in found] == ["unknown", "unknown"]


@pytest.mark.parametrize("data", [None, [], {}, [None]])
@pytest.mark.parametrize("message", [None, f"{BAD_NUMBER} {SECOND_WIRE} is a invalid phone number"])
async def test_success_that_lists_nobody_is_unknown(
    respx_mock: respx.MockRouter, data: object, message: str | None
) -> None:
    """A success without a list proves nothing of many, whatever numbers its words name."""
    found = await outcomes(respx_mock, 200, success(data, message), 2)

    assert [outcome.state for outcome in found] == ["unknown", "unknown"]


async def test_null_for_many_names_the_way_out(respx_mock: respx.MockRouter) -> None:
    """The error about a server that lists nobody says what to set."""
    first, _ = await outcomes(respx_mock, 200, success(None), 2)

    assert isinstance(first, Unknown)
    assert "max_batch=1" in str(first.error)
