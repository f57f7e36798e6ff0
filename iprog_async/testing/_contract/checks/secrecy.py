"""Credentials show up nowhere, through success and every failure.

Nor in the local variables of the frames that an error comes through: error trackers store them.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from iprog_async._client.client import SmsClient
from iprog_async._core.errors import SmsError
from iprog_async._core.messages import Message
from iprog_async._core.outcomes import Accepted, Outcome
from iprog_async._core.receipts import Receipt
from iprog_async.testing._contract.case import Make, Operation, Subject
from iprog_async.testing._contract.checks.base import (
    PATIENT,
    SHORT,
    Checks,
    failure,
    in_loop,
    scene,
)
from iprog_async.testing._contract.losses import ENCOUNTERS, LOSSES, Loss
from iprog_async.testing._contract.secret_finder import held_by, leaks, shown_by, trapped_logs
from iprog_async.testing._raw_gateway.behaviours import drop, silence
from iprog_async.testing._raw_gateway.gateway import refusing_port


T = TypeVar("T")


class SecrecyChecks(Checks):
    """No token, password or key in anything a person may read."""

    @in_loop
    async def test_no_secret_is_shown_by_a_send(self, subject: Subject, encounter: Loss) -> None:
        """With every logger at DEBUG: no record, repr, error or traceback shows a secret."""
        quiet = encounter is ENCOUNTERS["silence"]
        with trapped_logs() as trap:
            async with scene(
                subject, encounter(subject), timeout=SHORT / 5 if quiet else PATIENT
            ) as it:
                shown = await _shown_by_sends(it.sms, subject)
                shown += [repr(it.sms), repr(it.sms.provider), repr(subject.make("http://x"))]
        assert trap.shown
        assert leaks([*trap.shown, *shown], subject.case.secrets) == []

    @in_loop
    async def test_no_number_and_no_text_is_in_a_record(self, subject: Subject) -> None:
        """At DEBUG no logger tells who was sent what, not even those of the HTTP libraries."""
        with trapped_logs() as trap:
            # No success: its id is the gateway's, is told as `ref`, and may be made of the number.
            async with scene(subject, LOSSES["500-empty"](subject), drop()) as it:
                await _shown_by_sends(it.sms, subject)
        assert trap.shown
        assert leaks(trap.shown, [*subject.wires, *subject.case.numbers, subject.case.text]) == []

    @in_loop
    async def test_no_secret_is_shown_where_nothing_leaves(self, subject: Subject) -> None:
        """The same for connections that fail."""
        with refusing_port() as port, trapped_logs() as trap:
            async with scene(subject) as plain:
                secure = plain.gateway.base_url.replace("http://", "https://")
                shown: list[str] = []
                for base_url in (f"http://127.0.0.1:{port}", secure):
                    async with scene(subject, base_url=base_url) as it:
                        shown += await _shown_by_sends(it.sms, subject)
        assert shown
        assert leaks([*trap.shown, *shown], subject.case.secrets) == []

    @in_loop
    async def test_no_secret_is_shown_by_a_read(self, subject: Subject, read: Operation) -> None:
        """The same for reads, through success, loss and an answer that quotes the request."""
        quoting = [ENCOUNTERS[name](subject) for name in ENCOUNTERS if "quoted" in name]
        with trapped_logs() as trap:
            shown: list[str] = []
            for step in (read.reply, drop(), *quoting):
                async with scene(subject, step) as it:
                    shown += await _shown_by_call(read.call(it.sms.provider), _printed)
        assert shown
        assert leaks([*trap.shown, *shown], subject.case.secrets) == []

    @in_loop
    async def test_no_secret_is_shown_by_a_billed_operation(
        self, subject: Subject, billed: Operation
    ) -> None:
        """The same for what costs or counts, whose answer may hold a secret of its own."""
        shown: list[str] = []
        for step in (drop(), ENCOUNTERS["request-quoted-in-html"](subject)):
            async with scene(subject, step) as it:
                shown += shown_by(await failure(billed.call(it.sms.provider), SmsError))
        assert leaks(shown, subject.case.secrets) == []

    @in_loop
    async def test_no_secret_is_shown_by_a_cancelled_send(self, subject: Subject) -> None:
        """A task that is cancelled while it waits for the answer takes no credential along."""
        async with scene(subject, silence()) as it:
            send = asyncio.create_task(it.sms.send(subject.number, subject.case.text))
            await it.gateway.until(lambda gateway: gateway.begun == 1)
            send.cancel()
            error = await failure(send, asyncio.CancelledError)
        assert leaks(shown_by(error), subject.case.secrets) == []

    @in_loop
    async def test_no_secret_is_shown_by_what_is_taken_apart(self, subject: Subject) -> None:
        """Adapter and client, also as copies: their attributes show nothing, nor is it pickled."""
        async with scene(subject) as it:
            kept = [it.sms, it.sms.provider, copy.deepcopy(subject.make(it.gateway.base_url))]
            shown = [text for value in kept for text in held_by(value)]
        assert leaks(shown, subject.case.secrets) == []

    @in_loop
    async def test_no_secret_is_shown_about_an_address_that_is_none(self, subject: Subject) -> None:
        """Whether the constructor or the first send refuses it: no argument is in the error."""
        error = _refusal(subject.make)
        if error is None:
            async with scene(subject, base_url="no address") as it:
                sending = it.sms.send(subject.number, subject.case.text)
                error = await failure(sending, SmsError)
        assert leaks(shown_by(error), subject.case.secrets) == []


def _refusal(make: Make) -> SmsError | None:
    """Return the error of a constructor that is given an address that is none."""
    try:
        make("no address")
    except SmsError as exc:
        return exc
    return None


async def _shown_by_sends(sms: SmsClient[Any], subject: Subject) -> list[str]:
    """Send one text and then two in a run; return all that the results show."""
    shown = await _shown_by_call(sms.send(subject.number, subject.case.text), _shown_by_receipt)
    messages = [Message(number, subject.case.text) for number in subject.case.numbers[:2]]
    outcomes: list[Outcome] = []
    shown += await _shown_by_call(_run(sms, messages, outcomes), _printed)
    for outcome in outcomes:
        shown += held_by(outcome)
        if not isinstance(outcome, Accepted):
            shown += shown_by(outcome.error)
    return shown


async def _run(sms: SmsClient[Any], messages: Sequence[Message], outcomes: list[Outcome]) -> None:
    """Send a run; its outcomes are kept even if it halts."""
    async with sms.send_many(messages) as run:
        async for outcome in run:
            outcomes.append(outcome)


async def _shown_by_call(call: Awaitable[T], read: Callable[[T], Iterable[str]]) -> list[str]:
    """Return all that a result, or an error with its frames, shows.

    This frame is one of them, and a check's own, with all the texts that it found so far, is not:
    they would be taken apart again with each error.
    """
    try:
        result = await call
    except SmsError as exc:
        return [*shown_by(exc)]
    return [*read(result)]


def _printed(value: object) -> list[str]:
    return [repr(value)]


def _shown_by_receipt(receipt: Receipt) -> list[str]:
    return [*held_by(receipt), repr(receipt.raw), repr(receipt.to_dict())]
