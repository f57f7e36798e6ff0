"""How checks are run: parametrised over adapters, each in an event loop of its own."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, TypeVar
from unittest import mock
from urllib.request import getproxies

from attrs import frozen

from iprog_async._client.client import SmsClient
from iprog_async._core.clock import Clock
from iprog_async._http.pool import HttpPool
from iprog_async._http.retry import RetryPolicy
from iprog_async.testing._clock import InstantClock
from iprog_async.testing._contract.case import ContractCase, OpenPool, Operation, Subject
from iprog_async.testing._contract.doubts import DOUBTS, PARTLY_DOUBTS, Doubt, PartlyDoubt
from iprog_async.testing._contract.losses import ENCOUNTERS, LOSSES, Loss
from iprog_async.testing._raw_gateway.behaviours import Step
from iprog_async.testing._raw_gateway.gateway import RawGateway


if TYPE_CHECKING:
    import pytest

P = ParamSpec("P")
S = TypeVar("S")
E = TypeVar("E", bound=BaseException)

ATTEMPTS = 3
# Nothing on loopback takes as long, unless it hangs on purpose.
PATIENT = 10.0
# Enough for loopback on a busy machine, and little to wait for.
SHORT = 0.3
# A check that waits for what never comes must fail and not hang.
_LONGEST_CHECK = 30.0


def in_loop(
    test: Callable[Concatenate[S, P], Coroutine[Any, Any, None]],
) -> Callable[Concatenate[S, P], None]:
    """Run an async check without any plug-in, and see that it leaves no task behind."""

    async def watched(self: S, *args: P.args, **kwargs: P.kwargs) -> None:
        async with asyncio.timeout(_LONGEST_CHECK):
            await test(self, *args, **kwargs)
        if left := asyncio.all_tasks() - {asyncio.current_task()}:
            # Python closes abandoned async generators in tasks that end by themselves.
            _, left = await asyncio.wait(left, timeout=1.0)
        assert not left, f"tasks left behind: {left}"

    def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(watched(self, *args, **kwargs))

    # By its signature, pytest sees what the check asks for.
    functools.update_wrapper(run, test)
    return run


@frozen
class Scene:
    """A client, the gateway it talks to, and the clock it waits by."""

    sms: SmsClient[Any]
    gateway: RawGateway
    clock: Clock

    @property
    def sleeps(self) -> list[float]:
        """How long the client waited, each time."""
        return self.clock.sleeps if isinstance(self.clock, InstantClock) else []


@asynccontextmanager
async def scene(
    subject: Subject,
    *script: Step,
    clock: Clock | None = None,
    base_url: str | None = None,
    max_connections: int = 100,
    timeout: float = PATIENT,
    deadline: float | None = None,
) -> AsyncGenerator[Scene]:
    """Start a gateway that plays the script, and a client that retries without waiting."""
    clock = clock or InstantClock()
    with _direct():
        async with (
            RawGateway(*script) as gateway,
            subject.open_pool(clock=clock, max_connections=max_connections) as pool,
            SmsClient(
                subject.make(base_url or gateway.base_url),
                pool=pool,
                timeout=timeout,
                deadline=deadline,
                retry=RetryPolicy(attempts=ATTEMPTS, base=0.0),
            ) as sms,
        ):
            yield Scene(sms, gateway, clock)


@contextmanager
def _direct() -> Generator[None]:
    """Reach loopback directly, whatever the environment says about proxies."""
    if not getproxies():
        yield
        return
    with mock.patch.dict(os.environ, {"NO_PROXY": "*", "no_proxy": "*"}):
        yield


async def failure(call: Awaitable[object], expected: type[E]) -> E:
    """Return the error that a call ends with; any other end fails the check."""
    try:
        result = await call
    except expected as exc:
        return exc
    raise AssertionError(f"expected {expected.__name__}, got {result!r}")


class Checks:
    """Base of the checks: each is run for each adapter, and for each of what else it asks for."""

    case: ClassVar[ContractCase]
    cases: ClassVar[Sequence[ContractCase]] = ()
    open_pool: ClassVar[OpenPool] = HttpPool

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give a check its adapters; one that asks for operations or losses gets each of them."""
        cases, open_pool = self.cases or (self.case,), type(self).open_pool
        subjects = [subject for case in cases for subject in case.subjects(open_pool)]
        asked = [name for name in _FURTHER if name in metafunc.fixturenames]
        if not asked:
            metafunc.parametrize("subject", subjects, ids=[subject.name for subject in subjects])
            return
        further = _FURTHER[asked[0]]
        rows = [
            (subject, item, f"{subject.name}-{name}")
            for subject in subjects
            for name, item in further(subject.case).items()
        ]
        if not rows:
            _skip(metafunc, asked[0])
            return
        metafunc.parametrize(
            ("subject", asked[0]), [row[:2] for row in rows], ids=[row[2] for row in rows]
        )


def _skip(metafunc: pytest.Metafunc, asked: str) -> None:
    """Have a check skipped that has nothing to check, with words that say why."""
    import pytest

    skip = pytest.mark.skip(reason=_NOTHING[asked])
    metafunc.parametrize(("subject", asked), [pytest.param(None, None, marks=skip, id="none")])


_NOTHING = {
    "read": "no reads to check: the case has no reads=",
    "delete": "no deletions to check: the case has no deletes=",
    "billed": "no further billed operations to check: the case has no billed=",
    "partly": "no answer to check that refuses some: the case has no partly=",
    "registered": "no name to check: the case says registered=False",
}


_Further = Mapping[str, Operation | Loss | Doubt | PartlyDoubt | ContractCase]
_FURTHER: Mapping[str, Callable[[ContractCase], _Further]] = {
    "read": lambda case: case.reads,
    "delete": lambda case: case.deletes,
    "billed": lambda case: case.billed,
    "loss": lambda _: LOSSES,
    "doubt": lambda _: DOUBTS,
    "partly": lambda case: PARTLY_DOUBTS if case.partly else {},
    "encounter": lambda _: ENCOUNTERS,
    "registered": lambda case: {"by-name": case} if case.registered else {},
}
