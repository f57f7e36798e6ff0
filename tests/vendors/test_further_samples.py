"""Sample answers of the gateways that have one API each, replayed."""

from __future__ import annotations

from typing import Any

import pytest
import respx
from support.samples import MARKS, Sample, load_samples

from iprog_async import Accepted, Message, SmsClient
from iprog_async_providers import (
    AfricasTalkingProvider,
    EgoSmsProvider,
    SemaphoreProvider,
    SmsGateProvider,
)


HOST = "https://gateway.example"
PROVIDERS: dict[str, Any] = {
    "africastalking": AfricasTalkingProvider("shop", "k3y-k3y", base_url=HOST, region="KE"),
    "egosms": EgoSmsProvider("shop", "k3y-k3y", base_url=HOST),
    "semaphore": SemaphoreProvider("k3y-k3y", base_url=HOST, rate=None),
    "smsgate": SmsGateProvider("shop", "p4ss-word", base_url=HOST, region="PH"),
}
NUMBERS = {
    "africastalking": "+25471234567",
    "egosms": "+25670123456",
    "semaphore": "+63917123456",
    "smsgate": "+63917123456",
}
SAMPLES = [(vendor, sample) for vendor in PROVIDERS for sample in load_samples(vendor)]
EACH = pytest.mark.parametrize(
    ("vendor", "sample"), SAMPLES, ids=[f"{vendor}-{sample}" for vendor, sample in SAMPLES]
)


async def replay(vendor: str, sample: Sample) -> dict[str, Any]:
    """Make the sample's call, and describe what came of it as its `expect` does."""
    async with SmsClient(PROVIDERS[vendor]) as sms:
        provider = sms.provider
        if sample.operation == "balance":
            balance = await provider.balance()
            amount = None if balance.amount is None else str(balance.amount)
            return {"amount": amount, "unit": balance.unit}
        if sample.operation == "status":
            status = await provider.status("1")
            return {"state": status.state, "word": status.word}
        people = range(len(sample.expect["states"]))
        # The first of the samples' numbers ends with 7 or 8, the second with the next digit.
        first = 8 if vendor == "africastalking" else 7
        messages = [Message(f"{NUMBERS[vendor]}{first + each}", "Hi") for each in people]
        outcomes = await provider.submit(
            [provider.prepare(message, index) for index, message in enumerate(messages)]
        )
    receipts = [outcome.receipt for outcome in outcomes if isinstance(outcome, Accepted)]
    costs = [receipt.cost for receipt in receipts]
    found = {
        "states": [outcome.state for outcome in outcomes],
        "ids": [receipt.message_id for receipt in receipts],
        "costs": [None if cost is None else str(cost) for cost in costs],
        "errors": [type(o.error).__name__ for o in outcomes if not isinstance(o, Accepted)],
    }
    return {key: value for key, value in found.items() if value}


@EACH
async def test_a_sample_means_what_its_file_says(
    respx_mock: respx.MockRouter, vendor: str, sample: Sample
) -> None:
    """Each recorded, documented or deduced answer gives the value or error beside it."""
    respx_mock.route(url__startswith=HOST).mock(return_value=sample.reply)

    assert sample.expect == await replay(vendor, sample)


@EACH
def test_a_sample_says_where_it_is_from(vendor: str, sample: Sample) -> None:
    """A valid mark and a source keep a guess from being taken for a recording."""
    assert sample.mark in MARKS, vendor
    assert sample.source.strip()
