from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import frozen
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from support.core.fakes import NUMBER, FakeProvider, refusing

from iprog_async import (
    ConfigurationError,
    Journal,
    Message,
    OutcomeUnknownError,
    RetryPolicy,
    SmsClient,
    SmsError,
)
from iprog_async.otel import OtelObserver
from iprog_async.sandbox import Fault, Sandbox


SEND = "POST /iprog/api/v1/sms_messages"


@frozen
class Telemetry:
    """What was exported, in memory."""

    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader
    tracers: TracerProvider
    meters: MeterProvider

    def observer(self, numbers: Literal["masked", "full", "none"] = "masked") -> OtelObserver:
        """Return an observer that exports into it."""
        return OtelObserver(
            tracer_provider=self.tracers, meter_provider=self.meters, numbers=numbers
        )

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        """Every span, by its name."""
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def points(self, name: str) -> list[tuple[dict[str, object], Any]]:
        """Return attributes and value (or number of values) of a metric."""
        data = self.reader.get_metrics_data()
        assert data is not None
        return [
            (dict(point.attributes or {}), getattr(point, "value", getattr(point, "count", None)))
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """Telemetry that goes nowhere else."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader], shutdown_on_exit=False)
    yield Telemetry(exporter, reader, tracers, meters)
    tracers.shutdown()
    meters.shutdown()


def client(sandbox: Sandbox, observer: OtelObserver, **settings: Any) -> SmsClient[Any]:
    """Return a client of the sandbox's IPROG that tries once."""
    settings = {"retry": RetryPolicy.off(), **settings}
    return SmsClient.from_url(sandbox.address("iprog"), observers=[observer], **settings)


async def test_a_send_is_a_span_with_its_requests_inside(telemetry: Telemetry) -> None:
    """An accepted text is a child of the caller's span, and its request a child of that."""
    tracer = telemetry.tracers.get_tracer("app")
    async with Sandbox() as sandbox, client(sandbox, telemetry.observer()) as sms:
        with tracer.start_as_current_span("order"):
            receipt = await sms.send(NUMBER, "Hello")

    order, send, attempt = (telemetry.spans[name] for name in ("order", "send iprog", "attempt 1"))
    assert send.parent is not None
    assert attempt.parent is not None
    assert order.context == send.parent
    assert send.context == attempt.parent
    assert {
        "messaging.system": "sms",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "iprog",
        "messaging.message.id": receipt.message_id,
        "sms.provider": "iprog",
        "sms.recipient": "+639171****67",
        "sms.segments": 1,
        "sms.state": "accepted",
        "sms.status": "pending",
    } == dict(send.attributes or {})
    assert {
        "sms.provider": "iprog",
        "server.address": "127.0.0.1",
        "http.response.status_code": 200,
    } == dict(attempt.attributes or {})
    assert send.start_time is not None
    assert send.end_time is not None
    assert attempt.start_time is not None
    assert send.start_time <= attempt.start_time <= send.end_time


async def test_accepted_texts_are_counted(telemetry: Telemetry) -> None:
    """Messages, segments, requests and durations of accepted texts are metrics."""
    async with Sandbox() as sandbox, client(sandbox, telemetry.observer()) as sms:
        await sms.send(NUMBER, "a" * 161)
        await sms.send(NUMBER, "Hello")

    accepted = {
        "messaging.system": "sms",
        "sms.provider": "iprog",
        "sms.state": "accepted",
        "sms.status": "pending",
    }
    common = {"messaging.system": "sms", "sms.provider": "iprog"}
    request = {**common, "messaging.operation.name": "send the text"}
    duration = {**common, "messaging.operation.name": "send"}
    assert [(accepted, 2)] == telemetry.points("messaging.client.sent.messages")
    assert [(common, 3)] == telemetry.points("sms.client.segments")
    assert [(request, 2)] == telemetry.points("sms.client.attempts")
    assert [(duration, 2)] == telemetry.points("messaging.client.operation.duration")


async def test_a_key_that_is_sent_again_bills_nothing(telemetry: Telemetry, tmp_path: Path) -> None:
    """Segments are counted when they are billed: once, however often a key is sent."""
    with Journal.open(tmp_path / "orders.db") as journal:
        observer = telemetry.observer()
        async with Sandbox() as sandbox, client(sandbox, observer, journal=journal) as sms:
            for _ in range(3):
                await sms.send(NUMBER, "Thank you!", key="order-42")

    assert [1] == [value for _, value in telemetry.points("sms.client.segments")]


@pytest.mark.parametrize(
    ("fault", "state", "error"),
    [
        (Fault(SEND, "drop_after"), "unknown", "OutcomeUnknownError"),
        (Fault(SEND, "status", status=429), "not_sent", "RateLimitError"),
    ],
)
async def test_a_failure_is_an_error_without_its_words(
    telemetry: Telemetry, fault: Fault, state: str, error: str
) -> None:
    """A span and a counter name the error's class; the words stay out of both."""
    async with Sandbox() as sandbox:
        retry = RetryPolicy(attempts=1, max_pause=0)
        async with client(sandbox, telemetry.observer(), retry=retry) as sms:
            sandbox.add_fault(fault)
            with pytest.raises(SmsError):
                await sms.send(NUMBER, "Hello")

    for name in ("send iprog", "attempt 1"):
        span = telemetry.spans[name]
        assert (StatusCode.ERROR, error) == (span.status.status_code, span.status.description)
        assert error == (span.attributes or {})["error.type"]
    common = {"messaging.system": "sms", "sms.provider": "iprog"}
    counted = {**common, "sms.state": state, "error.type": error}
    assert [(counted, 1)] == telemetry.points("messaging.client.sent.messages")
    assert [] == telemetry.points("sms.client.segments")


@pytest.mark.usefixtures("whole_batches")
async def test_a_batch_is_one_span(telemetry: Telemetry) -> None:
    """In bulk there is a span for each batch, which says how its messages ended."""
    messages = [Message(f"0917123456{last}", "Hi") for last in range(5)]
    async with (
        Sandbox() as sandbox,
        client(sandbox, telemetry.observer()) as sms,
        sms.send_many(messages) as run,
    ):
        await run.drain()

    attributes = dict(telemetry.spans["send iprog"].attributes or {})
    assert 5 == attributes["messaging.batch.message_count"] == attributes["sms.messages.accepted"]
    assert 0 == attributes["sms.messages.unknown"] == attributes["sms.messages.not_sent"]
    assert "sms.recipient" not in attributes
    assert 2 == len(telemetry.exporter.get_finished_spans())


async def test_reading_is_a_span_of_its_own(telemetry: Telemetry) -> None:
    """A request that only reads has a span, and no submission around it."""
    async with Sandbox() as sandbox, client(sandbox, telemetry.observer()) as sms:
        await sms.balance()

    assert ["read the balance"] == list(telemetry.spans)


async def test_a_code_is_a_request_alone(telemetry: Telemetry) -> None:
    """A lost code is a span and a counted request with its error, and no sent message."""
    async with Sandbox() as sandbox, client(sandbox, telemetry.observer()) as sms:
        sandbox.add_fault(Fault("POST /iprog/*", "drop_after"))
        with pytest.raises(OutcomeUnknownError):
            await sms.provider.otp.send(NUMBER)

    (attributes, count) = telemetry.points("sms.client.attempts")[0]
    assert ["send the code"] == list(telemetry.spans)
    assert ("send the code", "OutcomeUnknownError", 1) == (
        attributes["messaging.operation.name"],
        attributes["error.type"],
        count,
    )
    assert [] == telemetry.points("messaging.client.sent.messages")


@pytest.mark.parametrize(
    ("numbers", "shown"), [("masked", "+639171****67"), ("full", NUMBER), ("none", None)]
)
async def test_numbers_are_shown_as_asked(telemetry: Telemetry, numbers: Any, shown: Any) -> None:
    """Recipients are masked, whole, or absent."""
    async with Sandbox() as sandbox, client(sandbox, telemetry.observer(numbers)) as sms:
        await sms.send(NUMBER, "Hello")

    assert shown == (telemetry.spans["send iprog"].attributes or {}).get("sms.recipient")


async def test_nothing_of_a_hostile_gateway_gets_in(telemetry: Telemetry) -> None:
    """An error that repeats text, number and credential leaves none of them in any span."""
    hostile = f"TOKEN-123 {NUMBER} A private text"
    provider = FakeProvider(send=refusing(reason=hostile, raw=hostile))
    async with SmsClient(provider, observers=[telemetry.observer()]) as sms:
        with pytest.raises(SmsError):
            await sms.send(NUMBER, "A private text")

    exported = "".join(span.to_json() for span in telemetry.exporter.get_finished_spans())
    exported += repr(telemetry.reader.get_metrics_data())
    assert "RejectedError" in exported
    assert not [part for part in ("TOKEN-123", NUMBER[1:], "private") if part in exported]


def test_other_words_for_numbers_are_refused() -> None:
    """A misspelt choice must not end in showing everything."""
    with pytest.raises(ConfigurationError, match="numbers"):
        OtelObserver(numbers="Full")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - what the test is about


@pytest.mark.slow
def test_missing_extra_is_named() -> None:
    """Without OpenTelemetry the import says what to install."""
    code = "import sys; sys.modules['opentelemetry'] = None; import iprog_async.otel"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)  # noqa: S603 - ours

    assert 'iprog_async.otel needs: pip install "iprog-async[otel]"' in done.stderr
