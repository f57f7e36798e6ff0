"""What each gateway can do, read from the adapters' own classes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from attrs import frozen

from iprog_async._providers.protocols import Batching
from iprog_async._providers.registry import ProviderType, provider_types
from iprog_async._providers.url import parse_address


HEADINGS = ("Provider", "Gateway", "Status", "Balance", "Schedule", "Request", "Also", "Variables")

# Addresses to build an example of an adapter with; what one needs, another may refuse.
_EXAMPLES = ("{0}://example:example@sms.example.com", "{0}://example@sms.example.com")


@frozen
class CapabilityRow:
    """What one adapter can do.

    Args:
        name: Its name, which is also the scheme of its addresses.
        title: The gateway's name, for people.
        status: Whether it tells how far a text has come.
        balance: Whether it tells what is left on the account.
        scheduling: How a text is sent later: `"native"`, `"reminder"` or `"none"`.
        batching: What one request may carry; `None` where no example could be built.
        operations: The vendor's own operations.
        env_names: Environment variables that configure it.
    """

    name: str
    title: str
    status: bool
    balance: bool
    scheduling: str
    batching: Batching | None
    operations: tuple[str, ...]
    env_names: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON-ready data."""
        batching = self.batching
        return {
            "name": self.name,
            "title": self.title,
            "status": self.status,
            "balance": self.balance,
            "scheduling": self.scheduling,
            "max_batch": None if batching is None else batching.max_batch,
            "mixed_texts": None if batching is None else batching.mixed_texts,
            "operations": list(self.operations),
            "env_names": list(self.env_names),
        }

    def cells(self) -> tuple[str, ...]:
        """Return the row as people read it, one cell for each of `HEADINGS`."""
        return (
            self.name,
            self.title,
            _tick(self.status),
            _tick(self.balance),
            "-" if self.scheduling == "none" else self.scheduling,
            _capacity(self.batching),
            ", ".join(self.operations) or "-",
            "\n".join(self.env_names) or "SMS_URL",
        )


def rows() -> list[CapabilityRow]:
    """Return a row for each installed adapter that can be loaded, by name."""
    return [_row(name, cls) for name, cls in provider_types().items()]


def markdown(table: Sequence[CapabilityRow]) -> str:
    """Return the matrix as a Markdown table."""
    lines = [HEADINGS, ["---"] * len(HEADINGS), *(_markdown_cells(row) for row in table)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _markdown_cells(row: CapabilityRow) -> list[str]:
    name, *between, variables = (cell.replace("|", "\\|") for cell in row.cells())
    return [f"`{name}`", *between, ", ".join(f"`{word}`" for word in variables.splitlines())]


def _row(name: str, cls: ProviderType) -> CapabilityRow:
    can = cls.capabilities
    return CapabilityRow(
        name,
        can.title,
        hasattr(cls, "status"),
        hasattr(cls, "balance"),
        can.scheduling,
        _batching(name, cls),
        can.operations,
        cls.env_names,
    )


def _batching(name: str, cls: ProviderType) -> Batching | None:
    """Return what one request may carry, which only an object of the class can tell."""
    for example in _EXAMPLES:
        # Whatever a plug-in of somebody else's raises, the others have their rows.
        with suppress(Exception):
            return cls.from_url(parse_address(example.format(name))).batching
    # Where it is the same whatever the settings are, an object without any can tell.
    with suppress(Exception):
        return object.__new__(cls).batching
    return None


def _tick(able: bool) -> str:
    return "yes" if able else "-"


def _capacity(batching: Batching | None) -> str:
    if batching is None:
        return "?"
    if batching.max_batch == 1:
        return "1 number"
    what = "texts" if batching.mixed_texts else "numbers"
    return f"{batching.max_batch} {what}"
