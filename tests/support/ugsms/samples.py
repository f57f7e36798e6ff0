"""What a replay of one of UGSMS's sample answers gives."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from iprog_async import Accepted, Balance, NotSent, Outcome, SmsClient, SmsError, Unknown
from iprog_async_providers.ugsms import ApiKey, UgsmsV1Provider, UgsmsV2Provider
from support.samples import Sample
from support.ugsms.wire import client, different, to_many, v1, v2


async def replay(sample: Sample) -> dict[str, Any]:
    """Make the sample's call, and describe what came of it as its `expect` does."""
    api, _, operation = sample.operation.partition(".")
    async with client(v1() if api == "v1" else v2()) as sms:
        try:
            return await _run(sms, operation, len(sample.expect.get("states", ())))
        except SmsError as exc:
            return _error(exc)


async def _run(
    sms: SmsClient[UgsmsV1Provider | UgsmsV2Provider], operation: str, recipients: int
) -> dict[str, Any]:
    provider = sms.provider
    if operation in ("send", "bulk"):
        messages = (to_many if operation == "send" else different)(recipients)
        return _outcomes(
            await provider.submit([provider.prepare(m, i) for i, m in enumerate(messages)])
        )
    if operation == "balance":
        assert isinstance(provider, UgsmsV2Provider)
        return _value(await provider.balance())
    return _value(await getattr(provider.keys, operation)())


def _outcomes(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    found: dict[str, Any] = {"states": [outcome.state for outcome in outcomes]}
    for outcome in outcomes:
        match outcome:
            case Accepted(receipt=receipt):
                found |= {"message_id": receipt.message_id, "cost": _text(receipt.cost)}
            case NotSent(error=error):
                found |= _error(error)
            case Unknown(error=error):
                found |= {"error": type(error).__name__}
    return found


def _value(value: object) -> dict[str, Any]:
    match value:
        case Balance(amount=amount, unit=unit):
            return {"amount": _text(amount), "unit": unit}
        case ApiKey(key=key, expires_at=expires_at):
            return {"key": key, "expires_at": expires_at}
        case _:
            return {"value": value}


def _error(error: SmsError) -> dict[str, Any]:
    return {"error": type(error).__name__, "blame": error.blame}


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
