"""One vendor's part in the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import frozen


if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from iprog_async.sandbox._simulation.replies import ReceivedText
    from iprog_async.sandbox._simulation.state import SandboxState


@frozen
class SandboxGateway:
    """How a vendor's gateway is played; adapters of one vendor share the prefix.

    Args:
        prefix: Where its routes are mounted: `"iprog"` becomes `/iprog/…`.
        routes: Builds its routes, without the prefix, once per sandbox.
        address: Address of the adapter with the sandbox's credentials, with `{base_url}`
            where the percent-encoded address of the mount goes.
        has_content_filter: Whether its routes ask `SandboxState.blocks` about each text.
        push: Returns what it posts, as JSON, of a text that it received; `None` for a gateway
            that has no incoming texts.
    """

    prefix: str
    routes: Callable[[SandboxState], Sequence[BaseRoute]]
    address: str
    has_content_filter: bool = False
    push: Callable[[ReceivedText], Mapping[str, object]] | None = None
