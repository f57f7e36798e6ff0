from __future__ import annotations

import pytest
from support.contract.cases import CASES
from support.contract.tls import tls_contexts

from iprog_async import ConnectionFailedError, HttpPool, RetryPolicy, SmsClient
from iprog_async.testing import ContractCase, InstantClock, RawGateway


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_a_certificate_nobody_trusts_is_certainly_not_sent(case: ContractCase) -> None:
    """Where TLS fails on the certificate, no request leaves, and the error says so."""
    serving, _ = tls_contexts()
    clock = InstantClock()
    async with RawGateway(tls=serving) as gateway, HttpPool(clock=clock) as pool:
        sms = SmsClient(case.make(gateway.base_url), pool=pool, retry=RetryPolicy(attempts=2))
        with pytest.raises(ConnectionFailedError, match="certificate") as caught:
            await sms.send(case.numbers[0], case.text)
        assert not caught.value.may_have_been_sent
        assert (gateway.connections, gateway.begun, len(clock.sleeps)) == (0, 0, 1)


async def test_a_trusted_certificate_lets_the_text_through() -> None:
    """The same gateway, trusted by `verify=`: one request, accepted."""
    (case,) = (case for case in CASES if case.name == "iprog")
    serving, trusting = tls_contexts()
    (subject,) = case.subjects()[:1]
    async with RawGateway(subject.success(), tls=serving) as gateway:
        async with SmsClient(case.make(gateway.base_url), verify=trusting) as sms:
            receipt = await sms.send(case.numbers[0], case.text)
        assert receipt.provider == "iprog"
        assert gateway.begun == 1
