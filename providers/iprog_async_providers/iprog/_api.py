"""IPROG's requests as data: where the token travels, and how a number is written."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Literal, TypeVar

from attrs import frozen

from iprog_async import InvalidMessageError
from iprog_async.adapter import Answer, Call, Effect, Gateway, HttpCall, Refusal, to_e164
from iprog_async_providers.iprog import _answers


T = TypeVar("T")

TokenPlace = Literal["json", "query"]
_COUNTRY = "+63"
_MOBILE = "+639"
_MOBILE_LENGTH = len("+639171234567")


@frozen
class Wire:
    """Makes the calls of one account.

    Args:
        gateway: The host, as this account sees it; its one secret is the token.
        token_in: Where the token travels in POST, PATCH and DELETE.
        refusals: The user's own rows, searched first.
        call: What the adapter is bound to.
    """

    gateway: Gateway
    token_in: TokenPlace
    refusals: tuple[Refusal, ...]
    call: Call

    async def read(
        self,
        path: str,
        read: Callable[[Answer], T],
        what: str,
        query: Mapping[str, str] | None = None,
        *,
        confidential: bool = False,
    ) -> T:
        """Make a GET call; its token can only travel in the query."""
        call = HttpCall(
            self.gateway,
            "GET",
            path,
            read,
            what,
            effect=Effect.READ,
            query={**self._token(), **(query or {})},
            confidential=confidential,
        )
        return await self.call(call)

    # Each send goes through it: as a coroutine of its own, it would be one frame more to go through
    # whenever the session awaits something.
    def write(
        self,
        method: str,
        path: str,
        read: Callable[[Answer], T],
        what: str,
        body: Mapping[str, object],
        *,
        effect: Effect = Effect.ONCE,
        secrets: tuple[str, ...] = (),
        confidential: bool = False,
        on_gone: Callable[[], T] | None = None,
        recipients: int = 1,
    ) -> Coroutine[Any, Any, T]:
        """Make a POST, PATCH or DELETE call, with the token where `token_in` says."""
        in_query = self.token_in == "query"  # noqa: S105 - a place, not a password
        # By position, as far as the order goes: a class takes names more slowly than a function.
        call = HttpCall(
            self.gateway,
            method,
            path,
            read,
            what,
            effect,
            self._token() if in_query else None,
            (body or None) if in_query else {**self._token(), **body},
            secrets=secrets,
            confidential=confidential,
            on_gone=on_gone,
            recipients=recipients,
        )
        return self.call(call)

    def check(self, answer: Answer, extra: tuple[Refusal, ...] = ()) -> _answers.Envelope:
        """Return the body of a success; raise what any other answer means."""
        return _answers.check(answer, self.gateway.name, self.refusals + extra)

    def reader(
        self, read: Callable[[_answers.Envelope], T], extra: tuple[Refusal, ...] = ()
    ) -> Callable[[Answer], T]:
        """Return a function that checks the envelope before it reads the value."""

        def check_and_read(answer: Answer) -> T:
            return read(self.check(answer, extra))

        return check_and_read

    def _token(self) -> dict[str, str]:
        return {"api_token": self.gateway.secrets[0]}


def to_wire_number(number: str) -> tuple[str, str]:
    """Return a number as E.164 and as IPROG writes it, `639171234567`.

    Raises:
        InvalidMessageError: It is none that IPROG is known to take; the message quotes it as given.
    """
    e164 = to_e164(number, "PH", mobile_only=True)
    if len(e164) == _MOBILE_LENGTH and e164.startswith(_MOBILE):
        return e164, e164[1:]
    if not e164.startswith(_COUNTRY):
        raise InvalidMessageError(
            f"the phone number {number!r} is of another country than the Philippines; IPROG sends "
            "to Philippine mobile numbers only"
        )
    raise InvalidMessageError(
        f"the phone number {number!r} is none that IPROG is known to take: those are the "
        "Philippine mobile numbers with 09…; whether it takes 0895 to 0898 of DITO, too, is "
        "nowhere said"
    )
