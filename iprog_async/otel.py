"""OpenTelemetry spans and metrics of what a client sends (extra `otel`).

Names follow OpenTelemetry's conventions for messaging where there is one. No text and no
credential is in any of it, and no error's words: a gateway may repeat either there.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.observers import AttemptEnded, Observer, SendEnded, SubmissionEnded
from iprog_async._core.outcomes import Accepted
from iprog_async._core.phones import mask_number
from iprog_async._core.public import publish


try:
    from opentelemetry import metrics, trace
    from opentelemetry.trace import SpanKind, Status, StatusCode
except ImportError as exc:
    raise ImportError('iprog_async.otel needs: pip install "iprog-async[otel]"') from exc

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider
    from opentelemetry.util.types import Attributes, AttributeValue

__all__ = ["OtelObserver"]

_SMS = {"messaging.system": "sms"}
_NAME = "iprog_async"
# Seconds: from a gateway next door to one that makes its callers wait for half a minute.
_BOUNDARIES = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0]


class OtelObserver(Observer):
    """Makes spans and metrics; give it to a client: `SmsClient(…, observers=[OtelObserver()])`.

    Spans: one `send NAME` for each submission (a single send, or one batch of a bulk run), a
    child of the caller's span, with a child for each request. Other requests have a span of
    their own: reads, and a vendor's own operations, such as one-time passwords and campaigns.

    Metrics: `messaging.client.operation.duration` (histogram, seconds, of submissions),
    `messaging.client.sent.messages` (messages by provider, state, and status where the gateway
    accepted them), `sms.client.segments`
    (segments that were accepted, and so billed) and `sms.client.attempts` (requests). Texts of a
    vendor's own operations are in the last one alone, by `messaging.operation.name`, such as
    `"send the code"`.

    Args:
        tracer_provider: OpenTelemetry's global one if `None`.
        meter_provider: OpenTelemetry's global one if `None`.
        numbers: Whether the span of a single send shows the recipient: `"masked"`, `"full"`, or
            `"none"`. Numbers are personal data.

    Raises:
        ConfigurationError: `numbers` is another word.
        ImportError: On import: OpenTelemetry is not installed; the message says how to.
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        numbers: Literal["masked", "full", "none"] = "masked",
    ) -> None:
        if numbers not in ("masked", "full", "none"):
            raise ConfigurationError(f"numbers is 'masked', 'full' or 'none', not {numbers!r}")
        self._numbers = numbers
        release = version("iprog-async")
        self._tracer = trace.get_tracer(_NAME, release, tracer_provider)
        meter = metrics.get_meter(_NAME, release, meter_provider)
        self._duration = meter.create_histogram(
            "messaging.client.operation.duration",
            unit="s",
            description="Time of a submission to its outcomes, with queue and waits",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )
        self._messages = meter.create_counter(
            "messaging.client.sent.messages",
            unit="{message}",
            description="Messages by the way they ended",
        )
        self._segments = meter.create_counter(
            "sms.client.segments", unit="{segment}", description="Segments of accepted messages"
        )
        self._attempts = meter.create_counter(
            "sms.client.attempts", unit="{request}", description="Requests to gateways"
        )

    def attempt_ended(self, event: AttemptEnded) -> None:
        """Count a request; make the span of one that is no part of a submission."""
        attributes = {
            **_SMS,
            "sms.provider": event.provider,
            "messaging.operation.name": event.what,
        }
        self._attempts.add(1, _with_error(attributes, event.error))
        if not event.sending:
            self._attempt_span(event, event.what, None)

    def submission_ended(self, event: SubmissionEnded) -> None:
        """Make the span of a submission and those of its requests."""
        failed = next((one.error for one in event.outcomes if not isinstance(one, Accepted)), None)
        end = _nanoseconds(event.ended_at)
        span = self._tracer.start_span(
            f"send {event.provider}",
            kind=SpanKind.CLIENT,
            attributes=_with_error(self._of_submission(event), failed),
            start_time=end - _nanoseconds(event.seconds),
        )
        if failed is not None:
            span.set_status(Status(StatusCode.ERROR, type(failed).__name__))
        inside = trace.set_span_in_context(span)
        for attempt in event.attempts:
            self._attempt_span(attempt, f"attempt {attempt.number}", inside)
        span.end(end_time=end)
        common = {**_SMS, "sms.provider": event.provider, "messaging.operation.name": "send"}
        self._duration.record(event.seconds, _with_error(common, failed))
        for outcome in event.outcomes:
            if isinstance(outcome, Accepted):
                # Here, and not by message: a key that is sent again is billed once.
                receipt = outcome.receipt
                billed = {**_SMS, "sms.provider": receipt.provider}
                self._segments.add(receipt.segments, billed)

    def send_ended(self, event: SendEnded) -> None:
        """Count a message."""
        attributes = {**_SMS, "sms.provider": event.provider, "sms.state": event.state}
        if event.receipt is not None:
            attributes["sms.status"] = event.receipt.status.state
        self._messages.add(1, _with_error(attributes, event.error))

    def _of_submission(self, event: SubmissionEnded) -> dict[str, AttributeValue]:
        attributes: dict[str, AttributeValue] = {
            **_SMS,
            "messaging.operation.name": "send",
            "messaging.operation.type": "send",
            "messaging.destination.name": event.provider,
            "sms.provider": event.provider,
        }
        if len(event.outcomes) > 1:
            attributes["messaging.batch.message_count"] = len(event.outcomes)
            for state in ("accepted", "not_sent", "unknown"):
                count = sum(outcome.state == state for outcome in event.outcomes)
                attributes[f"sms.messages.{state}"] = count
            failed = sum(isinstance(one, Accepted) and one.failed for one in event.outcomes)
            attributes["sms.messages.failed"] = failed
            return attributes
        for number, outcome in zip(event.numbers, event.outcomes, strict=True):
            attributes["sms.state"] = outcome.state
            if isinstance(outcome, Accepted):
                receipt = outcome.receipt
                attributes["sms.provider"] = receipt.provider
                attributes["sms.segments"] = receipt.segments
                attributes["sms.status"] = receipt.status.state
                if receipt.message_id is not None:
                    attributes["messaging.message.id"] = receipt.message_id
            if self._numbers != "none":
                shown = number if self._numbers == "full" else mask_number(number)
                attributes["sms.recipient"] = shown
        return attributes

    def _attempt_span(self, event: AttemptEnded, name: str, context: Context | None) -> None:
        attributes: dict[str, AttributeValue] = {
            "sms.provider": event.provider,
            "server.address": event.server,
        }
        if event.number > 1:
            attributes["http.request.resend_count"] = event.number - 1
        if event.http_status is not None:
            attributes["http.response.status_code"] = event.http_status
        end = _nanoseconds(event.ended_at)
        span: Span = self._tracer.start_span(
            name,
            context,
            kind=SpanKind.CLIENT,
            attributes=_with_error(attributes, event.error),
            start_time=end - _nanoseconds(event.seconds),
        )
        if event.error is not None:
            span.set_status(Status(StatusCode.ERROR, type(event.error).__name__))
        span.end(end_time=end)


def _with_error(
    attributes: dict[str, AttributeValue] | dict[str, str], error: Exception | None
) -> Attributes:
    """Return attributes with the class of an error, if there is one; never its words."""
    return attributes if error is None else {**attributes, "error.type": type(error).__name__}


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


publish(globals())
