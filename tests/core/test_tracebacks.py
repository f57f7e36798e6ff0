from __future__ import annotations

import asyncio
import inspect
import io
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import httpx
import pytest
from rich.console import Console
from rich.traceback import Traceback
from support.contract.cases import CASES
from support.core.fakes import NUMBER, Wire

from iprog_async import (
    AttemptEnded,
    ConnectionFailedError,
    HttpPool,
    JournalError,
    Observer,
    SmsClient,
    SmsError,
    provider_from_env,
    provider_from_url,
)
from iprog_async._core.tracebacks import discreet, discreetly, drop_frames
from iprog_async.adapter import SmsUrl
from iprog_async.testing import ContractCase, RawGateway, drop, silence
from iprog_async.testing._contract.checks.base import scene
from iprog_async.testing._contract.secret_finder import leaks, shown_by
from iprog_async_providers import (
    EgoSmsProvider,
    InfopromoHttpProvider,
    InfopromoProvider,
    IprogProvider,
    UgsmsV1Provider,
    UgsmsV2Provider,
    UltimateSmsHttpProvider,
    UltimateSmsProvider,
)


TOKEN = "17|t0k/en+S3cr=et"
CODE = "84730126"
# Of this test's own: what is searched for the token must not have it in a local variable.
_GIVEN = {"token": TOKEN, "broken": f"{TOKEN}\nx"}
_ADDRESS = "17%7Ct0k%2Fen%2BS3cr%3Det"


def caught(call: Callable[[], object]) -> SmsError:
    """Return the error that a call raises."""
    with pytest.raises(SmsError) as info:
        call()
    return info.value


WRONG: dict[str, Callable[[], object]] = {
    "iprog token": lambda: IprogProvider(_GIVEN["broken"]),
    "iprog place": lambda: IprogProvider(_GIVEN["token"], token_in="form"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - that it is wrong is the point
    "iprog address": lambda: IprogProvider(_GIVEN["token"], base_url="nowhere"),
    "iprog rate": lambda: IprogProvider(_GIVEN["token"], rate="often"),
    "egosms password": lambda: EgoSmsProvider("shop", _GIVEN["broken"]),
    "egosms priority": lambda: EgoSmsProvider("shop", _GIVEN["token"], priority=5),
    "infopromo token": lambda: InfopromoProvider(_GIVEN["broken"], sender_id="Shop"),
    "infopromo sender": lambda: InfopromoProvider(_GIVEN["token"], sender_id="far too long a name"),
    "infopromo-http zone": lambda: InfopromoHttpProvider(_GIVEN["token"], timezone="Nowhere"),
    "ultimatesms size": lambda: UltimateSmsProvider(
        _GIVEN["token"], base_url="https://x", max_batch=0
    ),
    "ultimatesms-http name": lambda: UltimateSmsHttpProvider(
        _GIVEN["token"], base_url="https://x", name="a:b"
    ),
    "ugsms-v1 name": lambda: UgsmsV1Provider("", _GIVEN["token"]),
    "ugsms-v1 password": lambda: UgsmsV1Provider("shop", _GIVEN["broken"]),
    "ugsms-v2 key": lambda: UgsmsV2Provider(_GIVEN["broken"]),
    "ugsms-v2 size": lambda: UgsmsV2Provider(_GIVEN["token"], max_batch=0),
    "unknown setting": lambda: provider_from_url(f"iprog://{_ADDRESS}@?colour=red"),
    "token as a setting": lambda: provider_from_url(f"iprog://x@?api_token={_ADDRESS}"),
    "token as a number": lambda: provider_from_url(f"iprog://x@?max_batch={_ADDRESS}"),
    "unknown gateway": lambda: provider_from_url(f"nobody://{_ADDRESS}@"),
    "no address": lambda: provider_from_url(f"{_ADDRESS}@"),
    "port": lambda: SmsClient.from_url(f"infopromo://{_ADDRESS}@host:many"),
    "two, one of them wrong": lambda: provider_from_url(f"iprog://{_ADDRESS}@ || ugsms-v2://@"),
    "engine": lambda: SmsClient.from_url(f"iprog://{_ADDRESS}@", engine="none"),
    "environment": lambda: provider_from_env({"OTHER": _GIVEN["token"]}),
    "client of an environment": lambda: SmsClient.from_env(
        {"IPROG_SMS_API_TOKEN": _GIVEN["broken"]}
    ),
    "address in the environment": lambda: SmsClient.from_env({"SMS_URL": f"iprog:{_ADDRESS}"}),
    "from_env": lambda: IprogProvider.from_env({"IPROG_SMS_API_TOKEN": _GIVEN["broken"]}),
    "half of an environment": lambda: UgsmsV1Provider.from_env({"UGSMS_PASSWORD": _GIVEN["token"]}),
    "from_url": lambda: UgsmsV2Provider.from_url(
        SmsUrl("ugsms-v2", _GIVEN["token"], "", "", {"max_batch": "none"})
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_setting_that_is_wrong_shows_no_credential_beside_it(name: str) -> None:
    """The error of a constructor, of an address or an environment holds none of their frames."""
    error = caught(WRONG[name])

    assert leaks(shown_by(error), [TOKEN]) == []


def test_a_process_environment_is_in_no_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is configured, other programs' secrets in the environment are not told."""
    monkeypatch.delenv("SMS_URL", raising=False)
    monkeypatch.setenv("OTHER_SECRET", TOKEN)

    assert leaks(shown_by(caught(SmsClient.from_env)), [TOKEN]) == []


@pytest.mark.parametrize("engine", ["httpx", "asyncio"])
def test_the_password_of_a_proxy_is_in_no_frame(
    monkeypatch: pytest.MonkeyPatch, engine: Any
) -> None:
    """Nor is the address of one that can't be used."""
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("https_proxy", f"gopher://user:{TOKEN}@proxy.example:8080")
    error = caught(lambda: SmsClient.from_url(f"iprog://{_ADDRESS}@", engine=engine))

    assert leaks(shown_by(error), [TOKEN]) == []


FAILURES: Mapping[str, Callable[[], Exception | httpx.Response]] = {
    "connect": lambda: httpx.ConnectError("refused"),
    "read": lambda: httpx.ReadError("reset"),
    "timeout": lambda: httpx.ReadTimeout("slow"),
    "hook": lambda: LookupError("hook"),
    "502": lambda: httpx.Response(502),
    "401": lambda: httpx.Response(401),
    "no json": lambda: httpx.Response(200, html="<title>x</title>"),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("place", ["json", "query"])
async def test_a_traceback_drawn_by_rich_shows_no_credential(name: str, place: Any) -> None:
    """With the local variables of every frame, as rich.traceback.install(show_locals=True) has."""
    out = io.StringIO()
    wire = Wire(FAILURES[name]())
    async with SmsClient(IprogProvider(_GIVEN["token"], token_in=place), pool=wire.pool) as sms:
        error = await _failed(sms.send(NUMBER, "Hi"))
    drawn = Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True)
    Console(file=out, width=300).print(drawn)

    assert "locals" in out.getvalue()
    assert leaks([out.getvalue(), *shown_by(error)], [TOKEN]) == []


class _Stop(BaseException):
    """What no code of ours expects."""


@pytest.mark.parametrize("hook", ["request", "response"])
@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt, _Stop, asyncio.CancelledError])
async def test_an_event_hook_that_raises_takes_no_credential_along(
    hook: str, error: type[BaseException]
) -> None:
    """Whatever a hook of the application's own HTTP client raises, and whoever catches it."""

    async def raise_it(_: object) -> None:
        raise error

    wire = Wire(httpx.Response(200))
    wire.http.event_hooks = {hook: [raise_it]}
    provider = UgsmsV1Provider("shop", _GIVEN["token"], credentials_in="query")
    async with SmsClient(provider, pool=wire.pool) as sms:
        seen = await _failed(sms.send("+256701234567", "Hi"))

    assert leaks(shown_by(seen), [TOKEN]) == []


ENGINES: Mapping[str, Callable[[], HttpPool]] = {
    "httpx": HttpPool,
    "asyncio": partial(HttpPool, engine="asyncio"),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_wherever_a_credential_travels_no_frame_has_it(
    case: ContractCase, engine: str
) -> None:
    """In a header, JSON, a form or a query, over both engines: a lost answer, and a stop."""
    shown: list[str] = []
    for subject in case.subjects(ENGINES[engine]):
        async with scene(subject, drop(), silence()) as it:
            shown += shown_by(await _failed(it.sms.send(subject.number, "Hi")))
            stopped = asyncio.ensure_future(it.sms.send(subject.number, "Hi again"))
            await it.gateway.until(lambda gateway: gateway.begun == 2)
            stopped.cancel()
            shown += shown_by(await _failed(stopped))

    assert leaks(shown, case.secrets) == []


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("end", ["cancelled", "timeout around", "deadline", "loop"])
async def test_a_code_that_is_checked_is_in_no_frame(engine: str, end: str) -> None:
    """However the check of a one-time password ends, its code stays untold."""
    async with RawGateway(silence()) as gateway, ENGINES[engine]() as pool:
        provider = IprogProvider(_GIVEN["token"], base_url=gateway.base_url)
        sms = SmsClient(provider, pool=pool, deadline=0.1 if end == "deadline" else None)
        check = asyncio.ensure_future(_checked(sms))
        if end != "deadline":
            await gateway.until(lambda gateway: gateway.begun == 1)
        error = await _failed(_ended(check, end))

    assert leaks(shown_by(error), [TOKEN, CODE]) == []


async def _checked(sms: SmsClient[IprogProvider]) -> None:
    await sms.provider.otp.verify(NUMBER, CODE)


async def _ended(check: asyncio.Future[None], end: str) -> None:
    if end == "timeout around":
        async with asyncio.timeout(0.01):
            await check
    if end == "loop":
        # As `asyncio.TaskGroup` ends its tasks.
        check.cancel()
        raise BaseExceptionGroup("tasks", await asyncio.gather(check, return_exceptions=True))  # type: ignore[type-var]
    if end == "cancelled":
        check.cancel()
    await check


@pytest.mark.parametrize("code", ["", "12 34\u00e9", 84730126])
async def test_a_code_that_is_none_is_in_no_frame(code: Any) -> None:
    """One that can't be checked at all is not told, either."""
    sms = SmsClient(IprogProvider(_GIVEN["token"]))
    error = await _failed(sms.provider.otp.verify(NUMBER, code))
    ours = list(shown_by(error))

    assert leaks(ours, [TOKEN, str(code) or TOKEN]) == []


async def test_observers_are_given_errors_without_frames() -> None:
    """What an observer keeps, or draws, is the error alone."""
    seen: list[str] = []

    class Watch(Observer):
        def attempt_ended(self, event: AttemptEnded) -> None:
            if event.error is not None:
                seen.extend(shown_by(event.error))

    wire = Wire(httpx.Response(502))
    async with SmsClient(
        IprogProvider(_GIVEN["token"]), pool=wire.pool, observers=[Watch()]
    ) as sms:
        await _failed(sms.send(NUMBER, "Hi"))

    assert seen
    assert leaks(seen, [TOKEN]) == []


async def test_what_the_caller_was_handling_stays_as_it_is() -> None:
    """An error of the application itself, in whose handling a send failed, keeps its traceback."""
    wire = Wire(httpx.Response(502))
    async with SmsClient(IprogProvider(_GIVEN["token"]), pool=wire.pool) as sms:
        try:
            raise LookupError("of the application")
        except LookupError as exc:
            handled = exc
            error = await _failed(sms.balance())

    assert handled is error.__context__
    assert handled.__traceback__ is not None


async def test_an_error_keeps_the_frames_of_its_caller() -> None:
    """The line of the application that sent is in the traceback, so that it can be found."""
    wire = Wire(httpx.ConnectError("refused"))
    async with SmsClient(IprogProvider(_GIVEN["token"]), pool=wire.pool) as sms:
        with pytest.raises(ConnectionFailedError) as caught:
            await sms.send(NUMBER, "Hi")

    names = [entry.frame.code.name for entry in caught.traceback]
    assert names[0] == "test_an_error_keeps_the_frames_of_its_caller"


def test_a_cause_that_is_named_stays_without_its_frames() -> None:
    """Why a journal can't be used is worth knowing; where it was found out, is not."""
    reason = _raised(OSError("disk full"))
    error = _raised(JournalError("no"))
    error.__cause__ = reason

    drop_frames(error)

    assert (reason, None, None) == (error.__cause__, error.__traceback__, reason.__traceback__)


def test_errors_of_a_group_lose_their_frames_too() -> None:
    """As those of several tasks at once."""
    parts = [_raised(KeyError("a")), _raised(OSError("b"))]

    drop_frames(BaseExceptionGroup("both", parts))

    assert [None, None] == [part.__traceback__ for part in parts]


def test_a_loop_of_errors_ends() -> None:
    """Two errors that name each other as the cause are gone through once."""
    one, two = JournalError("1"), JournalError("2")
    one.__cause__, two.__cause__ = two, one

    assert one is drop_frames(one)


def test_a_constructor_has_its_own_signature() -> None:
    """Editors and `help()` show the arguments of the provider."""
    names = list(inspect.signature(IprogProvider).parameters)

    assert names[0] == "api_token"
    assert "base_url" in names


async def test_values_pass_through() -> None:
    """What works, works as before."""

    async def value() -> int:
        return 7

    def add(number: int) -> int:
        return number + 1

    assert (7, 8) == (await discreetly(value()), discreet(add)(7))


def _raised(error: Exception) -> Any:
    with pytest.raises(type(error)) as info:
        raise error
    return info.value


async def _failed(call: Awaitable[object]) -> BaseException:
    """Return what a call raises; any other end fails the test."""
    try:
        await call
    except BaseException as exc:
        return exc
    raise AssertionError("nothing was raised")
