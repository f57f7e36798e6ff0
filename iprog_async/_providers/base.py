"""What adapters have in common."""

from __future__ import annotations

import copy
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, cast

from attrs import evolve, field, frozen

from iprog_async._core.errors import (
    ConfigurationError,
    InvalidMessageError,
    SmsError,
    UnsupportedError,
)
from iprog_async._core.messages import (
    Message,
    PreparedMessage,
    check_schedule,
    check_sender_id,
    check_text,
)
from iprog_async._core.outcomes import Outcome, failed
from iprog_async._core.rates import Rate, to_rate
from iprog_async._core.schedules import as_kept
from iprog_async._core.segments import count_segments
from iprog_async._core.tracebacks import InitSignature, discreet, drop_frames, guard_constructor
from iprog_async._http.calls import Call, HttpCall, check_name
from iprog_async._providers.protocols import Batching, Capabilities
from iprog_async._providers.refusals import Refusal
from iprog_async._providers.url import SmsUrl


T = TypeVar("T")


async def _unbound(call: HttpCall[T], /) -> T:
    raise ConfigurationError(
        f"{call.gateway.name} is not bound to a client; use it as SmsClient(provider).provider"
    )


def to_sender_id(value: str | None) -> str | None:
    """Turn what users pass to a provider as `sender_id=` into what travels.

    Raises:
        ConfigurationError: It can't be a sender ID.
    """
    if value is None:
        return None
    try:
        return check_sender_id(value)
    except InvalidMessageError as exc:
        raise ConfigurationError(str(exc)) from None


def to_refusals(rows: Sequence[Refusal]) -> tuple[Refusal, ...]:
    """Turn what users pass as `refusals=` into the tuple that adapters search."""
    return tuple(rows)


@frozen(kw_only=True, eq=False, slots=False)
class BaseProvider(ABC):
    """Base of adapters: binding, the checks that hold everywhere, outcomes from errors.

    A subclass has the class attributes below, a default `name`, `batching`, `_number` and `_send`.

    Args:
        name: Unique label of this account; receipts carry it.
        rate: The most requests, such as `"60/min"`; the gateway's documented limit by default.
        refusals: Further refusals that are certainly made before dispatch, for hosts that
            translate their messages. They go through the same rule as the adapter's own: each
            has to match the whole text, and refuses a request to many only if it says
            `whole_request=True`.
    """

    scheme: ClassVar[str]
    """How addresses (`SMS_URL`) begin: `iprog://…`."""
    env_names: ClassVar[tuple[str, ...]] = ()
    """Environment variables that `from_env` reads; the first ones are its credentials."""
    capabilities: ClassVar[Capabilities]
    options_type: ClassVar[type[object] | None] = None
    """Class of `Message.options` that this adapter takes."""

    name: str = field(default="", validator=check_name)
    rate: Rate | None = field(default=None, converter=to_rate)
    refusals: tuple[Refusal, ...] = field(default=(), converter=to_refusals, repr=False)
    _call: Call = field(default=_unbound, init=False, repr=False)

    def __init_subclass__(cls, **settings: Any) -> None:
        """Have no error of a constructor hold what the constructor was given."""
        super().__init_subclass__(**settings)
        for name, own in list(vars(cls).items()):
            if name.startswith("from_") and isinstance(own, classmethod):
                function: Callable[..., Any] = cast("Any", own).__func__
                setattr(cls, name, classmethod(discreet(function)))

    if not TYPE_CHECKING:  # Checkers are to see the arguments of `__init__` alone.
        __signature__ = InitSignature()

        def __new__(cls, *_: object, **__: object) -> Self:
            """Guard `__init__`, which attrs may have put into the class only after it was made."""
            guard_constructor(cls)
            return super().__new__(cls)

    @property
    @abstractmethod
    def batching(self) -> Batching:
        """What one request may carry."""

    @classmethod
    @abstractmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from a parsed address.

        Raises:
            ConfigurationError: A credential or setting is missing or wrong.
        """

    @classmethod
    def from_env(cls, environ: Mapping[str, str], /) -> Self | None:
        """Build the provider from `env_names`; `None` where its credentials are not set.

        Raises:
            ConfigurationError: What is set is wrong.
        """
        return None

    @classmethod
    def sandbox(cls) -> object | None:
        """Return the gateway's part in the local sandbox, a `SandboxGateway`, if it plays one."""
        return None

    def bind(self, call: Call, /) -> Self:
        """Return a copy that makes its calls through `call`; the original stays untouched."""
        bound = copy.copy(self)
        object.__setattr__(bound, "_call", call)
        return bound

    def prepare(self, message: Message, /, index: int = 0) -> PreparedMessage:
        """Check a message and normalise its number, without any network.

        Raises:
            InvalidMessageError: It can't be sent as it is; the error quotes what was given.
            UnsupportedError: It asks for something this gateway does not have.
        """
        check_text(message)
        if message.schedule_at is not None:
            check_schedule(message)
            if self.capabilities.scheduling == "none":
                raise UnsupportedError(
                    f"{self.name} can't send a text later: its gateway has no scheduling; "
                    "send it when its time has come, or use a provider that schedules"
                )
        options = message.options
        if options is not None and (
            self.options_type is None or not isinstance(options, self.options_type)
        ):
            raise InvalidMessageError(
                f"{self.name} can't use options of type {type(options).__name__}"
            )
        # A sender ID is read before the adapter's own checks, which may look at it.
        plain = message.sender_id is None and message.schedule_at is None and options is None
        wire = message if plain else self._as_sent(message)
        self._check(message)
        e164, to = self._number(message.to)
        segments = count_segments(message.text)
        if plain:
            # Its `wire` is the message itself.
            return PreparedMessage(message, to, e164, segments, index)
        step = self.capabilities.schedule_step
        return PreparedMessage(message, to, e164, segments, index, wire=wire, schedule_step=step)

    def e164(self, number: str, /) -> str:
        """Return a number as E.164, as this adapter reads it: national ones are of its region.

        Whatever has a number and no text asks for it: one-time codes, numbers that are never to be
        texted, sender IDs by country.

        Raises:
            InvalidMessageError: It is no number that the gateway can text.
        """
        return self._number(number)[0]

    async def submit(self, batch: Sequence[PreparedMessage], /) -> Sequence[Outcome]:
        """Send prepared messages in one request; one outcome each, in order."""
        try:
            return await self._send(batch)
        except SmsError as exc:
            error = exc
        drop_frames(error, sys.exception())
        return [failed(prepared, error) for prepared in batch]

    def _as_sent(self, message: Message) -> Message:
        """Return a message as it travels.

        What two messages can differ in, while their requests can't, is made equal here. A
        subclass adds what its own wire can't tell apart, such as an explicit default.
        """
        sender_id, when = message.sender_id, message.schedule_at
        if sender_id is not None:
            sender_id = check_sender_id(sender_id)
            if sender_id == getattr(self, "sender_id", None):
                # The account's own is sent without being named.
                sender_id = None
        if when is not None:
            when = as_kept(when, self.capabilities.schedule_step)
        if sender_id == message.sender_id and when is message.schedule_at:
            return message
        return evolve(message, sender_id=sender_id, schedule_at=when)

    def _check(self, message: Message) -> None:  # noqa: B027 - most gateways need none
        """Make further checks of this gateway; raise if the message can't be sent."""

    @abstractmethod
    def _number(self, number: str) -> tuple[str, str]:
        """Return a number as E.164 and in the gateway's notation."""

    @abstractmethod
    def _send(self, batch: Sequence[PreparedMessage]) -> Coroutine[Any, Any, Sequence[Outcome]]:
        """Send a batch; an error raised here is the outcome of every message in it."""
