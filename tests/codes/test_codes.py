"""Codes over any gateway: whoever reads the number's texts gets in, once; who guesses does not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from support.codes import another, client_of, codes_on, in_turn
from support.core.fakes import (
    NUMBER,
    TOKEN,
    FakeProvider,
    Wire,
    accept,
    iprog_ok,
    lose,
    refusing,
)

from iprog_async import (
    ConfigurationError,
    ExpiredError,
    InvalidMessageError,
    LimitExceededError,
    Outcome,
    RejectedError,
    SmsClient,
    UnsupportedError,
)
from iprog_async.adapter import PreparedMessage
from iprog_async.codes import CodeCheck, Codes
from iprog_async.testing import InstantClock
from iprog_async_providers import IprogProvider


NO_CODE = CodeCheck(verified=False, reason="no code")
RIGHT = CodeCheck(verified=True, reason="right")


def wrong(tries_left: int) -> CodeCheck:
    """Return the check of a wrong code."""
    return CodeCheck(verified=False, reason="wrong", tries_left=tries_left)


async def test_the_code_that_was_sent_lets_in_once() -> None:
    """The right code is right for one request, however it is typed, and no code after that."""
    provider = FakeProvider()
    codes = Codes(client_of(provider))
    sent = await codes.send("0917 123 4567")
    (code,) = codes_on(provider)

    assert (NUMBER, "login", None) == (sent.to, sent.purpose, sent.unknown)
    assert wrong(4) == await codes.verify(NUMBER, another(code))
    assert RIGHT == await codes.verify(" +63 917-123-4567", f" {code[:3]}-{code[3:]} ")
    assert NO_CODE == await codes.verify(NUMBER, code)


async def test_digits_of_other_scripts_are_digits() -> None:
    """A keyboard in Arabic or Bengali types the same code."""
    provider = FakeProvider()
    codes = Codes(client_of(provider))
    await codes.send(NUMBER)
    (code,) = codes_on(provider)

    assert await codes.verify(NUMBER, code.translate({48 + n: 0x0660 + n for n in range(10)}))


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345x", "½23456", "12345²"])
async def test_what_is_no_code_is_no_guess(typed: str) -> None:
    """What can't be the code costs no try."""
    codes = Codes(client_of())
    await codes.send(NUMBER)

    assert wrong(5) == await codes.verify(NUMBER, typed)


async def test_guesses_end() -> None:
    """After so many wrong ones the right code lets nobody in, and the last try counts as any."""
    provider = FakeProvider()
    clock = InstantClock()
    codes = Codes(client_of(provider, clock), tries=2)
    await codes.send(NUMBER)
    clock.advance(60)
    await codes.send(NUMBER)
    (_, code) = codes_on(provider)
    assert wrong(1) == await codes.verify(NUMBER, another(code))
    assert RIGHT == await codes.verify(NUMBER, code)

    clock.advance(60)
    await codes.send(NUMBER)
    code = codes_on(provider)[-1]
    assert [wrong(1), wrong(0), NO_CODE, NO_CODE] == [
        await codes.verify(NUMBER, typed) for typed in (another(code), another(code), code, "x")
    ]


async def test_of_many_guesses_at_once_none_is_free() -> None:
    """Guesses that arrive together are counted one by one, and the right one lets in once."""
    provider = FakeProvider()
    codes = Codes(client_of(provider), tries=5)
    await codes.send(NUMBER)
    (code,) = codes_on(provider)

    checks = await asyncio.gather(*(codes.verify(NUMBER, another(code)) for _ in range(8)))
    assert [0, 0, 0, 0, 1, 2, 3, 4] == sorted(check.tries_left for check in checks)
    assert [NO_CODE] * 3 == [check for check in checks if check.reason == "no code"]


async def test_of_many_right_ones_at_once_one_is() -> None:
    """A code that is typed twice at the same moment lets in one of the two."""
    provider = FakeProvider()
    codes = Codes(client_of(provider))
    await codes.send(NUMBER)
    (code,) = codes_on(provider)

    checks = await asyncio.gather(*(codes.verify(NUMBER, code) for _ in range(3)))

    assert [False, False, True] == sorted(check.verified for check in checks)


async def test_a_code_expires() -> None:
    """At the end of its life the right code is none."""
    provider = FakeProvider()
    clock = InstantClock()
    codes = Codes(client_of(provider, clock), lifetime=60)
    sent = await codes.send(NUMBER)
    (code,) = codes_on(provider)

    clock.advance(60)

    assert sent.expires_at == clock.now()
    assert NO_CODE == await codes.verify(NUMBER, code)


async def test_there_is_one_live_code() -> None:
    """The next code takes the place of the one before, for its number and purpose alone."""
    provider = FakeProvider()
    clock = InstantClock()
    codes = Codes(client_of(provider, clock))
    await codes.send(NUMBER)
    await codes.send(NUMBER, purpose="pay")
    await codes.send("+639171234568")
    clock.advance(60)
    await codes.send(NUMBER)
    first, pay, other, second = codes_on(provider)
    # Whichever digits came: no two of them are meant to be equal here.
    assert first == second or not await codes.verify(NUMBER, first)

    assert await codes.verify(NUMBER, second)
    assert await codes.verify(NUMBER, pay, purpose="pay")
    assert await codes.verify("+639171234568", other)


async def test_the_next_code_is_not_sent_at_once() -> None:
    """A second one within the cool-down is refused before any network, and the first one holds."""
    provider = FakeProvider()
    clock = InstantClock()
    codes = Codes(client_of(provider, clock), cooldown=30)
    await codes.send(NUMBER)
    clock.advance(29)

    with pytest.raises(LimitExceededError, match=r"in 1 second.*Nothing was sent") as caught:
        await codes.send(NUMBER)

    assert (True, False) == (caught.value.healable, caught.value.may_have_been_sent)
    (code,) = codes_on(provider)
    assert await codes.verify(NUMBER, code)
    clock.advance(1)
    assert await codes.send(NUMBER)


async def test_a_number_is_sent_so_many_codes() -> None:
    """Whoever asks again and again for a number's code gets to the end of its tries."""
    clock = InstantClock()
    codes = Codes(client_of(clock=clock), per_number="3/h", cooldown=60)
    for _ in range(3):
        await codes.send(NUMBER)
        clock.advance(60)

    with pytest.raises(LimitExceededError, match="in 57 minutes"):
        await codes.send(NUMBER)
    assert await codes.send(NUMBER, purpose="pay")
    clock.advance(57 * 60)
    assert await codes.send(NUMBER)


async def test_an_unknown_code_lets_in() -> None:
    """Where it is not known whether the text went out, the code that arrived is right."""
    provider = FakeProvider(send=lose)
    codes = Codes(client_of(provider))

    sent = await codes.send(NUMBER)

    (code,) = codes_on(provider)
    assert sent.unknown is not None
    assert sent.receipt is None
    assert await codes.verify(NUMBER, code)


async def test_a_code_that_was_not_sent_changes_nothing() -> None:
    """The code before it is valid still, and the next may be asked for at once."""
    provider = FakeProvider(send=in_turn(accept, refusing(), accept))
    clock = InstantClock()
    codes = Codes(client_of(provider, clock), per_number="2/h")
    await codes.send(NUMBER)
    clock.advance(60)

    with pytest.raises(RejectedError):
        await codes.send(NUMBER)

    first, refused = codes_on(provider)
    assert first == refused or not await codes.verify(NUMBER, refused)
    assert await codes.verify(NUMBER, first)
    assert await codes.send(NUMBER)


async def test_a_number_that_is_none_is_refused() -> None:
    """Before anything is kept, made or sent."""
    codes = Codes(client_of())
    for asked in (codes.send("nobody"), codes.verify("nobody", "123456")):
        with pytest.raises(InvalidMessageError):
            await asked


async def test_the_code_is_shown_nowhere() -> None:
    """Neither what is returned nor what is raised has the code, in its words or in its frames."""
    provider = FakeProvider(send=in_turn(accept, refusing()))
    clock = InstantClock()
    codes = Codes(client_of(provider, clock))
    sent = await codes.send(NUMBER)
    clock.advance(60)
    with pytest.raises(RejectedError) as caught:
        await codes.send(NUMBER)

    shown = [repr(sent), repr(caught.value), str(caught.value)]
    trace = caught.value.__traceback__
    while trace is not None:
        if "iprog_async" in trace.tb_frame.f_code.co_filename:
            shown.append(repr(trace.tb_frame.f_locals))
        trace = trace.tb_next
    for code in codes_on(provider):
        assert not any(code in words for words in shown)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"text": "Hello"}, "code} once"),
        ({"text": "{code} {code}"}, "code} once"),
        ({"length": 3}, "4 to 10 digits"),
        ({"length": True}, "4 to 10 digits"),
        ({"lifetime": 59}, "60 to 86400"),
        ({"lifetime": float("nan")}, "number of seconds"),
        ({"tries": 0}, "tries= is 1 to"),
        ({"cooldown": -1}, "number of seconds"),
        ({"per_number": "often"}, "no rate"),
        ({"per_number": None}, "without a limit"),
        ({"made_by": "me"}, "made_by="),
    ],
)
async def test_settings_that_make_no_sense_are_refused(
    settings: dict[str, Any], words: str
) -> None:
    """They are told when it is made, and not with the first code."""
    with pytest.raises(ConfigurationError, match=words):
        Codes(client_of(), **settings)


async def test_a_purpose_is_a_short_word() -> None:
    """An empty one, or one that a stranger made long, is refused."""
    codes = Codes(client_of())
    for purpose in ("", "x" * 65):
        with pytest.raises(ConfigurationError, match="purpose="):
            await codes.send(NUMBER, purpose=purpose)


async def test_a_gateway_without_codes_makes_none() -> None:
    """Asked to make them, it is refused with what works instead."""
    with pytest.raises(UnsupportedError, match="leave out made_by"):
        Codes(client_of(), made_by="gateway")


async def test_a_code_that_would_leave_too_late_is_not_sent() -> None:
    """It would be paid, and let nobody in; and there is nothing to cool down from."""
    wire = Wire(iprog_ok)
    codes = Codes(SmsClient(IprogProvider(TOKEN, rate="1/10min"), pool=wire.pool))
    await codes.send(NUMBER)
    for _ in range(2):
        with pytest.raises(ExpiredError):
            await codes.send("+639181234567")

    assert 1 == len(wire.requests)


async def test_a_send_that_is_cancelled_before_it_left_changes_nothing() -> None:
    """The code before it still lets in."""
    left = asyncio.Event()

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        if len(provider.sent) > 1:
            left.set()
            await asyncio.Event().wait()
        return await accept(batch)

    provider, clock = FakeProvider(send=send), InstantClock()
    codes = Codes(client_of(provider, clock))
    await codes.send(NUMBER)
    code = codes_on(provider)[0]
    clock.advance(60)
    sending = asyncio.create_task(codes.send(NUMBER))
    await left.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending

    assert RIGHT == await codes.verify(NUMBER, code)
