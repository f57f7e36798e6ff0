from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from support.iprog.sandbox import BASE_URL, ClockedState, sandbox_http, sandboxed
from support.iprog.wire import FIVE, GLOBE, OPERATIONS, SMART, receipts, send_to_two

from iprog_async import (
    AuthenticationError,
    CredentialsOrCreditError,
    Message,
    NoAnswerError,
    NotFoundError,
    ProviderError,
    RejectedError,
    SmsClient,
    provider_from_url,
)
from iprog_async.sandbox import BLOCKED_WORD, FAILS_DELIVERY, REFUSED_RECIPIENT
from iprog_async_providers.iprog import IprogProvider, Network
from iprog_async_providers.iprog._sandbox import GATEWAY, PHISHING_WORDS, TOKEN


HOUR = timedelta(hours=1)
LATER = FIVE + HOUR


@pytest.fixture
def state() -> ClockedState:
    """Return a sandbox's memory."""
    return ClockedState(credit=Decimal(10))


async def test_the_address_of_the_gateway_leads_to_it(state: ClockedState) -> None:
    """The address with the sandbox's credentials builds a provider that can send."""
    address = GATEWAY.address.format(base_url=quote(BASE_URL, safe=""))

    async with (
        sandbox_http(state) as http,
        SmsClient(provider_from_url(address), http=http) as sms,
    ):
        await sms.send(GLOBE, "Hello.")

    assert IprogProvider.sandbox() is GATEWAY
    assert [text.text for text in state.texts("iprog")] == ["Hello."]


@pytest.mark.parametrize("token_in", ["json", "query"])
async def test_a_text_moves_from_pending_to_delivered(state: ClockedState, token_in: str) -> None:
    """A send is queued, charged and in time delivered, wherever the token travels."""
    async with sandboxed(state, token_in=token_in) as sms:
        receipt = await sms.send(GLOBE, "x" * 161)
        at_first = await sms.status(receipt)
        state.later(seconds=1)
        at_last = await sms.status(receipt)
        balance = await sms.balance()

    assert (at_first.state, at_last.state) == ("pending", "delivered")
    assert (Decimal(2), Decimal(8)) == (receipt.cost, balance.amount)


async def test_credits_may_have_a_fraction(state: ClockedState) -> None:
    """A balance that is no whole number is told as it is."""
    state.set_credit("iprog", Decimal("2.5"))

    async with sandboxed(state) as sms:
        assert Decimal("2.5") == (await sms.balance()).amount


async def test_a_number_that_fails_delivery_ends_as_failed(state: ClockedState) -> None:
    """The sandbox's failing numbers are accepted and later reported as failed."""
    async with sandboxed(state) as sms:
        receipt = await sms.send(f"0917123{FAILS_DELIVERY}", "Hello.")
        state.later(seconds=1)
        assert (await sms.status(receipt)).state == "failed"


async def test_a_bulk_request_gives_each_number_its_own_id(state: ClockedState) -> None:
    """Two numbers get two ids, in order, from one request."""
    async with sandboxed(state) as sms:
        first, second = receipts(await send_to_two(sms))

    texts = state.texts("iprog")
    assert [first.message_id, second.message_id] == [text.message_id for text in texts]
    assert [first.to, second.to] == [text.to for text in texts]


@pytest.mark.usefixtures("whole_batches")
async def test_a_list_with_a_refused_number_is_unknown(state: ClockedState) -> None:
    """What becomes of the others of its list is not known, so nobody is sent to again."""
    numbers = ["09171110003", f"0918111{REFUSED_RECIPIENT}", "09171110005"]
    messages = [Message(number, "Hello.") for number in numbers]

    async with sandboxed(state) as sms, sms.send_many(messages) as run:
        states = {outcome.index: outcome.state async for outcome in run}

    assert states == {0: "unknown", 1: "unknown", 2: "unknown"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"Win at the {BLOCKED_WORD}!", "Your input contains inappropriate language."),
        (
            f"Please {PHISHING_WORDS}",
            "Message failed validation Message looks suspicious (phishing detected).",
        ),
    ],
)
async def test_the_content_filter_refuses(state: ClockedState, text: str, reason: str) -> None:
    """Unwanted words are refused for good, in either shape, and nothing is charged."""
    async with sandboxed(state) as sms:
        with pytest.raises(RejectedError) as caught:
            await sms.send(GLOBE, text)
        assert Decimal(10) == (await sms.balance()).amount

    assert (reason, False) == (caught.value.reason, caught.value.healable)


@pytest.mark.usefixtures("whole_batches")
async def test_credit_runs_out_for_the_whole_list(state: ClockedState) -> None:
    """A list that costs more than is left is refused as a whole, in the two-in-one words."""
    state.set_credit("iprog", 1)

    async with sandboxed(state) as sms:
        outcomes = await send_to_two(sms)

    errors = [outcome.error for outcome in outcomes if outcome.state == "not_sent"]
    assert [CredentialsOrCreditError] * 2 == [type(error) for error in errors]
    assert state.texts() == []


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ("send", CredentialsOrCreditError),
        ("schedule", CredentialsOrCreditError),
        ("otp.send", CredentialsOrCreditError),
        ("otp.verify", AuthenticationError),
        ("balance", AuthenticationError),
        ("reminders.get", AuthenticationError),
        ("detect", AuthenticationError),
    ],
)
async def test_a_wrong_token_is_refused_everywhere(
    state: ClockedState, operation: str, error: type[ProviderError]
) -> None:
    """Each endpoint checks the token, with HTTP 200 and its own words."""
    async with sandboxed(state, token="wrong-token") as sms:
        with pytest.raises(error):
            await OPERATIONS[operation](sms)


async def test_an_unknown_message_has_no_status(state: ClockedState) -> None:
    """Asking for an id that the gateway never gave is an error of its own."""
    async with sandboxed(state) as sms:
        with pytest.raises(NotFoundError):
            await sms.status("iprog:iSms-nothing")


async def test_a_scheduled_text_leaves_at_its_time(state: ClockedState) -> None:
    """A reminder is pending until it is due, and delivered after that."""
    async with sandboxed(state) as sms:
        receipt = await sms.send(GLOBE, "Internet Bill.", schedule_at=LATER)
        before = await sms.status(receipt)
        state.later(hours=1)
        due = await sms.status(receipt)
        state.later(seconds=1)
        after = await sms.status(receipt)

    assert [before.word, due.word, after.word] == ["scheduled", "pending", "completed"]
    assert state.texts("iprog")[0].due_at == LATER


async def test_a_reminder_can_be_read_changed_and_deleted(state: ClockedState) -> None:
    """What was changed is what is read, and what was deleted is gone."""
    async with sandboxed(state) as sms:
        reminders = sms.provider.reminders
        created = await reminders.create(GLOBE, "Internet Bill.", LATER)
        moved = await reminders.update(created, to=SMART, text="New", scheduled_at=LATER + HOUR)
        read = await reminders.get(created.id)
        same = await reminders.update(created, text="New")
        await reminders.delete(created)
        with pytest.raises(NotFoundError):
            await reminders.get(created)

    assert (
        moved.phone_number,
        moved.message,
        moved.scheduled_at,
    ) == ("639181234567", "New", LATER + HOUR)
    assert moved == read == same
    assert state.texts() == []


async def test_a_reminder_that_left_stays_as_it_is(state: ClockedState) -> None:
    """A reminder that was sent can be neither changed nor deleted."""
    async with sandboxed(state) as sms:
        reminder = await sms.provider.reminders.create(GLOBE, "Internet Bill.", FIVE)
        with pytest.raises(NoAnswerError, match="already sent"):
            await sms.provider.reminders.update(reminder, text="New")
        with pytest.raises(NoAnswerError, match="already sent"):
            await sms.provider.reminders.delete(reminder)


async def test_a_code_is_right_once(state: ClockedState) -> None:
    """The code in the text verifies, once; another one never does."""
    async with sandboxed(state) as sms:
        otp = sms.provider.otp
        ticket = await otp.send(GLOBE, template="Code: :otp", code_length=8)
        wrong = await otp.verify(GLOBE, "0")
        right = await otp.verify(GLOBE, ticket.code)
        again = await otp.verify(GLOBE, ticket.code)

    assert [bool(check) for check in (wrong, right, again)] == [False, True, False]
    assert len(ticket.code) == 8
    assert f"Code: {ticket.code}" == state.texts()[0].text


async def test_a_code_expires(state: ClockedState) -> None:
    """After its minutes a code is no longer right."""
    async with sandboxed(state) as sms:
        ticket = await sms.provider.otp.send(GLOBE, expires_in_minutes=1)
        state.later(minutes=1)
        check = await sms.provider.otp.verify(GLOBE, ticket.code)

    assert (check.verified, check.message) == (False, "OTP has expired.")
    assert FIVE + timedelta(minutes=1) == ticket.expires_at


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_codes_are_listed(state: ClockedState, method: Any) -> None:
    """The list holds the code and, to the minute, its end."""
    async with sandboxed(state) as sms:
        ticket = await sms.provider.otp.send(GLOBE)
        (listed,) = await sms.provider.otp.list(method=method)

    assert (ticket.code, ticket.expires_at) == (listed.code, listed.expires_at)


@pytest.mark.parametrize(
    ("number", "network"),
    [
        (GLOBE, Network("Globe/TM")),
        (SMART, Network("Smart/TNT", is_smart_tnt=True)),
        ("0991 123 4567", Network("DITO")),
        ("0900 123 4567", Network("Unknown Network")),
    ],
)
async def test_networks_are_told_by_prefix(
    state: ClockedState, number: str, network: Network
) -> None:
    """Each network has its prefixes; others are unknown."""
    async with sandboxed(state) as sms:
        assert network == await sms.provider.detect(number)


_SEND, _REMIND, _OTP = "sms_messages", "message-reminders", "otp/send_otp"
_FULL = {"phone_number": "639171234567", "message": "Hi", "scheduled_at": "2025-03-09T14:30"}
_MISSING = "API Token, phone number and message are required."


@pytest.mark.parametrize(
    ("path", "fields", "answer"),
    [
        (_SEND, {"phone_number": "639171234567"}, {"status": 500, "message": _MISSING}),
        (
            _SEND,
            {**_FULL, "phone_number": "12"},
            {"status": 500, "message": ["Phone number is invalid."]},
        ),
        (
            _REMIND,
            {**_FULL, "scheduled_at": "soon"},
            {"status": "error", "message": "Scheduled at is invalid."},
        ),
        (
            _REMIND,
            {**_FULL, "scheduled_at": "2025-02-30 05:00AM"},
            {"status": "error", "message": "Scheduled at is invalid."},
        ),
        (
            _OTP,
            {**_FULL, "code_length": 99},
            {"status": "error", "message": "OTP settings are invalid."},
        ),
    ],
)
async def test_bad_fields_meet_an_error_with_http_200(
    state: ClockedState, path: str, fields: dict[str, object], answer: dict[str, object]
) -> None:
    """What our adapter would never send is refused as well, for whoever tries by hand."""
    async with sandbox_http(state) as http:
        reply = await http.post(f"{BASE_URL}/api/v1/{path}", json={"api_token": TOKEN, **fields})

    assert (200, answer) == (reply.status_code, reply.json())


@pytest.mark.parametrize(
    ("scheduled_at", "due"),
    [
        ("2025-03-09T14:30", "2025-03-09T14:30:00.000+08:00"),
        ("2025-03-09 02:30PM", "2025-03-09T14:30:00.000+08:00"),
        ("2025-03-09 12:00AM", "2025-03-09T00:00:00.000+08:00"),
        ("2025-03-09 12:00PM", "2025-03-09T12:00:00.000+08:00"),
    ],
)
async def test_a_reminder_takes_both_documented_times(
    state: ClockedState, scheduled_at: str, due: str
) -> None:
    """The form of the older pages and that of the newer guide are read as Manila's time."""
    fields = {"api_token": TOKEN, **_FULL, "scheduled_at": scheduled_at}

    async with sandbox_http(state) as http:
        reply = await http.post(f"{BASE_URL}/api/v1/{_REMIND}", data=fields)

    assert due == reply.json()["data"]["scheduled_at"]


async def test_a_malformed_number_has_an_invalid_format(state: ClockedState) -> None:
    """Detection tells of a malformed number in its own word, with a success envelope."""
    async with sandbox_http(state) as http:
        url = f"{BASE_URL}/api/v1/phone_numbers/detect"
        reply = await http.post(url, json={"api_token": TOKEN, "phone_number": "12"})

    assert reply.json()["data"] == {"network": "Invalid Format", "is_smart_tnt": False}


async def test_the_status_link_holds_the_token(state: ClockedState) -> None:
    """The sandbox has the gateway's bad habit, so that the redaction is worth something."""
    async with sandbox_http(state) as http:
        url = f"{BASE_URL}/api/v1/sms_messages"
        reply = await http.post(url, params={"api_token": TOKEN, **_FULL})

    assert f"api_token={TOKEN}" in reply.json()["message_status_link"]
