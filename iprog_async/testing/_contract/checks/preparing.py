"""Before any network: binding, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from attrs import evolve

from iprog_async._core.errors import ConfigurationError, InvalidMessageError
from iprog_async._core.messages import Message
from iprog_async._core.segments import count_segments
from iprog_async._http.calls import HttpCall
from iprog_async._providers.numbers import read_number
from iprog_async._providers.protocols import SmsProvider
from iprog_async.testing._contract.case import Subject
from iprog_async.testing._contract.checks.base import Checks, failure, in_loop, scene


NOWHERE = "http://127.0.0.1:9"


class PreparingChecks(Checks):
    """Binding and preparing."""

    @in_loop
    async def test_bind_returns_a_copy_and_leaves_the_original_untouched(
        self, subject: Subject
    ) -> None:
        """Calls of the bound copy go where it was bound to; the original makes none."""
        calls: list[HttpCall[Any]] = []

        async def call(made: HttpCall[Any], /) -> Any:
            calls.append(made)
            raise RuntimeError("no network here")

        original = subject.make(NOWHERE)
        bound = original.bind(call)
        assert type(original) is type(bound)
        assert original is not bound
        assert original.name == bound.name
        (outcome,) = await original.submit([original.prepare(subject.message())])
        assert outcome.state == "not_sent"
        assert calls == []
        await failure(bound.submit([bound.prepare(subject.message())]), RuntimeError)
        assert len(calls) == 1

    @in_loop
    async def test_one_adapter_object_serves_two_clients(self, subject: Subject) -> None:
        """Two clients share one adapter; the end of one leaves the other working."""
        async with scene(subject, subject.success()) as it:
            adapter = subject.make(it.gateway.base_url)

            def same(_: str) -> object:
                return adapter

            shared = evolve(subject, make=same)
            async with scene(shared) as first:
                async with scene(shared) as second:
                    await second.sms.send(subject.number, subject.case.text)
                await first.sms.send(subject.number, subject.case.text)
            assert (it.gateway.connections, it.gateway.begun) == (2, 2)

    @in_loop
    async def test_a_base_url_as_vendors_print_it_leads_to_the_same_path(
        self, subject: Subject
    ) -> None:
        """With the API's path, or a part of it, it is understood or refused, and never doubled."""
        expected = _path(await _call_of_a_send(subject, _HOST))
        if expected is None:
            # Without `ApiPaths` any path is the user's own.
            return
        wrong = [
            (printed, path)
            for printed in _printed(expected)
            if (path := _path(await _call_of_a_send(subject, _HOST + printed)))
            not in (None, expected)
        ]
        assert wrong == []
        assert _path(await _call_of_a_send(subject, _HOST + expected)) == expected

    @in_loop
    async def test_an_address_that_nothing_can_open_is_refused_before_any_network(
        self, subject: Subject
    ) -> None:
        """What can't be a host is a `ConfigurationError`, and no call is made."""
        taken = [url for url in _UNUSABLE if await _call_of_a_send(subject, url) is not None]
        assert taken == []

    def test_preparing_is_pure(self, subject: Subject) -> None:
        """Preparing a message twice gives the same, counted and numbered as asked."""
        provider, message = subject.make(NOWHERE), subject.message()
        prepared = provider.prepare(message, 7)
        assert prepared == provider.prepare(message, 7)
        assert (message, 7) == (prepared.message, prepared.index)
        assert count_segments(message.text) == prepared.segments
        assert prepared.e164.startswith("+")
        assert prepared.e164[1:].isdecimal()

    def test_a_number_without_a_text_is_read_as_in_a_message(self, subject: Subject) -> None:
        """One-time codes and lists of numbers mean whom a message would reach, or are refused."""
        provider, text = subject.make(NOWHERE), subject.case.text
        for number in subject.case.numbers:
            assert provider.prepare(Message(number, text)).e164 == read_number(provider, number)
        for number in _bad_numbers(subject):
            assert repr(number) in _words_about(provider, number)

    @in_loop
    async def test_bad_input_is_refused_before_any_network(self, subject: Subject) -> None:
        """What can't be sent is an `InvalidMessageError` that quotes it; nothing connects."""
        async with scene(subject) as it:
            for message, quoted in _bad_messages(subject):
                error = await failure(_send(it.sms, message), InvalidMessageError)
                assert quoted in str(error)
                assert not error.may_have_been_sent
            assert it.gateway.connections == 0

    @in_loop
    async def test_bad_rows_are_outcomes_of_their_own(self, subject: Subject) -> None:
        """In a run, bad rows are `NotSent` and the good one among them is sent."""
        bad = [message for message, _ in _bad_messages(subject)]
        async with scene(subject, subject.success()) as it:
            async with it.sms.send_many([*bad, subject.message()]) as run:
                states = {outcome.index: outcome.state async for outcome in run}
            assert {**dict.fromkeys(range(len(bad)), "not_sent"), len(bad): "accepted"} == states
            assert it.gateway.begun == 1


_HOST = "https://sms.example.com"
_UNUSABLE = (
    "https://256.1.1.1",
    "https://*.example.com",
    "https://sms .example.com",
    "https://sms.example.com\\api",
)


def _printed(path: str) -> list[str]:
    """Return what people find as an address, behind its host: any part of a path, and others'."""
    segments = path.strip("/").split("/")
    parts = ["/".join(segments[:end]) for end in range(1, len(segments) + 1)]
    behind = [f"{part}/{more}" for part in parts for more in ("send", "sms", "messages", "x")]
    # One word alone may be the path of a proxy.
    tails = ["/".join(segments[start:]) for start in range(1, len(segments) - 1)]
    others = [f"api/{word}" for word in ("v1", "v2", "v3", "v4", "http", "sms", "v3/sms")]
    found = [f"/{each}" for each in (*parts, *behind, *tails, *others)]
    return [*found, *(f"{each}{end}" for each in found for end in ("/", ".")), path.upper()]


async def _call_of_a_send(subject: Subject, base_url: str) -> HttpCall[Any] | None:
    """Return the call that a send makes with a base URL; `None` if it is refused."""
    calls: list[HttpCall[Any]] = []

    async def call(made: HttpCall[Any], /) -> Any:
        calls.append(made)
        raise RuntimeError("no network here")

    with suppress(ConfigurationError, RuntimeError):
        bound = subject.make(base_url).bind(call)
        await bound.submit([bound.prepare(subject.message())])
    return next(iter(calls), None)


def _path(call: HttpCall[Any] | None) -> str | None:
    """Return where a call goes; `None` if its adapter does not say what its own paths are."""
    if call is None or call.gateway.paths is None:
        return None
    return urlsplit(call.gateway.base_url + call.path).path


def _words_about(provider: SmsProvider, number: str) -> str:
    """Return the error about a number, or the number as it is read."""
    try:
        return read_number(provider, number)
    except InvalidMessageError as exc:
        return str(exc)


def _bad_numbers(subject: Subject) -> list[str]:
    good = subject.number
    return [
        "",
        "   ",
        "0917 CALL NOW",
        f"{good[:-4]}ABCD",
        good[:6],
        f"{good}00000",
        "not a number",
        *subject.case.bad_numbers,
    ]


def _bad_messages(subject: Subject) -> list[tuple[Message, str]]:
    """Return messages that can't be sent, each with what the error has to quote."""
    good, text = subject.number, subject.case.text
    texts = ["", " \n\t", "half a \ud83d face"]
    naive = datetime(2031, 5, 17, 9, 30)
    return [
        *((Message(number, text), repr(number)) for number in _bad_numbers(subject)),
        *((Message(good, text), repr(text)) for text in texts),
        (Message(good, text, schedule_at=naive), naive.isoformat()),
        *(
            (Message(good, text, options=options), type(options).__name__)
            for options in subject.case.foreign_options
        ),
        (Message(good, text, sender_id=" "), repr(" ")),
    ]


async def _send(sms: Any, message: Message) -> object:
    return await sms.send(
        message.to,
        message.text,
        sender_id=message.sender_id,
        schedule_at=message.schedule_at,
        options=message.options,
    )
