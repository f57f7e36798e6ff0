"""What a send may have done: exactly one request wherever that is not certain."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from iprog_async._client.client import SmsClient
from iprog_async._core.clock import SystemClock
from iprog_async._core.errors import (
    ConnectionFailedError,
    NoAnswerError,
    OutcomeUnknownError,
    SmsError,
)
from iprog_async.testing._contract.case import Operation, Subject
from iprog_async.testing._contract.checks.base import (
    ATTEMPTS,
    PATIENT,
    SHORT,
    Checks,
    Scene,
    failure,
    in_loop,
    scene,
)
from iprog_async.testing._contract.losses import HTML, Loss
from iprog_async.testing._loop_time import jumping_time
from iprog_async.testing._raw_gateway.behaviours import (
    close_idle,
    drip,
    drop,
    drop_on_arrival,
    flood,
    hang_up,
    silence,
)
from iprog_async.testing._raw_gateway.gateway import refusing_port
from iprog_async.testing._raw_gateway.messages import Reply


if TYPE_CHECKING:
    import pytest

RESERVED_HOST = "nothing.invalid"
# In which the time of a limit passes.
_PIECES = 4


class CertaintyChecks(Checks):
    """Unknown, or certainly not sent."""

    @in_loop
    async def test_a_lost_answer_is_unknown_after_exactly_one_request(
        self, subject: Subject, loss: Loss
    ) -> None:
        """Whatever spoils the answer of a send: one request, `OutcomeUnknownError`."""
        async with scene(subject, loss(subject)) as it:
            error = await failure(it.sms.send(subject.number, subject.case.text), SmsError)
            assert OutcomeUnknownError is type(error)
            assert error.may_have_been_sent
            assert (it.gateway.begun, it.sleeps) == (1, [])

    @in_loop
    async def test_an_answer_that_takes_too_long_is_unknown_after_exactly_one_request(
        self, subject: Subject
    ) -> None:
        """Silence until the timeout, and an answer that drips until the deadline."""
        with jumping_time() as jump:
            async with (
                scene(subject, silence(), timeout=PATIENT) as silent,
                scene(subject, drip(Reply(200, b" " * 10_000)), deadline=PATIENT) as slow,
            ):
                sends = [asyncio.create_task(_is_unknown(it, subject)) for it in (silent, slow)]
                for it, send in zip((silent, slow), sends, strict=True):
                    await _until_begun(it, send)
                for _ in range(_PIECES):
                    jump(PATIENT / _PIECES)
                    # A piece of the answer comes in.
                    await asyncio.sleep(SHORT / 100)
                await asyncio.gather(*sends)
                assert (silent.gateway.begun, slow.gateway.begun) == (1, 1)

    @in_loop
    async def test_a_huge_answer_is_refused_unread(self, subject: Subject) -> None:
        """An answer of 100 MB: unknown, one request, and most of it never read."""
        for step in (flood(), flood(declared=False)):
            async with scene(subject, step) as it:
                await failure(it.sms.send(subject.number, subject.case.text), OutcomeUnknownError)
                await it.gateway.until(lambda gateway: gateway.open_connections == 0)
                assert (it.gateway.begun, it.gateway.finished) == (1, 0)

    @in_loop
    async def test_a_connection_closed_before_reading_is_not_tried_again(
        self, subject: Subject
    ) -> None:
        """A gateway that accepts the connection and closes it may have got the request."""
        async with scene(subject, hang_up()) as it:
            await failure(it.sms.send(subject.number, subject.case.text), OutcomeUnknownError)
            assert it.gateway.connections == 1

    @in_loop
    async def test_a_kept_alive_connection_closed_under_the_request_is_unknown(
        self, subject: Subject
    ) -> None:
        """The gateway closes while the request is on its way: it is not sent again."""
        for loss in (drop_on_arrival(), drop(), drop(reset=True)):
            async with scene(subject, subject.success(), loss) as it:
                await it.sms.send(subject.number, subject.case.text)
                await failure(it.sms.send(subject.number, "Second"), OutcomeUnknownError)
                assert (it.gateway.connections, it.gateway.begun) == (1, 2)

    @in_loop
    async def test_a_kept_alive_connection_closed_before_the_request_is_noticed(
        self, subject: Subject
    ) -> None:
        """The gateway closed an idle connection: a fresh one, one request, accepted."""
        async with scene(subject, close_idle(subject.success()), subject.success()) as it:
            await it.sms.send(subject.number, subject.case.text)
            await it.gateway.until(lambda gateway: gateway.open_connections == 0)
            await it.sms.send(subject.number, "Second")
            assert (it.gateway.connections, it.gateway.begun) == (2, 2)

    @in_loop
    async def test_a_lost_answer_to_many_is_unknown_for_each(self, subject: Subject) -> None:
        """A batch whose answer is lost: one request, and no recipient is taken as not sent."""
        async with scene(subject, drop()) as it:
            provider = it.sms.provider
            size = min(3, provider.batching.max_batch)
            batch = [provider.prepare(subject.message(i), i) for i in range(size)]
            outcomes = await provider.submit(batch)
            assert ["unknown"] * size == [outcome.state for outcome in outcomes]
            assert list(range(size)) == [outcome.index for outcome in outcomes]
            assert it.gateway.begun == 1

    @in_loop
    async def test_other_billed_operations_are_never_repeated(
        self, subject: Subject, billed: Operation
    ) -> None:
        """What costs or counts twice when repeated: one request, and an error."""
        for loss in (drop(), Reply.of_html(HTML, 503), drop_on_arrival()):
            async with scene(subject, loss) as it:
                error = await failure(billed.call(it.sms.provider), SmsError)
                assert isinstance(error, (OutcomeUnknownError, NoAnswerError))
                assert it.gateway.begun == 1
        async with scene(subject, billed.reply) as it:
            await billed.call(it.sms.provider)
            assert it.gateway.begun == 1

    @in_loop
    async def test_a_refused_connection_is_certainly_not_sent(self, subject: Subject) -> None:
        """Nobody listens: the allowed attempts, then `ConnectionFailedError`."""
        with refusing_port() as port:
            async with scene(subject, base_url=f"http://127.0.0.1:{port}") as it:
                await _is_not_sent(it.sms, subject)
                assert len(it.sleeps) == ATTEMPTS - 1

    @in_loop
    async def test_a_host_without_address_is_certainly_not_sent(
        self, subject: Subject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """DNS knows no such host: the allowed attempts, then `ConnectionFailedError`."""
        asked: list[object] = []

        def getaddrinfo(host: object, *_: object, **__: object) -> Any:
            asked.append(host)
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        async with scene(subject, base_url=f"http://{RESERVED_HOST}") as it:
            monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
            await _is_not_sent(it.sms, subject)
        assert len(asked) == ATTEMPTS

    @in_loop
    async def test_failing_tls_is_certainly_not_sent(self, subject: Subject) -> None:
        """A port that speaks no TLS: the allowed attempts, `ConnectionFailedError`, no request."""
        async with scene(subject) as plain:
            secure = plain.gateway.base_url.replace("http://", "https://")
            async with scene(subject, base_url=secure) as it:
                await _is_not_sent(it.sms, subject)
            assert (plain.gateway.connections, plain.gateway.begun) == (ATTEMPTS, 0)

    @in_loop
    async def test_a_deadline_that_passes_in_the_queue_is_certainly_not_sent(
        self, subject: Subject
    ) -> None:
        """No connection is free in time: `ConnectionFailedError`, and no request of its own."""
        async with (
            scene(subject, silence()) as it,
            subject.open_pool(clock=SystemClock(), max_connections=1) as pool,
        ):
            adapter = subject.make(it.gateway.base_url)
            patient = SmsClient(adapter, pool=pool)
            hasty = SmsClient(adapter, pool=pool, deadline=SHORT / 4)
            hanging = asyncio.create_task(patient.send(subject.number, subject.case.text))
            try:
                await it.gateway.until(lambda gateway: gateway.begun == 1)
                await _is_not_sent(hasty, subject)
                assert it.gateway.begun == 1
            finally:
                hanging.cancel()
                await asyncio.gather(hanging, return_exceptions=True)


async def _is_unknown(it: Scene, subject: Subject) -> None:
    await failure(it.sms.send(subject.number, subject.case.text), OutcomeUnknownError)


async def _until_begun(it: Scene, send: asyncio.Task[None]) -> None:
    """Wait until a request is at its gateway, or the send has ended without one."""
    begun = asyncio.create_task(it.gateway.until(lambda gateway: gateway.begun == 1))
    await asyncio.wait([begun, send], return_when=asyncio.FIRST_COMPLETED)
    begun.cancel()
    await asyncio.wait([begun])


async def _is_not_sent(sms: SmsClient[Any], subject: Subject) -> None:
    error = await failure(sms.send(subject.number, subject.case.text), SmsError)
    assert ConnectionFailedError is type(error)
    assert not error.may_have_been_sent
    assert error.healable
