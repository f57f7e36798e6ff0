from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from support.core.fakes import NUMBER, FakeProvider, to_many
from support.journal.journaling import Place

from iprog_async import DeliveryStatus, Journal, Outcome, Receipt, SmsClient
from iprog_async.adapter import PreparedMessage, accepted


async def numbered(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Accept every message under a number, as gateways' JSON has it."""
    number: Any = 4711
    return [accepted(prepared, "fake", message_id=number) for prepared in batch]


async def worded(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Accept every message with a status that is no text."""
    status = DeliveryStatus("pending", cast("str", 7))
    return [accepted(prepared, "fake", message_id="1", status=status) for prepared in batch]


@pytest.mark.parametrize("send", [numbered, worded])
async def test_odd_values_of_an_adapter_never_hide_an_accepted_text(path: Place, send: Any) -> None:
    """A number where text belongs is accepted, on record, and not sent again."""
    provider = FakeProvider(send=send)
    with Journal.open(path) as journal:
        async with SmsClient(provider, journal=journal) as sms:
            first = await sms.send(NUMBER, "Hi", key="k")
            again = await sms.send(NUMBER, "Hi", key="k")
            async with sms.send_many(to_many(3)) as run:
                await run.drain()

    assert first.message_id == again.message_id
    assert 3 == run.counts.accepted
    assert 4 == sum(len(batch) for batch in provider.sent)


async def test_what_can_not_be_written_down_is_handed_out_all_the_same(
    path: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An outcome that the journal can't express is still the sender's, and the log says so."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("iprog_async._journal.rows.Row.as_accepted", fail)
    with Journal.open(path) as journal:
        async with SmsClient(FakeProvider(), journal=journal) as sms:
            assert "fake" == (await sms.send(NUMBER, "Hi", key="k")).provider

    assert "is not on record" in caplog.text


def test_ids_are_text() -> None:
    """A receipt's id is text whatever an adapter passes, so that it survives being stored."""
    number: Any = 4711
    receipt = Receipt("p", number, "639", 1)

    assert ("4711", "p:4711") == (receipt.message_id, receipt.ref)
    assert receipt == Receipt.from_dict(receipt.to_dict())
