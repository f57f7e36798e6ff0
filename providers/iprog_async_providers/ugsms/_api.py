"""The calls of one account about its API keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from attrs import field, frozen

from iprog_async.adapter import Answer, Call, Effect, Gateway, HttpCall, Refusal


T = TypeVar("T")

Headers = tuple[tuple[str, str], ...]


@frozen(eq=False)
class Api:
    """Makes the calls of one account.

    Args:
        gateway: The host, as this account sees it.
        refusals: The user's own rows, searched first.
        call: What the adapter is bound to.
        auth_headers: The credentials as header fields, where they can be that.
        auth_fields: The credentials as fields of a body, where they can't be a header.
    """

    gateway: Gateway
    refusals: tuple[Refusal, ...]
    call: Call
    auth_headers: Headers = field(repr=False)
    auth_fields: Mapping[str, str] = field(repr=False)

    async def manage(
        self,
        path: str,
        read: Callable[[Answer], T],
        what: str,
        body: Mapping[str, object],
        *,
        effect: Effect = Effect.ONCE,
        on_gone: Callable[[], T] | None = None,
    ) -> T:
        """Make a call about API keys; no error quotes its answer."""
        call = HttpCall(
            self.gateway,
            "POST",
            path,
            read,
            what,
            effect=effect,
            json={**self.auth_fields, **body},
            headers=self.auth_headers,
            confidential=True,
            on_gone=on_gone,
        )
        return await self.call(call)
