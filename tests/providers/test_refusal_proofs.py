"""No answer that may hide a text is taken for a refusal, in any way of sending."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Container, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from support.proof import ADAPTERS, Proof
from support.refusal_proofs import PROOFS

from iprog_async import (
    Failover,
    HttpPool,
    Journal,
    Message,
    Outcome,
    OutcomeUnknownError,
    RetryPolicy,
    SmsClient,
)
from iprog_async._http.pool import EngineName
from iprog_async.testing import InstantClock, RawGateway


ENGINES: tuple[EngineName, ...] = ("httpx", "asyncio")
EAGER = RetryPolicy(attempts=3, base=0)
TEXT = "Your parcel is here."
WHEN = datetime(2031, 5, 17, 1, 30, tzinfo=UTC)


def _on_both(way: str, adapters: Container[str] = frozenset(ADAPTERS)) -> pytest.MarkDecorator:
    """Try each proof of a way over each engine; the second one is slow where it can't matter."""
    return pytest.mark.parametrize(
        ("proof", "engine"),
        [
            pytest.param(
                *(proof, engine),
                id=f"{engine}-{proof.name}",
                marks=() if engine == ENGINES[0] or _is_for_the_engine(proof) else pytest.mark.slow,
            )
            for proof in PROOFS
            if way in proof.ways and proof.adapter in adapters
            for engine in ENGINES
        ],
    )


def _is_for_the_engine(proof: Proof) -> bool:
    """Tell whether an answer is more than JSON that an adapter reads."""
    reply = proof.reply
    plain = reply.body.startswith((b"{", b"[")) and {*reply.headers} <= {"Content-Type"}
    return not plain or 300 <= reply.status < 400


alone = _on_both("alone")
many = _on_both("many")


@frozen
class Scene:
    """Two gateways that give the same answer, and a pool to reach them."""

    proof: Proof
    first: RawGateway
    second: RawGateway
    pool: HttpPool

    def provider(self, gateway: RawGateway, **settings: Any) -> Any:
        """Return the adapter for one of the gateways."""
        return ADAPTERS[self.proof.adapter].make(gateway.base_url, **settings)

    def router(self) -> Failover:
        """Return a failover over both."""
        one, other = self.provider(self.first, name="a"), self.provider(self.second, name="b")
        return Failover(one, other, retry=RetryPolicy(attempts=2, base=0), clock=self.pool.clock)

    def client(self, provider: Any, **settings: Any) -> SmsClient[Any]:
        """Return a client that would try again at once."""
        return SmsClient(provider, pool=self.pool, retry=EAGER, **settings)

    @property
    def number(self) -> str:
        """One number."""
        return ADAPTERS[self.proof.adapter].numbers[0]

    @property
    def messages(self) -> list[Message]:
        """Texts for four people."""
        numbers = ADAPTERS[self.proof.adapter].numbers[: len(self.proof.states)]
        texts = [f"{TEXT} {n}" if self.proof.mixed else TEXT for n in range(len(numbers))]
        return [Message(number, text) for number, text in zip(numbers, texts, strict=True)]

    @property
    def requests_each(self) -> set[int]:
        """Return how many requests named a person, over both gateways."""
        prepare = self.provider(self.first).prepare
        named: Counter[str] = Counter()
        for request in [*self.first.requests, *self.second.requests]:
            values = ",".join(request.values)
            named.update(to for m in self.messages if (to := prepare(m).to) in values)
        return set(named.values())


@asynccontextmanager
async def scene_of(proof: Proof, engine: EngineName) -> AsyncGenerator[Scene]:
    """Start the gateways."""
    async with (
        RawGateway(proof.reply) as first,
        RawGateway(proof.reply) as second,
        HttpPool(engine=engine, clock=InstantClock()) as pool,
    ):
        yield Scene(proof, first, second, pool)


async def outcomes_of(client: SmsClient[Any], messages: Sequence[Message]) -> list[Outcome]:
    """Return the outcomes of a run, in order."""
    async with client.send_many(messages, window=len(messages)) as run:
        return sorted([outcome async for outcome in run], key=lambda outcome: outcome.index)


def references_of(outcomes: Sequence[Outcome]) -> set[str]:
    """Return the ids that unknown outcomes keep."""
    return {
        reference
        for outcome in outcomes
        if outcome.state == "unknown"
        for reference in outcome.error.references
    }


@alone
async def test_one_text_is_unknown_after_one_request(proof: Proof, engine: EngineName) -> None:
    """A single send is neither repeated nor taken as not sent, and keeps the ids."""
    async with scene_of(proof, engine) as it, it.client(it.provider(it.first)) as sms:
        with pytest.raises(OutcomeUnknownError) as caught:
            await sms.send(it.number, TEXT)

        assert {*proof.references} <= {*caught.value.references}
        assert it.first.begun == 1


@pytest.mark.usefixtures("whole_batches")
@many
async def test_a_batch_is_not_halved(proof: Proof, engine: EngineName) -> None:
    """Everybody is named in one request, whoever it was that the gateway refused."""
    async with scene_of(proof, engine) as it, it.client(it.provider(it.first)) as sms:
        outcomes = await outcomes_of(sms, it.messages)

        assert [*proof.states] == [outcome.state for outcome in outcomes]
        assert {*proof.references} <= references_of(outcomes)
        assert (it.first.begun, it.requests_each) == (1, {1})


@alone
async def test_no_other_gateway_sends_it_again(proof: Proof, engine: EngineName) -> None:
    """A router does not go on to the next gateway."""
    async with scene_of(proof, engine) as it, it.client(it.router()) as sms:
        with pytest.raises(OutcomeUnknownError):
            await sms.send(it.number, TEXT)

        assert (it.first.begun, it.second.begun) == (1, 0)


@pytest.mark.usefixtures("whole_batches")
@many
async def test_no_other_gateway_sends_a_batch_again(proof: Proof, engine: EngineName) -> None:
    """Nor does it with a batch."""
    async with scene_of(proof, engine) as it, it.client(it.router()) as sms:
        outcomes = await outcomes_of(sms, it.messages)

        assert [*proof.states] == [outcome.state for outcome in outcomes]
        assert it.requests_each == {1}


@alone
async def test_a_key_is_used_up(proof: Proof, engine: EngineName, tmp_path: Path) -> None:
    """A second send with the key, also of another run, makes no second request."""
    begun: list[int] = []
    for _ in range(2):
        with Journal.open(tmp_path / "j.db") as journal:
            async with scene_of(proof, engine) as it:
                async with it.client(it.provider(it.first), journal=journal) as sms:
                    for _again in range(2):
                        with pytest.raises(OutcomeUnknownError):
                            await sms.send(it.number, TEXT, key="order-1")
                begun.append(it.first.begun)
    assert [1, 0] == begun


BILLED: dict[str, Sequence[Callable[[Any, str], Awaitable[object]]]] = {
    "iprog": (
        lambda provider, number: provider.otp.send(number),
        lambda provider, number: provider.reminders.create(number, TEXT, WHEN),
    ),
    "ugsms-v1": (lambda provider, _: provider.keys.generate(),),
    "ugsms-v2": (lambda provider, _: provider.keys.regenerate(),),
}


@_on_both("alone", BILLED)
async def test_what_else_is_billed_is_unknown_too(proof: Proof, engine: EngineName) -> None:
    """A code, a reminder or a key may have been made, and is asked for once."""
    calls = BILLED[proof.adapter]
    async with scene_of(proof, engine) as it, it.client(it.provider(it.first)) as sms:
        for call in calls:
            with pytest.raises(OutcomeUnknownError):
                await call(sms.provider, it.number)

        assert len(calls) == it.first.begun
