"""Providers that are not whole, as an entry point may name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from iprog_async.adapter import BaseProvider, Batching, Capabilities
from support.contract.toy import ToyProvider


class Bare(ToyProvider):
    """Says neither how its addresses begin nor what it can do."""

    scheme: ClassVar[str] = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType] - as if it were not there
    capabilities: ClassVar[Capabilities] = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType] - as if it were not there


class Abstract(ToyProvider):
    """Can't be built from an address."""

    from_url = BaseProvider.from_url  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType] - the abstract one


class Raising(ToyProvider):
    """Fails at whatever it is asked before it sends anything."""

    @classmethod
    def sandbox(cls) -> None:
        """Fail."""
        raise RuntimeError("no sandbox today")

    @property
    def batching(self) -> Batching:
        """Fail."""
        raise RuntimeError("no idea")


class Misplayed(ToyProvider):
    """Plays its gateway with something else than a `SandboxGateway`."""

    @classmethod
    def sandbox(cls) -> object | None:
        """Return what can't be played."""
        return "http://127.0.0.1"


class Unreadable(ToyProvider):
    """Can't read the environment."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str], /) -> Self | None:
        """Fail, with what may be a credential."""
        raise KeyError("sandbox-hidden")
